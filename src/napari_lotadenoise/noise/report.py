"""The noise report of an image: what was measured, and a verdict in words with its evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_lotadenoise.image.arrays import array_of, is_masked
from napari_lotadenoise.image.checks import check
from napari_lotadenoise.image.informative import read_informative
from napari_lotadenoise.image.isolation import find_outliers
from napari_lotadenoise.image.stack import Stack, layout_for
from napari_lotadenoise.noise.correlation import Degree, NoiseCorrelation, uncorrelated
from napari_lotadenoise.noise.levels import Levels, measure_levels
from napari_lotadenoise.noise.model import measure_noise
from napari_lotadenoise.noise.sigma import ESTIMATORS
from napari_lotadenoise.noise.stride import best_stride
from napari_lotadenoise.noise.variance import VarianceFit, photon_transfer
from napari_lotadenoise.noise.whiteness import (
    autocorrelation,
    block_autocorrelation,
    confidence,
    radial_spectrum,
)

#: Planes that are measured, evenly spread, and pixels of all of them together: of larger planes the middle is taken.
PLANES, PIXELS = 16, 3_000_000
#: Smallest side of a plane that can be judged; below it the numbers are given with a warning.
SMALLEST = 32
#: Share of saturated pixels worth a word, and share of hot ones.
_SATURATED, _HOT = 1e-3, 2e-5
#: Largest estimate over the smallest beyond which the estimators disagree.
_DISAGREE = 1.3
#: Noise below this many grey levels is lost in the rounding.
_ROUNDED = 0.5
#: Bits of grey levels below which an image is more of a drawing.
_FEW_BITS = 2


@dataclass(frozen=True)
class NoiseReport:
    """What is known of the noise of an image.

    Attributes
    ----------
    sigma : float
        Noise deviation, intensities, whether or not neighbours share noise: that of the flattest parts (`VarianceFit.level`;
        the median of the estimators where there are too few), or, where the noise depends on the signal, the root of the
        mean variance that the fit expects.
    estimates : dict of str to float
        Noise deviation by each estimator, intensities; all of them see only a part of correlated noise.
    correlation : tuple of float
        Correlation of the finest detail of neighbours along y and x, about 0 where pixels are independent.
    block_autocorrelation : dict of str to tuple of float
        Correlation along "y" and "x" in the flattest blocks, for lags from 1 pixel on.
    fit : VarianceFit
        How the variance depends on the intensity; the first channel's, where there are several.
    noise_correlation : NoiseCorrelation
        Autocorrelation of the noise, as far as it is believed to be noise.
    levels : Levels
        Saturation, clipping, quantisation, hot pixels, blocks.
    autocorrelation : dict of str to tuple of float
        Correlation along "y" and "x" for lags from 1 pixel on.
    band : float
        Size that such a correlation has by chance.
    spectrum : tuple of arrays
        Frequencies (cycles per pixel) and mean power of their rings.
    side : int
        Shortest side of the planes, pixels.
    repeats : VarianceFit, optional
        Photon transfer from the time frames, where there are some: compare it with `fit`.
    outliers : int
        Pixels that no noise explains (hot, dead, struck by cosmic rays); nothing is measured on them.
    pixels : int
        Pixels of the whole image.
    """

    sigma: float
    estimates: dict[str, float]
    correlation: tuple[float, float]
    block_autocorrelation: dict[str, tuple[float, ...]]
    fit: VarianceFit
    levels: Levels
    noise_correlation: NoiseCorrelation = field(default_factory=uncorrelated)
    autocorrelation: dict[str, tuple[float, ...]] = field(default_factory=dict)
    band: float = 0.0
    spectrum: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(0), np.zeros(0)))
    side: int = 0
    repeats: VarianceFit | None = None
    outliers: int = 0
    pixels: int = 0

    @property
    def block_correlation(self) -> tuple[float, float]:
        """Return the correlation of neighbours along y and x in the flattest blocks."""
        return self.block_autocorrelation["y"][0], self.block_autocorrelation["x"][0]

    @property
    def saturated(self) -> float:
        """Return the share of the pixels that are piled up at the largest value, 0 to 1."""
        return self.levels.saturated

    @property
    def disagreement(self) -> float:
        """Return the largest estimate over the smallest; above 1.3 the noise is hardly of one strength."""
        low, high = min(self.estimates.values()), max(self.estimates.values())
        return high / low if low > 0 else float("inf") if high > 0 else 1.0

    @property
    def degree(self) -> Degree:
        """Return the degree to which neighbouring pixels share noise."""
        return self.noise_correlation.degree

    @property
    def correlated(self) -> bool:
        """Tell whether neighbouring pixels share so much noise that it has to be dealt with."""
        return self.degree is Degree.CORRELATED

    @property
    def signal_dependent(self) -> bool:
        """Tell whether the noise gets stronger with the signal."""
        return not self.noise_free and self.fit.signal_dependent

    @property
    def noise_free(self) -> bool:
        """Tell whether there is hardly any noise: less than the grey levels resolve, or than a thousandth of the range."""
        span = self.fit.high - self.fit.low
        return self.sigma <= max(0.3 * self.levels.step, 1e-3 * span) if span > 0 else True

    @property
    def stride(self) -> int:
        """Return the stride that a method needs which takes pixels for independent; 1 where the image is best left whole."""
        return best_stride(self.noise_correlation)

    @property
    def structure(self) -> str:
        """Return the direction of the correlation: "pixel" (none), "rows" (along x), "columns" (along y) or "square"."""
        return self.noise_correlation.structure

    @property
    def verdict(self) -> str:
        """Describe the kind of noise and the evidence in one line."""
        if self.noise_free:
            outliers = f", {_count(self.outliers, 'outlier')}" if self.outliers else ""
            return f"hardly any noise (sigma {self.sigma:.3g}){outliers}"
        parts = [self._dependence(), self.noise_correlation.words]
        if self.levels.saturated > _SATURATED:
            parts.append(f"{self.levels.saturated:.1%} saturated")
        if self.outliers:
            parts.append(_count(self.outliers, "outlier"))
        return ", ".join(parts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """List what to know before choosing a method, one sentence each."""
        found = []
        if self.side and self.side < SMALLEST:
            found.append(
                f"The image is only {self.side} pixels wide: too few for a verdict on its noise; take the numbers as hints."
            )
        if self.outliers:
            what = _count(self.outliers, "pixel")
            found.append(
                f"No noise explains {what} (hot, dead or struck by cosmic rays): nothing is measured on them or learnt from "
                "them, and they are repaired from their neighbours, or kept if you say so."
            )
        if self.correlated and not self.noise_free:
            found.append(
                f"Neighbouring pixels share noise (correlation {self.noise_correlation.along_y:.2f} along y, "
                f"{self.noise_correlation.along_x:.2f} along x): methods that take pixels for independent keep about "
                f"{self.noise_correlation.predictable:.0%} of it, unless they are given a stride."
            )
        if self.noise_free:
            return tuple(found)
        if 0 < self.levels.bits <= _FEW_BITS:
            found.append(f"There are only {2**self.levels.bits} grey levels or fewer: little can be said of the noise.")
        if self.disagreement > _DISAGREE:
            found.append(f"The estimators disagree ({self.disagreement:.1f} to 1): {self._why_disagree()}.")
        found += self._level_warnings()
        return tuple(found)

    def numbers(self) -> dict[str, Any]:
        """Return the report as a flat dictionary of plain values, for JSON."""
        return {
            "verdict": self.verdict, "sigma": self.sigma,
            **{f"sigma {name}": value for name, value in self.estimates.items()},
            "correlated": self.correlated, "degree": self.degree.value,
            "noise correlation y": self.noise_correlation.along_y, "noise correlation x": self.noise_correlation.along_x,
            "noise correlation error": self.noise_correlation.error,
            "predictable": self.noise_correlation.predictable, "correlation y": self.correlation[0],
            "correlation x": self.correlation[1],
            "block correlation y": self.block_correlation[0], "block correlation x": self.block_correlation[1],
            "signal-dependent": self.signal_dependent, "gain": self.fit.gain, "gain error": self.fit.gain_error,
            "offset": self.fit.offset, "offset error": self.fit.offset_error, "saturated": self.levels.saturated,
            "clipped": self.levels.clipped, "step": self.levels.step, "bits": self.levels.bits, "hot": self.levels.hot,
            "blocking": self.levels.blocking, "stride": self.stride,
            "outliers": self.outliers,
            **({"gain by time frames": self.repeats.gain} if self.repeats is not None else {}),
        }  # fmt: skip

    def _dependence(self) -> str:
        if self.signal_dependent:
            return f"signal-dependent (gain {self.fit.gain:.2g} per photo-electron, sigma {self.sigma:.3g} on average)"
        return f"constant (sigma {self.sigma:.3g})"

    def _why_disagree(self) -> str:
        if self.signal_dependent:
            return "they see darker and brighter parts, whose noise differs"
        average = self.estimates.get("patches", 0.0)
        if average > _DISAGREE * self.estimates.get("wavelet", average):
            return "fine texture is taken for noise by some of them, or most of the image is an even background"
        return "fine texture is taken for noise by some of them"

    def _level_warnings(self) -> list[str]:
        levels, found = self.levels, []
        if levels.saturated > _SATURATED:
            found.append(
                f"{levels.saturated:.1%} of the pixels are saturated at the largest value: their noise and their truth are "
                "lost, and sigma comes out too small."
            )
        if levels.clipped > 0.01:
            found.append(
                f"{levels.clipped:.1%} of the pixels are clipped at the smallest value: there the noise is not zero on average, "
                "and dark parts come out too bright."
            )
        if levels.step and not self.noise_free and self.sigma < _ROUNDED * levels.step:
            found.append(f"The noise is weaker than the grey levels are apart ({levels.step:g}): rounding hides it.")
        if levels.hot > _HOT:
            found.append(
                f"{levels.hot:.3%} of the pixels are hot; a median filter takes them away, networks keep them."
            )
        if levels.blocked:
            found.append("There are traces of JPEG blocks (8 x 8): the noise was changed by the compression.")
        return found


def estimate_noise(image: Any, axes: str | None = None, *, fill: bool = False) -> NoiseReport:
    """Measure the noise of an image and judge it.

    Parameters
    ----------
    image : array
        Any axes and any real data type.
    axes : str, optional
        One letter an axis (T, P, C, Z, Y, X, S); may be left out for a 2-D image.
    fill : bool
        Whether NaN and inf are replaced by the nearest finite value instead of refused.

    Returns
    -------
    NoiseReport
        Measured on at most 16 evenly spread planes; numbers are medians over planes, the fit is one for all of them.

    Raises
    ------
    AxesError, ImageError
        Where the axes do not fit or the image cannot be measured.
    """
    fill = fill or is_masked(image)
    image = array_of(image)
    layout = layout_for(tuple(image.shape), axes)
    stack = check(image, layout, fill=fill)
    channels = _planes(stack)
    planes = [plane for channel in channels for plane in channel][: 2 * PLANES]
    estimates = {name: float(np.median([f(plane) for plane in planes])) for name, f in ESTIMATORS.items()}
    along_y, along_x = np.median([autocorrelation(plane) for plane in planes], axis=0)
    block_y, block_x = np.median([block_autocorrelation(plane) for plane in planes], axis=0)
    model = measure_noise(channels[0])
    fit, correlation = model.fit, model.correlation
    sigma = fit.level or float(np.median(list(estimates.values())))
    if fit.signal_dependent:
        sigma = float(np.sqrt(np.mean([fit.variance(plane).mean() for plane in channels[0]])))
    spectra = [radial_spectrum(plane) for plane in planes if plane.shape == planes[0].shape]
    return NoiseReport(
        sigma, estimates, (float(along_y[0]), float(along_x[0])), _by_axis(block_y, block_x), fit,
        measure_levels(planes, sigma), correlation, _by_axis(along_y, along_x),
        float(confidence(planes[0].size)), (spectra[0][0], np.median([power for _, power in spectra], axis=0)),
        min(planes[0].shape), _repeats(stack), find_outliers(stack).number, math.prod(image.shape),
    )  # fmt: skip


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _by_axis(along_y: np.ndarray, along_x: np.ndarray) -> dict[str, tuple[float, ...]]:
    return {"y": tuple(map(float, along_y)), "x": tuple(map(float, along_x))}


def _planes(stack: Stack) -> list[list[np.ndarray]]:
    """Return the planes of each group, those that are constant left out unless all of them are."""
    samples = stack.spread(PLANES)
    side = max(256, math.isqrt(PIXELS // (len(samples) * stack.channels * stack.groups)))
    window = tuple(slice(max(0, (n - side) // 2), max(0, (n - side) // 2) + side) for n in stack.spatial)
    window = tuple(slice(part.start, min(part.stop, n)) for part, n in zip(window, stack.spatial, strict=True))
    blocks = [read_informative(stack, group, [(sample, window) for sample in samples]) for group in range(stack.groups)]
    channels = [[plane for block in group for plane in block] for group in blocks]
    return [[plane for plane in planes if plane.min() < plane.max()] or planes for planes in channels]


def _repeats(stack: Stack) -> VarianceFit | None:
    """Return the photon transfer from time frames, where time is all that is sampled."""
    if stack.layout.sampled != "T" or stack.samples < 2:
        return None
    return photon_transfer(np.stack([stack.read(0, frame)[0] for frame in range(min(stack.samples, PLANES))]))
