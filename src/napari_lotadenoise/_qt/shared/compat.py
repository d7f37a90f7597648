"""What newer versions of napari have moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel


def grid_of(viewer: ViewerModel) -> Any:
    """Return the grid of a viewer, which napari 0.9 has moved to its canvas."""
    canvas: Any = getattr(viewer, "canvas", None)
    return canvas.grid if hasattr(canvas, "grid") else viewer.grid


def camera_of(viewer: ViewerModel) -> Any:
    """Return the camera of a viewer, which napari 0.9 has moved to its scene."""
    scene: Any = getattr(viewer, "scene", None)
    return scene.camera if hasattr(scene, "camera") else viewer.camera
