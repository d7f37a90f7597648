"""A job with its source, model, output and blocks open, in whatever process works on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.image.stack import as_dtype
from napari_lotadenoise.io.ome_zarr import ZarrStore
from napari_lotadenoise.jobs.blocks import Grid, Region
from napari_lotadenoise.jobs.folder import JobFolder
from napari_lotadenoise.jobs.work import write_block
from napari_lotadenoise.model import Model


@dataclass(frozen=True)
class OpenedJob:
    """A job that blocks can be done of.

    Attributes
    ----------
    folder : JobFolder
    model : Model
    grid : Grid
    store : ZarrStore
    """

    folder: JobFolder
    model: Model
    grid: Grid
    store: ZarrStore

    def do(self, number: int) -> None:
        """Denoise a block, write it, and mark it as written."""
        with process_settings.applied(self.model.recipe.threads):
            write_block(self.model, self.grid, self.grid[number], self._write)
        self.folder.mark(number)

    def _write(self, region: Region, clean: np.ndarray) -> None:
        self.store.write(region, as_dtype(clean, self.store.array.dtype)[0])


def open_job(path: Path) -> OpenedJob:
    """Open a job that was begun."""
    folder = JobFolder(path)
    description = folder.read()
    options = description.options
    model = Model.load(folder.model_path).on(options["device"])
    image = io.open_source(description.source, options["series"])
    axes = options["axes"] or io.known_axes(image.axes)
    stack = model.stack(image.data, axes, description.isolation)
    grid = Grid(stack, tuple(model.tiles(stack)), tuple(description.blocks["shape"]), description.blocks["samples"])
    return OpenedJob(folder, model, grid, ZarrStore(folder.store_path))
