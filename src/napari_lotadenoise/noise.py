"""Noise estimation from one image: several estimators side by side, since each is wrong in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from napari_lotadenoise.checks import check
from napari_lotadenoise.image import Stack, layout_for

#: From a median absolute value to the deviation of a normal distribution.
_MAD = 0.6744897501960817
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
#: Lag-1 correlation of the high-pass residual above which noise is called correlated; white noise gives 0 +- 0.02.
CORRELATED = 0.1


def wavelet_sigma(plane: np.ndarray) -> float:
    """Noise deviation from the median absolute finest diagonal wavelet coefficient (Donoho & Johnstone 1994, db2).

    Sees the noise of the darker half of the pixels where noise depends on the signal; blind to correlated noise.
    """
    import pywt

    detail = pywt.dwt2(np.asarray(plane, dtype=np.float32), "db2")[1][2]
    return float(np.median(np.abs(detail)) / _MAD)


def laplacian_sigma(plane: np.ndarray) -> float:
    """Noise deviation from the mean absolute response to a difference of Laplacians (Immerkaer 1996).

    sqrt(pi / 2) * mean|y * K| / 6; counts fine texture as noise.
    """
    return float(np.sqrt(np.pi / 2) * np.abs(_high_pass(plane)).mean() / 6)


def robust_laplacian_sigma(plane: np.ndarray) -> float:
    """Noise deviation as `laplacian_sigma`, by the median: texture in less than half of the pixels is passed over."""
    return float(np.median(np.abs(_high_pass(plane))) / (6 * _MAD))


def patch_sigma(plane: np.ndarray, side: int = 8, stride: int = 3) -> float:
    """Noise deviation from the small eigenvalues of the covariance of patches (Chen, Zhu & Heng, ICCV 2015).

    The largest eigenvalues are dropped until the mean of the rest equals their median. Sees the average noise where it
    depends on the signal.
    """
    side = min(side, *plane.shape)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(plane, dtype=np.float32), (side, side))
    patches = windows[::stride, ::stride].reshape(-1, side * side)
    if len(patches) < 2:
        return robust_laplacian_sigma(plane)
    values = np.linalg.eigvalsh(np.cov(patches, rowvar=False))
    for count in range(len(values), 1, -1):
        kept = values[:count]
        if kept.mean() <= np.median(kept):
            break
    return float(np.sqrt(max(kept.mean(), 0.0)))


ESTIMATORS: dict[str, Callable[[np.ndarray], float]] = {
    "wavelet": wavelet_sigma,
    "laplacian": laplacian_sigma,
    "robust laplacian": robust_laplacian_sigma,
    "patches": patch_sigma,
}


def typical_sigma(images: np.ndarray, estimator: Callable[[np.ndarray], float] = robust_laplacian_sigma) -> float:
    """Noise deviation of images (N, C, [Z], Y, X): the median over at most 16 planes of each channel, the mean over channels."""
    planes = np.moveaxis(images, 1, 0).reshape(images.shape[1], -1, *images.shape[-2:])
    spread = np.unique(np.linspace(0, planes.shape[1] - 1, 16).astype(int))
    return float(np.mean([np.median([estimator(plane) for plane in channel[spread]]) for channel in planes]))


def lag_one(plane: np.ndarray) -> tuple[float, float]:
    """Correlation of the noise with its neighbour in y and in x, estimated from a high-pass of the image.

    The high-pass itself correlates neighbours; for independent noise that share is known (it is subtracted), so that
    white noise gives 0.

    Returns
    -------
    float, float
        Along y, along x.
    """
    plane = np.asarray(plane, dtype=np.float32)
    found = []
    for axis in (0, 1):
        # Second differences across the other axis remove the image and leave neighbours along this one comparable.
        high = np.diff(plane, n=2, axis=1 - axis)
        high = high - ndimage.uniform_filter1d(high, 9, axis=axis)
        found.append(_robust_correlation(high, axis))
    return found[0], found[1]


@dataclass(frozen=True)
class NoiseReport:
    """What is known of the noise of an image.

    Attributes
    ----------
    sigma : float
        Median of the estimators, intensities of the image.
    estimates : dict of str to float
        Noise deviation by each estimator, intensities of the image.
    correlation : tuple of float
        Correlation of the noise of neighbours along y and x, about 0 where pixels are independent.
    saturated : float
        Share of the pixels at the largest value, 0 to 1.
    """

    sigma: float
    estimates: dict[str, float]
    correlation: tuple[float, float]
    saturated: float

    @property
    def disagreement(self) -> float:
        """Largest estimate over the smallest; above 1.3 the noise is hardly of one strength."""
        low, high = min(self.estimates.values()), max(self.estimates.values())
        return high / low if low > 0 else float("inf") if high > 0 else 1.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known before a method is chosen, one sentence each."""
        found = []
        if max(self.correlation) > CORRELATED:
            found.append(
                "The noise is correlated between neighbouring pixels "
                f"(y {self.correlation[0]:.2f}, x {self.correlation[1]:.2f}): "
                "methods that assume independent pixels will keep much of it, and sigma is underestimated."
            )
        if self.disagreement > 1.3:
            found.append(
                f"The estimators disagree ({self.disagreement:.1f} to 1): the noise probably depends on the signal, "
                "or fine texture is taken for noise."
            )
        if self.saturated > 0.001:
            found.append(
                f"{self.saturated:.1%} of the pixels are at the largest value: where they are clipped their noise is lost."
            )
        return tuple(found)


