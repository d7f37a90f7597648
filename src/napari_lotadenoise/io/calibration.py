"""Sizes and units of the axes of an image, and names and colours of its channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_lotadenoise.io.units import unit_symbol, valid_size


@dataclass(frozen=True)
class Calibration:
    """What a file says of an image beside its pixels.

    Attributes
    ----------
    sizes : mapping of str to float
        Distance of two pixels along an axis (T, Z, Y, X), where it is known: above 0.
    units : mapping of str to str
        Symbol of the unit of each size, such as "µm" or "s"; axes with a size and without a unit are in pixels.
    origin : mapping of str to float
        Place of the first pixel along an axis, in its unit; 0 where it is not said.
    channels : tuple of str
        Names, as many as there are channels, or none.
    colours : tuple of str
        "RRGGBB" of each channel, or none.
    """

    sizes: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()

    @classmethod
    def of(cls, sizes: Mapping[str, Any], units: Mapping[str, str], **others: Any) -> Calibration:
        """Return a calibration of what a file says, without what is no size, and with one spelling for each unit."""
        known = {axis: size for axis, told in sizes.items() if (size := valid_size(told)) is not None}
        symbols = {axis: symbol for axis in known if (symbol := unit_symbol(units.get(axis, "")))}
        return cls(known, symbols, **others)

    def along(self, axes: str) -> Calibration:
        """Return the calibration of some axes only; channels as they are where C is one of them."""
        kept = {
            name: {a: v for a, v in getattr(self, name).items() if a in axes} for name in ("sizes", "units", "origin")
        }
        channels = (self.channels, self.colours) if "C" in axes else ((), ())
        return Calibration(kept["sizes"], kept["units"], kept["origin"], *channels)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists."""
        return {
            "sizes": dict(self.sizes),
            "units": dict(self.units),
            "origin": dict(self.origin),
            "channels": list(self.channels),
            "colours": list(self.colours),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Calibration:
        """Undo `to_dict`."""
        parts = {name: tuple(content[name]) for name in ("channels", "colours")}
        return cls(content["sizes"], content["units"], content["origin"], **parts)
