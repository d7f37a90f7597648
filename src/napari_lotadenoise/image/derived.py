"""Images that are computed from two others where they are looked at, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np


class DerivedPair:
    """An array-like of two others of one shape: nothing is computed before it is indexed.

    napari, dask and `np.asarray` take it for an array. Subclasses say in `combine` what is made of two blocks.

    Parameters
    ----------
    first, second : array-like with ``shape``, ``dtype`` and numpy-like indexing
    """

    dtype = np.dtype(np.float32)

    def __init__(self, first: Any, second: Any) -> None:
        if tuple(first.shape) != tuple(second.shape):
            raise ValueError(f"The shapes {tuple(first.shape)} and {tuple(second.shape)} are not the same.")
        self.first, self.second = first, second

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of both."""
        return tuple(self.first.shape)

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Return the number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        first, second = (np.asarray(part[index], dtype=np.float32) for part in (self.first, self.second))
        return self.combine(first, second, index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("What is computed where it is looked at cannot be had without a copy.")
        return self[...].astype(dtype or self.dtype, copy=False)

    def combine(self, first: np.ndarray, second: np.ndarray, index: Any) -> np.ndarray:
        """Return what the block at `index` holds."""
        raise NotImplementedError


class Blend(DerivedPair):
    """blend x denoised + (1 - blend) x noisy; where the noisy image is not finite, the denoised one.

    Parameters
    ----------
    noisy, denoised : array-like
    blend : float
        0 is the noisy image, 1 the denoised one; may be changed at any time.
    """

    def __init__(self, noisy: Any, denoised: Any, blend: float = 1.0) -> None:
        super().__init__(noisy, denoised)
        self.blend = blend

    def combine(self, first: np.ndarray, second: np.ndarray, index: Any) -> np.ndarray:
        """Return the mean of both, weighted."""
        weight = np.float32(self.blend)
        with np.errstate(invalid="ignore"):  # nothing times inf, which is not taken
            return np.where(np.isfinite(first), weight * second + (1 - weight) * first, second)


class Difference(DerivedPair):
    """first - second."""

    def combine(self, first: np.ndarray, second: np.ndarray, index: Any) -> np.ndarray:
        """Return the difference."""
        return first - second


class Split(DerivedPair):
    """The first image left of a column, the second from there on.

    Parameters
    ----------
    first, second : array-like
    column : int
        May be changed at any time.
    axis : int
        The axis that X is.
    """

    def __init__(self, first: Any, second: Any, column: int, axis: int = -1) -> None:
        super().__init__(first, second)
        self.column, self._axis = column, axis

    def combine(self, first: np.ndarray, second: np.ndarray, index: Any) -> np.ndarray:
        """Return the part of each that lies on its side."""
        columns = np.moveaxis(np.arange(self.shape[self._axis]).reshape((-1,) + (1,) * (self.ndim - 1)), 0, self._axis)
        return np.where(np.broadcast_to(columns, self.shape)[index] < self.column, first, second)
