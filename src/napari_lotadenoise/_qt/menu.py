"""What napari's Layers menu calls."""

from __future__ import annotations

import napari


def open_denoise() -> None:
    """Open the Denoise dock for the active layer."""
    _open("Denoise")


def open_noise() -> None:
    """Open the Noise dock for the active layer."""
    _open("Noise")


def open_compare() -> None:
    """Open the Compare dock for the active layer."""
    _open("Compare")


def _open(name: str) -> None:
    viewer = napari.current_viewer()
    if viewer is not None:
        viewer.window.add_plugin_dock_widget("napari-lotadenoise", name, tabify=True)
