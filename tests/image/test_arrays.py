"""Whatever users call an image."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise, estimate_noise
from napari_lotadenoise.errors import AxesError, ImageError
from napari_lotadenoise.image.cached import Cached, cached
from tests.helpers import scene


@pytest.fixture
def image():
    return scene((40, 48)) + np.random.default_rng(0).normal(0, 10, (40, 48)).astype(np.float32)


KINDS = {
    "list": lambda image: image.tolist(),
    "tensor": lambda image: torch.from_numpy(image).requires_grad_(),
    "Fortran": np.asfortranarray,
    "big-endian": lambda image: image.astype(">f4"),
    "masked, but nothing is": np.ma.masked_array,
    "xarray": lambda image: pytest.importorskip("xarray").DataArray(image, dims=("y", "x")),
    "dask": lambda image: pytest.importorskip("dask.array").from_array(image, chunks=17),
    "zarr": lambda image: pytest.importorskip("zarr").array(image, chunks=(16, 16)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_array_gives_what_numpy_gives(image, kind):
    found = denoise(KINDS[kind](image), "gaussian").image
    np.testing.assert_allclose(found, denoise(image, "gaussian").image, atol=1e-3)


def test_bfloat16_tensors_are_read(image):
    assert denoise(torch.from_numpy(image).bfloat16(), "gaussian").image.shape == (40, 48)


def test_dask_arrays_of_unknown_shape_are_refused_with_a_way_out(image):
    dask = pytest.importorskip("dask.array")
    lazy = dask.from_array(image, chunks=16)
    unknown = lazy[lazy[:, 0] > 0]
    with pytest.raises(ImageError, match=r"unknown shape .* compute_chunk_sizes\(\)"):
        denoise(unknown, "gaussian")


def test_ragged_lists_are_refused():
    with pytest.raises(ImageError, match="rows have different lengths"):
        denoise([[1.0, 2.0], [3.0]], "gaussian")


def test_axes_may_be_a_sequence_of_letters(image):
    assert denoise(image, "gaussian", ("Y", "X")).recipe.axes == "YX"
    assert estimate_noise(image[None], ["Z", "Y", "X"]).sigma > 0
    with pytest.raises(AxesError, match="one letter for each dimension"):
        denoise(image, "gaussian", ("y", 3))


def test_chunks_of_dask_are_computed_once_and_let_go_with_their_array():
    dask = pytest.importorskip("dask.array")
    rng = np.random.default_rng(0)
    data = rng.normal(100, 10, (3, 2, 64, 64)).astype(np.float32)
    computed = []

    def load(block_info=None):
        where = block_info[None]["array-location"]
        computed.append(str(where))
        return data[tuple(slice(*span) for span in where)]

    lazy = dask.map_blocks(load, chunks=((1, 1, 1), (1, 1), (40, 24), (64,)), dtype=np.float32)
    report = estimate_noise(lazy, "TZYX")
    result = denoise(lazy, "gaussian", "TZYX")
    assert report.sigma == estimate_noise(data, "TZYX").sigma
    np.testing.assert_array_equal(result.image, denoise(data, "gaussian", "TZYX").image)
    assert len(computed) == len(set(computed)) == 12
    watch = weakref.ref(lazy)
    del lazy, result
    gc.collect()
    assert watch() is None


def test_what_is_cached_is_what_numpy_gives():
    dask = pytest.importorskip("dask.array")
    data = np.arange(5 * 7 * 9).reshape(5, 7, 9)
    array = dask.from_array(data, chunks=(2, 3, 4))
    lazy = cached(array)
    for index in [
        ...,
        0,
        -1,
        (slice(1, 4), 2),
        (slice(None), slice(3, 3)),
        (4, slice(2, 6), slice(None, None, 2)),
        (..., 8),
    ]:
        np.testing.assert_array_equal(lazy[index], data[index])
    small = Cached(array, budget=200)
    np.testing.assert_array_equal(small[...], data)
    np.testing.assert_array_equal(small[1:5, 2:7, 3:9], data[1:5, 2:7, 3:9])
    with pytest.raises(IndexError, match="no index 5"):
        lazy[5]
