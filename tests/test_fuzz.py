"""Random tiny images of every kind, through every kind of container, with methods and options: a result, or one sentence.

The suite draws a few, the same ones each time; ``make fuzz`` draws thousands of new ones.
"""

from __future__ import annotations

import math
import os
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from napari_lotadenoise import METHODS, denoise, estimate_noise
from napari_lotadenoise.errors import LotaDenoiseError
from tests.helpers import SINGLE, quick

#: Examples of each test: so many in the suite, or as ``FUZZ`` tells.
EXAMPLES = int(os.environ.get("FUZZ", "60"))
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="FUZZ" not in os.environ, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
FILTERS = [name for name in SINGLE if not METHODS[name].trained and name not in ("instant", "bm3d")]
DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f4"]
VALUES = {
    "noise": lambda rng, shape: rng.normal(100, 20, shape),
    "photons": lambda rng, shape: rng.poisson(2.0, shape).astype(float),
    "constant": lambda rng, shape: np.full(shape, 7.0),
    "ramp": lambda rng, shape: np.broadcast_to(np.arange(shape[-1], dtype=float), shape).copy(),
    "checkerboard": lambda rng, shape: np.indices(shape).sum(0) % 2 * 100.0,
    "two levels": lambda rng, shape: rng.choice([0.0, 200.0], shape),
    "outliers": lambda rng, shape: np.where(rng.random(shape) < 0.01, 1e5, rng.normal(50, 5, shape)),
    "padded": lambda rng, shape: rng.normal(100, 20, shape) * (np.arange(shape[-1]) < shape[-1] // 2),
    "nan": lambda rng, shape: np.where(rng.random(shape) < 0.1, np.nan, rng.normal(100, 20, shape)),
    "inf": lambda rng, shape: np.where(rng.random(shape) < 0.05, np.inf, rng.normal(100, 20, shape)),
    "huge": lambda rng, shape: rng.normal(0, 1e15, shape),
    "tiny": lambda rng, shape: rng.normal(0, 1e-30, shape),
    "denormal": lambda rng, shape: rng.normal(0, 1e-42, shape),
    "offset": lambda rng, shape: 1e6 + rng.normal(0, 1, shape),
}


def _masked(image):
    return np.ma.masked_array(image, np.arange(image.size).reshape(image.shape) % 5 == 0)


def _read_only(image):
    image.setflags(write=False)
    return image


def _dask(image):
    return pytest.importorskip("dask.array").from_array(image, chunks=5)


def _zarr(image):
    return pytest.importorskip("zarr").array(image, chunks=(5,) * image.ndim)


def _xarray(image):
    return pytest.importorskip("xarray").DataArray(image)


CONTAINERS = {
    "array": lambda image: image, "Fortran": np.asfortranarray, "read-only": _read_only, "list": lambda image: image.tolist(),
    "masked": _masked, "strided": lambda image: np.repeat(image, 2, -1)[..., ::2], "dask": _dask, "zarr": _zarr,
    "xarray": _xarray, "tensor": lambda image: torch.from_numpy(np.ascontiguousarray(image.astype(np.float32))),
}  # fmt: skip
SHAPES = st.one_of(
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.tuples(st.integers(1, 3), st.integers(4, 20), st.integers(4, 20)),
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(4, 16), st.integers(4, 16)),
)
AXES = {2: ["YX", "XY", None], 3: ["ZYX", "TYX", "CYX", "YXC", "PYX", None], 4: ["TCYX", "CZYX", "TZYX", "ZYXC"]}


