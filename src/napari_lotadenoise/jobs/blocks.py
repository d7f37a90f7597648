"""Division of an image into blocks that are read, denoised and written one by one.

A block is a few whole tiles of some samples of one group of channels. The tiles are those of a run without blocks, so that
the result is the same bit for bit, whatever the blocks are.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from napari_lotadenoise.image.stack import Stack, Window

Region = tuple[slice, ...]


@dataclass(frozen=True)
class Block:
    """Some samples of a group of channels, and the same window of each.

    Attributes
    ----------
    number : int
        Its place in the grid.
    group : int
    samples : range
        Neighbours along the last sampled axis.
    window : Window
        Spatial, made of whole tiles.
    """

    number: int
    group: int
    samples: range
    window: Window

    @property
    def voxels(self) -> int:
        """Return the voxels of one channel of it."""
        return len(self.samples) * math.prod(part.stop - part.start for part in self.window)


@dataclass(frozen=True)
class Grid:
    """The blocks of an image.

    Attributes
    ----------
    stack : Stack
    tiles : tuple of Window
        Of one sample.
    shape : tuple of int
        Tiles of a block along each spatial axis.
    samples : int
        Samples of a block, at most.
    """

    stack: Stack
    tiles: tuple[Window, ...]
    shape: tuple[int, ...]
    samples: int = 1

    @property
    def windows(self) -> list[Window]:
        """Return the spatial windows of the blocks of a sample, row by row."""
        edges = [
            _edges(starts, per, n) for starts, per, n in zip(self._starts, self.shape, self.stack.spatial, strict=True)
        ]
        return [tuple(slice(a, b) for a, b in parts) for parts in itertools.product(*edges)]

    @property
    def runs(self) -> list[range]:
        """Return the neighbouring samples that blocks hold, none of which crosses an axis but the last."""
        last = self.stack.sample_shape[-1] if self.stack.sample_shape else 1
        return [
            range(row + start, row + min(start + self.samples, last))
            for row in range(0, self.stack.samples, last)
            for start in range(0, last, self.samples)
        ]

    def __len__(self) -> int:
        return self.stack.groups * len(self.runs) * len(self.windows)

    def __iter__(self) -> Iterator[Block]:
        order = itertools.product(range(self.stack.groups), self.runs, self.windows)
        return (Block(number, *place) for number, place in enumerate(order))

    def __getitem__(self, number: int) -> Block:
        windows, runs = self.windows, self.runs
        place, inner = divmod(number, len(windows))
        group, run = divmod(place, len(runs))
        return Block(number, group, runs[run], windows[inner])

    def tiles_of(self, block: Block) -> list[Window]:
        """Return the tiles that a block is made of."""
        return [tile for tile in self.tiles if _within(tile, block.window)]

    def region(self, block: Block, margins: tuple[int, ...] = ()) -> Region:
        """Return where in the array a block is, with margins around its window that end at the edges of the image."""
        margins = margins or (0,) * self.stack.ndim
        window = tuple(
            slice(max(0, part.start - m), min(n, part.stop + m))
            for part, m, n in zip(block.window, margins, self.stack.spatial, strict=True)
        )
        ends = [self.stack.index(block.group, sample, window) for sample in (block.samples[0], block.samples[-1])]
        return tuple(_spanned(first, last, n) for first, last, n in zip(*ends, self.stack.array.shape, strict=True))

    def halved(self) -> Grid | None:
        """Return the grid with blocks of half the size; None where each is a single tile already."""
        if self.samples > 1:
            return dataclasses.replace(self, samples=self.samples // 2)
        longest = max(range(len(self.shape)), key=lambda axis: self.shape[axis])
        if self.shape[longest] == 1:
            return None
        shape = tuple(n // 2 if axis == longest else n for axis, n in enumerate(self.shape))
        return dataclasses.replace(self, shape=shape)

    @property
    def _starts(self) -> list[list[int]]:
        return [sorted({tile[axis].start for tile in self.tiles}) for axis in range(self.stack.ndim)]


def grid_for(stack: Stack, tiles: list[Window], voxels: int) -> Grid:
    """Make the grid whose blocks have at most so many voxels, but one tile at least.

    Blocks grow along the rows first, then along columns and depth, then over samples: wide blocks read their surroundings
    with the least waste.
    """
    grid = Grid(stack, tuple(tiles), (1,) * stack.ndim)
    counts = [len(starts) for starts in grid._starts]
    size = max(math.prod(part.stop - part.start for part in tile) for tile in tiles) * stack.channels
    room = max(1, voxels // size)
    shape = [1] * stack.ndim
    for axis in reversed(range(stack.ndim)):
        shape[axis] = max(1, min(counts[axis], room // math.prod(shape)))
        if shape[axis] < counts[axis]:
            return dataclasses.replace(grid, shape=tuple(shape))
    last = stack.sample_shape[-1] if stack.sample_shape else 1
    whole = math.prod(stack.spatial) * stack.channels
    return dataclasses.replace(grid, shape=tuple(shape), samples=max(1, min(last, voxels // whole)))


def _edges(starts: list[int], per: int, size: int) -> list[tuple[int, int]]:
    begins = starts[::per]
    return list(zip(begins, [*begins[1:], size], strict=True))


def _within(tile: Window, window: Window) -> bool:
    return all(w.start <= t.start and t.stop <= w.stop for t, w in zip(tile, window, strict=True))


def _spanned(first: Any, last: Any, size: int) -> slice:
    """Return the slice from one index of an axis to another."""
    if isinstance(first, slice):
        return slice(*first.indices(size)[:2])
    return slice(first, last + 1)
