import numpy as np
import pytest
import torch

from napari_lotadenoise import ops
from napari_lotadenoise.prediction.ensembles import PassAverage, RunningPasses
from tests.helpers import outputs


def test_mean_and_deviation_are_those_of_numpy():
    outputs, average = torch.randn(7, 1, 1, 4, 5), PassAverage()
    for output in outputs:
        average.add(output)
    np.testing.assert_allclose(average.mean, outputs.mean(0), atol=1e-6)
    np.testing.assert_allclose(average.deviation, outputs.std(0), atol=1e-6)


def test_one_pass_has_no_deviation():
    average = PassAverage()
    average.add(torch.ones(1, 1, 2, 2))
    assert torch.all(average.mean == 1)
    assert torch.all(average.deviation == 0)


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


def test_turns_are_eight_and_undo_each_other():
    image = torch.randn(1, 2, 6, 9)
    seen = {tuple(ops.flip_rotate(image, turn).flatten().tolist()) for turn in range(ops.ORIENTATIONS)}
    assert len(seen) == 8
    for turn in range(ops.ORIENTATIONS):
        assert torch.equal(ops.undo_flip_rotate(ops.flip_rotate(image, turn), turn), image)


def test_an_ensemble_averages_what_is_not_symmetric(noisy):
    """A network that shifts by one pixel becomes a blur that is alike in all directions."""
    from napari_lotadenoise.contract.method import configure
    from napari_lotadenoise.methods import METHODS
    from napari_lotadenoise.training.trainer import Trainer

    method, training = configure(METHODS["noise2self"], ensemble=True)
    trainer = Trainer(torch.from_numpy(noisy)[None, None], method, training, seed=0)
    trainer.current.forward = lambda x: torch.roll(x, 1, -1)
    image, average = torch.zeros(1, 1, 5, 5), PassAverage()
    image[0, 0, 2, 2] = 1
    for output in outputs(trainer, image):
        average.add(output)
    for place in ((1, 2), (3, 2), (2, 1), (2, 3)):
        assert average.mean[0, 0][place].item() == pytest.approx(0.25)
