"""Structure in what a denoiser has removed: where the residual goes with the result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from napari_lotadenoise.noise import CORRELATED, lag_one

#: Side of the windows in pixels. Larger ones see weaker structure and blur where it is.
WINDOW = 13
#: Deviations by which a correlation must leave what chance allows to count.
SURE = 3.5
#: Share of the noise deviation that the result must vary by in a window for its correlation to count in full.
_FLOOR = 0.3
#: Share of the windows in which the result varies least; there the residual cannot hold much of it.
_CALM = 0.25


class Leakage(NamedTuple):
    """Correlation of each window, what chance allows, and how many windows there are that do not overlap."""

    correlation: np.ndarray
    chance: float
    windows: float

    @property
    def share(self) -> float:
        """Return the share of the windows beyond chance in the sense of the result (structure was removed)."""
        return self._beyond(self.correlation)

    @property
    def opposite(self) -> float:
        """Return the share of the windows beyond chance against the sense of the result (structure was made stronger)."""
        return self._beyond(-self.correlation)

    def _beyond(self, correlation: np.ndarray) -> float:
        return float(np.mean(correlation > SURE * self.chance)) if self.chance > 0 else 0.0


def leakage(residual: np.ndarray, clean: np.ndarray, window: int = WINDOW) -> Leakage:
    """Return the local correlation of a residual with the result, freed of what noise alone brings about.

    A result holds some noise, and so does the residual: in even regions the two are correlated without any structure. Their
    covariance there is a multiple k of the residual's variance; k is measured in the calmest quarter of the windows, and
    c = (cov(r, f) - k var(r)) / sqrt(var(r) (var(f) + 0.09 var(r)))
    is what is left. The last term keeps tiny ripples of the result from counting as structure. Of white noise c has the
    deviation 1 / window. Where the noise of the image (residual + clean) is correlated it has more, which is measured with the
    result turned over (left to right, top to bottom, both): its structure stays what it is, and has nothing to do with the
    residual any more.

    Parameters
    ----------
    residual, clean : ndarray (Y, X)
    window : int
        Side of the windows in pixels.
    """
    side = min(window, *residual.shape)
    if min(residual.shape) < 2 or side < 3:
        return Leakage(np.zeros(residual.shape), 0.0, 0.0)
    one, other = residual - residual.mean(), clean - clean.mean()
    # Windows with next to no residual tell nothing: 1e-6 of the power is rounding.
    power = _local(one, one, side)
    if power.max() <= 0 or not np.any(other):
        return Leakage(np.zeros(residual.shape), 0.0, 0.0)
    power = np.maximum(power, 1e-6 * float(power.mean()))
    found = _correlation(one, other, power, side)
    chance = 1 / side
    if max(lag_one(residual + clean)) > CORRELATED:
        chance = max(chance, float(np.sqrt(np.mean([_chance(one, other[flip], power, side) for flip in _FLIPS]))))
    return Leakage(np.clip(found, -1, 1), chance, residual.size / side**2)


_FLIPS = (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1])


def _correlation(residual: np.ndarray, clean: np.ndarray, power: np.ndarray, side: int) -> np.ndarray:
    """Return the corrected correlation of every window."""
    shared, varied = _local(residual, clean, side), np.maximum(_local(clean, clean, side), 0)
    calm = varied / power <= np.quantile(varied / power, _CALM)
    share = float(np.sum(shared[calm]) / np.sum(power[calm]))
    return (shared - share * power) / np.sqrt(power * (varied + _FLOOR**2 * power))


def _chance(residual: np.ndarray, unrelated: np.ndarray, power: np.ndarray, side: int) -> float:
    """Return the mean square of the correlation with something unrelated, in the windows where that has structure.

    By the median, which a share of odd windows does not touch.
    """
    found = _correlation(residual, unrelated, power, side)
    busy = _local(unrelated, unrelated, side) > _FLOOR**2 * power
    return float(np.median(np.abs(found[busy] if busy.mean() > 0.02 else found)) / 0.6744897501960817) ** 2


def _local(a: np.ndarray, b: np.ndarray, side: int) -> np.ndarray:
    """Return the covariance of two images in the window around each pixel."""
    means = (ndimage.uniform_filter(image, side, mode="mirror") for image in (a * b, a, b))
    product, first, second = means
    return product - first * second
