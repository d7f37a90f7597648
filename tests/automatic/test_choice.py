"""What the method name "auto" stands for."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise import denoise, estimate_noise
from napari_lotadenoise.automatic import choose, choose_by, neighbours_alike
from napari_lotadenoise.errors import MethodError, ParameterError
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.metrics import psnr
from tests.helpers import scene


def grains(shape, width, sigma, seed=0):
    """Noise of a deviation, correlated in the plane by a Gaussian kernel."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    noise = ndimage.gaussian_filter(noise, (*[0.0] * (len(shape) - 2), width, width)) if width else noise
    return (sigma * noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize("width", [0.0, 0.8])
def test_auto_is_what_its_recipe_says_and_says_why(width):
    truth = scene((160, 160))
    noisy = truth + grains(truth.shape, width, 20)
    result = denoise(noisy)
    assert result.recipe.method == "instant"
    assert result.recipe.notes[0].startswith("Instant (pre-trained), the mean of eight views, since the noise is ")
    assert ("correlated over" in result.recipe.notes[0]) == (width > 0)
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 8
    again = denoise(noisy, **result.recipe.arguments())
    assert np.array_equal(again.image, result.image)


def test_without_a_prior_auto_keeps_to_the_image_and_gives_correlated_noise_a_stride():
    truth = scene((160, 160))
    noisy = truth + grains(truth.shape, 0.8, 20)
    recipe = denoise(noisy, prior=False).recipe
    assert (recipe.method, recipe.pretrained) == ("nl-ridge", False)
    assert recipe.training["stride"] >= 2
    assert "seen nothing but this image" in recipe.notes[0]


def test_where_there_is_nothing_to_remove_nothing_is_changed():
    smooth = ndimage.gaussian_filter(scene((96, 96)), 4)
    result = denoise(smooth)
    assert np.array_equal(result.image, smooth.astype(np.float32))
    assert "Nothing to remove" in result.recipe.notes[0]


def test_a_stack_whose_planes_are_alike_is_a_volume_and_any_other_is_not():
    plane = scene((96, 96))
    alike = np.stack([plane] * 5) + grains((5, 96, 96), 0, 15)
    unlike = np.stack([scene((96, 96), seed) for seed in range(5)])
    assert neighbours_alike(alike, Layout("ZYX"))
    assert not neighbours_alike(unlike, Layout("ZYX"))
    assert not neighbours_alike(alike, Layout("TYX"))
    assert choose(alike, Layout("ZYX")).settings["volume"]


def test_eight_views_are_for_images_that_are_done_in_seconds():
    report = estimate_noise(scene((64, 64)) + grains((64, 64), 0, 20))
    assert report.pixels == 64 * 64
    assert choose_by(report).settings["self_ensemble"]
    large = dataclasses.replace(report, pixels=1 << 22)
    assert "self_ensemble" not in choose_by(large).settings


def test_a_report_of_correlated_noise_leaves_a_volume_to_the_network_for_planes():
    report = estimate_noise(scene((128, 128)) + grains((128, 128), 0.9, 25))
    assert not choose_by(report, volume=True).settings["volume"]


def test_what_belongs_to_a_method_is_not_told_to_auto():
    image = scene((48, 48))
    with pytest.raises(ParameterError, match="auto chooses steps itself"):
        denoise(image, steps=5)
    with pytest.raises(MethodError, match="name a method to run its preset 'paper'"):
        denoise(image, preset="paper")
