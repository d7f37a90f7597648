"""Blocks cover an image once, and are made of the tiles of a run without blocks."""

import math

import numpy as np
import pytest

from napari_lotadenoise.image.stack import Layout, Stack, tiles
from napari_lotadenoise.jobs.blocks import grid_for
from napari_lotadenoise.jobs.held import Held
from napari_lotadenoise.jobs.work import parts_of

CASES = [
    ("YX", (150, 90), {}),
    ("ZYX", (7, 150, 90), {}),
    ("TCYX", (5, 2, 70, 90), {}),
    ("CZYX", (2, 20, 70, 90), {"volume": True}),
    ("TYXS", (3, 70, 90, 3), {}),
    ("YXT", (70, 90, 5), {}),
]


def grid_of(axes, shape, options, voxels):
    stack = Stack(np.zeros(shape, np.uint8), Layout(axes, **options))
    return grid_for(stack, list(tiles(stack.spatial, 32, 8)), voxels)


@pytest.mark.parametrize(("axes", "shape", "options"), CASES)
@pytest.mark.parametrize("voxels", [1, 3_000, 20_000, 10**9])
def test_blocks_cover_an_image_once(axes, shape, options, voxels):
    grid = grid_of(axes, shape, options, voxels)
    seen = np.zeros(shape, int)
    for block in grid:
        seen[grid.region(block)] += 1
    assert (seen == 1).all()
    assert [grid[number] for number in range(len(grid))] == list(grid)


@pytest.mark.parametrize(("axes", "shape", "options"), CASES)
def test_blocks_are_whole_tiles_and_within_the_budget(axes, shape, options):
    grid = grid_of(axes, shape, options, 12_000)
    for block in grid:
        inside = sum(math.prod(part.stop - part.start for part in tile) for tile in grid.tiles_of(block))
        assert inside * len(block.samples) == block.voxels
        assert block.voxels * grid.stack.channels <= 12_000 or len(grid.tiles_of(block)) * len(block.samples) == 1


@pytest.mark.parametrize(("axes", "shape", "options"), CASES)
def test_a_block_can_be_halved_down_to_tiles(axes, shape, options):
    grid = grid_of(axes, shape, options, 10**9)
    block = grid[0]
    while (finer := grid.halved()) is not None:
        parts = parts_of(finer, block)
        assert sum(part.voxels for part in parts) == block.voxels
        grid = finer
    assert all(len(grid.tiles_of(part)) * len(part.samples) == 1 for part in grid)


def test_what_is_held_is_read_once_and_the_rest_when_it_is_asked_for():
    class Counting:
        def __init__(self, array):
            self.array, self.reads = array, 0
            self.shape, self.dtype = array.shape, array.dtype

        def __getitem__(self, index):
            self.reads += 1
            return self.array[index]

    array = np.arange(4 * 10 * 12).reshape(4, 10, 12)
    counting = Counting(array)
    held = Held(counting, (slice(1, 3), slice(2, 8), slice(0, 12)))
    for index in [(1, slice(3, 5), slice(0, 4)), (slice(1, 3), slice(2, 8), slice(None)), (2, 7, 11)]:
        assert np.array_equal(held[index], array[index])
    assert counting.reads == 1
    for index in [(0, slice(3, 5), slice(0, 4)), (1, slice(0, 5), slice(None)), (slice(None), 2, 2)]:
        assert np.array_equal(held[index], array[index])
    assert counting.reads == 4
