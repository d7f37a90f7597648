"""What happened to the grey levels: saturation, clipping, quantisation, hot pixels, traces of JPEG compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: A level at the end of the histogram is a limit where at least this share of the pixels, and so many times as many as
#: on the levels next to it, have it.
_SHARE, _PILE = 2e-4, 4.0
#: Deviations by which a hot pixel stands out of its neighbours.
_HOT = 8.0
#: Side of the blocks of JPEG, and by how much their borders must stand out.
_BLOCK, _BORDER = 8, 1.06


@dataclass(frozen=True)
class Levels:
    """The grey levels of an image.

    Attributes
    ----------
    saturated, clipped : float
        Share of the pixels that are piled up at the largest and at the smallest value, 0 to 1; 0 where there is no pile.
    step : float
        Distance of the grey levels, intensities; 0 where values are continuous.
    bits : int
        Bits that the levels in use take, from the smallest to the largest; 0 where values are continuous.
    hot : float
        Share of the pixels that stand out of their neighbours by more than noise does, 0 to 1.
    blocking : float
        How much stronger changes are at the borders of 8 x 8 blocks than elsewhere; 1 without JPEG.
    """

    saturated: float
    clipped: float
    step: float
    bits: int
    hot: float
    blocking: float

    @property
    def blocked(self) -> bool:
        """Tell whether the image seems to have been a JPEG."""
        return self.blocking > _BORDER


def measure_levels(planes: Sequence[np.ndarray], sigma: float) -> Levels:
    """Measure planes (Y, X) of one image together; `sigma` is their noise deviation, intensities."""
    values = np.concatenate([np.asarray(plane).ravel() for plane in planes])
    found, counts = np.unique(values, return_counts=True)
    step = _step(found)
    bits = int(np.ceil(np.log2((found[-1] - found[0]) / step + 1))) if step else 0
    return Levels(
        _pile(counts[::-1], len(values)), _pile(counts, len(values)), step, bits,
        float(np.mean([hot_pixels(plane, sigma).mean() for plane in planes])),
        float(np.median([blocking(plane) for plane in planes])),
    )  # fmt: skip


def hot_pixels(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Find the pixels that stand out of all their neighbours, which are alike themselves: broken, or struck.

    A pixel is hot where it is further than 8 deviations from the median of its 5 x 5 surroundings, and none of its
    neighbours is further than half of that. Where noise depends on the signal, the deviation is that of the surroundings.
    """
    plane = np.asarray(plane, dtype=np.float32)
    if min(plane.shape) < 5 or plane.min() == plane.max():
        return np.zeros(plane.shape, bool)
    middle = ndimage.median_filter(plane, 5)
    off = np.abs(plane - middle)
    local = ndimage.median_filter(off, 7) / 0.6745
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    around = ndimage.maximum_filter(off, footprint=ring)
    limit = _HOT * np.maximum(local, sigma)
    return np.asarray((off > limit) & (limit > 0) & (around < limit / 2))


def blocking(plane: np.ndarray) -> float:
    """Return the mean change across the borders of an 8 x 8 grid over the mean change elsewhere, for the grid that lies best.

    The second difference is taken, so that slopes count for nothing; 1 where there are no blocks.
    """
    found = []
    for axis in (0, 1):
        change = np.abs(np.diff(np.asarray(plane, dtype=np.float64), n=3, axis=axis)).mean(1 - axis)
        if len(change) < 8 * _BLOCK:
            return 1.0
        phases = np.array([change[phase::_BLOCK].mean() for phase in range(_BLOCK)])
        best = int(phases.argmax())
        rest = np.median(np.delete(phases, best))
        found.append(phases[best] / rest if rest > 0 else 1.0)
    return float(min(found))  # both directions must have them


def _pile(counts: np.ndarray, total: int) -> float:
    """Return the share of the pixels on the first level, where they are piled up on it."""
    if len(counts) < 8 or counts[0] < _SHARE * total:
        return 0.0
    return float(counts[0] / total) if counts[0] > _PILE * counts[1:4].mean() else 0.0


def _step(found: np.ndarray) -> float:
    """Return the distance of the grey levels: the greatest common divisor of integers, the smallest gap of few floats."""
    gaps = np.diff(found)
    if not len(gaps):
        return 0.0
    if np.all(found == np.rint(found)) and abs(found[-1]) < 2**53:
        return float(np.gcd.reduce(gaps.astype(np.int64)))
    return float(gaps.min()) if len(found) <= 4096 else 0.0
