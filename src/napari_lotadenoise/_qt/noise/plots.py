"""The three pictures of a noise report: photon transfer, autocorrelation, spectrum."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lotadenoise._qt.shared.plot import COLOURS, make_plot, paint
from napari_lotadenoise.noise import NoiseReport


class NoisePlot(QWidget):
    """Variance against intensity with the fitted line; correlation by lag with its band of chance; radial spectrum."""

    def __init__(self) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        self.transfer = make_plot("noise variance over intensity")
        self.correlation = make_plot("correlation over distance (px)")
        self.spectrum = make_plot("log10 power over frequency (cycles/px)")
        self.transfer.setAccessibleName("Noise variance over intensity, and the line that was fitted")
        self.correlation.setAccessibleName("Correlation of the noise along y and x, by distance")
        self.spectrum.setAccessibleName("Radial power spectrum of the image")
        self.correlation.addLegend(offset=(-5, 5), labelTextSize="8pt")
        for plot in self._plots:
            box.addWidget(plot)

    @property
    def _plots(self) -> tuple[pg.PlotWidget, ...]:
        return self.transfer, self.correlation, self.spectrum

    def set_theme(self, name: str) -> None:
        """Take background, text and axes in the colours of a napari theme."""
        for plot in self._plots:
            paint(plot, get_theme(name))

    def clear(self) -> None:
        """Forget all curves."""
        for plot in self._plots:
            plot.clear()

    def show_report(self, report: NoiseReport) -> None:
        """Draw a report."""
        self.clear()
        fit = report.fit
        self.transfer.plot(fit.means, fit.variances, pen=None, symbol="o", symbolSize=6, symbolBrush=COLOURS[0])
        if len(fit.means):
            ends = np.array([fit.means.min(), fit.means.max()])
            self.transfer.plot(ends, fit.variance(ends), pen=pg.mkPen(COLOURS[1], width=2))
        if report.repeats is not None:
            self.transfer.plot(
                report.repeats.means,
                report.repeats.variances,
                pen=None,
                symbol="x",
                symbolSize=7,
                symbolBrush=COLOURS[2],
            )
        for index, (axis, values) in enumerate(report.autocorrelation.items()):
            pen = pg.mkPen(COLOURS[index], width=2)
            self.correlation.plot(
                np.arange(len(values) + 1), [1.0, *values], pen=pen, symbol="o", symbolBrush=COLOURS[index], name=axis
            )
        band = pg.LinearRegionItem((-report.band, report.band), orientation="horizontal", movable=False)
        self.correlation.addItem(band)
        frequencies, power = report.spectrum
        self.spectrum.plot(frequencies, np.log10(np.maximum(power, 1e-12)), pen=pg.mkPen(COLOURS[0], width=2))
