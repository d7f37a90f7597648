"""Warm starts: who has them, what they say, and that they never end below where they began."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.errors import MethodError, ParameterError
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import outputs

WARM = [name for name, kind in METHODS.items() if "warm" in kind.presets]
SHORT = {"steps": 4, "crop": 32}


def frames(method, noisy):
    """The image, or four captures of it for methods that need repeats, and the letters of its axes."""
    if not METHODS[method].requires.repeats:
        return noisy, "YX"
    return noisy + np.random.default_rng(2).normal(0, 20, (4, *noisy.shape)).astype(np.float32), "TYX"


@pytest.mark.parametrize("method", WARM)
def test_a_few_steps_of_a_warm_start_are_better_than_as_many_of_a_cold_one(method, truth, noisy):
    image, axes = frames(method, noisy)
    cold, warm = (denoise(image, method, axes, preset=preset, **SHORT).image for preset in ("fast", "warm"))
    best = [psnr(found[0] if axes == "TYX" else found, truth, 255) for found in (cold, warm)]
    assert best[1] > best[0] + 3


@pytest.mark.parametrize("method", WARM)
def test_the_recipe_says_that_pretrained_weights_took_part_and_repeats_them(method, noisy):
    image, axes = frames(method, noisy)
    warm = denoise(image, method, axes, preset="warm", **SHORT)
    assert warm.recipe.pretrained
    assert "SHA-256" in warm.recipe.weights
    assert warm.recipe.arguments()["warm"] is True
    assert np.array_equal(warm.image, denoise(image, **warm.recipe.arguments()).image)
    assert not denoise(image, method, axes, **SHORT).recipe.pretrained


def test_training_that_does_harm_gives_back_what_it_began_with(truth, noisy):
    big = np.tile(noisy, (3, 3))  # room for crops that are held out
    ruined = denoise(big, "recorrupted2recorrupted", preset="warm", steps=25, rate=0.01, crop=32, passes=1, average=0)
    begun = denoise(big, "recorrupted2recorrupted", preset="warm", steps=1, rate=1e-6, crop=32, passes=1, average=0)
    np.testing.assert_allclose(ruined.image, begun.image, atol=1)


def test_a_warm_network_is_the_method_instant_before_it_learns(noisy):
    training_images = torch.from_numpy(noisy)[None, None] / 40
    warm = Trainer(training_images, *configure(METHODS["noise2self"], "warm"), seed=0)
    instant = Trainer(training_images, *configure(METHODS["instant"], precision="float32"), seed=0)
    torch.testing.assert_close(
        next(outputs(warm, training_images)), next(outputs(instant, training_images)), rtol=1e-3, atol=1e-3
    )
    assert all(p.requires_grad for p in warm.net.parameters())


def test_colours_and_volumes_may_begin_warm(noisy):
    colours = denoise(np.stack([noisy] * 3, -1), "noise2self", "YXS", preset="warm", **SHORT)
    volume = denoise(np.stack([noisy] * 4), "noise2self", "ZYX", volume=True, preset="warm", steps=2, crop=32)
    assert "grey" in colours.recipe.weights
    assert "volume" in volume.recipe.weights
    assert all(np.isfinite(result.image).all() for result in (colours, volume))


def test_methods_whose_network_does_not_fit_have_no_warm_start(noisy):
    with pytest.raises(MethodError, match="no preset 'warm'"):
        denoise(noisy, "zs-n2n", preset="warm")
    with pytest.raises(ParameterError, match="no parameter warm"):
        denoise(noisy, "zs-n2n", warm=True)


def test_whoever_asks_for_another_schedule_may_begin_warm_too(noisy):
    assert denoise(noisy, "gr2r", warm=True, steps=2).recipe.pretrained
