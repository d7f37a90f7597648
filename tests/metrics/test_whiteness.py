"""Autocorrelation of residuals and Fourier ring correlation: known answers."""

import math

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.metrics import frc, halves, thinned, whiteness
from tests.helpers import scene


def white(seed: int, shape: tuple[int, ...] = (128, 128)) -> np.ndarray:
    return np.random.default_rng(1000 + seed).standard_normal(shape)


def test_white_noise_is_white_at_any_size():
    for side in (12, 16, 24, 48, 96):
        assert all(whiteness(white(seed, (side, side))).white for seed in range(30))


def test_the_band_and_the_chi_square_hold_for_white_noise():
    """60 shifts, of which 4.6 % lie outside two deviations; p is uniform."""
    found = [whiteness(white(seed)) for seed in range(40)]
    assert np.mean([each.outside for each in found]) == pytest.approx(0.046, abs=0.015)
    # The mean of 40 uniform numbers has the deviation 0.29 / sqrt(40) = 0.046.
    assert np.mean([each.p_value for each in found]) == pytest.approx(0.5, abs=0.2)
    assert min(each.score for each in found) > 0.97


@pytest.mark.parametrize("width", [0.5, 0.8, 1.2])
def test_correlations_are_those_of_blurred_noise(width):
    """Noise blurred by a Gaussian h: r(d) = sum h(x) h(x + d) / sum h^2; deviation 1 / sqrt(N), more for blurred noise."""
    point = np.zeros((41, 41))
    point[20, 20] = 1
    h = ndimage.gaussian_filter(point, width)
    expected = np.array([[np.sum(h * np.roll(h, (dy, dx), (0, 1))) for dx in range(-5, 6)] for dy in range(-5, 6)])
    expected /= expected[5, 5]
    # The mean over 31 x 31 pixels that is taken off holds part of the noise.
    bias = np.sum(expected) / 31**2 + 0.005
    found = whiteness(ndimage.gaussian_filter(white(0, (256, 256)), width, mode="wrap"))
    np.testing.assert_allclose(found.correlation, expected, atol=4 / 256 * math.sqrt(np.sum(expected**2)) + bias)
    assert found.score == pytest.approx(1 / np.sum(expected**2), rel=0.1)
    assert not found.white
    assert found.p_value < 1e-6


def test_directions_are_told_apart():
    rows = ndimage.gaussian_filter1d(white(0), 0.8, axis=1)
    found = whiteness(rows)
    assert found.x > 0.5
    assert abs(found.y) < 0.03


def test_noise_that_depends_on_the_signal_is_white_and_has_its_band():
    """Twenty times stronger on the right: without evening out, the effective number of pixels would be half."""
    strength = np.where(np.arange(128) < 64, 1.0, 20.0)
    found = [whiteness(white(seed) * strength) for seed in range(20)]
    assert all(each.white for each in found)
    assert np.mean([each.outside for each in found]) < 0.08
    # The weaker half counts: what it alone is correlated by is seen.
    half = np.where(np.arange(128) < 64, ndimage.gaussian_filter(white(1), 1) * 3.5, 20 * white(2))
    assert whiteness(half).x > 0.25


def test_a_slow_drift_is_not_correlation_but_structure_is():
    ramp = np.linspace(-2, 2, 128)[:, None]
    assert whiteness(white(0) + ramp).white
    leaked = scene((128, 128)) - ndimage.gaussian_filter(scene((128, 128)), 4)
    assert not whiteness(white(0) + 0.7 * leaked / leaked.std()).white


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 7), (40, 40)])
def test_nothing_removed_is_no_correlation(shape):
    for value in (0.0, 3.0):
        found = whiteness(np.full(shape, value))
        assert found.white
        assert found.score == 1
        assert found.pixels == 0
        assert np.isfinite([found.largest, found.statistic, found.p_value, found.band]).all()


def test_planes_are_pooled():
    stack = white(0, (6, 64, 64))
    found = whiteness(stack)
    assert found.pixels == stack.size
    assert found.largest < 5 / math.sqrt(stack.size)


