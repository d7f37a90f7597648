"""Outliers of a whole stack: from when a pixel is one, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from napari_lotadenoise.image.outliers import isolation_of
from napari_lotadenoise.image.sampling import sampled_windows
from napari_lotadenoise.image.stack import Isolation, Stack, Window

#: Samples that are looked at, the voxels of all of them together, and the planes of each that are.
SAMPLES, VOXELS, PLANES = 4, 1 << 22, 4
#: Outliers whose places are listed.
LISTED = 1000


def measure_isolation(stack: Stack) -> Isolation:
    """Measure by how much a pixel of each group and channel must stand out to be an outlier."""
    places = sampled_windows(stack, SAMPLES, VOXELS)
    found = []
    for group in range(stack.groups):
        blocks = [stack.read_raw(group, sample, window) for sample, window in places]
        found.append(tuple(isolation_of(_planes(blocks, channel)) for channel in range(stack.channels)))
    return tuple(found)


class Outliers(NamedTuple):
    """Outliers of an image.

    Attributes
    ----------
    number : int
        How many there are in the part that was looked at.
    places : tuple of tuple of int
        Indices of the first of them in the array.
    pixels : int
        Pixels that were looked at.
    complete : bool
        Whether that was all of them.
    """

    number: int
    places: tuple[tuple[int, ...], ...]
    pixels: int
    complete: bool

    def words(self, treatment: str) -> str:
        """Return what is done with them, in one sentence; `treatment` is "repair" or "keep"."""
        one = self.number == 1
        what = f"{self.number} pixel{'' if one else 's'} that no noise explains (hot, dead or struck by cosmic rays)"
        where = "" if self.complete else f" among the {self.pixels} that were looked at"
        done = (
            "repaired from neighbours"
            if treatment == "repair"
            else "left out of the learning and put back into the result"
        )
        return f"{what}{where} {'was' if one else 'were'} {done}."


NONE = Outliers(0, (), 0, complete=True)


def find_outliers(stack: Stack) -> Outliers:
    """Find the outliers of a stack: of all of it where it is in memory, else of a few windows."""
    count, places, pixels = 0, list[tuple[int, ...]](), 0
    chosen = [(sample, stack.full) for sample in range(stack.samples)]
    if stack.sampled:
        chosen = sampled_windows(stack, SAMPLES, VOXELS)
    for group in range(stack.groups):
        for sample, window in chosen:
            found = stack.outliers(group, sample, window)
            count, pixels = count + int(found.sum()), pixels + found.size
            if len(places) < LISTED and found.any():
                places += _places(stack, group, sample, window, found)
    return Outliers(count, tuple(places[:LISTED]), pixels, not stack.sampled)


def _places(stack: Stack, group: int, sample: int, window: Window, found: np.ndarray) -> list[tuple[int, ...]]:
    """Return the indices in the array of marked pixels of a block (C, [Z], Y, X)."""
    joined = [stack.layout.size(axis, stack.array.shape) for axis in stack.layout.joined]
    fixed = dict(zip(stack.layout.axes, stack.index(group, sample, window), strict=True))
    places = []
    for channel, *at in np.argwhere(found)[:LISTED]:
        where = {axis: index for axis, index in fixed.items() if not isinstance(index, slice)}
        where |= dict(zip(stack.layout.joined, np.unravel_index(channel, joined), strict=True)) if joined else {}
        starts = (part.indices(size)[0] for part, size in zip(window, stack.spatial, strict=True))
        where |= {axis: start + index for axis, start, index in zip(stack.layout.spatial, starts, at, strict=True)}
        places.append(tuple(int(where[axis]) for axis in stack.layout.axes))
    return places


def _planes(blocks: list[np.ndarray], channel: int) -> list[np.ndarray]:
    planes = []
    for block in blocks:
        slices = block[channel].reshape(-1, *block.shape[-2:])
        planes += [slices[index] for index in np.unique(np.linspace(0, len(slices) - 1, PLANES).astype(int))]
    return planes
