"""The part of an image that methods are compared on."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_lotadenoise.image.stack import Layout, Stack

#: Side of the blocks whose means tell structure from noise, pixels.
_BLOCK = 8
#: Planes of a volume that a crop keeps.
DEPTH = 16

Crop = tuple[slice, ...]


def choose_crop(stack: Stack, side: int, point: tuple[int, ...] | None = None, *, frames: bool = False) -> Crop:
    """Pick a part of the image that holds both detail and background.

    Of the windows of `side` x `side` pixels of one plane the one is taken whose block means differ most from their
    neighbours; one in which dark parts of the plane occur counts twice, and so does one with bright parts.

    Parameters
    ----------
    stack : Stack
    side : int
        In pixels; axes that are shorter are kept whole. 0 keeps the whole planes.
    point : tuple of int, optional
        An index of the array, one an axis: its plane is taken. Without it, the plane with the strongest contrast of a few.
    frames : bool
        Whether all frames are kept, for methods that learn from repeats.

    Returns
    -------
    tuple of slice
        One an axis, so that no axis is lost.
    """
    point = point or _liveliest(stack)
    group, sample = stack.locate(point)
    plane = stack.read(group, sample).mean(0)
    depth = stack.layout.depth(point) if stack.ndim == 3 else 0
    plane = plane[depth] if stack.ndim == 3 else plane
    rows, columns = _window(plane, side)
    return crop_at(stack.layout, tuple(stack.array.shape), point, rows, columns, frames=frames)


def crop_at(
    layout: Layout, shape: tuple[int, ...], point: tuple[int, ...], rows: slice, columns: slice, *, frames: bool = False
) -> Crop:
    """Return the crop of given rows and columns around a point.

    Channels and colours are kept, of Z the planes that a volume needs, of all else one; all frames where they are asked for.
    """
    kept = {"Y": rows, "X": columns}
    return tuple(
        kept[axis]
        if axis in kept
        else slice(0, size)
        if axis in "CS" or (axis == "T" and frames)
        else _around(at, size, DEPTH if axis == "Z" and layout.volume else 1)
        for axis, size, at in zip(layout.axes, shape, point, strict=True)
    )


def _around(at: int, size: int, count: int) -> slice:
    start = int(np.clip(at - count // 2, 0, max(0, size - count)))
    return slice(start, min(size, start + count))


def _liveliest(stack: Stack) -> tuple[int, ...]:
    """Return the middle of a volume, or the plane of a few whose block means vary most."""
    shape = tuple(stack.array.shape)
    middle = tuple(n // 2 for n in shape)
    sampled = [axis for axis in stack.layout.sampled if axis not in "CS"]
    if not sampled or stack.ndim == 3:
        return middle
    best, found = -1.0, middle
    for sample in stack.spread(5):
        where = stack.index(0, sample)
        contrast = float(_blocks(stack.read(0, sample).mean(0)).std())
        if contrast > best:
            best, found = (
                contrast,
                tuple(m if isinstance(i, slice) else int(i) for i, m in zip(where, middle, strict=True)),
            )
    return found


def _window(plane: np.ndarray, side: int) -> Crop:
    """Return the rows and columns of the window to take."""
    sides = [min(n, side or n) for n in plane.shape]
    if tuple(sides) == plane.shape:
        return tuple(slice(0, n) for n in plane.shape)
    means = _blocks(plane)
    inside = [max(1, s // _BLOCK) for s in sides]
    # The root, or a single edge between two plain parts would count for more than a window full of texture.
    detail = _windowed(np.sqrt(np.abs(means - ndimage.uniform_filter(means, 3, mode="nearest"))), inside)
    low, high = np.quantile(means, (0.3, 0.8))
    dark, bright = (_windowed(part.astype(float), inside) for part in (means <= low, means >= high))
    # A twentieth of each is enough to see what a method does to it, and counts twice; it may be nowhere near the detail.
    score = detail * (1 + np.minimum(20 * dark, 1)) * (1 + np.minimum(20 * bright, 1))
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    starts = [min(int(i) * _BLOCK, n - s) for i, n, s in zip((row, column), plane.shape, sides, strict=True)]
    return tuple(slice(start, start + s) for start, s in zip(starts, sides, strict=True))


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Return means of whole blocks; what does not fill one at the far edges is left out."""
    rows, columns = (max(1, n // _BLOCK) for n in plane.shape)
    height, width = (min(n, _BLOCK) for n in plane.shape)
    cut = np.nan_to_num(plane[: rows * height, : columns * width])
    return cut.reshape(rows, height, columns, width).mean((1, 3))


def _windowed(values: np.ndarray, inside: list[int]) -> np.ndarray:
    """Return the means over all windows of so many rows and columns of blocks that lie within, by their first block."""
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = (min(n, s) for n, s in zip(inside, values.shape, strict=True))
    sums = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]
    return sums / (rows * columns)