def estimate_noise(image: Any, axes: str | None = None, *, fill: bool = False) -> NoiseReport:
    """Estimate the noise of an image.

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
        Each number is the median over at most 16 evenly spread planes of each channel.

    Raises
    ------
    AxesError, ImageError
        Where the axes do not fit or the image cannot be measured.
    """
    image = image if hasattr(image, "dtype") else np.asarray(image)
    stack = check(image, layout_for(tuple(image.shape), axes), fill=fill)
    planes = _planes(stack)
    estimates = {name: float(np.median([f(plane) for plane in planes])) for name, f in ESTIMATORS.items()}
    correlation = np.median([lag_one(plane) for plane in planes], axis=0)
    top = max(float(plane.max()) for plane in planes)
    saturated = float(np.mean([(plane == top).mean() for plane in planes]))
    return NoiseReport(
        float(np.median(list(estimates.values()))), estimates, (float(correlation[0]), float(correlation[1])), saturated
    )


def _planes(stack: Stack) -> list[np.ndarray]:
    planes = []
    for group in range(stack.groups):
        for sample in stack.spread(16):
            planes += list(stack.read(group, sample))
    return [plane for plane in planes if plane.min() < plane.max()] or planes


def _high_pass(plane: np.ndarray) -> np.ndarray:
    response = ndimage.convolve(np.asarray(plane, dtype=np.float32), _IMMERKAER, mode="reflect")
    return response[1:-1, 1:-1] if min(plane.shape) > 2 else response


def _robust_correlation(high: np.ndarray, axis: int) -> float:
    """Lag-1 correlation along an axis from the medians of |a + b| and |a - b|, which edges hardly touch.

    The running mean of 9 that was subtracted leaves white noise with (8/81 - 2/9) / (1 - 1/9) = -5/36; that is undone.
    """
    a = np.take(high, range(high.shape[axis] - 1), axis=axis)
    b = np.take(high, range(1, high.shape[axis]), axis=axis)
    plus, minus = np.median(np.abs(a + b)) ** 2, np.median(np.abs(a - b)) ** 2
    measured = (plus - minus) / (plus + minus) if plus + minus > 0 else 0.0
    return float(measured + 5 / 36)


@dataclass(frozen=True)
class VarianceFit:
    """Poisson-Gaussian noise: variance = gain * intensity + offset."""

    gain: float
    offset: float

    def variance(self, intensity: Any) -> Any:
        """Variance at intensities (number, array or tensor), floored above 0."""
        found = self.gain * intensity + self.offset
        return found.clamp_min(1e-9) if hasattr(found, "clamp_min") else np.maximum(found, 1e-9)


def fit_variance(images: np.ndarray) -> VarianceFit:
    """Fit the noise of images (N, C, [Z], Y, X) from their high-pass in the flat parts of every brightness."""
    levels, squares = [], []
    for plane in np.asarray(images, dtype=np.float64).reshape(-1, *images.shape[-2:])[:16]:
        response = ndimage.convolve(plane, _IMMERKAER.astype(float), mode="reflect") / 6
        level = ndimage.gaussian_filter(plane, 2.5)
        slope = ndimage.gaussian_gradient_magnitude(plane, 2.5)
        order = np.array_split(np.argsort(level, axis=None), max(2, min(16, plane.size // 256)))
        for index in order:
            flat = index[slope.flat[index] <= np.median(slope.flat[index])]
            levels.append(float(level.flat[flat].mean()))
            squares.append(float(np.median(np.abs(response.flat[flat])) / _MAD) ** 2)
    gain, offset = np.polyfit(levels, squares, 1) if np.ptp(levels) > 0 else (0.0, float(np.mean(squares)))
    return VarianceFit(float(gain), float(offset)) if gain > 0 else VarianceFit(0.0, float(np.mean(squares)))
