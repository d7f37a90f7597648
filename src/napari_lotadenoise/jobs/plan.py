"""What a job will do, in words, before it does it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.engine.plan import duration
from napari_lotadenoise.jobs.blocks import Grid
from napari_lotadenoise.model import Model
from napari_lotadenoise.pretrained import warm_start

#: Bytes of a process with torch, and of what torch takes for one voxel of a tile.
PROCESS, TILE_VOXEL = 400 << 20, 400


@dataclass(frozen=True)
class Plan:
    """What a job will do.

    Attributes
    ----------
    output : path
    size : int
        Bytes of the result before it is compressed.
    memory : int
        Bytes that all workers take together, about.
    blocks, missing : int
        Blocks of the job, and those that are to be done now.
    seconds : float
        Estimate of the time that they take.
    """

    output: Path
    size: int
    memory: int
    blocks: int
    missing: int
    seconds: float

    @classmethod
    def of(cls, model: Model, grid: Grid, output: Path, dtype: np.dtype[Any], missing: int, workers: int) -> Plan:
        """Plan a job."""
        voxels = math.prod(grid.stack.array.shape)
        block = max(part.voxels for part in (grid[0], grid[len(grid) - 1])) * grid.stack.channels
        tile = math.prod(part.stop - part.start for part in grid.tiles[0]) * grid.stack.channels
        memory = workers * (PROCESS + 12 * block + TILE_VOXEL * tile)
        _, cost = warm_start.tiling_of(model.method, model.training)
        passes = passes_of(model.method) or (8 if model.training.ensemble else 1)
        seconds = 1e-6 * cost.predict * passes * voxels * missing / len(grid) / workers
        return cls(output, voxels * dtype.itemsize, memory, len(grid), missing, seconds)

    @property
    def words(self) -> str:
        """Return the plan in one sentence: "Result 6.0 GB to stack.ome.zarr, working set 1.2 GB, 96 blocks, about 40 min."."""
        blocks = f"{self.blocks} blocks" if self.blocks != 1 else "one block"
        left = f", {self.missing} of them to do" if self.missing != self.blocks else ""
        return (
            f"Result {gigabytes(self.size)} to {self.output.name}, working set {gigabytes(self.memory)}, "
            f"{blocks}{left}, about {duration(self.seconds)}."
        )


def gigabytes(size: int) -> str:
    """Return a size in words: "3.2 MB", "6.0 GB"."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.1f} MB"
