"""Grey levels, hot pixels, blocks and correlation, each made on purpose and found; and not found where they are not."""

import io

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from napari_lotadenoise import estimate_noise
from napari_lotadenoise.noise import autocorrelation, block_correlation, hot_pixels, measure_levels, radial_spectrum
from tests.helpers import scene


def noise(shape=(256, 256), sigma=12.0, seed=0):
    return np.random.default_rng(seed).normal(0, sigma, shape)


def test_saturation_is_a_pile_and_a_single_brightest_pixel_is_none():
    image = scene((256, 256)) + noise()
    assert measure_levels([image.round()], 12).saturated == 0
    clipped = np.minimum(image, 150).round()
    assert measure_levels([clipped], 12).saturated == pytest.approx((clipped == 150).mean())
    assert measure_levels([np.maximum(image, 100).round()], 12).clipped == pytest.approx(
        (image < 100.5).mean(), abs=0.01
    )


@pytest.mark.parametrize(("step", "bits"), [(1, 8), (16, 4)])
def test_step_and_bits_are_those_that_are_used(step, bits):
    image = np.clip((scene((256, 256)) + noise()) // step, 0, 255 // step) * step
    image[0, :2] = 0, 255 // step * step
    levels = measure_levels([image.astype(np.uint16)], 12)
    assert (levels.step, levels.bits) == (step, bits)


def test_floats_are_continuous():
    levels = measure_levels([scene((256, 256)) + noise()], 12)
    assert (levels.step, levels.bits) == (0.0, 0)


def test_hot_pixels_are_found_and_noise_and_beads_are_not():
    image = scene((256, 256)) + noise()
    beads = ndimage.gaussian_filter((np.random.default_rng(1).random((256, 256)) > 0.999).astype(float), 1.2) * 2000
    assert hot_pixels(image + beads, 12).sum() == 0
    places = np.random.default_rng(2).choice(256 * 256, 20, replace=False)
    hot = image + beads
    hot.ravel()[places] += 300
    found = hot_pixels(hot, 12)
    assert found.ravel()[places].mean() > 0.8
    assert found.sum() < 25


def test_a_jpeg_is_told_from_what_was_none():
    from PIL import Image

    camera = data.camera()
    buffer = io.BytesIO()
    Image.fromarray(camera).save(buffer, "JPEG", quality=30)
    assert measure_levels([np.array(Image.open(buffer))], 3).blocked
    assert not measure_levels([camera], 3).blocked
    assert not measure_levels([camera + noise((512, 512))], 12).blocked


def test_correlation_is_the_true_one_at_lag_one_and_ends_where_it_ends():
    white = noise((300, 300), 1)
    kernel = np.array([1.0, 1.0, 0.0])
    pairs = ndimage.convolve1d(white, kernel / kernel.sum(), axis=1)  # 0.5 at lag 1 along x, nothing else
    along_y, along_x = autocorrelation(pairs + scene((300, 300)) / 20)
    assert along_x[0] == pytest.approx(0.5, abs=0.1)
    assert max(along_x[1:]) < 0.05
    np.testing.assert_allclose(along_y, 0, atol=0.06)


def test_chance_stays_within_its_band():
    reports = [estimate_noise(noise((128, 128), 1, seed)) for seed in range(20)]
    values = np.array([report.autocorrelation[axis] for report in reports for axis in "yx"])
    assert (np.abs(values) > reports[0].band).mean() < 0.1


def test_coarse_correlation_shows_in_flat_blocks_and_structure_is_not_taken_for_it():
    coarse = ndimage.gaussian_filter(noise((384, 384), 1), 1.5)
    assert min(block_correlation(coarse / coarse.std())) > 0.5
    assert max(block_correlation(scene((384, 384)) + noise((384, 384), 10))) < 0.25


def test_the_spectrum_of_white_noise_is_flat_and_that_of_smooth_noise_falls():
    frequencies, power = radial_spectrum(noise((256, 256), 3.0))
    assert power.mean() == pytest.approx(9.0, rel=0.05)
    assert power[2:].std() < 0.2 * power.mean()
    _, smooth = radial_spectrum(ndimage.gaussian_filter(noise((256, 256), 3.0), 1.0))
    assert smooth[frequencies > 0.35].mean() < 0.02 * smooth[frequencies < 0.1].mean()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (scene((96, 96)).round(), "hardly any noise"),
        (np.kron(np.eye(4), np.full((16, 16), 9.0)), "hardly any noise"),
        ((np.random.default_rng(0).random((64, 64)) > 0.5).astype(np.uint8), "sigma"),
        (np.random.default_rng(0).normal(0, 1, (8, 8)), "sigma"),
    ],
)
def test_odd_images_get_a_verdict_in_words(image, words):
    report = estimate_noise(image)
    assert words in report.verdict
    assert np.isfinite([v for v in report.numbers().values() if isinstance(v, float)]).all()
    if min(image.shape) < 32:
        assert "too few" in report.warnings[0]


def test_the_verdict_says_what_was_simulated():
    truth = np.tile(np.linspace(10, 100, 256), (256, 1))
    rng = np.random.default_rng(0)
    photons = 2.0 * rng.poisson(truth)
    assert estimate_noise(photons).verdict.startswith("signal-dependent (gain 2")
    assert "independent between pixels" in estimate_noise(photons).verdict
    constant = truth + rng.normal(0, 5, truth.shape)
    assert estimate_noise(constant).verdict.startswith("constant (sigma ")
    assert estimate_noise(constant).sigma == pytest.approx(5, rel=0.05)
    rows = truth + 5 * ndimage.gaussian_filter1d(rng.standard_normal(truth.shape), 0.8, axis=1)
    report = estimate_noise(rows)
    assert "correlated over about" in report.verdict
    assert report.verdict.endswith("pixels along x")
    assert (report.structure, report.correlated) == ("rows", True)
    assert report.stride >= 2


def test_time_frames_are_used_for_photon_transfer():
    truth = np.random.default_rng(1).uniform(10, 100, (64, 64))
    movie = np.random.default_rng(0).poisson(truth, (5, 64, 64)) * 3.0
    assert estimate_noise(movie, "TYX").repeats.gain == pytest.approx(3.0, rel=0.1)
    assert estimate_noise(movie, "ZYX").repeats is None