# ---- rings


def test_rings_have_the_correlation_of_signal_and_noise():
    """White signal of power 1 and noise of power s^2 on every ring: 1 / (1 + s^2)."""
    for sigma in (0.5, 1.0, 2.0):
        signal = white(0)
        found = frc(signal + sigma * white(1), signal + sigma * white(2))
        outer = found.frequency > 0.1
        error = 4 / np.sqrt(found.pixels[outer])
        assert np.mean(np.abs(found.correlation[outer] - 1 / (1 + sigma**2)) < error) > 0.95
        assert np.average(found.correlation, weights=found.pixels) == pytest.approx(1 / (1 + sigma**2), abs=0.03)


def test_the_cutoff_is_where_the_signal_ends():
    radius = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None])
    for limit in (0.1, 0.2, 0.35):
        signal = 5 * np.fft.ifft2(np.fft.fft2(white(0)) * (radius < limit)).real
        found = frc(signal + white(1), signal + white(2))
        # The Hann window blurs the spectrum by two steps of 1 / 128, averaging over three rings by one more.
        assert found.cutoff == pytest.approx(limit, abs=3.5 / 128)
        assert found.resolution == pytest.approx(1 / found.cutoff)
        assert abs(found.floor) < 0.1


def test_noise_alone_has_no_resolution_and_the_same_image_the_finest():
    assert frc(white(1), white(2)).resolution > 20
    assert frc(white(1), white(1)).resolution == 2
    assert frc(np.zeros((32, 32)), np.zeros((32, 32))).cutoff == 0


@pytest.mark.parametrize("shape", [(128, 96), (65, 90)])
def test_frequencies_are_those_of_pixels_on_any_shape(shape):
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None])
    signal = 5 * np.fft.ifft2(np.fft.fft2(white(0, shape)) * (radius < 0.2)).real
    assert frc(signal + white(1, shape), signal + white(2, shape)).cutoff == pytest.approx(0.2, abs=4 / min(shape))


def camera(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 2.0 * rng.poisson(truth / 2.0) + 100 + rng.normal(0, 5, truth.shape)


def test_halves_of_one_capture_agree_as_two_captures_of_half_the_light_would():
    truth = scene((256, 256)).astype(np.float64) + 20 * ndimage.gaussian_filter(white(9, (256, 256)), 1.5) / 0.18
    truth = np.clip(truth, 5, None)
    rng = np.random.default_rng(0)
    image = camera(truth, rng)
    variance = 2.0 * (image - 100) + 25
    found = frc(*halves(image, variance))
    doubled = np.sqrt(2 * truth + 25)
    other = frc(*(camera(truth, rng) + doubled * rng.standard_normal(truth.shape) for _ in range(2)))
    assert found.cutoff == pytest.approx(other.cutoff, rel=0.1)
    assert abs(found.floor) < 0.03
    assert frc(*halves(image, variance / 2)).floor > 0.2


def test_halves_share_no_noise():
    flat = camera(np.full((256, 256), 8.0), np.random.default_rng(0))
    a, b = halves(flat, 2.0 * (flat - 100) + 25)
    # Negative variances count as 0, which leaves a little; N = 65536.
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] == pytest.approx(0, abs=4 / 256 + 0.01)
    assert a.var() == pytest.approx(2 * flat.var(), rel=0.05)


def test_shared_out_photons_are_independent_and_still_poisson():
    counts = np.random.default_rng(0).poisson(6.0, (256, 256))
    a, b = thinned(counts)
    np.testing.assert_array_equal(a + b, counts)
    for part in (a, b):
        assert part.mean() == pytest.approx(3, abs=4 * math.sqrt(3 / counts.size))
        assert part.var() == pytest.approx(3, rel=0.05)
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / 256
    for wrong in (counts - 100, counts / 3):
        with pytest.raises(ValueError, match="whole number"):
            thinned(wrong)
