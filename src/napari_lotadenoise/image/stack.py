"""From an array with named axes to tensors and back. Nothing outside this file touches axes.

A `Layout` says what the axes mean, a `Stack` reads and writes blocks of an array by that meaning: *groups* of channels
get a network each, the *samples* of a group (slices, time frames, positions) share one, and a block of a sample is
(C, [Z], Y, X). Arrays are only ever indexed, so that anything that indexes like numpy will do.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.contract.run_options import CHANNEL_WORDS, joined_letters
from napari_lotadenoise.errors import AxesError, NotFiniteError
from napari_lotadenoise.image import outliers

#: What the letters mean, for people.
AXIS_NAMES = {
    "T": "time points",
    "P": "positions",
    "C": "channels",
    "Z": "z-slices",
    "Y": "rows",
    "X": "columns",
    "S": "colours",
}

#: What is said of images that are not finite; it takes a name of what was found.
NOT_FINITE = "The image holds {}; fill=True, --fill or 'Fill' in the dock replaces each by the nearest finite value."

Window = tuple[slice, ...]
#: Of each group the number of each of its channels; see `outliers.isolation_of`.
Isolation = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Layout:
    """What the axes of an array mean and how they are to be treated.

    Attributes
    ----------
    axes : str
        One letter an axis: T time, P position, C channel, Z depth, Y, X, and S for colour samples (RGB).
    channels : "separate" or "joint"
        Whether each channel (C) gets a network of its own. Colours (S) always stay together.
    volume : bool
        Whether Z is denoised by a 3-D network; otherwise its slices share a 2-D one.
    """

    axes: str
    channels: str = "separate"
    volume: bool = False

    def __post_init__(self) -> None:
        unknown = sorted(set(self.axes) - set(AXIS_NAMES))
        if unknown:
            raise AxesError(f"Axis {unknown[0]!r} of {self.axes!r} is unknown; use letters of {''.join(AXIS_NAMES)}.")
        if len(set(self.axes)) < len(self.axes):
            raise AxesError(f"The axes {self.axes!r} name an axis twice; every letter may stand once.")
        if not {"Y", "X"} <= set(self.axes):
            raise AxesError(f"The axes {self.axes!r} lack Y or X; an image has both.")
        # Frozen, but not in use yet; the words of earlier versions go on working.
        object.__setattr__(self, "channels", CHANNEL_WORDS.get(self.channels, self.channels))
        if self.channels not in ("separate", "joint"):
            raise AxesError(f"channels must be 'separate' or 'joint', not {self.channels!r}.")
        if self.volume and "Z" not in self.axes:
            raise AxesError(f"A volume needs a Z axis, and the axes {self.axes!r} have none.")

    @property
    def spatial(self) -> str:
        """Return the axes that the network sees as space."""
        return "ZYX" if self.volume else "YX"

    @property
    def joined(self) -> str:
        """Return the axes that one network sees as its channels."""
        return "".join(a for a in "CS" if a in self.axes and (a == "S" or self.channels == "joint"))

    @property
    def grouped(self) -> str:
        """Return the axes that get a network for each of their indices."""
        return "C" if "C" in self.axes and self.channels == "separate" else ""

    def depth(self, point: tuple[int, ...]) -> int:
        """Return the z-index of a point of the array, 0 without a Z axis."""
        return point[self.axes.index("Z")] if "Z" in self.axes else 0

    def size(self, axis: str, shape: tuple[int, ...]) -> int:
        """Return the length of an axis in an array of a shape, 1 where it has no such axis."""
        return shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def sampled(self) -> str:
        """Return the axes whose indices share one network."""
        return "".join(a for a in self.axes if a not in self.spatial + self.joined + self.grouped)


def layout_for(shape: tuple[int, ...], axes: str | None, channels: str = "separate", volume: bool = False) -> Layout:
    """Make a layout and check it against a shape.

    Raises
    ------
    AxesError
        Where the axes are missing (more than two dimensions are never guessed) or do not fit.
    """
    axes = joined_letters(axes)
    if len(shape) < 2:
        raise AxesError(
            f"An image is an array of two or more dimensions, this has {len(shape)}; "
            "files are read with napari_lotadenoise.io.tiff.read."
        )
    if axes is None:
        if len(shape) != 2:
            raise AxesError(
                f"The image has {len(shape)} dimensions {shape}: "
                "say what they are, for example axes='ZYX', 'TYX', 'CYX' or 'YXS'."
            )
        axes = "YX"
    axes = axes.upper()
    layout = Layout(axes, channels, volume)
    if len(axes) != len(shape):
        raise AxesError(f"The axes {axes!r} name {len(axes)} dimensions, the image has {len(shape)} {shape}.")
    return layout


class Stack:
    """Reads blocks of an array as float32 (C, [Z], Y, X), by group and sample.

    Parameters
    ----------
    array : array-like with ``shape``, ``dtype`` and numpy-like indexing
    layout : Layout
    fill : bool
        Whether NaN and inf are replaced by the nearest finite value instead of refused.
    isolation : Isolation, optional
        By how much a pixel of each group and channel must stand out to be an outlier, which is repaired where it is read; by
        default there are none.
    """

    def __init__(self, array: Any, layout: Layout, *, fill: bool = False, isolation: Isolation | None = None) -> None:
        self.array = array
        self.layout = layout
        self.fill = fill
        self.isolation = isolation
        sizes = dict(zip(layout.axes, array.shape, strict=True))
        self.spatial: tuple[int, ...] = tuple(sizes[a] for a in layout.spatial)
        self.channels = math.prod(sizes[a] for a in layout.joined)
        self.groups = math.prod(sizes[a] for a in layout.grouped)
        self.sample_shape = tuple(sizes[a] for a in layout.sampled)
        self.samples = math.prod(self.sample_shape)
        self.filled = 0
        #: Whether only a sample of the values was checked, so that each block has to be.
        self.sampled = False

    @property
    def ndim(self) -> int:
        """Return the spatial dimensions, 2 or 3."""
        return len(self.spatial)

    @property
    def full(self) -> Window:
        """Return the window of a whole sample."""
        return tuple(slice(0, size) for size in self.spatial)

    def read(self, group: int, sample: int, window: Window | None = None) -> np.ndarray:
        """Read intensities, float32 (C, [Z], Y, X), without outliers; a window lies within the image."""
        return self._repaired(group, sample, window)[0]

    def outliers(self, group: int, sample: int, window: Window | None = None) -> np.ndarray:
        """Return where a block has outliers, boolean (C, [Z], Y, X)."""
        return self._repaired(group, sample, window)[1]

    def with_outliers(self, block: np.ndarray, group: int, sample: int, window: Window) -> np.ndarray:
        """Return a block of the result with the outliers of the image put back where they were."""
        found = self.outliers(group, sample, window)
        return np.where(found, self.read_raw(group, sample, window), block) if found.any() else block

    def _repaired(self, group: int, sample: int, window: Window | None) -> tuple[np.ndarray, np.ndarray]:
        if self.isolation is None:
            block = self.read_raw(group, sample, window)
            return block, np.zeros(block.shape, dtype=bool)
        wide, inner = _widened(window or self.full, self.spatial)
        block, found = outliers.repaired(self.read_raw(group, sample, wide), self.isolation[group])
        return block[inner], found[inner]

    def unknown(self, group: int, sample: int, window: Window | None = None) -> np.ndarray:
        """Return where a block is not finite, and is filled where that is asked for; boolean (C, [Z], Y, X)."""
        return ~np.isfinite(self._ordered(np.asarray(self.array[self.index(group, sample, window)])))

    def read_raw(self, group: int, sample: int, window: Window | None = None) -> np.ndarray:
        """Read intensities as `read` does, with their outliers."""
        block = np.asarray(self.array[self.index(group, sample, window)])
        block = self._ordered(block).astype(np.float32)
        if self.fill:
            return filled(block)[0]
        if self.sampled and not np.isfinite(block).all():
            raise NotFiniteError(NOT_FINITE.format("NaN or inf"))
        return block

    def write(self, out: Any, group: int, sample: int, window: Window, block: np.ndarray) -> None:
        """Write a (C, [Z], Y, X) block into an array of the same axes."""
        kept = [a for a in self.layout.axes if a in self.layout.joined + self.layout.spatial]
        sizes = dict(zip(self.layout.axes, self.array.shape, strict=True))
        joined = [sizes[a] for a in self.layout.joined]
        order = self.layout.joined + self.layout.spatial
        block = block.reshape(*joined, *block.shape[1:]).transpose([order.index(a) for a in kept])
        out[self.index(group, sample, window)] = block

    def index(self, group: int, sample: int, window: Window | None = None) -> tuple[int | slice, ...]:
        """Return where a block is in the array."""
        where: dict[str, int | slice] = dict(zip(self.layout.spatial, window or self.full, strict=True))
        where |= dict.fromkeys(self.layout.joined, slice(None))
        where |= dict.fromkeys(self.layout.grouped, group)
        if self.layout.sampled:
            where |= dict(zip(self.layout.sampled, map(int, np.unravel_index(sample, self.sample_shape)), strict=True))
        return tuple(where[a] for a in self.layout.axes)

    def plane_index(self, group: int, sample: int, window: Window, z: int = 0) -> tuple[int | slice, ...]:
        """Return where in the array a window (Y, X) of a plane lies; `z` counts for volumes."""
        where = dict(zip(self.layout.axes, self.index(group, sample), strict=True))
        where |= dict(zip("YX", window, strict=True))
        if self.layout.volume:
            where["Z"] = z
        return tuple(where[a] for a in self.layout.axes)

    def locate(self, point: tuple[int, ...]) -> tuple[int, int]:
        """Return the group and sample that a point of the array (one index an axis) lies in."""
        at = dict(zip(self.layout.axes, point, strict=True))
        sample = [at[a] for a in self.layout.sampled]
        group = at["C"] if self.layout.grouped else 0
        return group, int(np.ravel_multi_index(sample, self.sample_shape)) if sample else 0

    def spread(self, count: int) -> list[int]:
        """Return at most `count` samples, evenly spread."""
        if self.samples <= count:
            return list(range(self.samples))
        return (
            sorted({round(i * (self.samples - 1) / (count - 1)) for i in range(count)})
            if count > 1
            else [self.samples // 2]
        )

    def _ordered(self, block: np.ndarray) -> np.ndarray:
        kept = [a for a in self.layout.axes if a in self.layout.joined + self.layout.spatial]
        order = [kept.index(a) for a in self.layout.joined + self.layout.spatial]
        block = block.transpose(order)
        return block.reshape(-1, *block.shape[len(self.layout.joined) :])


def _widened(window: Window, spatial: tuple[int, ...]) -> tuple[Window, tuple[slice, ...]]:
    """Return a window with the surroundings in its planes that outliers depend on, and where in a block of it the window is."""
    wide, inner = list(window), [slice(None)] * (1 + len(window))
    for axis in (-2, -1):
        start, stop, _ = window[axis].indices(spatial[axis])
        first = max(0, start - outliers.REACH)
        wide[axis] = slice(first, min(spatial[axis], stop + outliers.REACH))
        inner[axis] = slice(start - first, stop - first)
    return tuple(wide), tuple(inner)


def filled(block: np.ndarray) -> tuple[np.ndarray, int]:
    """Replace NaN and inf in (C, [Z], Y, X) by the nearest finite value of the same channel; returns how many they were."""
    bad = ~np.isfinite(block)
    count = int(bad.sum())
    if not count:
        return block, 0
    from scipy.ndimage import distance_transform_edt

    out = block.copy()
    for channel, holes in zip(out, bad, strict=True):
        if holes.all():
            channel[...] = 0
        elif holes.any():
            nearest = distance_transform_edt(holes, return_distances=False, return_indices=True)
            channel[...] = channel[tuple(nearest)]
    return out, count


def tiles(spatial: tuple[int, ...], size: int, depth: int) -> Iterator[Window]:
    """Cut a sample into windows of at most `size` x `size` pixels (and `depth` planes), row by row."""
    sides = (depth, size, size)[-len(spatial) :]
    for start in itertools.product(*(range(0, n, side) for n, side in zip(spatial, sides, strict=True))):
        yield tuple(slice(a, min(a + side, n)) for a, side, n in zip(start, sides, spatial, strict=True))


def read_with_halo(stack: Stack, group: int, sample: int, window: Window, margins: list[tuple[int, int]]) -> np.ndarray:
    """Read a window and its surroundings, mirrored where they reach beyond the image.

    `margins` are the pixels (before, after) of each spatial axis.
    """
    indices = [
        reflected(n, w.start - before, w.stop + after)
        for w, n, (before, after) in zip(window, stack.spatial, margins, strict=True)
    ]
    inner = tuple(slice(int(i.min()), int(i.max()) + 1) for i in indices)
    block = stack.read(group, sample, inner)
    for axis, (index, part) in enumerate(zip(indices, inner, strict=True), start=1):
        block = np.take(block, index - part.start, axis=axis)
    return block


def middle(block: Any, side: int) -> Any:
    """Return the middle of the planes of an array or a tensor (..., Y, X), at most `side` pixels wide and high."""
    top, left = (max(0, (n - side) // 2) for n in block.shape[-2:])
    return block[..., top : top + side, left : left + side]


def reflected(size: int, start: int, stop: int) -> np.ndarray:
    """Return the indices of positions start to stop - 1 on an axis of `size` pixels that is mirrored at its end pixels.

    >>> reflected(4, -2, 6).tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    """
    if size == 1:
        return np.zeros(stop - start, dtype=np.int64)
    turn = 2 * (size - 1)
    position = np.abs(np.arange(start, stop)) % turn
    return np.minimum(position, turn - position)


def as_dtype(image: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, int]:
    """Round and clip a float result to an integer type; returns it with the number of clipped pixels.

    float32 holds neither end of the types of 32 and 64 bits: what reaches an end becomes the end itself.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return image.astype(dtype), 0
    limits = np.iinfo(dtype)
    rounded = np.rint(image)
    below, above = rounded < float(limits.min), rounded >= 2.0 ** (limits.bits - (dtype.kind == "i"))
    inside = np.where(below | above, 0, rounded).astype(dtype)
    return np.where(below, limits.min, np.where(above, limits.max, inside)).astype(dtype), int((below | above).sum())
