"""How the noise depends on the signal: variance = gain * intensity + offset, from one image or from repeats of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import ndimage

from napari_lotadenoise.noise.sigma import high_pass

#: Width in pixels of the blur that tells the intensity at a pixel; wide, so that its own noise hardly tells anything.
_WIDTH = 2.5
#: Bins of equal count along the intensity, pixels that one needs, and the flattest share of its pixels that is used.
_BINS, _FEWEST, _FLAT = 32, 400, 0.6
#: Pixels from which the edges of the bins are found.
_SORTED = 1 << 16
#: Deviations beyond which a response counts as structure, and the share of a normal variance that lies within them.
_CUT, _WITHIN = 3.0, 0.9733369
#: The variance is never taken for less than this share of its largest value in the image.
_FLOOR = 1e-3
#: Largest intensities of images that are fitted as they are.
_USUAL = (1e-2, 1e7)
#: Smallest variance of all: the smallest number of float32, whatever the unit of the intensities.
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class VarianceFit:
    """Poisson-Gaussian noise: variance = gain * intensity + offset.

    Attributes
    ----------
    gain : float
        Intensities per photo-electron; 0 where the noise does not depend on the signal.
    offset : float
        Variance at intensity 0, intensities squared: read noise^2 - gain * pedestal, which may be negative.
    gain_error, offset_error : float
        One standard error of each.
    means, variances, weights : arrays
        The points of the photon transfer curve that the line was fitted to, and the pixels in each.
    low, high : float
        Range of intensities that was seen.
    """

    gain: float
    offset: float
    gain_error: float = 0.0
    offset_error: float = 0.0
    means: np.ndarray = field(default_factory=lambda: np.zeros(0))
    variances: np.ndarray = field(default_factory=lambda: np.zeros(0))
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    low: float = 0.0
    high: float = 0.0

    @property
    def floor(self) -> float:
        """Return the smallest credible variance."""
        top = max(self.gain * self.low, self.gain * self.high) + self.offset
        return max(top * _FLOOR, _TINY)

    @property
    def zero(self) -> float:
        """Return the intensity at which the line says that there is no noise: the pedestal, where read noise is small."""
        return -self.offset / self.gain if self.gain > 0 else float("-inf")

    def variance(self, intensity: Any) -> Any:
        """Return the variance at intensities (number, array or tensor), never below `floor`."""
        found = self.gain * intensity + self.offset
        return found.clamp_min(self.floor) if hasattr(found, "clamp_min") else np.maximum(found, self.floor)

    def scaled(self, share: float) -> VarianceFit:
        """Return noise of this share of the variance everywhere, without the points."""
        return VarianceFit(self.gain * share, self.offset * share, low=self.low, high=self.high)

    def corrected(self, share: float) -> VarianceFit:
        """Return the fit as if all that was measured had been so many times as strong."""
        return VarianceFit(
            self.gain * share, self.offset * share, self.gain_error * share, self.offset_error * share,
            self.means, self.variances * share, self.weights, self.low, self.high,
        )  # fmt: skip

    def in_units(self, unit: float) -> VarianceFit:
        """Return the fit of an image as many times as bright."""
        return VarianceFit(
            self.gain * unit, self.offset * unit**2, self.gain_error * unit, self.offset_error * unit**2,
            self.means * unit, self.variances * unit**2, self.weights, self.low * unit, self.high * unit,
        )  # fmt: skip

    def typical_variance(self, intensity: np.ndarray) -> np.ndarray:
        """Return the variance at intensities: that of the line, or of the level where the line tells nothing."""
        if self.signal_dependent or self.level is None:
            return np.asarray(self.variance(intensity))
        return np.full(np.shape(intensity), self.level**2)

    @property
    def level(self) -> float | None:
        """Return the deviation of noise that is equally strong everywhere.

        The lower quartile of the points, since texture only adds.

        None where there are too few points for a quartile.
        """
        measured = self.variances[self.variances > 0]
        return float(np.sqrt(np.quantile(measured, 0.25))) if len(measured) >= 4 else None

    @property
    def rise(self) -> float:
        """Return the variance of the brightest part over that of the darkest one (of the points that were measured)."""
        if not len(self.means):
            return 1.0
        dark, bright = self.variance(self.means.min()), self.variance(self.means.max())
        return float(bright / dark)

    @property
    def signal_dependent(self) -> bool:
        """Tell whether the noise gets clearly stronger with the signal: by half and more, and by more than chance allows."""
        return self.gain > 4 * self.gain_error and self.rise > 1.5


def fit_planes(planes: Sequence[np.ndarray]) -> VarianceFit:
    """Fit the noise of planes (Y, X) blindly, from the response to a high-pass in the flattest parts of every brightness.

    Pixels are sorted into bins by a blurred copy; in each bin the variance of the Laplacian response (of unit gain for
    white noise) is taken over the pixels with the smallest gradients, without what lies beyond three deviations, and a
    line is fitted with weights that pass over outlying bins. Saturated pixels are left out. Correlated noise is
    underestimated, as by every high-pass.

    Parameters
    ----------
    planes : sequence of arrays (Y, X)

    Returns
    -------
    VarianceFit
        In the units of the planes. A single level of noise (gain 0) where there are too few intensities for a line.
    """
    unit = _unit(planes)
    if unit != 1:
        return fit_planes([np.asarray(plane, dtype=np.float64) / unit for plane in planes]).in_units(unit)
    points = [point for plane in planes for point in _points(np.asarray(plane, dtype=np.float64))]
    points = [point for point in points if point[1] > 0] or points  # where nothing varies, nothing was measured
    if not points:
        variance = float(np.median([np.var(high_pass(plane)) for plane in planes]))
        low, high = min(float(p.min()) for p in planes), max(float(p.max()) for p in planes)
        return VarianceFit(0.0, variance, low=low, high=high)
    means, variances, weights = np.array(points).T
    return _line(means, variances, weights)


def photon_transfer(frames: np.ndarray) -> VarianceFit:
    """Fit the noise of repeats of one scene (T, Y, X), two or more: the variance of differences needs no model of the scene.

    Half the squared difference of two neighbours in time, averaged over the pixels of equal mean brightness (EMVA 1288).
    What moves or bleaches between frames counts as noise.

    Raises
    ------
    ImageError
        Where there are fewer than two frames.
    """
    from napari_lotadenoise.errors import ImageError

    frames = np.asarray(frames, dtype=np.float64)
    if frames.ndim != 3 or len(frames) < 2:
        raise ImageError("Photon transfer needs two or more frames of one scene (T, Y, X).")
    mean, half = frames.mean(0), (np.diff(frames, axis=0) ** 2).mean(0) / 2
    usable = (frames < _top(frames)).all(0)
    edges = np.unique(np.quantile(mean, np.linspace(0, 1, _BINS + 1)))
    number = np.clip(np.searchsorted(edges, mean, side="right") - 1, 0, max(0, len(edges) - 2))
    points = [
        (mean[k].mean(), half[k].mean(), k.sum())
        for b in range(max(1, len(edges) - 1))
        if (k := (number == b) & usable).sum() >= 50
    ]
    if not points:
        return VarianceFit(0.0, float(half.mean()), low=float(frames.min()), high=float(frames.max()))
    return _line(*np.array(points).T)


def _unit(planes: Sequence[np.ndarray]) -> float:
    """Return a power of two in whose units images are that are so bright or so dim that squares and least squares lose digits."""
    top = max(float(np.abs(plane).max()) for plane in planes)
    if not np.isfinite(top) or top == 0 or _USUAL[0] < top < _USUAL[1]:
        return 1.0
    return float(2.0 ** np.floor(np.log2(top)))


def _points(plane: np.ndarray) -> list[tuple[float, float, float]]:
    """Return the mean, variance and count of the flat pixels of each brightness."""
    if min(plane.shape) < 5 or plane.min() == plane.max():
        return []
    inner = (slice(1, -1), slice(1, -1))
    divergence = high_pass(plane)
    level = ndimage.gaussian_filter(plane.astype(np.float32), _WIDTH)  # which only tells where pixels belong
    slope = np.hypot(ndimage.sobel(level, 0), ndimage.sobel(level, 1))[inner]
    usable, level = _unsaturated(plane)[inner], level[inner]
    thin = level.ravel()[:: 1 + level.size // _SORTED]
    edges = np.unique(np.quantile(thin, np.linspace(0, 1, min(_BINS, plane.size // _FEWEST) + 1)))
    divergence, slope, level = divergence[usable], slope[usable], level[usable]
    number = np.clip(np.searchsorted(edges, level, side="right") - 1, 0, max(0, len(edges) - 2)).astype(np.uint8)
    order = np.argsort(number, kind="stable")
    points = []
    for here in np.split(order, np.cumsum(np.bincount(number, minlength=len(edges) - 1))[:-1]):
        if len(here) < _FEWEST / 2:
            continue
        flat = here[slope[here] <= np.quantile(slope[here], _FLAT)]
        points.append((float(level[flat].mean()), _inner_variance(divergence[flat]), float(len(flat))))
    return points


def _unsaturated(plane: np.ndarray) -> np.ndarray:
    """Return where neither a pixel nor a neighbour of it is saturated."""
    top = _top(plane)
    if top == float("inf"):
        return np.ones(plane.shape, dtype=bool)
    return ndimage.maximum_filter(plane, 3) < top


def _top(image: np.ndarray) -> float:
    """Return the intensity from which pixels are left out: the largest one, where so many have it that it must be a limit."""
    top = image.max()
    return float(top) if (image == top).mean() > 1e-3 else float("inf")


def _inner_variance(divergence: np.ndarray) -> float:
    """Return the variance of a normal distribution whose middle is that of the response.

    What is beyond three deviations is cut off.
    """
    variance = (np.median(np.abs(divergence)) / 0.6744897501960817) ** 2 or np.var(divergence)
    for _ in range(30):
        inside = divergence[np.abs(divergence) <= _CUT * np.sqrt(variance)]
        before, variance = variance, float((inside**2).mean()) / _WITHIN if inside.size else variance
        if abs(variance - before) <= 1e-4 * before:
            break
    return float(variance)


def _line(means: np.ndarray, variances: np.ndarray, weights: np.ndarray) -> VarianceFit:
    """Return the weighted line through the points; a variance from n pixels is known to sqrt(2 / n) of itself."""
    level = float(np.average(variances, weights=weights))
    if len(means) < 4 or np.ptp(means) <= 0 or level <= 0:
        return _fit(0.0, max(level, 0.0), (0.0, 0.0), means, variances, weights)
    design = np.stack([means, np.ones_like(means)], 1)
    expected, doubt = np.full_like(variances, level), np.ones_like(variances)
    for _ in range(20):
        root = np.sqrt(weights * doubt) / expected
        (gain, offset), *_ = np.linalg.lstsq(design * root[:, None], variances * root, rcond=None)
        expected = np.maximum(design @ (gain, offset), variances.max() * _FLOOR)
        misfit = np.abs(variances - expected) / expected
        doubt = 1 / np.maximum(1, misfit / (2 * 1.4826 * np.median(misfit) + 1e-9))
    root = np.sqrt(weights * doubt) / expected
    spread = np.sum(((variances - expected) * root) ** 2) / (len(means) - 2)
    errors = np.sqrt(np.diag(np.linalg.inv((design * root[:, None]).T @ (design * root[:, None]))) * spread)
    slope, intercept = (0.0, level) if gain <= 0 else (float(gain), float(offset))
    return _fit(slope, intercept, (float(errors[0]), float(errors[1])), means, variances, weights)


def _fit(
    gain: float,
    offset: float,
    errors: tuple[float, float],
    means: np.ndarray,
    variances: np.ndarray,
    weights: np.ndarray,
) -> VarianceFit:
    low, high = float(means.min()), float(means.max())
    return VarianceFit(gain, offset, *errors, means, variances, weights, low, high)
