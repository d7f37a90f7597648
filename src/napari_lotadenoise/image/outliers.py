"""Pixels that no noise explains: hot and dead ones, cosmic rays. Found plane by plane, and repaired from their neighbours.

An outlier stands out of the ring of 16 pixels at a distance of two, by far more than pixels of the image usually do
(`isolation_of`), and out of its 5 x 5 surroundings by more than these differ among themselves. So what a lens has blurred, which
has a slope around it, is none; neither is one photon in the dark.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

#: Pixels around a window that its outliers depend on.
REACH = 2
#: Times the median, and the 0.9 quantile, by which pixels stand out of their rings where they do, from which no noise
#: explains it: beyond the tail of a normal and of an exponential distribution (speckle).
_MEDIANS, _TAILS, _TAIL = 20.0, 6.0, 0.9
#: Share of the pixels that stand out of their rings below which there is hardly any noise to compare with.
_NOISY = 0.01
#: Grey levels by which an outlier stands out at least, and outliers that may touch each other.
_LEVELS, _CLUSTER = 4.0, 4
#: How far an outlier lies outside the range of its surroundings, in units of that range; and how far the second least of its
#: direct neighbours may, in units of its own distance: beside the middle of a spot that a lens has made, all of them are bright.
_RANGES, _SLOPE = 2.0, 0.05
#: The direct neighbours of the middle of 5 x 5 pixels.
_DIRECT = [7, 11, 13, 17]
#: Share of the pixels from which they are no outliers but what the image is made of; the lower one where there is no noise.
_MOST, _MOST_CLEAN = 5e-3, 1e-3
#: So many may be outliers however small the image is.
_FEW = 2


def isolation_of(planes: Sequence[np.ndarray]) -> float:
    """Return by how many intensities a pixel must stand out of its ring to be an outlier, for planes (Y, X) of one channel.

    Returns
    -------
    float
        Infinite where so many pixels stand out that the image is made of them.
    """
    planes = [np.asarray(plane, dtype=np.float32) for plane in planes]
    beyond = np.concatenate([_beyond(plane).ravel() for plane in planes])
    positive = beyond[beyond > 0]
    noisy = len(positive) >= _NOISY * len(beyond)
    limit = _LEVELS * _step(planes)
    if noisy:
        middle, tail = np.quantile(positive, (0.5, _TAIL))
        limit = max(limit, _MEDIANS * float(middle), _TAILS * float(tail))
    found = sum(int(outliers(plane, limit).sum()) for plane in planes)
    return limit if found <= max(_FEW, (_MOST if noisy else _MOST_CLEAN) * len(beyond)) else float("inf")


def outliers(plane: np.ndarray, isolation: float) -> np.ndarray:
    """Return where a plane (Y, X) has outliers, given what `isolation_of` says of its channel."""
    plane = np.asarray(plane, dtype=np.float32)
    found = np.zeros(plane.shape, dtype=bool)
    if not np.isfinite(isolation):
        return found
    rows, columns = np.nonzero(_beyond(plane) > isolation)
    if len(rows):
        around = sliding_window_view(np.pad(plane, REACH, mode="symmetric"), (5, 5))[rows, columns].reshape(-1, 25)
        found[rows, columns] = _outside(plane[rows, columns].astype(np.float64), around.astype(np.float64))
    return found


def repaired(block: np.ndarray, isolation: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Replace the outliers of a block (C, [Z], Y, X) by the median of their neighbours.

    Parameters
    ----------
    block : array of float32
    isolation : sequence of float
        One a channel.

    Returns
    -------
    tuple of arrays
        The block, itself where it has none, and where it had some.
    """
    planes = block.reshape(-1, *block.shape[-2:])
    each = np.repeat(np.asarray(isolation), len(planes) // max(1, len(block)))
    found = np.stack([outliers(plane, one) for plane, one in zip(planes, each, strict=True)])
    if found.any():
        planes = np.stack([_without(plane, bad) for plane, bad in zip(planes, found, strict=True)])
        block = planes.reshape(block.shape)
    return block, found.reshape(block.shape)


def _without(plane: np.ndarray, bad: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(bad)
    if not len(rows):
        return plane
    out = plane.copy()
    known = np.where(bad, np.nan, plane)
    around = sliding_window_view(np.pad(known, REACH, mode="symmetric"), (5, 5))[rows, columns]
    near = np.nanmedian(around[:, 1:-1, 1:-1].reshape(-1, 9), axis=1, keepdims=False)
    out[rows, columns] = np.where(np.isfinite(near), near, np.nanmedian(around.reshape(-1, 25), axis=1))
    return out


def _beyond(plane: np.ndarray) -> np.ndarray:
    """Return how far each pixel lies above the largest, or below the smallest, of the ring at distance two; at most 0 within."""
    padded = np.pad(plane, REACH, mode="symmetric")
    with np.errstate(invalid="ignore"):
        return np.maximum(plane - _ring(padded, np.maximum), _ring(padded, np.minimum) - plane)


def _ring(padded: np.ndarray, extreme: np.ufunc) -> np.ndarray:
    """Return the extreme of the 16 pixels at distance two, for a plane that was padded by two."""
    across = _run(padded, extreme, 5, axis=1)
    down = _run(padded, extreme, 3, axis=0)[1:-1]
    return extreme(extreme(across[:-4], across[4:]), extreme(down[:, :-4], down[:, 4:]))


def _run(plane: np.ndarray, extreme: np.ufunc, length: int, axis: int) -> np.ndarray:
    """Return the extreme of so many neighbours along an axis."""
    views = np.moveaxis(plane, axis, 0)
    count = len(views) - length + 1
    out = views[:count]
    for shift in range(1, length):
        out = extreme(out, views[shift : shift + count])
    return np.moveaxis(out, 0, axis)


def _outside(values: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Tell which values lie outside of their surroundings (N, 25), up to four others of which may be outliers as well."""
    return _above(values, around) | _above(-values, -around)


def _above(values: np.ndarray, around: np.ndarray) -> np.ndarray:
    ordered = np.sort(around, axis=1)
    low, high = ordered[:, 0], ordered[:, -2 - _CLUSTER]
    distance = values - high
    beside = np.sort(around[:, _DIRECT], axis=1)[:, 1] - high
    return np.asarray((distance > _RANGES * (high - low)) & (beside < _SLOPE * distance))


def _step(planes: Sequence[np.ndarray]) -> float:
    """Return the distance of the grey levels where there are few of them, else 0."""
    levels = np.unique(np.concatenate([np.unique(plane) for plane in planes]))
    return float(np.diff(levels).min()) if 1 < len(levels) <= 256 else 0.0
