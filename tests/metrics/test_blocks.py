"""Means of maps and how sure one is of them, from sums over blocks."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.metrics import Blocks
from napari_lotadenoise.metrics.estimate import BLOCK, mean_and_error


def whole_numbers(shape, seed=0):
    """Values whose sums are exact in any order."""
    return np.random.default_rng(seed).integers(-50, 50, shape).astype(np.float32)


def test_the_mean_and_its_error_are_those_of_the_blocks():
    values = whole_numbers((48, 64))
    sums = np.array(
        [[values[y : y + 16, x : x + 16].sum(dtype=float) for x in range(0, 64, 16)] for y in range(0, 48, 16)]
    )
    found = Blocks.of(values)
    assert np.array_equal(found.sums, sums)
    assert np.all(found.numbers == BLOCK**2)
    assert found.mean == pytest.approx(values.mean(dtype=np.float64), rel=1e-12)
    assert found.standard_error == pytest.approx((sums / 256).std(ddof=1) / np.sqrt(12), rel=1e-12)
    assert mean_and_error(values) == (found.mean, found.standard_error)


def test_what_does_not_fill_a_block_belongs_to_the_last_one():
    found = Blocks.of(whole_numbers((37, 50)))
    assert found.numbers.tolist() == [[256, 256, 18 * 16], [21 * 16, 21 * 16, 21 * 18]]
    assert found.sums.sum() == whole_numbers((37, 50)).sum()


@pytest.mark.parametrize("shape", [(512, 512), (3, 256, 256), (256, 256, 3), (40, 40, 40), (4096,)])
def test_white_noise_has_the_error_of_independent_values(shape):
    values = np.random.default_rng(0).normal(3, 2, shape)
    found = Blocks.of(values)
    assert found.mean == pytest.approx(3, abs=4 * 2 / np.sqrt(values.size))
    blocks = found.numbers.size
    assert found.standard_error == pytest.approx(2 / np.sqrt(values.size), rel=4 / np.sqrt(2 * (blocks - 1)))


def test_values_that_go_together_make_the_mean_less_certain():
    """The error of correlated noise, against the spread of the means of many maps; that of single values is far too small."""
    maps = [ndimage.gaussian_filter(np.random.default_rng(s).standard_normal((128, 128)), 2.0) for s in range(200)]
    spread = np.std([m.mean() for m in maps])
    claimed = np.mean([Blocks.of(m).standard_error for m in maps])
    assert 0.7 * spread < claimed < 1.3 * spread
    assert np.mean([m.std() for m in maps]) / 128 < 0.3 * spread


def test_values_that_do_not_count_are_as_if_they_were_not_there():
    values = whole_numbers((48, 48))
    counted = np.random.default_rng(1).random(values.shape) < 0.4
    counted[:16, :16] = False
    found = Blocks.of(np.where(counted, values, np.nan), counted)
    assert found.mean == pytest.approx(values[counted].mean(dtype=np.float64), rel=1e-12)
    assert found.numbers[0, 0] == 0
    assert found.numbers.sum() == counted.sum()
    assert found.standard_error == pytest.approx(values[counted].std() / np.sqrt(counted.sum()), rel=0.8)
    assert mean_and_error(np.where(counted, values, 1e9), counted) == (found.mean, found.standard_error)


@pytest.mark.parametrize("shape", [(64, 64), (37, 90), (3, 40, 50)])
def test_the_difference_of_two_maps_is_that_of_the_map_of_differences(shape):
    one, other = whole_numbers(shape), whole_numbers(shape, 1)
    found, expected = Blocks.of(one) - Blocks.of(other), Blocks.of(one - other)
    assert np.array_equal(found.sums, expected.sums)
    assert (found.mean, found.standard_error) == (expected.mean, expected.standard_error)


def test_what_makes_both_maps_worse_in_one_place_falls_out_of_their_difference():
    shared = 1000 * np.add.outer(np.arange(128.0), np.arange(128.0))
    one, other = (shared + np.random.default_rng(s).normal(s, 1, shared.shape) for s in (1, 2))
    found = Blocks.of(other) - Blocks.of(one)
    assert Blocks.of(one).standard_error > 1000
    assert found.mean == pytest.approx(1, abs=4 * np.sqrt(2) / 128)
    assert found.standard_error == pytest.approx(np.sqrt(2) / 128, rel=0.4)


@pytest.mark.parametrize("shape", [(31, 31), (31, 16), (5, 7), (1, 1), (31,)])
def test_small_maps_are_one_block_of_single_values(shape):
    values = whole_numbers(shape)
    found = Blocks.of(values)
    assert found.sums.shape == (1,) * len(shape)
    assert found.mean == pytest.approx(values.mean())
    assert found.standard_error == pytest.approx(values.std() / np.sqrt(values.size))


def test_so_are_maps_of_fewer_than_four_blocks():
    values = whole_numbers((48, 20))
    found = Blocks.of(values)
    assert found.sums.shape == (3, 1)
    assert found.standard_error == pytest.approx(values.std() / np.sqrt(values.size))
    assert Blocks.of(whole_numbers((64, 20))).standard_error != pytest.approx(values.std() / np.sqrt(64 * 20), rel=1e-6)


def test_the_difference_of_small_maps_is_as_certain_as_that_of_independent_values():
    one, other = whole_numbers((20, 30)), whole_numbers((20, 30), 1)
    found, expected = Blocks.of(one) - Blocks.of(other), Blocks.of(one - other)
    assert found.mean == expected.mean
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.1)
