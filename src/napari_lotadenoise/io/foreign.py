"""Formats of microscopes, read through bioio where the user has it and its reader for the format."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.ome_zarr import LazyImage

#: Endings of files, and the package that reads each.
READERS = {
    ".czi": "bioio-czi",
    ".lif": "bioio-lif",
    ".nd2": "bioio-nd2",
    ".dv": "bioio-dv",
    ".sldy": "bioio-sldy",
    ".mrc": "bioio-bioformats",
    ".dcm": "bioio-bioformats",
    ".oib": "bioio-bioformats",
    ".oif": "bioio-bioformats",
    ".vsi": "bioio-bioformats",
}


def open_foreign(path: Path, series: int = 0) -> LazyImage:
    """Open a file of a microscope lazily, axes TCZYX without those of length 1.

    Raises
    ------
    FileError
        Where the package that reads it is missing, or cannot read it.
    """
    if importlib.util.find_spec("bioio") is None:
        reader = READERS.get(path.suffix.lower(), "bioio-bioformats")
        raise FileError(f"{path.name} needs a package that reads it: pip install bioio {reader}.")
    try:
        return _opened(path, series)
    except Exception as error:  # readers raise many kinds
        reader = READERS.get(path.suffix.lower(), "bioio-bioformats")
        raise FileError(f"{path} cannot be read by bioio ({error}); is {reader} installed?") from None


def _opened(path: Path, series: int) -> LazyImage:
    from bioio import BioImage

    image = BioImage(path)
    image.set_scene(series)
    order, data = str(image.dims.order), image.dask_data
    kept = [axis for axis, size in zip(order, data.shape, strict=True) if size > 1 or axis in "YX"]
    found = data[tuple(slice(None) if axis in kept else 0 for axis in order)]
    sizes = image.physical_pixel_sizes
    known: dict[str, Any] = {axis: getattr(sizes, axis, None) for axis in kept if axis in "ZYX"}
    known = {axis: float(size) for axis, size in known.items() if size}
    names = tuple(map(str, image.channel_names or ())) if "C" in kept else ()
    return LazyImage(found, "".join(kept), Calibration(known, dict.fromkeys(known, "µm"), channels=names))
