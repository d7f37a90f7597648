"""Ways to look at the pictures of a comparison: side by side, flickering, split, their difference, what was removed."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_lotadenoise._qt.compare.split_line import SplitLine
from napari_lotadenoise._qt.shared.compat import camera_of, grid_of
from napari_lotadenoise.image.derived import Difference, Split

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise._qt.compare.result_layers import Gallery

MODES = ("side by side", "flicker A / B", "split A | B", "difference A - B", "residuals")
#: Milliseconds that a picture stands while two of them flicker by themselves.
FLICKER = 600


class Views(QObject):
    """Shows a gallery in one of its ways, and leaves the viewer as it was.

    Signals
    -------
    shown (str)
        What is seen now, in words.
    """

    shown = Signal(str)

    def __init__(self, viewer: ViewerModel, gallery: Gallery) -> None:
        super().__init__()
        self._viewer, self._gallery = viewer, gallery
        self._grid_before = (grid_of(viewer).enabled, grid_of(viewer).stride)
        camera = camera_of(viewer)
        self._camera_before = (tuple(camera.center), float(camera.zoom))
        self._framed, self._away = "", False
        self._extra: list[Image] = []
        self.line: SplitLine | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(FLICKER)
        self._timer.timeout.connect(self.toggle)
        self.mode = MODES[0]
        self._pair: tuple[Image | None, Image | None] = (None, None)

    def show(self, mode: str, a: Image | None = None, b: Image | None = None) -> None:
        """Show the pictures in one way; `a` and `b` are the two that are compared where it takes two."""
        self._clear()
        self._away = False
        self._gallery.hide_others()
        self.mode, self._pair = mode, (a, b)
        if mode in MODES[1:4]:  # a grid that stays is not built anew
            grid_of(self._viewer).enabled = False
        if mode == MODES[0]:
            self._only(self._gallery.pictures)
            self._arrange_grid()
            self.shown.emit("")
        elif mode == MODES[4]:
            self._show_residuals()
        elif a is None or b is None:
            self._only(self._gallery.pictures[:1])
            self.shown.emit("Choose two pictures, A and B.")
        elif mode == MODES[1]:
            self._only([a])
            self.shown.emit(f"A: {a.name}")
        elif mode == MODES[2]:
            self._show_split(a, b)
        else:
            self._show_difference(a, b)
        self._frame()

    def toggle(self) -> None:
        """Show B where A is seen, and the other way round."""
        a, b = self._pair
        if self.mode != MODES[1] or a is None or b is None or not {a, b} <= set(self._viewer.layers):
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
        """Make again what was made of pictures that have changed since."""
        if self._away or self.mode not in MODES[2:]:
            return
        column = self.line.column if self.line is not None else None
        self.show(self.mode, *self._pair)
        if self.line is not None and column is not None:
            self.line.to(column)

    def step_aside(self) -> None:
        """Leave the viewer as it was before; the pictures stay, hidden, until `show` is called again."""
        if self._away:
            return
        self._clear()
        self._away, self._framed = True, ""
        grid, camera = grid_of(self._viewer), camera_of(self._viewer)
        grid.enabled, grid.stride = self._grid_before
        camera.center, camera.zoom = self._camera_before
        self._only([])
        self._gallery.show_others()

    def _frame(self) -> None:
        """Fit the crop into the canvas, or into the cells of the grid, when the one gives way to the other."""
        kind = f"{grid_of(self._viewer).enabled} {len(self._gallery.pictures)}"
        if kind != self._framed and "layers" in inspect.signature(self._viewer.reset_view).parameters:
            self._viewer.reset_view(layers=self._gallery.pictures[:1])
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

    def _only(self, layers: list[Image]) -> None:
        wanted = {id(layer) for layer in layers}
        for layer in self._gallery.pictures:
            layer.visible = id(layer) in wanted

    def _arrange_grid(self) -> None:
        grid = grid_of(self._viewer)
        grid.stride = 1  # the lowest layer, the input, comes first
        grid.enabled = True

    def _show_residuals(self) -> None:
        noisy = self._gallery.noisy
        self._only([])
        spread = 3 * self._gallery.plan.judge.sigma
        for layer in self._gallery.results.values():
            data = Difference(noisy.data, layer.data)
            self._add(
                np.asarray(data).mean(-1) if layer.rgb else data, f"residual of {layer.name.split(' · ')[0]}", spread
            )
        self._arrange_grid()
        self.shown.emit("Input minus result: structure in it was lost.")

    def _show_difference(self, a: Image, b: Image) -> None:
        difference = Difference(a.data, b.data)
        values = np.asarray(difference[0] if difference.ndim > 2 else difference)
        spread = 3 * float(values.std()) or 1.0
        self._only([])
        self._add(np.asarray(difference).mean(-1) if a.rgb else difference, f"{a.name} - {b.name}", spread)
        self.shown.emit(f"{a.name} minus {b.name}: green where A is brighter.")

    def _show_split(self, a: Image, b: Image) -> None:
        axis = a.ndim - 1
        width = a.data.shape[axis]
        split = Split(a.data, b.data, width // 2, axis)
        options: dict[str, Any] = {"colormap": a.colormap, "gamma": a.gamma}
        if a.rgb:
            options = {"rgb": True}
        else:
            options["contrast_limits"] = a.contrast_limits
        self._only([])
        layer = self._gallery.add(self._whole(split, a), f"{a.name} | {b.name}", **options)
        self._extra.append(layer)
        self.line = SplitLine(
            self._viewer, layer, width, self._gallery.flat_place(), lambda column: self._move(layer, split, a, column)
        )
        self.shown.emit(f"Left {a.name}, right {b.name}; drag the line.")

    def _move(self, layer: Image, split: Split, a: Image, column: int) -> None:
        split.column = column
        layer.data = self._whole(split, a)

    def _whole(self, split: Split, like: Image) -> np.ndarray:
        """A copy: napari looks at an array again only when it gets another one."""
        return np.asarray(split).astype(like.data.dtype)

    def _add(self, data: Any, name: str, spread: float) -> None:
        layer = self._gallery.add(data, name, colormap="PiYG", contrast_limits=(-spread, spread))
        self._extra.append(layer)
