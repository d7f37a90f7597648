"""Our optimiser against torch's own, step by step."""

import copy

import pytest
import torch

from napari_lotadenoise.contract.method import Training
from napari_lotadenoise.nets import Chain
from napari_lotadenoise.training.optimiser import Adam, WeightAverage, rate_at


def loss(net, x):
    return (net(x) - 1).square().mean()


def test_adam_takes_the_steps_of_torch():
    torch.manual_seed(0)
    ours = Chain(1, 2, width=4).double()
    theirs = copy.deepcopy(ours)
    adam, reference = Adam(ours), torch.optim.Adam(theirs.parameters(), lr=3e-3)
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    for _ in range(20):
        adam.step(loss(ours, x), 3e-3)
        reference.zero_grad()
        loss(theirs, x).backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_long_gradients_are_shortened_as_torch_does():
    torch.manual_seed(0)
    ours = Chain(1, 2, width=4).double()
    theirs = copy.deepcopy(ours)
    adam, reference = Adam(ours, clip=0.1), torch.optim.Adam(theirs.parameters(), lr=3e-3)
    x = 5 * torch.randn(1, 1, 8, 8, dtype=torch.float64)
    for _ in range(10):
        adam.step(loss(ours, x), 3e-3)
        reference.zero_grad()
        loss(theirs, x).backward()
        assert torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.1) > 0.1
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-7)


def test_halving_is_step_lr():
    training = Training(schedule="halving", rate=1e-3, halve_every=100)
    assert [rate_at(s, training) for s in (0, 99, 100, 250)] == [1e-3, 1e-3, 5e-4, 2.5e-4]


def test_one_cycle_rises_to_the_peak_and_falls_to_nothing():
    training = Training(schedule="one-cycle", rate=1e-2, steps=200)
    rates = [rate_at(s, training) for s in range(200)]
    peak = rates.index(max(rates))
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert max(rates) == pytest.approx(1e-2, rel=1e-3)
    assert peak == pytest.approx(30, abs=1)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_average_is_the_exponential_mean_once_it_is_long_enough():
    net = Chain(1, 2, width=4)
    average = WeightAverage(net, 0.5)
    expected = torch.zeros(())
    for step in range(40):
        for p in net.parameters():
            p.data.fill_(float(step))
        average.update(net)
        weight = 1 - min(0.5, (1 + step) / (10 + step))
        expected = expected + weight * (step - expected) if step else weight * torch.tensor(float(step))
    got = next(average.net.parameters()).flatten()[0]
    assert got.item() == pytest.approx(expected.item(), abs=0.1)
    assert got.item() == pytest.approx(38.0, abs=0.1)  # mean of 39, 38, 37 ... with weights 1/2, 1/4, 1/8 ...
