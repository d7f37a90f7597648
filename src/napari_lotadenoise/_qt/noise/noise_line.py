"""Verdict on the noise of the chosen layer, and warnings where the chosen method does not suit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_lotadenoise._qt.noise.measurement import NoiseMeasurement
from napari_lotadenoise._qt.shared.widgets import label, unfolding
from napari_lotadenoise.comparison import advice
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.noise import NoiseReport

if TYPE_CHECKING:
    from napari.layers import Image


class NoiseLine(QWidget):
    """Shows the verdict on the noise once it is measured, in one line with details behind a button.

    Where a method does not suit the noise, the line says so first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line, self.details = QElidingLabel(), label()
        self.line.setAccessibleName("Noise of the layer")
        self.details.setAccessibleName("Noise of the layer in full")
        self.details.setTextFormat(Qt.TextFormat.RichText)
        self.more = unfolding("...", "Details of the noise", "Show all that is known of the noise", self.details)
        row, box = QHBoxLayout(), QVBoxLayout(self)
        row.addWidget(self.line, 1)
        row.addWidget(self.more)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(row)
        box.addWidget(self.details)
        self.report: NoiseReport | None = None
        self.concerns: tuple[str, ...] = ()
        self._words = ""
        self._choice: tuple[Method, Training, str] | None = None
        self.measurement = NoiseMeasurement()
        self.measurement.found.connect(self._hear)
        self._show()

    def text(self) -> str:
        """Return all that is said, in lines."""
        return "\n".join(self._lines())

    def measure(self, layer: Image | None, axes: str) -> None:
        """Measure the noise of a layer whose axes have these letters."""
        self.report, self._words = None, "Measuring the noise ..." if layer is not None else ""
        self._show()
        self.measurement.ask(layer, axes)

    def judge(self, method: Method, training: Training, stabilise: str) -> None:
        """Check the noise against the choices of the user."""
        self._choice = (method, training, stabilise)
        self._show()

    @property
    def stride_needed(self) -> int:
        """Return the stride that the chosen method should be given for this noise; 0 where its own does."""
        if self.report is None or self._choice is None:
            return 0
        method, training, _ = self._choice
        structure = getattr(method, "structure", "pixel")
        needed = advice.needs_stride(type(method), self.report, stride=training.stride, structure=structure)
        return self.report.stride if needed and not method.tiling.whole else 0

    def _hear(self, report: NoiseReport | None, words: str) -> None:
        self.report, self._words = report, words
        self._show()

    def _show(self) -> None:
        self.concerns = () if self.report is None else self._concerns(self.report)
        lines = self._lines()
        more = [] if self.report is None else [*self.report.warnings, advice.summary(self.report)]
        self.line.setText(lines[-1] if lines else "")
        self.line.setToolTip("\n".join([*lines, *more]))
        self.details.setText("<br>".join([*lines, *more]))
        self.more.setVisible(self.report is not None)
        self.more.setChecked(self.more.isChecked() and self.report is not None)

    def _lines(self) -> list[str]:
        """Return the verdict and what speaks against the method; the most important one comes last."""
        if self.report is None:
            return [self._words] if self._words else []
        return [f"Noise: {self.report.verdict}.", *(f"Careful: {concern}" for concern in self.concerns)]

    def _concerns(self, report: NoiseReport) -> tuple[str, ...]:
        if self._choice is None:
            return ()
        method, training, stabilise = self._choice
        structure = getattr(method, "structure", "pixel")
        return advice.concerns(type(method), report, stabilise=stabilise, stride=training.stride, structure=structure)
