"""An image as a file has it: pixels, axes, calibration, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_lotadenoise.image.stack import AXIS_NAMES
from napari_lotadenoise.io.calibration import Calibration

#: The axes of space, in the order in which their units are looked at.
SPACE = "XYZ"


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
        Size of a pixel along Z, Y, X, and the time between frames along T, where the file says.
    unit : str
        Unit of the sizes in space that have no unit of their own, such as "µm"; empty where unknown.
    units : mapping of str to str
        Unit along an axis, where it is another one; without it time is in seconds.
    origin : mapping of str to float
        Place of the first pixel along an axis.
    channels, colours : tuple of str
        Name and "RRGGBB" of each channel, or none.
    alpha : ndarray, optional
        Opacity, of the shape of the image without its colours: it is not denoised, and written as it is.
    min_is_white : bool
        Whether the smallest value is shown white.
    remark : str
        What of the file was not read, or was read otherwise than it stands there, in one sentence; empty where there is nothing.
    """

    data: Any
    axes: str
    scale: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    alpha: np.ndarray | None = None
    min_is_white: bool = False
    remark: str = ""

    @classmethod
    def of(cls, data: Any, axes: str, calibration: Calibration, **others: Any) -> Picture:
        """Return a picture with a calibration."""
        found = calibration.along(axes)
        unit = next((found.units[axis] for axis in SPACE if axis in found.units), "")
        units = {axis: told for axis, told in found.units.items() if told != (unit if axis in SPACE else "s")}
        # An axis without a unit beside others that have one is in pixels.
        units |= {axis: "pixel" for axis in SPACE if unit and axis in found.sizes and axis not in found.units}
        return cls(data, axes, found.sizes, unit, units, found.origin, found.channels, found.colours, **others)

    @property
    def calibration(self) -> Calibration:
        """Return sizes, units, names and colours."""
        units = {axis: self.units.get(axis, "s" if axis == "T" else self.unit) for axis in self.scale}
        kept = {axis: unit for axis, unit in units.items() if unit != "pixel"}
        found = Calibration.of(self.scale, kept, origin=self.origin, channels=self.channels, colours=self.colours)
        found = found.along(self.axes)
        count = self.data.shape[self.axes.index("C")] if "C" in self.axes else 0
        # Names of other channels than these, as of an image that was cut, are none.
        names, colours = (told if len(told) == count else () for told in (found.channels, found.colours))
        return replace(found, channels=names, colours=colours)

    @property
    def known_axes(self) -> str | None:
        """Return the axes, or None where the file does not really say what they are."""
        return known_axes(self.axes)


def known_axes(axes: str) -> str | None:
    """Return the axes that a file tells, or None where it does not really say what they are.

    Planes that are marked as colours (SYX) are as often slices or channels that some program has marked so.
    """
    planar = "S" in axes and axes.index("S") < axes.index("Y")
    return axes if set(axes) <= set(AXIS_NAMES) and not planar else None
