"""Recorruption against the statistics that it promises, and both methods that are built on it."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods._recorruption import NoiseLaw, measured_law, target_share
from napari_lotadenoise.methods.noisier2noise import Noisier2Noise
from napari_lotadenoise.methods.recorrupted2recorrupted import Recorrupted2Recorrupted
from napari_lotadenoise.metrics import psnr
from tests.helpers import scene

SIDE = 256


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law(kind: str, gain: float, offset: float) -> NoiseLaw:
    return NoiseLaw(kind, torch.full((1, 1, 1), gain), torch.full((1, 1, 1), offset), 1e-6)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


@pytest.fixture(scope="module")
def photons() -> tuple[torch.Tensor, torch.Tensor]:
    """Counts of 2 to 22 photons at 3 grey levels each above a pedestal of 10, and their expectation."""
    mean = torch.linspace(2, 22, SIDE).expand(1, 1, SIDE, SIDE)
    return 10 + 3 * torch.poisson(mean, seeded(1)), 10 + 3 * mean


@pytest.mark.parametrize("strength", [0.3, 0.5, 1.0, 2.0])
def test_normal_noise_is_split_into_independent_halves_of_the_variances_they_should_have(strength):
    clean = torch.zeros(1, 1, SIDE, SIDE)
    noisy = clean + 0.7 * torch.randn(clean.shape, generator=seeded(1))
    one, other = law("constant", 0.0, 0.49).split(noisy, strength, seeded(2))
    assert abs(correlation(one, other)) < 4 / SIDE
    assert one.std().item() == pytest.approx(0.7 * (1 + strength**2) ** 0.5, rel=0.02)
    assert other.std().item() == pytest.approx(0.7 * (1 + strength**-2) ** 0.5, rel=0.02)
    share = target_share(strength)
    torch.testing.assert_close((1 - share) * one + share * other, noisy, rtol=0, atol=1e-5)


def test_a_level_that_is_too_low_leaves_the_halves_correlated():
    noisy = torch.randn(1, 1, SIDE, SIDE, generator=seeded(1))
    one, other = law("constant", 0.0, 0.5).split(noisy, 1.0, seeded(2))
    assert correlation(one, other) > 0.2


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_photons_are_split_into_independent_counts_whose_sum_is_the_image(photons, strength):
    noisy, mean = photons
    one, other = law("photons", 3.0, -30.0).split(noisy, strength, seeded(2))
    share = target_share(strength)
    torch.testing.assert_close((1 - share) * one + share * other, noisy, rtol=0, atol=1e-4)
    assert abs(correlation(one - mean, other - mean)) < 4 / SIDE
    for half, part in ((one, 1 - share), (other, share)):
        counts = (half - 10) * part / 3
        torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-4)
        assert (half - mean).mean().item() == pytest.approx(0, abs=0.2)
        # A Poisson count has the variance of its mean, at every brightness.
        for columns in (slice(0, 64), slice(192, 256)):
            variance = (half - mean)[..., columns].var().item()
            assert variance == pytest.approx(3 * (mean[..., columns] - 10).mean().item() / part, rel=0.05)


def test_signal_dependent_noise_is_split_into_independent_halves_at_every_brightness(photons):
    noisy, mean = photons
    one, other = law("signal-dependent", 3.0, -30.0).split(noisy, 0.5, seeded(2))
    for columns in (slice(0, 64), slice(96, 160), slice(192, 256)):
        assert abs(correlation((one - mean)[..., columns], (other - mean)[..., columns])) < 0.035
    constant, opposite = law("constant", 0.0, float((noisy - mean).var())).split(noisy, 0.5, seeded(2))
    assert abs(correlation((constant - mean)[..., :64], (opposite - mean)[..., :64])) > 0.2


def test_values_between_photons_and_below_none_keep_the_sum():
    noisy = 5 * torch.randn(1, 1, 32, 32, generator=seeded(1))
    one, other = law("photons", 2.0, 0.0).split(noisy, 0.5, seeded(2))
    assert one.min() >= 0
    torch.testing.assert_close(0.8 * one + 0.2 * other, noisy, rtol=0, atol=1e-5)


def test_the_law_is_measured_a_channel_at_a_time_and_brought_to_a_known_deviation():
    clean = torch.from_numpy(scene((2, 128, 128)))[None] / 40 - 3
    sigmas = torch.tensor([0.2, 0.5]).reshape(2, 1, 1)
    training_images = clean + sigmas * torch.randn(clean.shape, generator=seeded(1))
    found = measured_law(training_images, "constant").variance(training_images).mean((0, 2, 3)).sqrt()
    torch.testing.assert_close(found, sigmas.flatten(), rtol=0.15, atol=0)
    for kind in ("constant", "signal-dependent"):
        known = measured_law(training_images, kind, 0.3).variance(training_images).mean().sqrt().item()
        assert known == pytest.approx(0.3, rel=0.05)


def test_noise_that_does_not_grow_makes_many_small_photons():
    noisy = torch.from_numpy(scene((1, 1, 128, 128))) / 40 - 3 + 0.5 * torch.randn(1, 1, 128, 128, generator=seeded(1))
    found = measured_law(noisy, "photons")
    one, other = found.split(noisy, 1.0, seeded(2))
    assert found.gain.min() > 0
    assert (one - other).std().item() == pytest.approx(2 * 0.5, rel=0.1)


def context() -> StepContext:
    return StepContext(0, 10, seeded(5))


def test_the_loss_is_that_of_the_paper():
    """|f(y + alpha m) - (y - m / alpha)|^2 with m ~ N(0, sigma^2), written out."""
    method, y = Recorrupted2Recorrupted(noise="constant", strength=0.4), torch.randn(2, 1, 32, 32, generator=seeded())
    net = method.network(1, 2).eval()
    loss = method.step(net, y, law("constant", 0.0, 0.09), context()).losses["pair"]
    m = 0.3 * torch.randn(y.shape, generator=seeded(5))
    expected = ((net(y + 0.4 * m) - (y - m / 0.4)) ** 2).mean()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_noisier2noise_learns_the_image_and_steps_beyond_it(strength):
    method, y = Noisier2Noise(noise="constant", strength=strength), torch.randn(1, 1, 32, 32, generator=seeded())
    net, state = method.network(1, 2).eval(), law("constant", 0.0, 0.09)
    z = y + strength * 0.3 * torch.randn(y.shape, generator=seeded(5))
    loss = method.step(net, y, state, context()).losses["pair"]
    f = z - net(z)
    torch.testing.assert_close(loss, ((f - y) ** 2).mean(), rtol=1e-4, atol=1e-6)
    expected = ((1 + strength**2) * f - z) / strength**2
    torch.testing.assert_close(method.sample(net, y, state, seeded(5)), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["constant", "photons"])
def test_the_best_prediction_of_the_noisy_image_gives_the_clean_one(kind):
    """For a flat image E[y | z] is known: (z + alpha^2 x) / (1 + alpha^2)."""
    x = 20.0
    y = torch.poisson(torch.full((1, 1, 64, 64), x), seeded(1))
    method = Noisier2Noise(noise=kind, strength=0.7)
    state = law(kind, 1.0, 0.0) if kind == "photons" else law(kind, 0.0, x)
    clean = method.sample(lambda z: z - (z + 0.49 * x) / 1.49, y, state, seeded(2))
    torch.testing.assert_close(clean, torch.full_like(clean, x), rtol=0, atol=1e-3)


@pytest.mark.parametrize("method", ["recorrupted2recorrupted", "noisier2noise"])
@pytest.mark.parametrize("noise", ["photons", "signal-dependent", "constant"])
def test_the_error_falls_on_photon_noise(method, noise):
    truth = scene((64, 64)) / 10
    noisy = np.random.default_rng(1).poisson(truth).astype(np.float32)
    result = denoise(noisy, method, noise=noise, steps=150, width=8, passes=4)
    assert psnr(result.image, truth, 20) > psnr(noisy, truth, 20) + 3
    assert result.uncertainty.mean() > 0


def test_a_wrong_level_of_noise_costs_what_the_method_says(truth, noisy):
    options = {"noise": "constant", "steps": 200, "width": 8, "passes": 4}
    right, low = (denoise(noisy, "recorrupted2recorrupted", sigma=s, **options) for s in (20.0, 8.0))
    assert psnr(right.image, truth, 255) > psnr(low.image, truth, 255) + 2
    assert right.sigma == pytest.approx(20, rel=1e-3)
