"""Part of an array that is held in memory while a block is denoised."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lotadenoise.jobs.blocks import Region


class Held:
    """An array of which one region has been read; what lies outside of it is read when it is asked for.

    Parameters
    ----------
    array : array-like with ``shape``, ``dtype`` and numpy-like indexing
    region : tuple of slice
        What is read at once.
    """

    def __init__(self, array: Any, region: Region) -> None:
        self.shape, self.dtype = tuple(array.shape), array.dtype
        self._array, self._region = array, region
        self._block = np.asarray(array[region])

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def __getitem__(self, index: tuple[int | slice, ...]) -> np.ndarray:
        inner = tuple(_moved(one, part) for one, part in zip(index, self._region, strict=True))
        if None in inner:
            return np.asarray(self._array[index])
        return self._block[inner]


def _moved(index: int | slice, part: slice) -> int | slice | None:
    """Return an index relative to a part of its axis, None where it leaves it."""
    if not isinstance(index, slice):
        return index - part.start if part.start <= index < part.stop else None
    start = index.start or 0
    stop = part.stop if index.stop is None and start >= part.start else index.stop
    if stop is None or start < part.start or stop > part.stop:
        return None
    return slice(start - part.start, stop - part.start)
