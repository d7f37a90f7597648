"""Parts of planes that carry information: without padding, dead lines, saturated areas, masks and NaN.

Noise, scale and networks are measured and learnt on what is left: whole rows and columns, and of those a rectangle, so that
neighbours stay neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_lotadenoise.image.stack import Stack, Window

#: Side of the squares of one value that are no chance, and of those that areas of it are made of.
_SURE, _FINE = 16, 4
#: Share of the pixels that one value must have to be looked at, and the number of squares that chance may make of it.
_SHARE, _CHANCE = 2e-3, 1e-3
#: Share of equal neighbours in a dead line, and the deviations by which that is more than in other lines.
_DEAD, _DEVIATIONS = 0.9, 6.0
#: Smallest side of what is left, and the smallest share of it: below it the whole is taken.
_SMALLEST, _LEAST = 32, 0.02
#: Cells along the longer side of a mask in which its largest rectangle is looked for.
_CELLS = 256


def read_informative(stack: Stack, group: int, places: Sequence[tuple[int, Window | None]]) -> list[np.ndarray]:
    """Read blocks (C, [Z], Y, X) of one shape, of each the rows and columns that carry information in all of them.

    Parameters
    ----------
    stack : Stack
    group : int
    places : sequence of (sample, window)
        The windows have one shape.
    """
    blocks, unknown = read_whole(stack, group, places), None
    if stack.filled:
        unknown = np.any([stack.unknown(group, *place).any(tuple(range(stack.ndim - 1))) for place in places], axis=0)
    kept = informative(blocks, unknown)
    return blocks if kept is None else [block[..., kept[0][:, None], kept[1]] for block in blocks]


def read_whole(stack: Stack, group: int, places: Sequence[tuple[int, Window | None]]) -> list[np.ndarray]:
    """Read blocks (C, [Z], Y, X)."""
    return [stack.read(group, sample, window) for sample, window in places]


def informative(
    blocks: Sequence[np.ndarray], unknown: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the rows and columns that carry information in all planes of some blocks.

    Parameters
    ----------
    blocks : sequence of arrays (..., Y, X)
    unknown : boolean array (Y, X), optional
        Where values are no measurements, by a mask or because they were not finite.

    Returns
    -------
    tuple of arrays of int, or None
        The indices of both; None where all of them do, or so few that the whole is better taken.
    """
    shape = blocks[0].shape[-2:]
    if min(shape) < _SURE:
        return None
    empty = np.zeros(shape, bool) if unknown is None else unknown.copy()
    rows, columns = np.zeros(shape[0], bool), np.zeros(shape[1], bool)
    for plane in (plane for block in blocks for plane in block.reshape(-1, *shape)):
        blank, dead_rows, dead_columns = _empty(plane)
        empty, rows, columns = empty | blank, rows | dead_rows, columns | dead_columns
    return _kept(empty, rows | empty.all(1), columns | empty.all(0))


def _kept(empty: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the rows and columns to take; None for all of them, or where there are too few."""
    if not (empty.any() or rows.any() or columns.any()):
        return None
    left, right = np.flatnonzero(~rows), np.flatnonzero(~columns)
    if len(left) and len(right):
        down, across = largest_rectangle(~empty[left][:, right])
        left, right = left[down], right[across]
    enough = min(len(left), len(right)) >= min(_SMALLEST, *empty.shape)
    return (left, right) if enough and len(left) * len(right) >= _LEAST * empty.size else None


def _empty(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the areas of one value of a plane, and the rows and columns that have hardly more than one."""
    blank = np.zeros(plane.shape, bool)
    for value in np.unique([plane.min(), plane.max(), plane[0, 0], plane[0, -1], plane[-1, 0], plane[-1, -1]]):
        same = plane == value
        if same.mean() < _SHARE:
            continue
        area = _area(same)
        if area.any() and not _by_chance(same, area, _SURE**2):
            blank |= area
    return blank, _dead(plane), _dead(plane.T)


def _dead(plane: np.ndarray) -> np.ndarray:
    """Return which rows of a plane are of one value but for a few pixels, where chance does not make them so."""
    equal = (plane[:, 1:] == plane[:, :-1]).mean(1)
    dead = equal >= _DEAD
    if not dead.any() or dead.all():
        return np.zeros_like(dead)
    usual = float(equal[~dead].mean())
    chance = np.sqrt(usual * (1 - usual) / plane.shape[1])
    return np.asarray(dead & (equal > usual + _DEVIATIONS * chance))


def _area(same: np.ndarray) -> np.ndarray:
    """Return the areas of a mask that hold a large square, as far as small squares reach."""
    if min(same.shape) < _SURE:
        return np.zeros_like(same)
    sure = _opened(same, _SURE)
    if not sure.any():
        return sure
    labels, _ = ndimage.label(_opened(same, _FINE))
    found = np.unique(labels[sure])
    return np.isin(labels, found[found > 0])


def _opened(mask: np.ndarray, side: int) -> np.ndarray:
    """Return the union of all squares of a side that lie in a mask."""
    sums = np.pad(mask.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    full = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] == side * side
    padded = np.pad(full, side - 1)
    sums = np.pad(padded.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    return np.asarray(sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] > 0)


def _by_chance(same: np.ndarray, found: np.ndarray, pixels: int) -> bool:
    """Tell whether chance makes such squares, or lines, of so many pixels, as it does of zeros where photons are few."""
    rest = ~found
    share = float(same[rest].mean()) if rest.any() else 1.0
    return bool(same.size * share**pixels > _CHANCE)


def largest_rectangle(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns of the largest rectangle within a mask (Y, X), of a large mask to a few pixels.

    >>> largest_rectangle(np.array([[1, 0, 1, 1], [0, 1, 1, 1]], bool))
    (slice(0, 2, None), slice(2, 4, None))
    """
    side = -(-max(mask.shape) // _CELLS)
    rows, columns = (n // side for n in mask.shape)
    cells = np.asarray(mask[: rows * side, : columns * side].reshape(rows, side, columns, side).all((1, 3)))
    down, across = _largest(cells)
    return slice(down.start * side, down.stop * side), slice(across.start * side, across.stop * side)


def _largest(cells: np.ndarray) -> tuple[slice, slice]:
    """Find the rectangle row by row, as the largest one below a skyline."""
    heights, best, found = np.zeros(cells.shape[1] + 1, dtype=np.int64), 0, (slice(0, 0), slice(0, 0))
    for row, line in enumerate(cells):
        heights[:-1] = np.where(line, heights[:-1] + 1, 0)
        open_bars: list[int] = []
        for column, height in enumerate(heights.tolist()):
            while open_bars and heights[open_bars[-1]] >= height:
                tall = int(heights[open_bars.pop()])
                first = open_bars[-1] + 1 if open_bars else 0
                if tall * (column - first) > best:
                    best = tall * (column - first)
                    found = (slice(row - tall + 1, row + 1), slice(first, column))
            open_bars.append(column)
    return found
