"""The picture of a method takes over when it is better, and not before."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import METHODS
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine.handover import PreviewHandover
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import UNSCALED, quick, scene


@pytest.fixture(scope="module")
def scenes():
    truth = torch.from_numpy(scene((128, 128)) - 120)[None, None] / 40
    return truth, truth + 0.5 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))


def trained(training_images, method, taken, **options):
    trainer = Trainer(training_images, *configure(METHODS[method], **quick(method, **options)), seed=0)
    handover = PreviewHandover(trainer)
    for _ in range(taken):
        trainer.step()
    return handover, trainer


def predictor(trainer):
    return Predictor.of(trainer, UNSCALED)


class Answer:
    """Stands in for a predictor, with a denoiser of our own in place of its network."""

    def __init__(self, preview):
        self.preview_parts = preview


def test_a_network_that_knows_nothing_does_not_take_over(scenes):
    handover, trainer = trained(scenes[1], "lota-n2n", 1)
    assert not handover.happened(trainer, predictor(trainer))


@pytest.mark.parametrize(("share", "better"), [(0.0, True), (0.6, False)])
def test_a_better_denoiser_takes_over_and_a_worse_one_does_not(scenes, share, better):
    """Stein's estimate is exact for what is linear: the truth, and with it a share of the noise."""
    truth, noisy = (image[..., :64, :64] for image in scenes)  # as large as a crop, so that every crop is the image
    handover, trainer = trained(noisy, "lota-n2n", 1)
    assert handover.happened(trainer, Answer(lambda image: truth + share * (image - truth))) is better


def test_crops_of_interleaved_images_are_not_interleaved_again(scenes):
    handover, trainer = trained(scenes[1], "lota-n2n", 1, stride=3, width=16)
    shapes = []
    handover.happened(trainer, Answer(lambda image: shapes.append(image.shape) or image))
    assert {tuple(shape[-2:]) for shape in shapes} == {(44, 44)}  # 128 pixels, padded to 132, every third of them
    assert not handover.happened(trainer, predictor(trainer))  # sides that 3 does not divide are no obstacle


def test_it_stays_handed_over(scenes):
    truth, noisy = (image[..., :64, :64] for image in scenes)
    handover, trainer = trained(noisy, "lota-n2n", 1)
    assert handover.happened(trainer, Answer(lambda image: truth))
    trainer.step()
    assert handover.happened(trainer, Answer(lambda image: image)), "the worst there is comes too late"


def test_filters_take_over_at_once_and_stochastic_methods_halfway(scenes):
    handover, trainer = trained(scenes[1], "median", 0)
    assert handover.happened(trainer, predictor(trainer))
    handover, trainer = trained(scenes[1], "self2self", 4, steps=10, passes=2)
    assert not handover.happened(trainer, predictor(trainer))
    trainer.step()
    assert handover.happened(trainer, predictor(trainer))


def test_on_correlated_noise_which_no_estimate_judges_a_method_takes_over_halfway():
    grain_ = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((128, 128)), 1.2)
    training_images = torch.from_numpy((grain_ / grain_.std()).astype(np.float32))[None, None]
    handover, trainer = trained(training_images, "lota-n2n", 1)
    assert not handover.happened(trainer, predictor(trainer))
    trainer.step_number = trainer.training.planned
    assert handover.happened(trainer, predictor(trainer))
