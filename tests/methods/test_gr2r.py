"""Generative Recorrupted-to-Recorrupted: its loss as printed, its collapse, and the guard that catches it."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods._collapse_guard import CollapseGuard
from napari_lotadenoise.methods.gr2r import GR2R
from napari_lotadenoise.metrics import psnr

PRINTED = {"self_reconstruction": 1.0, "pseudo": 1.0}


def test_the_loss_is_equation_14_with_its_stop_gradients():
    method = GR2R(**PRINTED)
    net, y = method.network(1, 2).eval(), torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    state = method.prepare(y)
    step_output = method.step(net, y, state, StepContext(3, 10, torch.Generator().manual_seed(5)))
    m = 2 * ops.bernoulli(y.shape, 0.5, torch.Generator().manual_seed(5)).float() - 1
    d = net(y).detach()
    n = (y - d) * m
    expected = ((net(y + n) - (y - n)) ** 2).mean() + ((net(y) - y) ** 2).mean() + ((net(d + n) - d) ** 2).mean()
    ours = sum(step_output.losses.values())
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)
    weights = list(net.parameters())
    for one, other in zip(torch.autograd.grad(ours, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_the_identity_is_a_minimum_of_the_printed_loss():
    class Identity(torch.nn.Module):
        def forward(self, x):
            return x

    method, y = GR2R(**PRINTED), torch.randn(1, 1, 16, 16)
    step_output = method.step(Identity(), y, method.prepare(y), StepContext(0, 10, torch.Generator()))
    assert sum(step_output.losses.values()).item() == 0


def test_signs_are_fair_and_may_be_shared_by_the_channels():
    crops, rng = torch.zeros(4, 3, 64, 64), torch.Generator().manual_seed(0)
    each, shared = GR2R()._signs(crops, rng), GR2R(signs="shared")._signs(crops, rng)
    assert each.shape == crops.shape
    assert set(each.unique().tolist()) == {-1.0, 1.0}
    assert abs(each.mean().item()) < 0.02
    assert shared.shape == (4, 1, 64, 64)


def test_the_recorrupted_pair_averages_to_the_image():
    method, y = GR2R(), torch.randn(1, 1, 16, 16)
    maps = method.step(method.network(1, 2).eval(), y, method.prepare(y), StepContext(0, 10, torch.Generator())).maps
    torch.testing.assert_close((maps["recorrupted input"] + maps["recorrupted target"]) / 2, y)


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray]:
    from tests.helpers import scene

    truth = scene((48, 48))
    return truth, truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)


def test_the_printed_weights_copy_the_image_where_nobody_watches(small, monkeypatch):
    truth, noisy = small
    monkeypatch.setattr(GR2R, "stop_reason", lambda *_: "")
    result = denoise(noisy, "gr2r", **PRINTED, steps=500, crop=48, batch=2)
    assert result.residual.std() < 0.3 * 20
    assert psnr(result.image, truth, 255) < psnr(noisy, truth, 255) + 1


@pytest.mark.slow
def test_the_guard_triggers_and_training_goes_back(small):
    truth, noisy = small
    result = denoise(noisy, "gr2r", **PRINTED, steps=500, crop=48, batch=2)
    assert "began to copy the image" in result.recipe.reason
    assert any("began to copy the image" in note for note in result.recipe.notes)
    assert result.recipe.steps_done[0] < 500
    assert result.residual.std() > 0.6 * 20
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3


@pytest.mark.slow
def test_the_default_weights_do_not_trigger_it(small):
    _, noisy = small
    result = denoise(noisy, "gr2r", steps=500, crop=48, batch=2)
    assert result.recipe.reason == "all steps done"
    assert result.residual.std() == pytest.approx(20, rel=0.15)


def readings(guard: CollapseGuard, values: list[float], progress: float) -> list[str]:
    found = []
    for value in values:
        guard.record(torch.tensor(value), progress)
        found.append(guard.check())
    return found


def test_the_guard_is_not_armed_while_the_network_learns_and_triggers_at_a_drop():
    guard = CollapseGuard(torch.zeros(1), expected=0.4)
    assert not any(readings(guard, [1.0, 0.8, 0.6, 0.45], progress=0.1))
    assert not any(readings(guard, [0.42, 0.41, 0.4, 0.4, 0.39, 0.4, 0.4, 0.4], progress=0.5))
    assert any(readings(guard, [0.34], progress=0.6))


def test_a_residual_that_still_falls_to_the_noise_is_no_collapse():
    guard = CollapseGuard(torch.zeros(1), expected=0.4)
    assert not any(readings(guard, [0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.42, 0.4], progress=0.3))
    assert guard.healthy


def test_weights_of_a_falling_residual_are_not_healthy():
    guard = CollapseGuard(torch.zeros(1), expected=0.4)
    healthy = []
    for value in [0.41, 0.4, 0.4, 0.4, 0.37, 0.365]:
        readings(guard, [value], progress=0.5)
        healthy.append(guard.healthy)
    assert healthy == [True, True, True, True, False, False]


def test_where_more_noise_was_expected_a_steady_residual_is_healthy():
    guard = CollapseGuard(torch.zeros(1), expected=0.6)
    assert not any(readings(guard, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], progress=0.5))
    assert guard.healthy


def test_far_below_the_expected_noise_it_triggers_at_any_time():
    assert any(readings(CollapseGuard(torch.zeros(1), expected=0.4), [0.15], progress=0.0))
    assert not CollapseGuard(torch.zeros(1), expected=0.4).check()
