"""Whether a residual is stronger where the image is brighter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Bins of the intensity, and the fewest pixels in one.
_BINS, _FEWEST = 16, 64


@dataclass(frozen=True)
class VarianceLaw:
    """How the variance of the residual goes with the intensity of the result: variance = slope * intensity + intercept.

    Attributes
    ----------
    slope, slope_error : float
        Of the straight line through the bins, each weighted by its certainty, and its standard error.
    growth : float
        What the line rises by from the darkest to the brightest bin, in units of the mean variance.
    rank : float
        Rank correlation of variance and intensity over the bins, -1 to 1.
    r_squared : float
        Share of the variation between the bins that the line explains.
    """

    slope: float = 0.0
    slope_error: float = 0.0
    growth: float = 0.0
    rank: float = 0.0
    r_squared: float = 0.0

    @property
    def follows(self) -> bool:
        """Tell whether the noise clearly grows with the signal: by more than chance and by more than a quarter."""
        return self.slope > 3 * self.slope_error and self.growth > 0.25 and self.rank > 0.5


def variance_law(residual: np.ndarray, clean: np.ndarray) -> VarianceLaw:
    """Fit the straight line through the variance of the residual in 16 bins of the intensity of the result.

    Each bin is weighted by how certain its variance is, (m4 - v^2) / n for n pixels with fourth moment m4; where the bins
    scatter more than that about the line, the error of the slope is larger by as much. Structure in the residual raises the
    variance where there is structure, which need not be where the image is bright.
    """
    order = np.argsort(clean, axis=None)
    groups = np.array_split(order, min(_BINS, max(1, order.size // _FEWEST)))
    levels, values, errors = (np.array(part) for part in zip(*(_bin(residual, clean, g) for g in groups), strict=True))
    if len(groups) < 4 or levels[-1] <= levels[0] or not values.mean() > 0:
        return VarianceLaw()
    # A bin without residual (a clipped background) would otherwise hold the line at any price.
    weights = 1 / np.maximum(errors, 0.01 * values.mean()) ** 2
    middle, mean = np.average(levels, weights=weights), np.average(values, weights=weights)
    spread = np.sum(weights * (levels - middle) ** 2)
    slope = float(np.sum(weights * (levels - middle) * (values - mean)) / spread)
    left = np.sum(weights * (values - mean - slope * (levels - middle)) ** 2)
    total = np.sum(weights * (values - mean) ** 2)
    first, second = (part.argsort().argsort().astype(np.float64) for part in (levels, values))
    return VarianceLaw(
        slope=slope,
        slope_error=float(np.sqrt(max(1.0, left / (len(groups) - 2)) / spread)),
        growth=slope * float(levels[-1] - levels[0]) / float(values.mean()),
        rank=float(np.corrcoef(first, second)[0, 1]),
        r_squared=float(1 - left / total) if total > 0 else 0.0,
    )


def _bin(residual: np.ndarray, clean: np.ndarray, places: np.ndarray) -> tuple[float, float, float]:
    """Return the mean intensity, variance of the residual and the standard error of that."""
    inside = residual.ravel()[places]
    squares = (inside - inside.mean()) ** 2
    variance = squares.mean()
    return clean.ravel()[places].mean(), variance, np.sqrt(max((squares**2).mean() - variance**2, 0) / len(places))
