"""Lazy pairs of images: what they hold, and that nothing is computed before it is looked at."""

import numpy as np
import pytest

from napari_lotadenoise.image.derived import Blend, Difference, Split

#: Indices of arrays of three axes: whole, rows, single pixels, steps, backwards, lists and masks.
INDICES = [
    ...,
    0,
    -1,
    (slice(None), 3),
    (..., 5),
    (1, 2, 4),
    (0, slice(1, 4), slice(2, 7)),
    (slice(None), slice(None, None, 2), slice(None, None, -1)),
    (..., slice(-3, None)),
    (1, ..., None),
    ([0, 1], [2, 3], [4, 5]),
    np.arange(2 * 5 * 8).reshape(2, 5, 8) % 3 == 0,
]


class Counted:
    """Indexes like the array it holds, and notes what was asked for."""

    def __init__(self, array):
        self._array, self.asked = array, []
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        self.asked.append(index)
        return self._array[index]


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 4000, (2, 5, 8)).astype(np.uint16), (4000 * rng.random((2, 5, 8))).astype(np.float32)]


@pytest.mark.parametrize("strength", [0, 0.3, 1])
def test_a_mix_is_the_weighted_mean(pair, strength):
    noisy, denoised = pair
    mixed = np.asarray(Blend(noisy, denoised, strength))
    assert mixed.dtype == np.float32
    if strength in (0, 1):
        assert np.array_equal(mixed, (noisy.astype(np.float32), denoised)[strength]), "the ends are exact"
    expected = strength * denoised.astype(np.float64) + (1 - strength) * noisy.astype(np.float64)
    np.testing.assert_allclose(mixed, expected, rtol=3e-7)


def test_the_weight_of_a_blend_may_be_changed(pair):
    mix = Blend(*pair)
    assert np.array_equal(mix[0], pair[1][0])
    mix.blend = 0.0
    assert np.array_equal(mix[0], pair[0][0])


@pytest.mark.parametrize("strength", [0, 0.3, 1])
def test_where_the_noisy_image_is_not_finite_a_mix_is_the_denoised_one(strength):
    noisy, denoised = np.array([[np.nan, np.inf], [-np.inf, 5.0]], np.float32), np.array([[1.0, 2.0], [3.0, 10.0]])
    mixed = np.asarray(Blend(noisy, denoised, strength))
    assert mixed[:1].tolist() == [[1, 2]]
    assert mixed[1].tolist() == pytest.approx([3, 5 + 5 * strength])


def test_a_difference_is_the_first_less_the_second_and_may_be_negative(pair):
    expected = pair[0].astype(np.float32) - pair[1]
    assert expected.min() < 0
    assert np.array_equal(np.asarray(Difference(*pair)), expected)


@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index)[:30])
def test_indexing_and_combining_may_change_places(pair, index):
    for lazy in (
        Blend(*pair, 0.3),
        Difference(*pair),
        Split(*pair, 4),
        Split(*pair, 2, axis=1),
        Split(*pair, 1, axis=0),
    ):
        found, expected = lazy[index], np.asarray(lazy)[index]
        assert np.shape(found) == np.shape(expected)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("column", range(9))
def test_a_split_is_the_first_image_left_of_its_column(pair, column):
    first, second = pair
    expected = np.concatenate([first[..., :column].astype(np.float32), second[..., column:]], -1)
    assert np.array_equal(np.asarray(Split(first, second, column)), expected)


def test_the_column_of_a_split_may_be_changed(pair):
    split = Split(*pair, 0)
    assert np.array_equal(split[1], pair[1][1])
    split.column = 8
    assert np.array_equal(split[1], pair[0][1])


@pytest.mark.parametrize("axis", [1, -2])
def test_colours_are_split_along_x_and_not_along_the_colours(axis):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 6, 7, 3)).astype(np.uint8)
    split = Split(first, second, 4, axis=axis)
    expected = np.concatenate([first[:, :4], second[:, 4:]], 1)
    assert np.array_equal(np.asarray(split), expected)
    assert np.array_equal(split[2, 3:5], expected[2, 3:5])
    assert np.array_equal(split[..., 1], expected[..., 1])
    assert np.array_equal(split[:, 3], first[:, 3])
    assert np.array_equal(split[:, 4], second[:, 4])


def test_it_looks_like_an_array(pair):
    mix = Blend(*pair, 0.3)
    assert (mix.shape, mix.ndim, mix.size, len(mix), mix.dtype) == ((2, 5, 8), 3, 80, 2, np.float32)
    assert [plane.shape for plane in mix] == [(5, 8), (5, 8)]
    assert np.asarray(mix, dtype=np.float64).dtype == np.float64
    assert np.array_equal(np.asarray(mix, dtype=np.float64), np.asarray(mix))
    assert np.array(mix).mean() == pytest.approx(0.3 * pair[1].mean() + 0.7 * pair[0].mean(), rel=1e-6)


def test_numpy_is_told_where_it_must_not_copy(pair):
    with pytest.raises(ValueError, match="copy"):
        np.array(Blend(*pair), copy=False)


def test_dask_takes_it_for_an_array(pair):
    dask = pytest.importorskip("dask.array")
    parts = [Counted(part) for part in pair]
    lazy = dask.from_array(Difference(*parts), chunks=(1, 5, 8))
    assert not any(np.empty(part.shape)[index].size for part in parts for index in part.asked)
    assert np.array_equal(lazy[1, :, ::2].compute(scheduler="synchronous"), np.asarray(Difference(*pair))[1, :, ::2])


def test_napari_shows_it_slice_by_slice(pair):
    layers = pytest.importorskip("napari.layers")
    mix = Blend(*map(Counted, pair), 0.3)
    layer = layers.Image(mix, contrast_limits=(0, 4000))
    assert layer.data is mix
    assert layer.extent.data.tolist() == [[0, 0, 0], [1, 4, 7]]
    shown = [np.empty(mix.shape)[index].size for index in mix.first.asked]
    assert shown
    assert max(shown) <= 5 * 8, "never the whole stack"


def test_nothing_is_computed_before_it_is_indexed_and_then_only_what_is_asked_for(pair):
    for kind in (Blend, Difference, lambda first, second: Split(first, second, 4)):
        parts = [Counted(part) for part in pair]
        lazy = kind(*parts)
        assert (lazy.shape, lazy.ndim, lazy.size, len(lazy), lazy.dtype) == ((2, 5, 8), 3, 80, 2, np.float32)
        assert [part.asked for part in parts] == [[], []]
        lazy[1, 2:4]
        assert [part.asked for part in parts] == [[(1, slice(2, 4))]] * 2


def test_a_pair_of_pairs_is_lazy_too(pair):
    parts = [Counted(part) for part in pair]
    lazy = Difference(parts[0], Blend(*parts, 0.25))
    assert parts[1].asked == []
    np.testing.assert_allclose(lazy[1], 0.25 * (pair[0][1].astype(np.float32) - pair[1][1]), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", [Blend, Difference, lambda *pair: Split(*pair, 3)])
def test_images_of_other_shapes_are_no_pair(kind):
    with pytest.raises(ValueError, match=r"\(4, 5\) and \(5, 4\) are not the same"):
        kind(np.zeros((4, 5)), np.zeros((5, 4)))
