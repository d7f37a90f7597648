"""The Noise dock: verdict, numbers and plots of the noise of a layer."""

from __future__ import annotations

import contextlib

import napari
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_lotadenoise._qt.noise.measurement import NoiseMeasurement
from napari_lotadenoise._qt.noise.plots import NoisePlot
from napari_lotadenoise._qt.shared.axes_form import AxesForm
from napari_lotadenoise._qt.shared.layer_box import LayerBox
from napari_lotadenoise._qt.shared.widgets import Dock, button, fill_dock, label, labelled, present, share
from napari_lotadenoise.comparison import advice
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.noise import NoiseReport
from napari_lotadenoise.noise.words import noise_lines


class NoiseWidget(Dock):
    """Dock widget that measures the noise of an image layer and gives advice.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Handed in by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.report: NoiseReport | None = None
        self.layers, self.axes, self.plot = LayerBox(napari_viewer), AxesForm(), NoisePlot()
        self.verdict, self.numbers, self.advice = (label() for _ in range(3))
        self.numbers.setStyleSheet("font-family: monospace; font-size: 8pt")
        self.numbers.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = button("Copy numbers", "Put the verdict and the numbers on the clipboard", self.copy_numbers)
        self.measurement = NoiseMeasurement()
        self.measurement.found.connect(self._show)
        self._arrange()
        self.verdict.setAccessibleName("Verdict on the noise")
        self.layers.currentIndexChanged.connect(self._on_layer)
        self.layers.data_changed.connect(self._on_layer)
        self.axes.changed.connect(self.measure)
        self.viewer.events.theme.connect(lambda _: self.plot.set_theme(self.viewer.theme))
        self.plot.set_theme(self.viewer.theme)
        self._on_layer()

    @property
    def layer(self) -> Image | None:
        """Return the chosen layer."""
        return self.layers.layer

    def measure(self) -> None:
        """Measure the chosen layer; a known report is shown at once."""
        try:
            axes = self.axes.layout_value().axes if self.layer is not None else ""
        except LotaDenoiseError as error:
            self._show(None, str(error))
            return
        with contextlib.suppress(LotaDenoiseError):
            share(self, self.layer, self.axes.layout_value())
        self.verdict.setText("Measuring ..." if self.layer is not None else self.layers.why_none)
        self.measurement.ask(self.layer, axes)

    def follow(self, layer: Image | None, layout: Layout) -> None:
        """Take over the layer and the axes that another dock has chosen."""
        if layer is not self.layer:
            self.layers.choose(layer)
        if layer is self.layer and layer is not None and self.axes.letters != layout.axes:
            self.axes.set_layout(layout.axes, layout.channels, layout.volume)

    def copy_numbers(self) -> None:
        """Put the verdict and the numbers on the clipboard."""
        present(QApplication.clipboard()).setText(
            "\n".join([self.verdict.text(), self.numbers.text(), self.advice.text()])
        )

    def leave(self) -> None:
        """Ignore a measurement that is still going on."""
        if hasattr(self, "measurement"):
            self.measurement.forget()

    def _arrange(self) -> None:
        content = QWidget()
        box = QVBoxLayout(content)
        box.addLayout(labelled(("Layer", self.layers)))
        for widget in (self.axes, self.verdict, self.advice):
            box.addWidget(widget)
        box.addWidget(self.plot, 1)
        box.addWidget(self.numbers)
        box.addWidget(self.copy)
        fill_dock(self, content)

    def _on_layer(self, index: int = 0) -> None:
        self.axes.blockSignals(True)
        self.axes.show_layer(self.layer)
        self.axes.blockSignals(False)
        self.measure()

    def _show(self, report: NoiseReport | None, words: str) -> None:
        self.report = report
        self.copy.setEnabled(report is not None)
        if report is None:
            self.plot.clear()
            self.verdict.setText(words or self.layers.why_none)
            self.numbers.setText("")
            self.advice.setText("")
            return
        self.verdict.setText(f"{report.verdict[0].upper()}{report.verdict[1:]}.")
        self.advice.setText("\n".join([advice.summary(report), *report.warnings]))
        self.numbers.setText("\n".join(noise_lines(report)))
        self.plot.show_report(report)
