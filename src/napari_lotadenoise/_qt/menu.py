"""What napari's Layers menu and its command palette call."""

from __future__ import annotations

from typing import Any

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


def denoise_now() -> None:
    """Denoise the layer of the Denoise dock, which is opened if need be."""
    if (dock := _open("Denoise")) is not None:
        dock.denoise()


def quick_look() -> None:
    """Switch the quick look on or off."""
    if (dock := _open("Denoise")) is not None:
        dock.quick_look.switch.toggle()


def finish() -> None:
    """Apply what the run of the Denoise dock has learnt so far."""
    if (dock := _open("Denoise")) is not None:
        dock.controller.finish_now()


def discard() -> None:
    """Discard the run of the Denoise dock."""
    if (dock := _open("Denoise")) is not None:
        dock.discard()


def flicker() -> None:
    """Hide the last result, or show it again, so that its source flickers with it."""
    if (dock := _open("Denoise")) is not None:
        dock.flicker()


def _open(name: str) -> Any:
    viewer = napari.current_viewer()
    if viewer is None:
        return None
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", name, tabify=True)
    return dock