def image_of(kind: str, dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """An image of one kind of values in a data type, wrapped and clipped as a camera would."""
    values = VALUES[kind](np.random.default_rng(seed), shape)
    with np.errstate(all="ignore"):
        if np.dtype(dtype).kind == "f":
            return values.astype(dtype)
        limits = np.iinfo(dtype)
        return np.clip(np.nan_to_num(values), float(limits.min) / 2, float(limits.max) / 2).astype(dtype)


def check_sentence(error: Exception) -> None:
    """Check that a refusal is a sentence, in one line."""
    assert str(error)
    assert "\n" not in str(error)


def assert_alike(one: np.ndarray, other: np.ndarray, method: str) -> None:
    """Assert that two results are the same within rounding; in NL-Ridge a last bit decides which of two patches is more alike."""
    assert np.sqrt(np.mean((one - other) ** 2)) < 0.2, "a hundredth of the noise"
    if method != "nl-ridge":
        np.testing.assert_allclose(one, other, atol=0.01)


def tried(image, *arguments, **options):
    """A result, or None where the image was refused, in one line; anything else fails the test."""
    try:
        return denoise(image, *arguments, threads=1, **options)
    except LotaDenoiseError as error:
        check_sentence(error)
        return None


@FUZZ
@given(
    kind=st.sampled_from(list(VALUES)), dtype=st.sampled_from(DTYPES), shape=SHAPES, seed=st.integers(0, 99),
    container=st.sampled_from(list(CONTAINERS)), method=st.sampled_from([*FILTERS, "auto", "instant"]), data=st.data(),
)  # fmt: skip
def test_any_image_gives_a_finite_result_of_its_shape_or_a_sentence(kind, dtype, shape, seed, container, method, data):
    axes = data.draw(st.sampled_from(AXES[len(shape)]))
    options = {"fill": data.draw(st.booleans()), "outliers": data.draw(st.sampled_from(["repair", "keep"]))}
    image = image_of(kind, dtype, shape, seed)
    given_image = CONTAINERS[container](image.copy())
    before = np.array(given_image)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = tried(given_image, method, axes, **options)
    np.testing.assert_array_equal(np.asarray(given_image), before)
    if result is None:
        return
    assert result.image.shape == shape
    assert np.isfinite(np.ma.getdata(result.image)).all() or options["outliers"] == "keep"
    assert all(math.isfinite(value) for value in result.recipe.residual.values())
    assert result.recipe.to_json()


@settings(FUZZ, max_examples=max(10, EXAMPLES // 4))
@given(method=st.sampled_from([name for name in SINGLE if METHODS[name].trained]), kind=st.sampled_from(list(VALUES)),
       dtype=st.sampled_from(DTYPES), shape=SHAPES, seed=st.integers(0, 9))  # fmt: skip
def test_what_learns_gives_a_finite_result_or_a_sentence(method, kind, dtype, shape, seed):
    axes = {2: "YX", 3: "TYX", 4: "TCYX"}[len(shape)]
    result = tried(image_of(kind, dtype, shape, seed), method, axes, fill=True, **quick(method, steps=2, batch=1))
    if result is not None:
        assert result.image.shape == shape
        assert np.isfinite(result.image).all()


@settings(FUZZ, max_examples=max(10, EXAMPLES // 4))
@given(
    method=st.sampled_from(FILTERS),
    seed=st.integers(0, 99),
    exponent=st.integers(-20, 20),
    offset=st.sampled_from([0, 64, -512]),
)
def test_a_unit_and_an_offset_change_nothing_else(method, seed, exponent, offset):
    image = np.rint(np.random.default_rng(seed).normal(100, 20, (24, 28)))
    first = denoise(image, method, stabilise="off", threads=1).image
    moved = denoise(image * 2.0**exponent, method, stabilise="off", threads=1).image / np.float32(2.0**exponent)
    assert_alike(moved, first, method)
    assume(offset)
    shifted = denoise(image + offset, method, stabilise="off", threads=1).image - offset
    assert_alike(shifted, first, method)


@FUZZ
@given(kind=st.sampled_from(list(VALUES)), dtype=st.sampled_from(DTYPES), shape=SHAPES, seed=st.integers(0, 99))
def test_the_report_of_any_image_is_made_of_numbers_or_a_sentence(kind, dtype, shape, seed):
    axes = {2: "YX", 3: "ZYX", 4: "TCYX"}[len(shape)]
    try:
        report = estimate_noise(image_of(kind, dtype, shape, seed), axes, fill=True)
    except LotaDenoiseError as error:
        check_sentence(error)
        return
    numbers = [value for value in report.numbers().values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in numbers), report.numbers()
    assert report.verdict
