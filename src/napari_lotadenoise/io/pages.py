"""Arrays that are not in memory, for writers: with their axes in another order, and plane by plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from napari_lotadenoise.image.views import expanded

#: Bytes of pixels from which a TIFF file needs 64-bit offsets.
BIG = 4 * 2**30 - 2**25


def transposed(data: Any, order: Sequence[int]) -> Any:
    """Return an array with its axes in another order, a lazy one without reading it; `order` is as for numpy."""
    if isinstance(data, np.ndarray):
        return data.transpose(order)
    return Transposed(data, [list(order).index(axis) for axis in range(len(order))])


def pixels(data: Any, axes: str) -> dict[str, Any]:
    """Return an array as `tifffile.imwrite` takes it: itself, or, where it is not in memory, plane by plane."""
    if isinstance(data, np.ndarray):
        return {"data": data}
    shape, dtype = tuple(data.shape), np.dtype(data.dtype)
    planar = 3 if axes.endswith("S") else 2
    big = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > BIG
    return {"data": planes(data, planar), "shape": shape, "dtype": dtype, "bigtiff": big}


def planes(data: Any, planar: int) -> Iterator[np.ndarray]:
    """Read the last `planar` axes at each place of the others."""
    for index in np.ndindex(tuple(data.shape[:-planar])):
        yield np.ascontiguousarray(data[index])


class Transposed:
    """A lazy array with its axes in another order.

    Parameters
    ----------
    array : array-like
    order : sequence of int
        Which axis of the result each axis of `array` is.
    """

    def __init__(self, array: Any, order: Sequence[int]) -> None:
        self._array, self._order = array, list(order)
        self._back = [self._order.index(axis) for axis in range(len(self._order))]
        self.dtype = array.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape in the new order."""
        return tuple(self._array.shape[axis] for axis in self._back)

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self._order)

    def __getitem__(self, index: Any) -> np.ndarray:
        full = expanded(index, self.ndim)
        block = np.asarray(self._array[tuple(full[axis] for axis in self._order)])
        kept = [axis for axis in self._order if isinstance(full[axis], slice)]
        return block.transpose([kept.index(axis) for axis in sorted(kept)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)
