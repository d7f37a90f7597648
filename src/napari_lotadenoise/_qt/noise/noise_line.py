"""Verdict on the noise of the chosen layer, and warnings where the chosen method does not suit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_lotadenoise._qt.noise.measurement import NoiseMeasurement
from napari_lotadenoise.comparison import advice
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.noise import NoiseReport

if TYPE_CHECKING:
    from napari.layers import Image


class NoiseLine(QLabel):
    """Shows the verdict on the noise once it is measured, and warns where a method does not suit it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setAccessibleName("Noise of the layer")
        self.report: NoiseReport | None = None
        self.concerns: tuple[str, ...] = ()
        self._words = ""
        self._choice: tuple[Method, Training, str] | None = None
        self.measurement = NoiseMeasurement()
        self.measurement.found.connect(self._hear)

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
        if self.report is None:
            self.concerns = ()
            self.setText(self._words)
            return
        self.concerns = self._concerns(self.report)
        lines = [f"<b>Noise</b>: {self.report.verdict}."]
        lines += [f"<b>Careful</b>: {concern}" for concern in self.concerns]
        self.setText("<br>".join(lines))
        self.setToolTip("\n".join([*self.report.warnings, advice.summary(self.report)]))

    def _concerns(self, report: NoiseReport) -> tuple[str, ...]:
        if self._choice is None:
            return ()
        method, training, stabilise = self._choice
        structure = getattr(method, "structure", "pixel")
        return advice.concerns(type(method), report, stabilise=stabilise, stride=training.stride, structure=structure)
