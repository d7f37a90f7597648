"""End of a job: what was written block by block becomes the file that was asked for, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.ome_zarr import ZarrStore
from napari_lotadenoise.recipe import Recipe


def check_output(path: Path, axes: str, size: int, dtype: np.dtype[Any], *, overwrite: bool = False) -> None:
    """Make sure, before any work is done, that a result can become a file.

    Raises
    ------
    FileError
        Where it cannot.
    """
    if path.exists() and not overwrite:
        raise FileError(f"{path} is already there; choose another name or allow it to be overwritten (--overwrite).")
    if not path.parent.is_dir():
        raise FileError(f"The folder {path.parent} does not exist; make it first.")
    if path.suffix.lower() == ".zarr":
        io.check_axes(axes)
        return
    if path.suffix.lower() not in io.SUFFIXES:
        raise FileError(f"{path.name!r} must end in .zarr, .ome.tif or .tif.")
    io.check_format(path, axes, dtype, size)


def finish(
    store: ZarrStore, output: Path, calibration: Calibration, recipe: Recipe, *, pyramid: bool = True
) -> Iterator[float]:
    """Make the output of a store that is complete; yields the share that is done.

    An OME-Zarr gets its pyramid, each level of which may be interrupted, and is renamed into place.
    """
    if output.suffix.lower() == ".zarr":
        if pyramid:
            yield from store.add_pyramid()
        _remove_partial(store.path)
        store.describe(output.name.removesuffix(".zarr").removesuffix(".ome"), calibration, recipe.to_dict())
        if output.exists():
            shutil.rmtree(output)
        store.path.replace(output)
    else:
        io.write(output, io.Picture.of(store.source_array, store.axes, calibration), recipe, overwrite=True)
    yield 1.0


def _remove_partial(path: Path) -> None:
    """Remove what killed writers have left."""
    for part in path.rglob("*.partial"):
        part.unlink(missing_ok=True)
