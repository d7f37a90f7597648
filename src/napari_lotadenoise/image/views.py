"""Lazy views of arrays: a part of one, and several as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_lotadenoise.errors import AxesError, ImageError


class Cropped:
    """A part of an array, read where it is indexed.

    Parameters
    ----------
    array : array-like with ``shape``, ``dtype`` and numpy-like indexing
    region : sequence of slice
        One an axis; steps are positive.
    """

    def __init__(self, array: Any, region: Sequence[slice]) -> None:
        self._array, self.dtype = array, np.dtype(array.dtype)
        self._parts = [range(n)[part] for n, part in zip(array.shape, region, strict=True)]
        self.shape = tuple(len(part) for part in self._parts)

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        full = expanded(index, self.ndim)
        return np.asarray(self._array[tuple(_inner(part[one]) for part, one in zip(self._parts, full, strict=True))])


class Joined:
    """Several arrays along a new first axis, cut to the sides that all of them have.

    Parameters
    ----------
    arrays : sequence of array-like

    Raises
    ------
    ImageError
        Where they have different numbers of axes.
    """

    def __init__(self, arrays: Sequence[Any]) -> None:
        if len({len(array.shape) for array in arrays}) > 1:
            raise ImageError("Images that are learnt together need the same axes; learn them one by one.")
        sides = tuple(min(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
        self._parts = [Cropped(array, [slice(0, side) for side in sides]) for array in arrays]
        self.dtype = np.result_type(*(part.dtype for part in self._parts))
        self.shape = (len(arrays), *sides)

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        first, *rest = expanded(index, self.ndim)
        if isinstance(first, slice):
            return np.stack([part[tuple(rest)] for part in self._parts[first]])
        return self._parts[first][tuple(rest)]


def expanded(index: Any, ndim: int) -> tuple[Any, ...]:
    """Return an index of numbers, slices and an ellipsis with one entry an axis."""
    parts = index if isinstance(index, tuple) else (index,)
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts = (*parts[:at], *[slice(None)] * (ndim - len(parts) + 1), *parts[at + 1 :])
    return (*parts, *[slice(None)] * (ndim - len(parts)))


def span(text: str) -> slice:
    """Read "0:20:2" as a slice, with a step above 0.

    Raises
    ------
    AxesError
        Where it is nothing like that.
    """
    try:
        parts = [int(part) if part else None for part in text.split(":")]
        found = slice(*parts) if len(parts) > 1 else slice(int(text), int(text) + 1)
    except (TypeError, ValueError):
        found = slice(None, None, -1)
    if found.step is not None and found.step < 1:
        raise AxesError(f"{text!r} is no range; write start:stop or start:stop:step, for example 0:20:2.")
    return found


def _inner(part: Any) -> Any:
    """Return the index of some positions: a number, or a slice."""
    if isinstance(part, range):
        return slice(part.start, part.stop, part.step) if len(part) else slice(0, 0)
    return part
