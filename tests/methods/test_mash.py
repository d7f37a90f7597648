"""MASH: masks, the statistic e that tells correlated noise, the tiles that are shuffled, and what it gains by them."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods.mash import HIGH, LOW, MASH, MIDDLE, chosen_share, typical_error
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.ops.tile_shuffling import flat_tiles, shuffled, visible_mean
from tests.helpers import quick, scene


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def correlated(truth: np.ndarray, width: float = 1.0, sigma: float = 20) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal(truth.shape), width)
    return (truth + sigma * noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize(
    ("e", "share"), [(0.0, LOW), (1.5, LOW), (1.51, MIDDLE), (2.49, MIDDLE), (2.5, HIGH), (9.0, HIGH)]
)
def test_the_share_follows_the_published_bounds_of_e(e, share):
    assert chosen_share(e) == share


def test_the_loss_is_the_error_at_hidden_pixels_that_the_network_does_not_see():
    method, y = MASH(), torch.randn(2, 3, 16, 16, generator=seeded())
    net, state = method.network(3, 2).eval(), method.prepare(y)
    method.before_step(net, state, StepContext(1, 100, seeded()))
    step_output = method.step(net, y, state, StepContext(1, 100, seeded(5)))
    mask = ops.bernoulli((2, 1, 16, 16), 0.8, seeded(5)).float()
    assert torch.equal(step_output.maps["mask"], mask)
    error = (net(torch.where(mask > 0, visible_mean(y, mask), y)) - y) ** 2 * mask
    torch.testing.assert_close(
        step_output.losses["hidden pixels"], error.sum() / (3 * mask.sum()), rtol=1e-4, atol=1e-6
    )
    assert step_output.maps["shuffled"].sum() == 0


def test_both_shares_take_turns_until_one_is_chosen():
    method, y = MASH(probing=0.4), torch.randn(1, 1, 16, 16, generator=seeded())
    net, state = method.network(1, 2).eval(), method.prepare(y)
    state.sigmas = {LOW: torch.tensor(1.0), HIGH: torch.tensor(1.0 + 2 * state.level)}
    seen = []
    for step in range(10):
        method.before_step(net, state, StepContext(step, 10, seeded(step)))
        seen.append(state.hidden)
    assert seen == [LOW, HIGH, LOW, HIGH] + [MIDDLE] * 6


def test_the_typical_error_is_the_deviation_of_normal_noise_and_passes_over_outliers():
    noise = 3 * torch.randn(1, 2, 128, 128, generator=seeded())
    mask = ops.bernoulli((1, 1, 128, 128), 0.2, seeded(1)).float()
    assert typical_error(torch.zeros_like(noise), noise, mask).item() == pytest.approx(3, rel=0.05)
    noise[..., :10] += 1000
    assert typical_error(torch.zeros_like(noise), noise, mask).item() == pytest.approx(3, rel=0.15)
    assert typical_error(noise, noise, 0 * mask) == 0


def test_hidden_pixels_are_replaced_by_the_mean_of_visible_ones():
    image, mask = torch.randn(1, 2, 12, 12, generator=seeded()), ops.bernoulli((1, 1, 12, 12), 0.5, seeded(1)).float()
    found = visible_mean(image, mask)
    weights, total, norm = np.array([1, 4, 6, 4, 1]), 0.0, 0.0
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            weight = weights[dy + 2] * weights[dx + 2] * (1 - mask[0, 0, 6 + dy, 5 + dx])
            total, norm = total + weight * image[0, 1, 6 + dy, 5 + dx], norm + weight
    assert found[0, 1, 6, 5].item() == pytest.approx((total / norm).item(), rel=1e-4)
    assert visible_mean(image, torch.ones_like(mask)).abs().max() == 0


@pytest.mark.parametrize("shape", [(2, 3, 9, 13), (1, 1, 2, 8, 8)])
def test_pixels_are_shuffled_within_their_tile_and_with_all_their_channels(shape):
    image = torch.arange(float(np.prod(shape))).reshape(shape)
    mixed = shuffled(image, 4, seeded())
    rows, columns = (n // 4 * 4 for n in shape[-2:])
    for y in range(0, rows, 4):
        for x in range(0, columns, 4):
            before, after = (i[..., y : y + 4, x : x + 4].flatten(-2) for i in (image, mixed))
            assert torch.equal(after.sort(-1).values, before)
            assert not torch.equal(after, before)
    assert torch.equal(mixed[..., rows:, :], image[..., rows:, :])
    assert torch.equal(mixed[..., columns:], image[..., columns:])
    assert torch.equal(mixed - mixed[:, :1], image - image[:, :1])


def test_every_place_of_a_tile_is_as_likely():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    mean = torch.stack([shuffled(image, 4, seeded(n)) for n in range(400)]).mean(0)
    assert (mean - 7.5).abs().max() < 1.2


def test_flat_tiles_are_those_whose_mean_over_channels_hardly_varies():
    image = torch.zeros(1, 2, 10, 12)
    image[0, :, 0, 0] = torch.tensor([8.0, -8.0])  # cancels in the mean of the channels
    image[0, :, 0, 4] = 8.0
    image[0, :, :, 8:] = 5.0
    flat = flat_tiles(image, 4, 1.0)
    expected = torch.zeros(1, 1, 10, 12)
    expected[..., :8, :] = 1
    expected[..., :4, 4:8] = 0
    assert torch.equal(flat, expected)


@pytest.mark.slow
def test_e_tells_correlated_noise_from_white_noise():
    truth = scene((96, 96))
    white = truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)
    options = quick("mash", steps=300, probing=0.9)
    low, high = (denoise(image, "mash", **options).history["e"][-1] for image in (white, correlated(truth)))
    assert low < 1.5
    assert high > low + 1


@pytest.mark.slow
def test_correlated_noise_is_reduced_where_a_small_blind_spot_keeps_it():
    truth = scene((96, 96))
    noisy = correlated(truth, sigma=40)
    ours, small = (denoise(noisy, "mash", **quick("mash", steps=300, hidden=hidden)) for hidden in (0.0, LOW))
    assert psnr(ours.image, truth, 255) > psnr(noisy, truth, 255) + 2
    assert psnr(ours.image, truth, 255) > psnr(small.image, truth, 255) + 2.5
    assert {"sigma 0.2", "sigma 0.8", "e"} <= set(ours.history)


def test_sigmas_are_shown_in_intensities_and_e_in_255ths_of_the_range(truth, noisy):
    runs = [denoise(factor * noisy, "mash", **quick("mash", steps=40)).history for factor in (1, 64)]
    assert runs[1]["sigma 0.2"][-1] == pytest.approx(64 * runs[0]["sigma 0.2"][-1], rel=1e-3)
    assert runs[1]["e"][-1] == pytest.approx(runs[0]["e"][-1], rel=1e-3)
    low, high = np.percentile(noisy, (0.1, 99.9))
    e = abs(runs[0]["sigma 0.8"][-1] - runs[0]["sigma 0.2"][-1]) / ((high - low) / 255)
    assert runs[0]["e"][-1] == pytest.approx(e, rel=0.02)
