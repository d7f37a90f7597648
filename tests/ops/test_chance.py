"""Random fields: the same number at the same place, whatever the tile; and the distributions that they promise."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from napari_lotadenoise import ops
from napari_lotadenoise.ops import RandomField

CPU = torch.device("cpu")


def field(origin, size, *, key=(0, 1, 2), orientation=0) -> RandomField:
    return RandomField(key, origin, size, CPU, orientation)


@pytest.mark.parametrize("draw", ["uniform", "normal", "bernoulli"])
@pytest.mark.parametrize(("shrink", "channels"), [(1, 1), (2, 12), (4, 3)])
def test_a_tile_has_the_numbers_of_the_whole_image_at_its_place(draw, shrink, channels):
    def drawn(origin, size):
        shape = (2, channels, *(side // shrink for side in size))
        more = (0.3,) if draw == "bernoulli" else ()
        return getattr(field(origin, size), draw)(shape, *more)

    whole, tile = drawn((-8, -16), (64, 96)), drawn((8, 16), (32, 48))
    rows, columns = (slice(start // shrink, (start + side) // shrink) for start, side in ((16, 32), (32, 48)))
    assert torch.equal(whole[..., rows, columns], tile)


def test_a_tile_of_a_volume_has_the_numbers_of_the_whole_volume_at_its_place():
    whole = field((0, 0, 0), (8, 16, 16)).normal((1, 2, 8, 16, 16))
    tile = field((3, 4, 8), (4, 8, 8)).normal((1, 2, 4, 8, 8))
    assert torch.equal(whole[:, :, 3:7, 4:12, 8:16], tile)


@pytest.mark.parametrize("orientation", range(ops.ORIENTATIONS))
def test_a_rotated_tile_has_the_rotated_numbers(orientation):
    plain = field((16, 32), (32, 32)).normal((1, 2, 32, 32))
    turned = field((16, 32), (32, 32), orientation=orientation).normal((1, 2, 32, 32))
    assert torch.equal(ops.flip_rotate(plain, orientation), turned)


def test_keys_and_draws_have_numbers_of_their_own():
    one = field((0, 0), (64, 64))
    drawn = [
        one.normal((1, 1, 64, 64)),
        one.normal((1, 1, 64, 64)),
        field((0, 0), (64, 64), key=(0, 1, 3)).normal((1, 1, 64, 64)),
    ]
    for a, b in itertools.combinations(drawn, 2):
        assert abs(float((a * b).mean())) < 4 / 64  # four deviations of the mean of 64^2 products


def test_numbers_follow_their_distributions_and_neighbours_are_independent():
    one = field((0, 0), (256, 256))
    uniform, normal = one.uniform((1, 1, 256, 256)), one.normal((1, 1, 256, 256))
    assert stats.kstest(uniform.flatten().numpy(), "uniform").pvalue > 1e-3
    assert stats.kstest(normal.flatten().numpy(), "norm").pvalue > 1e-3
    for shifted in (normal[..., 1:, :] * normal[..., :-1, :], normal[..., 1:] * normal[..., :-1]):
        assert abs(float(shifted.mean())) < 4 / 256
    kept = one.bernoulli((1, 16, 128, 128), 0.25).float().flatten(2)[0]
    assert torch.allclose(kept.mean(1), torch.tensor(0.25), atol=4 * (0.25 * 0.75) ** 0.5 / 128)
    correlation = np.corrcoef(kept.numpy()) - np.eye(16)
    assert np.abs(correlation).max() < 4.5 / 128  # of 120 pairs


@pytest.mark.parametrize(
    ("count", "probability"), [(3, 0.2), (40, 0.2), (79, 0.2), (500, 0.2), (5000, 0.7), (100, 0.0025)]
)
def test_binomial_draws_have_the_mean_variance_and_shape_of_the_distribution(count, probability):
    drawn = (
        field((0, 0), (256, 256)).binomial(torch.full((1, 1, 256, 256), float(count)), probability).flatten().numpy()
    )
    known, draws = stats.binom(count, probability), drawn.size
    assert abs(drawn.mean() - known.mean()) < 4 * known.std() / draws**0.5
    assert abs(drawn.var() / known.var() - 1) < 4 * (2 / draws) ** 0.5 + 1e-2
    # As far from the distribution as as many draws of numpy are, about.
    share = np.bincount(drawn.astype(int), minlength=count + 1) / draws
    other = np.bincount(np.random.default_rng(0).binomial(count, probability, draws), minlength=count + 1) / draws
    expected = known.pmf(np.arange(count + 1))
    assert np.abs(share - expected).sum() < 1.5 * np.abs(other - expected).sum() + 5e-3


def test_a_generator_draws_as_torch_does():
    image = torch.zeros(1, 2, 8, 8)
    again = torch.Generator().manual_seed(3)
    drawn = ops.normal(image, torch.Generator().manual_seed(3))
    assert torch.equal(drawn, torch.randn(image.shape, generator=again))
