"""Sizes and units of the axes of an image, and names and colours of its channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Calibration:
    """What a file says of an image beside its pixels.

    Attributes
    ----------
    sizes : mapping of str to float
        Distance of two pixels along an axis (T, Z, Y, X), where it is known.
    units : mapping of str to str
        Symbol of the unit of each size, such as "µm" or "s".
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
