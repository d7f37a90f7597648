"""What TIFF files say of their pixels: OME, ImageJ, and the resolution tags of plain ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tifffile

from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.units import unescaped, unit_symbol, valid_size

#: Micrometres in the units of the resolution tag: inches and centimetres.
_RESOLUTION_UNITS = {2: 25_400.0, 3: 10_000.0}
#: Dots per inch that picture editors and screens write, whatever the picture: they are no size of a pixel.
_DEFAULT_DPI = (1.0, 72.0, 96.0)
_LETTERS = "ZYX"


def calibration_of(tif: tifffile.TiffFile, series: int = 0) -> Calibration:
    """Return the calibration of a series of a TIFF file."""
    if tif.is_ome and tif.ome_metadata:
        return _of_ome(tif.ome_metadata, series)
    page: Any = tif.series[series].pages[0]
    imagej: Mapping[str, Any] = tif.imagej_metadata or (tif.shaped_metadata or ({},))[0]
    return _of_imagej(imagej, page)


def _of_ome(xml: str, series: int) -> Calibration:
    images = _listed(tifffile.xml2dict(xml)["OME"]["Image"])
    pixels = images[min(series, len(images) - 1)]["Pixels"]
    sizes = {axis: pixels.get(f"PhysicalSize{axis}") for axis in _LETTERS} | {"T": pixels.get("TimeIncrement")}
    units = {axis: str(pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in _LETTERS}
    units["T"] = str(pixels.get("TimeIncrementUnit", "s"))
    known = {axis: unit for axis, unit in units.items() if unit not in ("pixel", "reference frame")}
    channels = _listed(pixels.get("Channel", []))
    names = tuple(str(channel.get("Name", "")) for channel in channels)
    colours = tuple(_rgb(channel["Color"]) if "Color" in channel else "" for channel in channels)
    return Calibration.of(sizes, known, channels=names if any(names) else (), colours=colours if any(colours) else ())


def _rgb(colour: Any) -> str:
    """Return "RRGGBB" of a colour of OME, a signed number of 32 bits in the order red, green, blue, alpha."""
    try:
        return f"{(int(colour) & 0xFFFFFFFF) >> 8:06X}"
    except (TypeError, ValueError):
        return ""


def _of_imagej(said: Mapping[str, Any], page: Any) -> Calibration:
    unit = str(said.get("unit", ""))
    units = {axis: str(said.get(f"{axis.lower()}unit", unit)) for axis in "ZY"} | {"X": unit}
    sizes: dict[str, Any] = {}
    for axis in "XY":
        dots, factor = _ratio(_tag(page, f"{axis}Resolution")), 1.0
        if not any(map(_says, (unit, units[axis]))) and not said.get("yunit"):
            factor, units[axis] = _RESOLUTION_UNITS.get(_tag(page, "ResolutionUnit"), 0.0), "µm"
        if dots and factor and not (factor != 1.0 and _is_default(dots, factor)):
            sizes[axis] = factor / dots
    sizes["Z"] = said.get("spacing")
    sizes["T"], units["T"] = said.get("finterval"), str(said.get("tunit", "s"))
    if valid_size(sizes["T"]) is None and (rate := valid_size(said.get("fps"))) is not None:
        sizes["T"], units["T"] = 1 / rate, "s"
    known = {axis: size for axis, size in sizes.items() if axis == "T" or _says(units[axis])}
    if "spacing" in said and not _says(units["Z"]):  # a distance in pixels is one all the same
        known["Z"], units["Z"] = said["spacing"], ""
    return Calibration.of(known, units, **_channels(said))


def _is_default(dots: float, micrometres: float) -> bool:
    """Tell whether so many dots in a length are what programs write that know nothing of the pixels."""
    return any(abs(dots * 25_400 / micrometres - dpi) < 0.1 for dpi in _DEFAULT_DPI)


def _channels(said: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return names and colours of channels: those that this project writes, or the ends of the lookup tables of ImageJ."""
    names = tuple(filter(None, unescaped(str(said.get("channelnames", ""))).split("|")))
    colours = tuple(filter(None, str(said.get("channelcolours", "")).split("|")))
    tables = said.get("LUTs", [])
    if not colours and len(tables):
        colours = tuple("".join(f"{int(value):02X}" for value in table[:, -1]) for table in tables)
    return {"channels": names, "colours": colours}


def _says(unit: str) -> bool:
    return unit_symbol(unit).lower() not in ("", "pixel", "pixels", "px", "none", "null")


def _tag(page: Any, name: str) -> Any:
    tag = page.tags.get(name)
    return None if tag is None else tag.value


def _ratio(value: Any) -> float | None:
    try:
        return valid_size(value[0] / value[1])
    except (TypeError, ZeroDivisionError, IndexError):
        return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
