"""Choice of a few windows that stand for a whole stack, so that no more of it has to be read."""

from __future__ import annotations

import math

import numpy as np

from napari_lotadenoise.image.stack import Stack, Window

#: Sides of a window (Z, Y, X) where a sample is too large to be read whole; multiples of the usual chunks.
DEPTH, SIDE = 16, 512


def sampled_windows(stack: Stack, samples: int, voxels: int) -> list[tuple[int, Window]]:
    """Return samples and windows in them: whole samples as long as they fit, evenly spread windows of them otherwise.

    Parameters
    ----------
    stack : Stack
    samples : int
        Samples to look at, at most.
    voxels : int
        Voxels of a group to read, at most; the first window is always read.
    """
    chosen = stack.spread(samples)
    whole = stack.channels * math.prod(stack.spatial)
    if whole * len(chosen) <= voxels:
        return [(sample, stack.full) for sample in chosen]
    sides = window_sides(stack.spatial)
    count = max(1, voxels // (stack.channels * math.prod(sides)))
    if whole <= voxels // 2:  # a few whole samples say more than parts of many
        return [(sample, stack.full) for sample in stack.spread(voxels // whole)]
    places = spread_windows(stack.spatial, sides, -(-count // len(chosen)))
    pairs = [(sample, places[(index + shift) % len(places)]) for shift in range(len(places))
             for index, sample in enumerate(chosen)]  # fmt: skip
    return sorted(pairs[:count], key=_order)


def window_sides(spatial: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides of a window that is read in one piece."""
    return tuple(min(n, side) for n, side in zip(spatial, (DEPTH, SIDE, SIDE)[-len(spatial) :], strict=True))


def spread_windows(spatial: tuple[int, ...], sides: tuple[int, ...], count: int) -> list[Window]:
    """Return at most about `count` windows, spread evenly over a sample and clear of each other."""
    fits = [max(1, n // side) for n, side in zip(spatial, sides, strict=True)]
    total = math.prod(fits)
    # Steps of the golden ratio go everywhere before they come near where they were.
    stride = _coprime(max(1, round(total * 0.618034)), total)
    cells = [np.unravel_index((index * stride + total // 2) % total, fits) for index in range(min(count, total))]
    return [tuple(_window(int(c), f, n, s) for c, f, n, s in zip(cell, fits, spatial, sides, strict=True))
            for cell in cells]  # fmt: skip


def _window(cell: int, cells: int, size: int, side: int) -> slice:
    """Return the window of one of some cells of an axis, the first and the last at its ends; a single one in the middle."""
    start = (size - side) // 2 if cells == 1 else round(cell * (size - side) / (cells - 1))
    return slice(start, start + side)


def _coprime(number: int, total: int) -> int:
    while math.gcd(number, total) > 1:
        number += 1
    return number


def _order(pair: tuple[int, Window]) -> tuple[int, ...]:
    return (pair[0], *(part.start for part in pair[1]))
