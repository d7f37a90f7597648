"""Files in and out: TIFF, ImageJ TIFF and OME-TIFF with axes, voxel size, units and the recipe inside; PNG and JPEG in only."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile

from napari_lotadenoise.compute.memory import free_bytes
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io import raster, tiff_colours
from napari_lotadenoise.io.picture import Picture
from napari_lotadenoise.io.tiff_calibration import calibration_of
from napari_lotadenoise.io.tiff_write import check_format, write_pixels
from napari_lotadenoise.recipe import Recipe

SUFFIXES = (".tif", ".tiff")
#: Longest name of a file in bytes, on all usual file systems.
_LONGEST = 255
#: Tags from this number on are private: whoever has written one may have his own idea of it.
_PRIVATE = 32768
#: Those of them that axes and calibration are read from: ImageJ's.
_KNOWN = (50838, 50839)


def read(path: str | os.PathLike[str], series: int | None = None) -> Picture:
    """Read a TIFF, ImageJ TIFF or OME-TIFF file; or a PNG, JPEG or BMP file.

    Parameters
    ----------
    path : path
    series : int, optional
        Which of several images of the file; default the largest of them, the first of several.

    Raises
    ------
    FileError
        Where the file is missing, unreadable, truncated, too large for the memory, or of another format.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise FileError(f"{path} is a folder; name an image file in it.")
    if not path.is_file():
        raise FileError(f"There is no file {path}.")
    if path.suffix.lower() in raster.SUFFIXES:
        return Picture(*raster.read(path))
    with readable(path) as tif:
        number = chosen_series(tif, path, series)
        found = tif.series[number]
        check_length(found)
        _check_memory(path, found)
        samples = tiff_colours.samples_of(found, found.asarray(), axes_of(found), imagej=tif.is_imagej)
        calibration = calibration_of(tif, number)
        remark = not_read(tif, path, number) if series is None else ""
    if samples.colours and not calibration.colours:
        calibration = dataclasses.replace(calibration, colours=samples.colours)
    return Picture.of(
        samples.data, samples.axes, calibration, alpha=samples.alpha, min_is_white=samples.min_is_white, remark=remark
    )  # fmt: skip


def chosen_series(tif: tifffile.TiffFile, path: Path, series: int | None) -> int:
    """Return the number of a series, of the largest where none is asked for.

    Raises
    ------
    FileError
        Where there is no such series.
    """
    count = len(tif.series)
    if series is None:
        return max(range(count), key=lambda number: (_pixels(tif.series[number]), -number))
    if not 0 <= series < count:
        raise FileError(f"{path} holds {count} series; there is none of number {series}.")
    return series


def not_read(tif: tifffile.TiffFile, path: Path, number: int) -> str:
    """Say which series of a file are not read, in one sentence; nothing where there is only one."""
    count = len(tif.series)
    if count < 2:
        return ""
    shape = " x ".join(map(str, tif.series[number].shape))
    others = f"0 to {count - 1}"
    return (
        f"{path.name} holds {count} images; number {number} ({shape}) is read. Choose another by its number, {others}."
    )


def _pixels(series: tifffile.TiffPageSeries) -> int:
    return int(np.prod(series.shape, dtype=np.int64))


def _check_memory(path: Path, series: tifffile.TiffPageSeries) -> None:
    """Refuse what the memory cannot hold, before it is taken."""
    size = _pixels(series) * np.dtype(series.dtype).itemsize
    if size > (free := free_bytes()):
        raise FileError(
            f"{path} says that it holds {size / 2**30:.1f} GB of pixels, and {free / 2**30:.1f} GB of memory are free; "
            "denoise it block by block into a .zarr, if it really is as large as that."
        )


