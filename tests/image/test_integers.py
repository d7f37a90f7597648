"""From float results to integers: rounded, and clipped where a type ends."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lotadenoise.image.stack import as_dtype

INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_ends_of_every_type_are_kept(dtype):
    limits = np.iinfo(dtype)
    ends = np.array([limits.max, limits.min]).astype(np.float32)  # rounded away from the limit, of 32 and 64 bits
    assert as_dtype(ends, dtype)[0].tolist() == [limits.max, limits.min]
    beyond, clipped = as_dtype(np.array([np.inf, -np.inf, 3e38, -3e38], np.float32), dtype)
    assert beyond.tolist() == [limits.max, limits.min] * 2
    assert clipped == 4


@pytest.mark.parametrize("dtype", INTEGERS)
def test_values_within_are_rounded(dtype):
    found, clipped = as_dtype(np.array([0.4, 0.6, 99.5, 100.49], np.float32), dtype)
    assert found.dtype == dtype
    assert (found.tolist(), clipped) == ([0, 1, 100, 100], 0)
