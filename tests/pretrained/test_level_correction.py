"""Texture that was taken for noise: known levels of noise on photographs and drawings."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import data

from napari_lotadenoise import denoise
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.noise import VarianceFit, typical_sigma
from napari_lotadenoise.normalisation.noise_normalisation import NoiseNormaliser, noise_of
from napari_lotadenoise.pretrained.level_correction import LOWEST, corrected_level, typical_removal
from tests.helpers import scene


def photograph():
    """Gravel: fine texture everywhere."""
    return data.gravel()[:256, :256].astype(np.float32)


def noise(shape, sigma):
    return np.random.default_rng(3).normal(0, sigma, shape).astype(np.float32)


def pool_of(*channels):
    return torch.from_numpy(np.stack(channels))[None].float()


def lines(fits):
    return [(fit.gain, fit.offset) for fit in fits]


@pytest.mark.parametrize("sigma", [5, 20])
def test_noise_that_was_measured_well_is_left_as_it_is(sigma):
    training_images = pool_of(scene((256, 256)) + noise((256, 256), sigma))
    fits = [VarianceFit(0.0, float(sigma) ** 2)]
    assert lines(corrected_level(fits, training_images)) == lines(fits)


def test_photon_noise_that_was_measured_well_is_left_as_it_is():
    photons = np.random.default_rng(0).poisson(5 + scene((256, 256)).clip(0) / 4).astype(np.float32)
    fits = [VarianceFit(1.0, 0.0, low=0.0, high=65.0)]
    assert lines(corrected_level(fits, pool_of(photons))) == lines(fits)


def test_the_typical_removal_is_one_on_noise_alone():
    training_images = pool_of(100 + noise((256, 256), 10))
    removal, correlation = typical_removal(training_images, NoiseNormaliser(training_images, [VarianceFit(0.0, 100.0)]))
    assert removal == pytest.approx(1, abs=0.05)
    assert correlation == pytest.approx(0, abs=0.03)


def test_a_level_that_was_measured_on_texture_falls():
    clean = photograph()
    training_images = pool_of(clean + noise(clean.shape, 2))
    measured = noise_of(training_images)[0].offset ** 0.5
    lowered = corrected_level(noise_of(training_images), training_images)[0].offset ** 0.5
    assert measured > 2 * 2  # gravel passes for noise
    assert lowered < 0.7 * measured
    assert lowered >= LOWEST * measured * 0.999


def test_texture_with_hardly_any_noise_is_kept():
    clean = photograph()
    noisy = clean + noise(clean.shape, 2)
    assert psnr(denoise(noisy, "instant").image, clean, 255) > psnr(noisy, clean, 255) - 0.5


def test_a_photograph_without_added_noise_keeps_its_texture():
    clean = photograph()
    change = denoise(clean, "instant").image - clean
    assert np.sqrt(np.mean(change**2)) < 0.005 * np.ptp(clean)


def test_a_level_that_was_told_is_not_touched():
    clean = photograph()
    told = denoise(clean, "instant", sigma=10, noise="constant")
    assert told.sigma == pytest.approx(10, rel=1e-3)
    assert told.residual.std() > 4


def test_the_level_of_correlated_noise_is_not_lowered_further():
    kernel = np.full((3, 3), 0.6)
    kernel[1, 1] = 1
    correlated = ndimage.convolve(noise((256, 256), 5), kernel)
    training_images = pool_of(scene((256, 256)) + correlated)
    # A fit of white noise, to which what is finest in it passes for all of it.
    fits = [VarianceFit(0.0, typical_sigma(training_images.numpy()) ** 2)]
    assert lines(corrected_level(fits, training_images)) == lines(fits)


@pytest.mark.parametrize("image", [np.zeros((256, 256)), np.eye(12), noise((8, 300), 1)])
def test_blank_and_tiny_images_say_nothing(image):
    training_images = pool_of(image.astype(np.float32))
    fits = [VarianceFit(0.0, 1.0)]
    assert lines(corrected_level(fits, training_images)) == lines(fits)


def test_a_volume_is_judged_by_its_middle_plane():
    clean = photograph()
    planes = np.stack([clean + noise(clean.shape, 2)] * 4)
    flat = pool_of(planes[2])
    fits = [VarianceFit(0.0, 64.0)]
    assert lines(corrected_level(fits, pool_of(planes))) == lines(corrected_level(fits, flat)) != lines(fits)


def test_colours_are_judged_together():
    gravel = photograph()
    training_images = pool_of(*[gravel + noise(gravel.shape, 1) for _ in range(3)])
    lowered = corrected_level([VarianceFit(0.0, 64.0)] * 3, training_images)
    assert len({fit.offset for fit in lowered}) == 1
    assert lowered[0].offset < 64
