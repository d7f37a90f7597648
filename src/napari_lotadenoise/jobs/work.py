"""One block: read once, denoised tile by tile, written whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lotadenoise.compute.memory import is_out_of_memory, release
from napari_lotadenoise.image.outliers import REACH
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.jobs.blocks import Block, Grid
from napari_lotadenoise.jobs.held import Held
from napari_lotadenoise.model import Model


def margins_of(model: Model, stack: Stack) -> tuple[int, ...]:
    """Return how far around a window ([Z], Y, X) its tiles read."""
    shapes = [predictor.geometry for predictor in model.predictors if predictor is not None]
    plane = max(geometry.halo + geometry.size_multiple for geometry in shapes) + REACH
    depth = max(geometry.depth_halo for geometry in shapes)
    return (depth, plane, plane)[-stack.ndim :]


def denoised_block(model: Model, grid: Grid, block: Block) -> np.ndarray:
    """Denoise a block, float32, of the shape of its region; the memory that it takes is about that of the block."""
    source, region = grid.stack.array, grid.region(block)
    region_read = grid.region(block, margins_of(model, grid.stack))
    held = Stack(Held(source, region_read), grid.stack.layout, fill=grid.stack.fill, isolation=grid.stack.isolation)
    held.sampled = grid.stack.sampled
    out = _Shifted(region)
    for sample in block.samples:
        for tile in grid.tiles_of(block):
            held.write(out, block.group, sample, tile, model.window(held, block.group, sample, tile))
    return out.block


def write_block(model: Model, grid: Grid, block: Block, write: Any) -> None:
    """Denoise and write a block; where memory is short, half of it at a time, down to single tiles.

    Parameters
    ----------
    model : Model
    grid : Grid
    block : Block
    write : callable
        Takes the region of the array and what is to be written there.

    Raises
    ------
    MemoryError
        Where not even a single tile can be denoised.
    """
    try:
        clean = denoised_block(model, grid, block)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error) or (finer := grid.halved()) is None:
            raise
        release()
        for part in parts_of(finer, block):
            write_block(model, finer, part, write)
        return
    write(grid.region(block), clean)


def parts_of(finer: Grid, block: Block) -> list[Block]:
    """Return the blocks of a finer grid that a block is made of."""
    return [
        part
        for part in finer
        if part.group == block.group
        and set(part.samples) <= set(block.samples)
        and all(b.start <= p.start and p.stop <= b.stop for p, b in zip(part.window, block.window, strict=True))
    ]


class _Shifted:
    """Takes what is written to a region of an array, and holds no more than that region."""

    def __init__(self, region: tuple[slice, ...]) -> None:
        self._region = region
        self.block = np.empty([part.stop - part.start for part in region], dtype=np.float32)

    def __setitem__(self, index: tuple[int | slice, ...], value: np.ndarray) -> None:
        self.block[tuple(_shifted(one, part) for one, part in zip(index, self._region, strict=True))] = value


def _shifted(index: int | slice, part: slice) -> int | slice:
    if not isinstance(index, slice):
        return index - part.start
    start, stop, _ = index.indices(part.stop)
    return slice(start - part.start, stop - part.start)
