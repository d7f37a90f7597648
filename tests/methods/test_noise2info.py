"""Noise2Same and Noise2Info against a few lines of plain PyTorch, and the estimate of sigma against the truth."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods.noise2info import Noise2Info, removed_noise_spread
from napari_lotadenoise.methods.noise2same import Noise2Same, noise_bound


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def context(step: int = 0, of: int = 100) -> StepContext:
    return StepContext(step, of, torch.Generator().manual_seed(step))


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (1, 3, 30, 41), (1, 1, 2, 14, 28)])
def test_a_box_mask_has_one_pixel_in_each_whole_box_of_each_channel(shape):
    mask = ops.box_mask(torch.zeros(shape), 14, torch.Generator().manual_seed(0))
    rows, columns = shape[-2] // 14, shape[-1] // 14
    boxes = mask[..., : rows * 14, : columns * 14].reshape(*shape[:-2], rows, 14, columns, 14).sum((-3, -1))
    assert torch.all(boxes == 1)


def test_box_masks_reach_every_place_of_a_box():
    rng, image = torch.Generator().manual_seed(0), torch.zeros(1, 1, 40, 40)
    hits = sum(ops.box_mask(image, 4, rng).float() for _ in range(200))
    expected = 200 / 16
    assert hits.min() > 0.1 * expected
    assert hits.mean().item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("fill", ["donut", "gaussian"])
def test_the_loss_is_that_of_the_paper(fill):
    """R + 2 sigma sqrt(I) with R = mean (F(X) - X)^2 and I = mean over J of (F(X) - F(X'))^2, written out."""
    method, crops = Noise2Same(box=14, replacement=fill, sigma=3.0), noise(2, 1, 32, 32)
    net = method.network(1, 2).eval()
    state = method.prepare(crops, unit=2.0)
    step_output = method.step(net, crops, state, context(7))
    rng = torch.Generator().manual_seed(7)
    mask = ops.box_mask(crops, 14, rng)
    filled = ops.donut_mean(crops) if fill == "donut" else 0.2 * torch.randn(crops.shape, generator=rng)
    seen, hidden = net(crops), net(torch.where(mask, filled, crops))
    reconstruction = ((seen - crops) ** 2).mean()
    invariance = ((seen - hidden) ** 2)[mask].mean()
    torch.testing.assert_close(step_output.losses["reconstruction"], reconstruction, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(step_output.losses["invariance"], 2 * 1.5 * invariance.sqrt(), rtol=1e-3, atol=1e-6)


def test_noise2same_takes_the_deviation_of_the_image_where_no_sigma_is_given():
    state = Noise2Same().prepare(noise(1, 1, 16, 16), unit=40.0)
    assert state.sigma.item() == 1.0


def test_the_bound_is_the_one_of_equation_six():
    bound = noise_bound(torch.tensor(0.30), torch.tensor(0.0004), torch.tensor(0.01))
    assert bound.item() == pytest.approx(0.02 + (0.0004 + 0.30 - 0.01) ** 0.5)
    assert noise_bound(torch.tensor(0.1), torch.tensor(0.0001), torch.tensor(0.5)).item() == pytest.approx(0.01)


def test_the_removed_noise_is_compared_by_sorted_matching():
    """Algorithm 1, written out with numpy on the same draws."""
    removed = noise(5, 200)
    ours = removed_noise_spread(removed, 3, torch.Generator().manual_seed(1)).item()
    rng, training_images = torch.Generator().manual_seed(1), removed.flatten().numpy()
    rows, expected = np.sort(removed.numpy(), axis=1), []
    for _ in range(3):
        drawn = np.sort(training_images[torch.randint(1000, (200,), generator=rng).numpy()])
        expected.append(((rows - drawn) ** 2).mean())
    assert ours == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_spread_tells_signal_dependent_noise_from_constant_noise():
    constant = noise(32, 4096)
    dependent = constant * torch.linspace(0.3, 1.7, 32)[:, None]
    rng = torch.Generator().manual_seed(0)
    assert removed_noise_spread(constant, 10, rng) < 0.01
    # About the variance of the scale, 0.18: the pool is a mixture, a little heavier in its tails than a normal.
    assert 0.15 < removed_noise_spread(dependent, 10, rng).item() < 0.25


@pytest.mark.parametrize(
    ("confirm", "estimates", "expected"),
    [
        ("none", [0.9, 0.2], [0.9, 0.2]),
        ("two", [0.9, 0.2, 0.8, 0.7], [1.0, 0.9, 0.8, 0.8]),
        ("median", [0.9, 0.2, 0.8], [1.0, 1.0, 0.8]),
        ("none", [float("nan"), 1.5, 0.6], [1.0, 1.0, 0.6]),
        ("two", [float("nan"), 0.6, 0.5], [1.0, 1.0, 0.6]),
    ],
)
def test_one_unlucky_estimate_is_not_for_ever(monkeypatch, confirm, estimates, expected):
    method = Noise2Info(confirm=confirm, every=1)
    state = method.prepare(noise(1, 1, 16, 16))
    queue = [torch.tensor(value) for value in estimates]
    monkeypatch.setattr(Noise2Info, "_estimate", lambda *_: queue.pop(0))
    found = []
    for step in range(1, len(estimates) + 1):
        method.before_step(method.network(1, 2), state, context(step))
        found.append(round(state.sigma.item(), 6))
    assert found == expected


@pytest.mark.slow
def test_sigma_is_found_and_never_rises(truth, noisy):
    result = denoise(noisy, "noise2info", steps=300)
    sigma = np.array(result.history["sigma"])
    assert np.all(np.diff(sigma) <= 1e-6)
    assert result.sigma == pytest.approx(20, rel=0.15)
    assert {"sigma raw", "E", "R", "I", "signal dependence"} <= set(result.history)


@pytest.mark.parametrize("sigma", [15.0, 25.0, 50.0])
def test_the_fast_preset_finds_sigma_beside_texture(sigma):
    rows, columns = np.mgrid[:128, :128]
    texture = 128 + 50 * np.sin(rows / 1.7) * np.sin(columns / 2.3) * (columns > 64)
    noisy = texture + np.random.default_rng(0).normal(0, sigma, texture.shape)
    found = denoise(noisy, "noise2info", steps=60, ensemble=False).sigma
    assert 0.95 * sigma < found < 1.1 * sigma
    printed = denoise(noisy, "noise2info", steps=60, ensemble=False, start="deviation").sigma
    assert printed > found, "the bound alone counts what was removed of the texture"
