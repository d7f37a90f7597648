import numpy as np
import pytest
import torch

from napari_lotadenoise.passes import RunningPasses, average_passes, average_turns


def test_mean_and_deviation_are_those_of_numpy():
    outputs = torch.randn(7, 1, 1, 4, 5)
    queue = list(outputs)
    mean, deviation = average_passes(lambda: queue.pop(0), 7)
    np.testing.assert_allclose(mean, outputs.mean(0), atol=1e-6)
    np.testing.assert_allclose(deviation, outputs.std(0), atol=1e-6)


def test_one_pass_has_no_deviation():
    mean, deviation = average_passes(lambda: torch.ones(1, 1, 2, 2), 1)
    assert torch.all(mean == 1)
    assert torch.all(deviation == 0)


def test_the_running_mean_settles_on_the_mean_and_starts_anew_elsewhere():
    rng, running = torch.Generator().manual_seed(0), RunningPasses()
    for _ in range(200):
        mean, deviation = running.add("here", 5 + torch.randn(1, 1, 50, 50, generator=rng))
    assert mean.mean().item() == pytest.approx(5, abs=0.05)
    assert mean.std().item() < 0.4
    assert deviation.square().mean().sqrt().item() == pytest.approx(1, rel=0.1)
    mean, deviation = running.add("there", torch.full((1, 1, 50, 50), 9.0))
    assert torch.all(mean == 9)
    assert torch.all(deviation == 0)


def test_turns_undo_each_other():
    image = torch.randn(1, 2, 6, 9)
    torch.testing.assert_close(average_turns(lambda x: 2 * x, image), 2 * image)


def test_turns_average_what_is_not_symmetric():
    """A shift by one pixel along x becomes a blur along both axes, alike in all directions."""
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    out = average_turns(lambda x: torch.roll(x, 1, -1), image)[0, 0]
    for place in ((1, 2), (3, 2), (2, 1), (2, 3)):
        assert out[place].item() == pytest.approx(0.25)
