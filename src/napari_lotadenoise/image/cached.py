"""Arrays of dask, whose chunks are computed anew for each reader: here once, as long as there is memory for them."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np

from napari_lotadenoise.compute.memory import free_bytes
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.views import expanded

#: Share of the free memory that the chunks of one array may take, and bytes that they may take at most.
SHARE, LARGEST = 0.2, 2 << 30


class Cached:
    """An array of chunks that are computed once and kept, the ones that were used last.

    Parameters
    ----------
    array : dask array
    budget : int
        Bytes of chunks that are kept.
    """

    def __init__(self, array: Any, budget: int) -> None:
        self.shape, self.dtype, self.ndim = tuple(map(int, array.shape)), np.dtype(array.dtype), int(array.ndim)
        # Weak, or no array would ever go; whoever denoises one holds it.
        self._array, self._budget, self._held = weakref.ref(array), budget, 0
        self._starts = [np.concatenate([[0], np.cumsum(lengths)]) for lengths in array.chunks]
        self._chunks: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def size(self) -> int:
        """Return the number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, index: Any) -> np.ndarray:
        parts = expanded(index, self.ndim)
        if not all(isinstance(part, int | np.integer) or _plain(part) for part in parts):
            return np.asarray(self._source[index])
        spans = [_span(part, size) for part, size in zip(parts, self.shape, strict=True)]
        out = np.empty([stop - start for start, stop in spans], self.dtype)
        for place in itertools.product(*map(_touched, self._starts, spans)):
            chunk = self._chunk(place)
            edges = [(int(s[n]), int(s[n + 1])) for s, n in zip(self._starts, place, strict=True)]
            common = [(max(a, low), min(b, high)) for (a, b), (low, high) in zip(spans, edges, strict=True)]
            there = tuple(slice(a - start, b - start) for (a, b), (start, _) in zip(common, spans, strict=True))
            here = tuple(slice(a - low, b - low) for (a, b), (low, _) in zip(common, edges, strict=True))
            out[there] = chunk[here]
        return out[tuple(0 if not isinstance(part, slice) else slice(None) for part in parts)]

    @property
    def _source(self) -> Any:
        array = self._array()
        if array is None:
            raise ImageError("The lazy array that is denoised is gone; keep a reference to it until the end.")
        return array

    def _chunk(self, place: tuple[int, ...]) -> np.ndarray:
        with self._lock:
            if place in self._chunks:
                self._chunks.move_to_end(place)
                return self._chunks[place]
        window = tuple(slice(int(s[n]), int(s[n + 1])) for s, n in zip(self._starts, place, strict=True))
        chunk = np.asarray(self._source[window])
        with self._lock:
            if place not in self._chunks:
                self._chunks[place] = chunk
                self._held += chunk.nbytes
            while self._held > self._budget and len(self._chunks) > 1:
                self._held -= self._chunks.popitem(last=False)[1].nbytes
        return chunk


_KNOWN: dict[int, tuple[weakref.ref[Any], Cached]] = {}


def cached(array: Any) -> Cached:
    """Return an array of dask with its chunks kept, for as long as the array itself lives; the same one for the same array."""
    known = _KNOWN.get(id(array))
    if known is not None and known[0]() is array:
        return known[1]
    made = Cached(array, min(LARGEST, int(SHARE * free_bytes())))
    key = id(array)
    _KNOWN[key] = (weakref.ref(array, lambda _: _KNOWN.pop(key, None)), made)
    return made


def _plain(part: Any) -> bool:
    return isinstance(part, slice) and part.step in (None, 1)


def _span(part: Any, size: int) -> tuple[int, int]:
    if isinstance(part, slice):
        start, stop, _ = part.indices(size)
        return start, max(start, stop)
    at = int(part) + (size if part < 0 else 0)
    if not 0 <= at < size:
        raise IndexError(f"There is no index {part} on an axis of {size}.")
    return at, at + 1


def _touched(starts: np.ndarray, span: tuple[int, int]) -> range:
    """Return the chunks of an axis that a span touches."""
    if span[0] == span[1]:
        return range(0)
    return range(int(np.searchsorted(starts, span[0], "right")) - 1, int(np.searchsorted(starts, span[1], "left")))
