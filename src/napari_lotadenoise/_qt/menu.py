"""What napari's Layers menu calls."""

from __future__ import annotations

import napari


def open_denoise() -> None:
    """Open the Denoise dock for the active layer."""
    viewer = napari.current_viewer()
    if viewer is not None:
        viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
