"""Files in and out: TIFF, ImageJ TIFF and OME-TIFF with axes, voxel size, units and the recipe inside; PNG and JPEG in only."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.image.stack import AXIS_NAMES
from napari_lotadenoise.io import raster
from napari_lotadenoise.io.pages import pixels, transposed
from napari_lotadenoise.io.units import unit_symbol
from napari_lotadenoise.recipe import Recipe

SUFFIXES = (".tif", ".tiff")
_RESOLUTION_UNITS = {2: ("µm", 25_400.0), 3: ("µm", 10_000.0)}


@dataclass(frozen=True)
class Picture:
    """An image as a file has it.

    Attributes
    ----------
    data : array-like
        In memory where it was read; what is written may be lazy.
    axes : str
        One letter an axis; letters beyond T, P, C, Z, Y, X, S mean that the file does not say.
    scale : mapping of str to float
        Size of a pixel along Z, Y, X (and seconds along T), where the file says.
    unit : str
        Unit of the sizes, such as "µm"; empty where unknown.
    """

    data: Any
    axes: str
    scale: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""

    @property
    def known_axes(self) -> str | None:
        """Return the axes, or None where the file does not really say what they are."""
        return known_axes(self.axes)


def read(path: str | os.PathLike[str]) -> Picture:
    """Read a TIFF, ImageJ TIFF or OME-TIFF file, of several series the first; or a PNG, JPEG or BMP file.

    Raises
    ------
    FileError
        Where the file is missing, unreadable, truncated or of another format.
    """
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path} is a folder; name an image file in it.")
    if not path.is_file():
        raise FileError(f"There is no file {path}.")
    if path.suffix.lower() in raster.SUFFIXES:
        return Picture(*raster.read(path))
    with readable(path) as tif:
        series = tif.series[0]
        check_length(series, path.stat().st_size)
        data, axes = series.asarray(), axes_of(series)
        scale, unit = calibration_of(tif)
    return Picture(data, axes, {a: s for a, s in scale.items() if a in axes}, unit)


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
        raise FileError(
            f"{path} cannot be read as TIFF; it may be truncated or of another format; TIFF, PNG, JPEG and BMP are read, others "
            f"napari may open and save as TIFF ({error})."
        ) from None


def known_axes(axes: str) -> str | None:
    """Return the axes that a file tells, or None where it does not really say what they are.

    Planes that are marked as colours (SYX) are as often slices or channels that some program has marked so.
    """
    planar = "S" in axes and axes.index("S") < axes.index("Y")
    return axes if set(axes) <= set(AXIS_NAMES) and not planar else None


def axes_of(series: tifffile.TiffPageSeries) -> str:
    """Return the axes of a series; what MicroManager calls R is time."""
    return series.axes.replace("R", "T") if "T" not in series.axes else series.axes


def write(
    path: str | os.PathLike[str], picture: Picture, recipe: Recipe | None = None, *, overwrite: bool = False
) -> None:
    """Write a TIFF file: OME-TIFF for names in ``.ome.tif``, else an ImageJ hyperstack, either with voxel size and unit.

    The recipe goes into the file (OME annotation or ImageJ's "Info") and beside it as ``NAME.recipe.json``. The file
    appears complete or not at all.

    Raises
    ------
    FileError
        Where the file exists and `overwrite` is not set, or it cannot be written.
    """
    path = Path(path)
    check_writable(path, overwrite=overwrite)
    with whole(path) as part:
        (_write_ome if is_ome(path) else _write_imagej)(part, picture, recipe)
    if recipe is not None:
        with whole(recipe_path(path)) as part:
            part.write_text(recipe.to_json() + "\n", encoding="utf-8")


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
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(f"{path.name!r} must end in .tif, .tiff, .ome.tif or .ome.tiff.")
    if path.exists() and not overwrite:
        raise FileError(f"{path} is already there; choose another name or allow it to be overwritten (--overwrite).")
    if not path.parent.is_dir():
        raise FileError(f"The folder {path.parent} does not exist; make it first.")
    if not os.access(path.parent, os.W_OK) or (path.exists() and (path.is_dir() or not os.access(path, os.W_OK))):
        raise FileError(f"{path} cannot be written; choose a place where you may write.")


def recipe_path(path: str | os.PathLike[str]) -> Path:
    """Return where the recipe of an image file is kept: ``a.ome.tif`` has ``a.recipe.json``."""
    path = Path(path)
    return path.with_name(stem(path) + ".recipe.json")


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


def check_length(series: tifffile.TiffPageSeries, size: int) -> None:
    """Raise ValueError where the file ends before its pixels do; tifffile would read zeros there."""
    for page in series.pages:
        if page is None:
            raise ValueError("planes are missing")
        ends = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True))
        if max(ends, default=0) > size:
            raise ValueError("pixels are missing at its end")
    contiguous = series.dataoffset
    if contiguous is not None and contiguous + series.nbytes > size:
        raise ValueError("pixels are missing at its end")


@contextlib.contextmanager
def _errors_raised() -> Iterator[None]:
    """Raise what tifffile only logs when the structure of a file is broken."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, collector = logging.getLogger("tifffile"), Collector(logging.ERROR)
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    if found:
        raise ValueError(found[0])


def calibration_of(tif: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    """Return the sizes of a pixel by axis, and the unit of those of space."""
    if tif.is_ome and tif.ome_metadata:
        return _ome_calibration(tif.ome_metadata)
    page: Any = tif.series[0].pages[0]
    imagej: dict[str, Any] = tif.imagej_metadata or (tif.shaped_metadata or ({},))[0]
    unit = unit_symbol(str(imagej.get("unit", "")))
    scale: dict[str, float] = {}
    resolution = {"X": page.tags.get("XResolution"), "Y": page.tags.get("YResolution")}
    code = page.tags.get("ResolutionUnit")
    factor = 1.0
    if not unit and code is not None and int(code.value) in _RESOLUTION_UNITS:
        unit, factor = _RESOLUTION_UNITS[int(code.value)]
    for axis, tag in resolution.items():
        if tag is not None and unit and tag.value[0]:
            scale[axis] = factor * tag.value[1] / tag.value[0]
    if "spacing" in imagej:
        scale["Z"] = float(imagej["spacing"])
    if "finterval" in imagej:
        scale["T"] = float(imagej["finterval"])
    return scale, unit


def _ome_calibration(xml: str) -> tuple[dict[str, float], str]:
    image = tifffile.xml2dict(xml)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    scale = {a: float(pixels[f"PhysicalSize{a}"]) for a in "ZYX" if f"PhysicalSize{a}" in pixels}
    if "TimeIncrement" in pixels:
        scale["T"] = float(pixels["TimeIncrement"])
    return scale, unit_symbol(pixels.get("PhysicalSizeXUnit", "µm" if scale else ""))


def _write_ome(path: Path, picture: Picture, recipe: Recipe | None) -> None:
    metadata: dict[str, Any] = {"axes": picture.axes}
    for axis, size in picture.scale.items():
        if axis in "ZYX":
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = picture.unit or "pixel"
        elif axis == "T":
            metadata["TimeIncrement"] = size
    if recipe is not None:
        metadata["MapAnnotation"] = {"Namespace": "napari-lotadenoise", "recipe": json.dumps(recipe.to_dict())}
    photometric = "rgb" if "S" in picture.axes else "minisblack"
    with _quiet():
        tifffile.imwrite(
            path, **pixels(picture.data, picture.axes), ome=True, photometric=photometric, metadata=metadata
        )


def _write_imagej(path: Path, picture: Picture, recipe: Recipe | None) -> None:
    """Write an ImageJ file: ImageJ knows T, Z, C, Y, X, S in this order and few data types.

    Anything else becomes a plain TIFF with a shape.
    """
    order = [a for a in "TZCYXS" if a in picture.axes]
    fits = set(picture.axes) <= set("TZCYXS") and picture.data.dtype in (np.uint8, np.uint16, np.float32)
    fits = fits and ("S" not in picture.axes or picture.data.dtype == np.uint8)
    metadata: dict[str, Any] = {"axes": "".join(order) if fits else picture.axes}
    if recipe is not None:
        metadata["Info" if fits else "recipe"] = json.dumps(recipe.to_dict())
    if picture.unit and picture.scale:
        metadata["unit"] = "micron" if picture.unit == "µm" else picture.unit  # the tag is ASCII
    if "Z" in picture.scale:
        metadata["spacing"] = picture.scale["Z"]
    if "T" in picture.scale:
        metadata["finterval"] = picture.scale["T"]
    data = transposed(picture.data, [picture.axes.index(a) for a in order]) if fits else picture.data
    resolution: Any = tuple(1 / picture.scale[a] for a in "XY") if {"X", "Y"} <= set(picture.scale) else None
    photometric = (
        "rgb" if "S" in picture.axes and picture.data.shape[picture.axes.index("S")] in (3, 4) else "minisblack"
    )
    tifffile.imwrite(
        path,
        **pixels(data, metadata["axes"]),
        imagej=fits,
        photometric=photometric,
        metadata=metadata,
        resolution=resolution,
    )


def is_ome(path: Path) -> bool:
    """Tell whether a name is that of an OME-TIFF file."""
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
