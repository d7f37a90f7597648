"""The Poisson-Gaussian fit against noise whose gain and offset are known."""

import numpy as np
import pytest
import torch

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.noise import VarianceFit, estimate_noise, fit_planes, measure_images, photon_transfer
from tests.helpers import scene


def photons(truth, gain, read, pedestal, seed=0):
    rng = np.random.default_rng(seed)
    return gain * rng.poisson(truth) + pedestal + rng.normal(0, read, truth.shape)


@pytest.mark.parametrize(("gain", "read", "pedestal"), [(1.0, 0.0, 0.0), (4.0, 6.0, 100.0), (0.02, 0.05, 1.0)])
def test_gain_and_offset_are_found_blindly(gain, read, pedestal):
    truth = scene((256, 256)).clip(8) / 2
    fit = fit_planes([photons(truth, gain, read, pedestal)])
    assert fit.signal_dependent
    assert fit.gain == pytest.approx(gain, rel=0.2)
    middle = gain * np.median(truth) + pedestal
    assert fit.variance(middle) == pytest.approx(gain**2 * np.median(truth) + read**2, rel=0.15)


def test_the_errors_are_about_what_repetitions_scatter_by():
    truth = np.tile(np.linspace(10, 100, 160), (160, 1))
    fits = [fit_planes([photons(truth, 2.0, 1.0, 0.0, seed)]) for seed in range(24)]
    scatter, told = np.std([fit.gain for fit in fits]), np.mean([fit.gain_error for fit in fits])
    assert 0.5 < told / scatter < 2


def test_constant_noise_has_no_gain_worth_a_word():
    truth = scene((256, 256))
    dependent = [
        fit_planes([truth + np.random.default_rng(seed).normal(0, 12, truth.shape)]).signal_dependent
        for seed in range(8)
    ]
    assert not any(dependent)


def test_saturated_pixels_do_not_bend_the_line():
    truth = np.tile(np.linspace(10, 250, 256), (256, 1))
    clipped = np.minimum(photons(truth, 1.0, 0.0, 0.0), 200)
    assert fit_planes([clipped]).gain == pytest.approx(1.0, rel=0.2)


def test_repeats_tell_the_gain_whatever_the_scene_is():
    truth = np.random.default_rng(9).uniform(5, 200, (64, 64))  # no pixel is like its neighbour
    frames = np.stack([photons(truth, 3.0, 5.0, 20.0, seed) for seed in range(6)])
    fit = photon_transfer(frames)
    assert fit.gain == pytest.approx(3.0, rel=0.05)
    assert fit.offset == pytest.approx(25.0 - 3.0 * 20.0, abs=25)
    with pytest.raises(ImageError, match="two or more frames"):
        photon_transfer(frames[:1])


def test_a_fit_speaks_numpy_and_torch_and_never_of_negative_variances():
    fit = VarianceFit(2.0, -50.0, low=10.0, high=200.0)
    expected = np.array([fit.floor, 150.0])
    np.testing.assert_allclose(fit.variance(np.array([0.0, 100.0])), expected)
    torch.testing.assert_close(fit.variance(torch.tensor([0.0, 100.0])), torch.tensor(expected, dtype=torch.float32))
    assert fit.zero == 25.0


def test_a_pool_of_channels_and_planes_is_fitted_together():
    truth = np.tile(np.linspace(10, 100, 96), (3, 1, 2, 96, 1)).astype(np.float32)
    assert measure_images(photons(truth, 2.0, 0.0, 0.0)).fit.gain == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize(
    "plane", [np.full((40, 40), 7.0), np.zeros((40, 40)), np.eye(12), np.kron([[0.0, 1.0]], np.ones((40, 20))), np.ones((4, 4))]
)  # fmt: skip
def test_odd_planes_give_numbers_and_no_dependence(plane):
    fit = fit_planes([plane])
    assert np.isfinite([fit.gain, fit.offset, fit.rise]).all()
    assert not fit.signal_dependent


@pytest.mark.parametrize("exponent", [-60, -30, -12, 25, 40])
def test_powers_of_two_change_nothing_but_the_unit(exponent):
    image = 4.0 * np.random.default_rng(0).poisson(np.broadcast_to(np.linspace(3, 50, 160), (160, 160)))
    unit = 2.0**exponent
    plain, other = estimate_noise(image), estimate_noise(image * unit)
    assert other.fit.gain / unit == pytest.approx(plain.fit.gain, rel=1e-9)
    assert other.sigma / unit == pytest.approx(plain.sigma, rel=1e-9)
    assert (other.signal_dependent, other.degree) == (plain.signal_dependent, plain.degree)
    assert plain.signal_dependent
