"""Images opened lazily: arrays that are read where they are indexed, from files and folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io import foreign, ome_zarr, raster, tiff, tiff_colours
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.ome_zarr import LazyImage
from napari_lotadenoise.io.tiff_calibration import calibration_of
from napari_lotadenoise.recipe import Recipe


def open_source(path: str | os.PathLike[str], series: int | None = None) -> LazyImage:
    """Open an image without reading its pixels: TIFF of any kind, OME-Zarr, a zarr array or a .npy file.

    PNG, JPEG and BMP are read. Formats of microscopes (CZI, LIF, ND2 and others) are opened through bioio.

    Raises
    ------
    FileError
        Where there is no such image, or its format is unknown.
    """
    path = Path(path).expanduser()
    if ome_zarr.is_zarr(path):
        return ome_zarr.open_image(path, series or 0)
    if path.is_dir():
        raise FileError(f"{path} is a folder; name an image file in it, or a folder of OME-Zarr.")
    if not path.is_file():
        raise FileError(f"There is no file {path}.")
    if path.suffix.lower() == ".npy":
        return _npy(path)
    if path.suffix.lower() in raster.SUFFIXES:
        data, axes = raster.read(path)
        return LazyImage(data, axes, Calibration())
    if path.suffix.lower() in foreign.READERS:
        return foreign.open_foreign(path, series or 0)
    return _tiff(path, series)


def _npy(path: Path) -> LazyImage:
    try:
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read as an array of numpy ({error}).") from None
    return LazyImage(data, "YX" if data.ndim == 2 else "Q" * data.ndim, Calibration())


def _tiff(path: Path, series: int | None) -> LazyImage:
    import tifffile

    with tiff.readable(path) as tif:
        number = tiff.chosen_series(tif, path, series)
        chosen = tif.series[number]
        tiff.check_length(chosen)
        calibration, axes = calibration_of(tif, number), tiff.axes_of(chosen)
        if tiff_colours.has_more_than_intensities(chosen, imagej=tif.is_imagej):
            picture = tiff.read(path, number)
            return LazyImage(picture.data, picture.axes, picture.calibration)
        if chosen.dataoffset is not None:
            data: Any = tifffile.memmap(path, series=number, mode="r")
        else:
            import zarr

            data = zarr.open_array(chosen.aszarr(), mode="r")
    return LazyImage(data, axes, calibration.along(axes))


def recipe_of(path: Path) -> Recipe | None:
    """Return the recipe of a result: beside a TIFF file, in the metadata of an OME-Zarr; None where there is none."""
    if ome_zarr.is_zarr(path):
        return ome_zarr.recipe_of(path)
    beside = tiff.recipe_path(path)
    return tiff.read_recipe(beside) if beside.exists() else None
