"""What newer versions of napari have moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel


def grid_of(viewer: ViewerModel) -> Any:
    """The grid of a viewer, which napari 0.9 has moved to its canvas."""
    canvas: Any = getattr(viewer, "canvas", None)
    return canvas.grid if hasattr(canvas, "grid") else viewer.grid


def camera_of(viewer: ViewerModel) -> Any:
    """The camera of a viewer, which napari 0.9 has moved to its scene."""
    scene: Any = getattr(viewer, "scene", None)
    return scene.camera if hasattr(scene, "camera") else viewer.camera


def grid_upwards(viewer: ViewerModel) -> None:
    """Switch the grid on so that the lowest layer comes first; which sign of the stride that is has changed in napari."""
    grid, layers = grid_of(viewer), viewer.layers
    grid.stride = 1
    grid.enabled = True
    shown = [index for index, layer in enumerate(layers) if layer.visible]
    if len(shown) > 1 and _position(grid, shown[0], layers) > _position(grid, shown[-1], layers):
        grid.stride = -1


def _position(grid: Any, index: int, layers: Any) -> tuple[int, int]:
    try:
        return tuple(grid.position(index, layers))
    except TypeError:  # before napari 0.9, it is only told how many layers there are
        return tuple(grid.position(index, len(layers)))