@contextlib.contextmanager
def readable(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF file, and say what is wrong with it.

    Raises
    ------
    FileError
        Where it is unreadable, truncated or of another format, whenever in the block that shows.
    """
    try:
        with _errors_raised(), tifffile.TiffFile(path) as tif:
            yield tif
    except FileError:
        raise
    except Exception as error:  # tifffile raises many kinds for a broken file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(
            f"{path} cannot be read as TIFF; it may be truncated or of another format; TIFF, PNG, JPEG and BMP are read, others "
            f"napari may open and save as TIFF ({reason})."
        ) from None


def axes_of(series: tifffile.TiffPageSeries) -> str:
    """Return the axes of a series; what MicroManager calls R is time."""
    return series.axes.replace("R", "T") if "T" not in series.axes else series.axes


def write(
    path: str | os.PathLike[str], picture: Picture, recipe: Recipe | None = None, *, overwrite: bool = False
) -> None:
    """Write a TIFF file: OME-TIFF for names in ``.ome.tif``, else an ImageJ hyperstack, with what is known of its pixels.

    The recipe goes into the file (OME annotation or ImageJ's "Info") and beside it as ``NAME.recipe.json``. The file
    appears complete or not at all.

    Raises
    ------
    FileError
        Where the file exists and `overwrite` is not set, or it cannot be written; the pixels are then kept in a ``.npy`` file,
        whose name it says.
    """
    path = Path(path).expanduser()
    check_writable(path, overwrite=overwrite)
    check_format(path, picture.axes, picture.data.dtype, _bytes(picture))
    try:
        with whole(path) as part:
            write_pixels(part, path, picture, recipe)
    except Exception as error:  # whatever writers raise, what took minutes to compute is not lost
        raise FileError(f"{_reason(path, error)} {_rescued(path, picture)}") from error
    if recipe is not None:
        with whole(recipe_path(path)) as part:
            part.write_text(recipe.to_json() + "\n", encoding="utf-8")


def _bytes(picture: Picture) -> int:
    return int(np.prod(picture.data.shape, dtype=np.int64)) * np.dtype(picture.data.dtype).itemsize


def _reason(path: Path, error: Exception) -> str:
    return (
        str(error) if isinstance(error, FileError) else f"{path} cannot be written ({error or type(error).__name__})."
    )


def _rescued(path: Path, picture: Picture) -> str:
    """Keep pixels that could not be written, beside the file or in the folder for temporary ones; say where."""
    for folder in (path.parent, Path(tempfile.gettempdir())):
        try:
            handle, name = tempfile.mkstemp(prefix=f"{stem(path)[:100]}-", suffix=".npy", dir=folder)
            with os.fdopen(handle, "wb") as file:
                np.save(file, np.asarray(picture.data))
        except OSError:
            continue
        return f"The pixels are kept in {name} (numpy), with the axes {picture.axes}."
    return "Nor could the pixels be kept anywhere else."


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a name to write to, which becomes `path` at the end: the file appears complete or not at all.

    Raises
    ------
    FileError
        Where it cannot be written.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(suffix=f".part{path.suffix}", dir=path.parent)
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror or error}).") from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror or error}).") from None
    finally:
        part.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Make sure, before any work is done, that a file can be written and will not replace another one unasked.

    Raises
    ------
    FileError
        Where it cannot or would.
    """
    path = Path(path).expanduser()
    if len(os.fsencode(recipe_path(path).name)) > _LONGEST:
        raise FileError(f"The name {path.name[:40]}... is too long for its recipe beside it; choose a shorter one.")
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(f"{path.name!r} must end in .tif, .tiff, .ome.tif or .ome.tiff.")
    if path.exists() and not overwrite:
        raise FileError(f"{path} is already there; choose another name or allow it to be overwritten (--overwrite).")
    if not path.parent.is_dir():
        raise FileError(f"The folder {path.parent} does not exist; make it first.")
    if not os.access(path.parent, os.W_OK) or (path.exists() and (path.is_dir() or not os.access(path, os.W_OK))):
        raise FileError(f"{path} cannot be written; choose a place where you may write.")


def recipe_path(path: str | os.PathLike[str]) -> Path:
    """Return where the recipe of an image file is kept: ``a.tif`` has ``a.recipe.json``, ``a.ome.tif`` ``a.ome.recipe.json``."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(path.suffix) + ".recipe.json")


def stem(path: Path) -> str:
    """Return the name of a file without its endings: "a" for "a.tif", "a.ome.tif" and "a.ome.zarr"."""
    name = path.name.removesuffix(path.suffix)
    return name.removesuffix(Path(name).suffix) if name.lower().endswith(".ome") else name


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read a ``.recipe.json`` file.

    Raises
    ------
    FileError
        Where there is none or it is no recipe.
    """
    try:
        return Recipe.from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read as a recipe ({error}).") from None


def check_length(series: tifffile.TiffPageSeries) -> None:
    """Raise ValueError where a file ends before its pixels do; tifffile would read zeros there."""
    for page in series.pages:
        if page is None:
            raise ValueError("planes are missing; are the other files of this set in the same folder?")
        ends = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True))
        if max(ends, default=0) > page.parent.filehandle.size:
            raise ValueError("pixels are missing at its end")
    contiguous = series.dataoffset
    if contiguous is not None and contiguous + series.nbytes > series.keyframe.parent.filehandle.size:
        raise ValueError("pixels are missing at its end")


@contextlib.contextmanager
def _errors_raised() -> Iterator[None]:
    """Raise what tifffile only logs when the structure of a file is broken."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not _is_private(record.getMessage()):
                found.append(record.getMessage())

    logger, collector = logging.getLogger("tifffile"), Collector(logging.ERROR)
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    if found:
        raise ValueError(found[0])


def _is_private(message: str) -> bool:
    """Tell whether tifffile complains of a private tag, which says nothing of the pixels."""
    tag = re.search(r"TiffTag (\d+) @", message)
    return tag is not None and int(tag[1]) >= _PRIVATE and int(tag[1]) not in _KNOWN


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
