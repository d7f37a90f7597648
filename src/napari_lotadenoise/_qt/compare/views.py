"""Views of the results of a comparison in napari's canvas."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_lotadenoise._qt.compare.modes import Mode, SideBySide
from napari_lotadenoise._qt.compare.split_line import SplitLine
from napari_lotadenoise._qt.shared.compat import camera_of, grid_of
from napari_lotadenoise.image.derived import Split

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise._qt.compare.result_layers import ResultLayers

#: Milliseconds between two toggles of the flicker.
FLICKER = 600


class ComparisonViews(QObject):
    """Shows the results in one of the modes, and leaves the viewer as it was.

    Signals
    -------
    shown (str)
        What is seen now, in words.
    """

    shown = Signal(str)

    def __init__(self, viewer: ViewerModel, layers: ResultLayers) -> None:
        super().__init__()
        self._viewer, self.layers = viewer, layers
        self._grid_before = (grid_of(viewer).enabled, grid_of(viewer).stride)
        camera = camera_of(viewer)
        self._camera_before = (tuple(camera.center), float(camera.zoom))
        self._framed, self._away = "", False
        self._extra: list[Image] = []
        self.line: SplitLine | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(FLICKER)
        self._timer.timeout.connect(self.toggle)
        self.mode: Mode = SideBySide()
        self._pair: tuple[Image | None, Image | None] = (None, None)

    def show(self, mode: Mode, a: Image | None = None, b: Image | None = None) -> None:
        """Show the results in one way; `a` and `b` are the two that are compared where it takes two."""
        self._clear()
        self._away = False
        self.layers.hide_others()
        self.mode, self._pair = mode, (a, b)
        if mode.pair:  # a grid that stays is not built anew
            grid_of(self._viewer).enabled = False
        self.shown.emit(mode.show(self, a, b))
        self._frame()

    def show_only(self, layers: list[Image]) -> None:
        """Show these of the results, and hide the others."""
        wanted = {id(layer) for layer in layers}
        for layer in self.layers.pictures:
            layer.visible = id(layer) in wanted

    def arrange_grid(self) -> None:
        """Show what is visible in a grid; the lowest layer, the input, comes first."""
        grid = grid_of(self._viewer)
        grid.stride = 1
        grid.enabled = True

    def add_signed(self, data: Any, name: str, spread: float) -> None:
        """Add a layer for as long as the mode lasts, with a diverging colormap centred on zero."""
        self._extra.append(self.layers.add(data, name, colormap="PiYG", contrast_limits=(-spread, spread)))

    def show_split(self, split: Split, like: Image, name: str) -> None:
        """Show a split of two results that looks like one of them, with a line to drag."""
        options: dict[str, Any] = {"colormap": like.colormap, "gamma": like.gamma}
        if like.rgb:
            options = {"rgb": True}
        else:
            options["contrast_limits"] = like.contrast_limits
        self.show_only([])
        layer = self.layers.add(_copied(split, like), name, **options)
        self._extra.append(layer)

        def move(column: int) -> None:
            split.column = column
            layer.data = _copied(split, like)

        width = like.data.shape[like.ndim - 1]
        self.line = SplitLine(self._viewer, layer, width, self.layers.flat_place(), move)

    def toggle(self) -> None:
        """Show B where A is seen, and the other way round."""
        a, b = self._pair
        if not self.mode.toggles or a is None or b is None or not {a, b} <= set(self._viewer.layers):
            self._timer.stop()
            return
        first = not a.visible
        a.visible, b.visible = first, not first
        self.shown.emit(f"{'A' if first else 'B'}: {(a if first else b).name}")

    def flicker(self, on: bool) -> None:
        """Toggle by itself, or stop."""
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def refresh(self) -> None:
        """Make derived layers again, since results have changed."""
        if self._away or not self.mode.derived:
            return
        column = self.line.column if self.line is not None else None
        self.show(self.mode, *self._pair)
        if self.line is not None and column is not None:
            self.line.to(column)

    def step_aside(self) -> None:
        """Leave the viewer as it was before; the results stay, hidden, until `show` is called again."""
        if self._away:
            return
        self._clear()
        self._away, self._framed = True, ""
        grid, camera = grid_of(self._viewer), camera_of(self._viewer)
        grid.enabled, grid.stride = self._grid_before
        camera.center, camera.zoom = self._camera_before
        self.show_only([])
        self.layers.show_others()

    def _frame(self) -> None:
        """Fit the crop into the canvas, or into the cells of the grid, when the one gives way to the other."""
        kind = f"{grid_of(self._viewer).enabled} {len(self.layers.pictures)}"
        if kind != self._framed and "layers" in inspect.signature(self._viewer.reset_view).parameters:
            self._viewer.reset_view(layers=self.layers.pictures[:1])
        self._framed = kind

    def _clear(self) -> None:
        self._timer.stop()
        if self.line is not None:
            self.line.close()
            self.line = None
        for layer in self._extra:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._extra = []


def _copied(split: Split, like: Image) -> np.ndarray:
    """Compute a split: napari reads an array again only when it gets another one."""
    return np.asarray(split).astype(like.data.dtype)
