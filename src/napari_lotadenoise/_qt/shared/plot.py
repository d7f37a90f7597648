"""Streaming curves of the loss terms and of the noise level, in the colours of napari's theme."""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.notifications import show_warning
from napari.utils.theme import Theme, get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QSizePolicy, QWidget

from napari_lotadenoise._qt.shared.preferences import preferences
from napari_lotadenoise._qt.shared.widgets import present
from napari_lotadenoise.contract.capabilities import Curve
from napari_lotadenoise.events import Progress

#: Told apart by dash too, not by hue alone; each can be seen on the background of a dark and of a light theme.
COLOURS = ("#3b7fcc", "#b86c12", "#2c8f51", "#ad5cd1")
_DASHES = (None, [6, 3], [2, 3], [8, 3, 2, 3])
_SMALLEST = 1e-7
#: Pixels that a plot has at least, and at most.
_HEIGHT, _TALLEST = 104, 400
#: Runs before the present one that are shown, and their colour.
_REMEMBERED, _GREY = 3, "#80808090"
#: Colour of estimates that have not been accepted yet.
_RAW = 1


class LivePlot(QWidget):
    """Loss terms (log scale) and sigma in intensities over the steps; of a calibration, the loss over its parameter."""

    def __init__(self) -> None:
        super().__init__()
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        self.losses = make_plot("loss (powers of ten)")
        self.sigma = make_plot("noise sigma (intensities)")
        self.calibration = make_plot("calibration")
        for plot in (self.losses, self.sigma, self.calibration):
            plot.setMinimumHeight(_HEIGHT)
            plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the menu is that of both
            plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)  # takes the room that is there
            plot.setMaximumHeight(_TALLEST)
            box.addWidget(plot)
        self.losses.setAccessibleName("Loss by term over training steps")
        self.sigma.setAccessibleName("Estimated noise sigma over training steps")
        self.calibration.setAccessibleName("Loss over the values of the calibrated parameter")
        self.losses.addLegend(offset=(-5, 5), labelTextSize="8pt")
        self._foreground = "#808080"
        self._curves: dict[str, Any] = {}
        self._data: dict[str, tuple[list[float], list[float]]] = {}
        self._past: deque[dict[str, tuple[list[float], list[float]]]] = deque(maxlen=_REMEMBERED)
        self.clear()

    def clear(self) -> None:
        """Begin anew; the curves of the last runs stay behind in grey."""
        if any(steps for steps, _ in self._data.values()):
            self._past.append(self._data)
        for plot in (self.losses, self.sigma, self.calibration):
            plot.clear()
        self.calibration.hide()
        self._curves, self._data = {}, {}
        for past in self._past:
            for name, (steps, values) in past.items():
                if name != "calibration":
                    self._plot_of(name).plot(steps, values, pen=pg.mkPen(_GREY, width=1))

    def past(self) -> int:
        """Return the number of runs that are shown in grey."""
        return len(self._past)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the curves as rows of curve, step and value."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("curve", "step", "value"))
            for name, (steps, values) in self._data.items():
                rows.writerows((name, step, value) for step, value in zip(steps, values, strict=True))

    def to_png(self, path: str | os.PathLike[str]) -> None:
        """Write the plots as a picture, as they are shown."""
        self.grab().save(os.fspath(path), "PNG")

    def contextMenuEvent(self, event: Any) -> None:
        """Offer to export the plots."""
        menu = QMenu(self)
        for title, kind, write in (("Save picture...", "png", self.to_png), ("Save numbers...", "csv", self.to_csv)):
            present(menu.addAction(title)).triggered.connect(lambda _=False, k=kind, w=write: self._export(k, w))
        menu.exec(event.globalPos())

    def _export(self, kind: str, write: Callable[[str], None]) -> None:
        proposed = preferences().path(f"curves.{kind}")
        path, _ = QFileDialog.getSaveFileName(self, "Save curves", proposed, f"*.{kind}")
        if path:
            try:
                write(path if path.lower().endswith(f".{kind}") else f"{path}.{kind}")
            except OSError as error:
                show_warning(f"The curves could not be saved ({error.strerror or error}).")

    def _plot_of(self, name: str) -> pg.PlotWidget:
        return self.sigma if name.startswith("sigma") else self.losses

    def add(self, news: tuple[Progress, ...]) -> None:
        """Append what progress events tell, and draw once."""
        for progress in news:
            if not progress.losses:
                continue
            for name, value in progress.losses.items():
                self._append(self.losses, name, progress.step, float(np.log10(max(abs(value), _SMALLEST))))
            if progress.score is not None:
                self._append(self.losses, "held out", progress.step, float(np.log10(max(progress.score, _SMALLEST))))
            if progress.sigma is not None:
                self._append(self.sigma, "sigma", progress.step, progress.sigma)
            for name, value in progress.values.items():
                if name.startswith("sigma"):
                    self._append(self.sigma, name, progress.step, value)
        if news and news[-1].curve is not None:
            self._show_calibration(news[-1].curve)
        for name, curve in self._curves.items():
            curve.setData(*self._data[name])

    def values(self, name: str) -> list[float]:
        """Return what a curve shows, for example ``"sigma"``."""
        return list(self._data.get(name, ([], []))[1])

    def steps(self, name: str) -> list[float]:
        """Return the steps that a curve has points at."""
        return list(self._data.get(name, ([], []))[0])

    def set_theme(self, name: str) -> None:
        """Take background, text and axes in the colours of a napari theme."""
        theme = get_theme(name)
        self._foreground = theme.text.as_hex()
        for plot in (self.losses, self.sigma, self.calibration):
            paint(plot, theme)

    def _show_calibration(self, curve: Curve) -> None:
        """Draw the loss over the parameter, the best value marked by a large dot."""
        sizes = [12 if value == curve.best else 6 for value in curve.values]
        self._data["calibration"] = (list(curve.values), list(curve.losses))
        pen = pg.mkPen(COLOURS[0], width=2)
        self.calibration.clear()
        self.calibration.plot(*self._data["calibration"], pen=pen, symbol="o", symbolSize=sizes, symbolBrush=COLOURS[0])
        title = f"loss over {curve.parameter}, best at {curve.best:g}"
        self.calibration.setTitle(title, color=self._foreground, size="8pt")
        self.calibration.show()

    def _append(self, plot: pg.PlotWidget, name: str, step: float, value: float) -> None:
        if name not in self._curves:
            index = len([c for c in self._curves if not c.startswith("sigma")]) % len(COLOURS)
            index = (index, _RAW)[name.startswith("sigma") and name != "sigma"]
            pen = pg.mkPen(COLOURS[index], width=2, dash=_DASHES[index])
            self._curves[name] = plot.plot([], [], pen=pen, name=name)
            self._data[name] = ([], [])
        steps, values = self._data[name]
        steps.append(step)
        values.append(value)


def make_plot(title: str) -> pg.PlotWidget:
    """Make a small plot without mouse interaction."""
    plot = pg.PlotWidget(background=None, title=title)
    plot.setMinimumSize(60, 150)
    plot.setMaximumHeight(150)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setMenuEnabled(False)
    return plot


def paint(plot: pg.PlotWidget, theme: Theme) -> None:
    """Give a plot the colours of a napari theme."""
    foreground = theme.text.as_hex()
    plot.setBackground(theme.background.as_hex())
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(foreground)
        plot.getAxis(side).setTextPen(foreground)
    plot.setTitle(plot.plotItem.titleLabel.text, color=foreground, size="8pt")
    legend = plot.plotItem.legend
    if legend is not None:
        legend.setLabelTextColor(foreground)
        for _, label in legend.items:  # the colour above is for labels that come later
            label.setText(label.text, color=foreground)
