"""The Y-X planes of an array with named axes, for what measures planes one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import filled, layout_for


class PlaneIndex(NamedTuple):
    """Place of a plane in an array: an index, and whether X comes before Y there."""

    where: tuple[int | slice, ...]
    transposed: bool

    def read(self, array: Any) -> np.ndarray:
        """Read the plane (Y, X), float64; NaN and inf are replaced by the nearest finite value.

        Raises
        ------
        ImageError
            Where it does not hold real numbers.
        """
        plane = np.asarray(array[self.where] if hasattr(array, "dtype") else np.asarray(array)[self.where])
        if plane.dtype.kind not in "buif":
            raise ImageError(f"The image has the data type {plane.dtype}; it must hold real numbers.")
        plane = filled(plane.astype(np.float64)[None])[0][0]
        return plane.T if self.transposed else plane

    def write(self, array: np.ndarray, plane: np.ndarray) -> None:
        """Write a plane (Y, X)."""
        array[self.where] = plane.T if self.transposed else plane


def plane_axes(axes: str) -> tuple[int, int]:
    """Return the positions of Y and X."""
    return axes.index("Y"), axes.index("X")


def stacked_planes(image: np.ndarray, axes: str) -> np.ndarray:
    """Return all planes (N, Y, X), float64."""
    last = np.moveaxis(np.asarray(image, dtype=np.float64), plane_axes(axes), (-2, -1))
    return last.reshape(-1, *last.shape[-2:])


def spread_planes(
    shape: tuple[int, ...], axes: str, most: int | None = None, pixels: float | None = None
) -> list[PlaneIndex]:
    """Return the places of evenly spread planes.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    axes : str
        One letter an axis.
    most : int, optional
        Number of planes that are enough; default: all.
    pixels : float, optional
        Pixels of all planes together that are enough; one plane is always returned.

    Raises
    ------
    AxesError, ImageError
        Where the axes do not fit the shape, or the array is empty.
    """
    axes = layout_for(shape, axes).axes
    if 0 in shape:
        raise ImageError(f"The image is empty (shape {shape}).")
    others = [n for axis, n in zip(axes, shape, strict=True) if axis not in "YX"]
    planes = int(np.prod(others, dtype=int))
    count = planes if most is None else most
    if pixels is not None:
        count = max(1, min(count, int(pixels * planes / np.prod(shape, dtype=float))))
    y, x = plane_axes(axes)
    places = []
    for number in np.unique(np.linspace(0, planes - 1, min(count, planes)).round().astype(int)):
        index = iter(np.unravel_index(number, others)) if others else iter(())
        where = tuple(slice(None) if axis in "YX" else int(next(index)) for axis in axes)
        places.append(PlaneIndex(where, x < y))
    return places
