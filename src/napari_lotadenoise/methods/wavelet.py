"""Translation-invariant wavelet shrinkage with its threshold calibrated on the image itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_lotadenoise.contract.capabilities import Cost
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._calibrated import CalibratedByHiding, scan_presets

#: Candidate thresholds in units of the noise deviation; the large ones are for noise that depends on the signal.
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 9.0)
#: Filter taps of the wavelets.
TAPS = {"haar": 2, "db2": 4, "sym4": 8}
#: Low and high pass.
Filters = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Wavelet(CalibratedByHiding):
    """Wavelet shrinkage (Donoho & Johnstone 1994), cycle-spun over all shifts (Coifman & Donoho 1995), calibrated.

    Transform, shrink every detail coefficient by the threshold, transform back, averaged over all shifts of the image.
    The transform without decimation gives exactly this average at once: low and high pass along every axis, with taps
    1, 2, 4 ... pixels apart; its inverse is the same, mirrored, halved. One threshold serves all scales: those of
    scikit-image's BayesShrink and VisuShrink depend on the whole image, so that tiles would show.
    """

    id: ClassVar = "wavelet"
    info: ClassVar = Info(
        title="Wavelet shrinkage",
        idea="Shrinks small wavelet coefficients over all shifts; the threshold is calibrated on the image itself.",
        assumes="noise that is independent between pixels, of about the same strength everywhere; content of few coefficients",
        fails="where the noise depends on the signal (bright parts stay noisy), on correlated noise (too little is removed)",
        source="Coifman & Donoho, 1995; calibration: Batson & Royer, ICML 2019",
        url="https://doi.org/10.1007/978-1-4612-2544-7_9",
    )
    presets: ClassVar = scan_presets(STRENGTHS, {"grids": 8}, {"grids": 16, "shrinkage": "hard"})
    trial_values: ClassVar = STRENGTHS
    cost: ClassVar = Cost(
        step=0.06, predict=0.045, start=0.1, volume=4.0, volume_predict=3.8, numpy=True, each_channel=True, nominal=1.2
    )

    strength: float = knob(
        0.0, "Threshold in units of the noise deviation; 0 calibrates it on the image.", ge=0, le=50, step=0.1
    )
    shrinkage: str = knob(
        "soft",
        "What becomes of coefficients above the threshold: less by it, or as they were.",
        choices=("soft", "hard"),
    )
    wavelet: str = knob("haar", "Wavelet; longer ones are smoother and take longer.", choices=tuple(TAPS))
    levels: int = knob(3, "Scales, each twice as coarse as the one before.", ge=1, le=5, step=1)

    @property
    def reach(self) -> int:
        """Return the reach of the transform and its inverse."""
        return (TAPS[self.wavelet] - 1) * (2**self.levels - 1)

    @property
    def expected_cost(self) -> Cost:
        """Return the cost, which grows with the scales and with the taps of the filters."""
        share = self.levels / Wavelet.levels * TAPS[self.wavelet] / TAPS[Wavelet.wavelet]
        return super().expected_cost.times(share, share)

    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Shrink the coefficients of each channel."""
        import pywt

        low = np.array(pywt.Wavelet(self.wavelet).rec_lo, dtype=np.float32)
        high = low[::-1] * np.resize(np.array([1, -1], dtype=np.float32), len(low))
        margins = [(0, 0)] + [(self.reach, self.reach)] * (image.ndim - 1)
        return self._shrunk(np.pad(image, margins, mode="symmetric"), (low, high), value * sigma, 0)

    def _shrunk(self, image: np.ndarray, filters: Filters, threshold: float, level: int) -> np.ndarray:
        """Shrink the details of one scale and of all coarser ones; each axis becomes shorter by their reach."""
        step, axes = 2**level, range(1, image.ndim)
        bands = [image]
        for axis in axes:
            bands = [_filtered(band, f, step, axis) for band in bands for f in filters]
        coarse, *details = bands
        if level + 1 < self.levels:
            coarse = self._shrunk(coarse, filters, threshold, level + 1)
            margin = (details[0].shape[-1] - coarse.shape[-1]) // 2
            inner = (slice(None), *(slice(margin, n - margin) for n in details[0].shape[1:]))
            details = [detail[inner] for detail in details]
        bands = [coarse, *(self._shrink(detail, threshold) for detail in details)]
        backward = [f[::-1] / 2 for f in filters]
        for axis in reversed(axes):
            parts = [
                _filtered(band, f, step, axis) for band, f in zip(bands, backward * (len(bands) // 2), strict=True)
            ]
            bands = [low + high for low, high in zip(parts[::2], parts[1::2], strict=True)]
        return bands[0]

    def _shrink(self, detail: np.ndarray, threshold: float) -> np.ndarray:
        if self.shrinkage == "soft":
            return detail - np.clip(detail, -threshold, threshold)
        return np.where(np.abs(detail) > threshold, detail, np.float32(0))


def _filtered(image: np.ndarray, taps: np.ndarray, step: int, axis: int) -> np.ndarray:
    """Correlate an axis with taps that are `step` apart, where all of them lie within the image."""
    length = image.shape[axis] - (len(taps) - 1) * step
    before = (slice(None),) * axis
    out = taps[0] * image[(*before, slice(0, length))]
    for number, tap in enumerate(taps[1:], 1):
        out += tap * image[(*before, slice(number * step, number * step + length))]
    return out
