"""OME-TIFF and ImageJ TIFF files, with what is known of their pixels and no more."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.pages import BIG, pixels, transposed
from napari_lotadenoise.io.picture import SPACE, Picture
from napari_lotadenoise.io.units import LENGTHS, TIMES, converted
from napari_lotadenoise.recipe import Recipe

#: Data types that the two formats hold.
_OME_TYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")


def is_ome(path: Path) -> bool:
    """Tell whether a name is that of an OME-TIFF file."""
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def check_format(path: Path, axes: str, dtype: Any, size: int = 0) -> None:
    """Make sure, before any work is done, that a TIFF file can hold an image.

    Parameters
    ----------
    path : path
    axes : str
    dtype : data type
    size : int
        Bytes of the pixels.

    Raises
    ------
    FileError
        Where it cannot.
    """
    dtype = np.dtype(dtype)
    if is_ome(path) and dtype.name not in _OME_TYPES:
        raise FileError(f"OME-TIFF has no place for {dtype}; name the file .tif, or leave the data type at float32.")
    if set(axes) - set("TPCZYXS"):
        raise FileError(f"The axes {axes!r} cannot be written; use letters of TPCZYXS.")
    if not is_ome(path) and size > BIG:
        raise FileError(
            f"The result has {size / 2**30:.1f} GB, and a .tif for ImageJ ends at 4; name it .ome.tif (BigTIFF) or .zarr."
        )


def write_pixels(path: Path, target: Path, picture: Picture, recipe: Recipe | None) -> None:
    """Write a picture to a path, in the format that the name of the target says."""
    ordered = _ordered(picture)
    (_write_ome if is_ome(target) else _write_imagej)(path, ordered, recipe)


def _ordered(picture: Picture) -> Picture:
    """Return a picture with P first and Y, X, S last, as TIFF files have them, and with its opacity as one more colour."""
    data, axes = _sorted(picture.data, picture.axes)
    if picture.alpha is None:
        return replace(picture, data=data, axes=axes)
    alpha, _ = _sorted(picture.alpha, picture.axes.replace("S", ""))
    colours = np.asarray(data) if axes.endswith("S") else np.asarray(data)[..., None]
    together = np.concatenate([colours, alpha[..., None].astype(colours.dtype)], axis=-1)
    return replace(picture, data=together, axes=axes.replace("S", "") + "S")


def _sorted(data: Any, axes: str) -> tuple[Any, str]:
    """Return an array and its axes with P first and Y, X, S last."""
    places = {"P": 0, "Y": 2, "X": 3, "S": 4}
    order = sorted(range(len(axes)), key=lambda at: places.get(axes[at], 1))
    return data if order == list(range(len(axes))) else transposed(data, order), "".join(axes[at] for at in order)


def _appearance(picture: Picture) -> dict[str, Any]:
    """Return how the samples of a pixel are to be shown, as `tifffile` takes it."""
    samples = picture.data.shape[-1] if picture.axes.endswith("S") else 1
    opaque = samples - (picture.alpha is not None)
    if picture.min_is_white and opaque == 1:
        shown: dict[str, Any] = {"photometric": "miniswhite"}
    else:
        shown = {"photometric": "rgb" if opaque in (3, 4) else "minisblack"}
    if picture.alpha is not None:
        shown["extrasamples"] = ("unassalpha",)
        shown["planarconfig"] = "contig"
    return shown


def _write_ome(path: Path, picture: Picture, recipe: Recipe | None) -> None:
    """Write an OME-TIFF file, with one image for each position."""
    metadata = _ome_metadata(picture.calibration, picture.axes.replace("P", ""))
    if recipe is not None:
        metadata["MapAnnotation"] = {"Namespace": "napari-lotadenoise", "recipe": json.dumps(recipe.to_dict())}
    shown = _appearance(picture)
    size = int(np.prod(picture.data.shape, dtype=np.int64)) * picture.data.dtype.itemsize
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "P" not in picture.axes:
            tifffile.imwrite(path, **pixels(picture.data, picture.axes), ome=True, metadata=metadata, **shown)
            return
        with tifffile.TiffWriter(path, ome=True, bigtiff=size > BIG) as tif:
            for place in range(picture.data.shape[0]):
                given = pixels(np.asarray(picture.data[place]), picture.axes[1:])
                tif.write(**given, metadata=metadata, **shown)


def _ome_metadata(found: Calibration, axes: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes}
    for axis, size in found.sizes.items():
        unit = found.units.get(axis, "")
        if axis == "T" and unit in TIMES:
            metadata |= {"TimeIncrement": size, "TimeIncrementUnit": unit}
        elif axis in SPACE:
            told = unit if unit in LENGTHS else "pixel" if not unit else "reference frame"
            metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": told}
    channel: dict[str, Any] = {}
    if found.channels:
        channel["Name"] = list(found.channels)
    if found.colours:
        channel["Color"] = [_signed(colour) for colour in found.colours]
    return {**metadata, "Channel": channel} if channel else metadata


def _signed(colour: str) -> int:
    """Return the number that OME has for "RRGGBB": red, green, blue and opacity in a signed number of 32 bits."""
    number = int(colour if re.fullmatch("[0-9A-Fa-f]{6}", colour) else "FFFFFF", 16) << 8 | 0xFF
    return number - 2**32 if number >= 2**31 else number


def _write_imagej(path: Path, picture: Picture, recipe: Recipe | None) -> None:
    """Write an ImageJ file: ImageJ knows T, Z, C, Y, X, S in this order and few data types.

    Anything else becomes a plain TIFF with a shape.
    """
    order = [a for a in "TZCYXS" if a in picture.axes]
    fits = set(picture.axes) <= set("TZCYXS") and picture.data.dtype.name in _IMAGEJ_TYPES
    fits &= picture.alpha is None and not picture.min_is_white
    fits &= "S" not in picture.axes or (picture.data.dtype == np.uint8 and picture.data.shape[-1] == 3)
    metadata: dict[str, Any] = {"axes": "".join(order) if fits else picture.axes}
    sizes, said = _imagej_calibration(picture.calibration)
    metadata |= said
    if recipe is not None:
        metadata["Info" if fits else "recipe"] = json.dumps(recipe.to_dict())
    data = transposed(picture.data, [picture.axes.index(a) for a in order]) if fits else picture.data
    resolution: Any = tuple(1 / sizes[axis] if axis in sizes else 1.0 for axis in "XY") if {*sizes} & {*"XY"} else None
    tifffile.imwrite(
        path, **pixels(data, metadata["axes"]), imagej=fits, metadata=metadata, resolution=resolution, **_appearance(picture)
    )  # fmt: skip


def _imagej_calibration(found: Calibration) -> tuple[Mapping[str, float], dict[str, Any]]:
    """Return the sizes in the one unit that ImageJ has for space, and what its description says of them.

    Time is in seconds. Where X or Y are not known, they are told to be in pixels.
    """
    unit = next((found.units[axis] for axis in SPACE if axis in found.units), "")
    unit = "nm" if unit == "Å" else unit  # descriptions are ASCII
    sizes, said = dict[str, float](), dict[str, Any]()
    for axis in SPACE:
        if axis not in found.units:
            continue
        size, own = found.sizes[axis], found.units[axis]
        moved = size if own == unit else converted(size, own, unit)
        sizes[axis] = size if moved is None else moved
        if axis != "X" and (moved is None or "X" not in found.units):
            said[f"{axis.lower()}unit"] = _spelled(own if moved is None else unit)
    if "X" in sizes:
        said["unit"] = _spelled(unit)
        if "Y" not in sizes:
            said["yunit"] = "pixel"
    if "Z" in found.sizes:
        said["spacing"] = sizes.get("Z", found.sizes["Z"])
    if "T" in found.sizes:
        seconds = converted(found.sizes["T"], found.units.get("T", "s"), "s")
        said["finterval"] = found.sizes["T"] if seconds is None else seconds
    return sizes, said | _imagej_channels(found)


def _imagej_channels(found: Calibration) -> dict[str, str]:
    """Return names and colours of channels in a line each, for which ImageJ has no place of its own."""
    parts = (("channelnames", found.channels), ("channelcolours", found.colours))
    return {name: "|".join(_spelled(value.replace("|", "/")) for value in values) for name, values in parts if values}


def _spelled(text: str) -> str:
    """Return a text in the ASCII that a description of ImageJ holds, in one line."""
    text = "micron" if text == "µm" else "inch" if text == "in" else text
    line = " ".join(text.split())
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in line)
