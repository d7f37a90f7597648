import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from napari_lotadenoise import estimate_noise
from napari_lotadenoise.errors import AxesError, ImageError
from napari_lotadenoise.noise import ESTIMATORS, Degree, lag_one


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("sigma", [0.01, 1.0, 300.0])
def test_estimators_are_right_on_pure_noise(name, sigma):
    plane = 5 * sigma + sigma * np.random.default_rng(0).standard_normal((256, 300))
    assert ESTIMATORS[name](plane) == pytest.approx(sigma, rel=0.04)


@pytest.mark.parametrize("sigma", [25, 50])
def test_sigma_on_a_photograph_is_within_a_tenth(sigma):
    noisy = data.camera() + np.random.default_rng(0).normal(0, sigma, (512, 512))
    report = estimate_noise(noisy)
    assert report.sigma == pytest.approx(sigma, rel=0.1)
    assert report.disagreement < 1.3
    assert max(report.correlation) < 0.1


@pytest.mark.parametrize("blur", [0.5, 0.8])
def test_correlated_noise_is_told_from_independent_noise(blur):
    white = np.random.default_rng(0).standard_normal((300, 300))
    smooth = ndimage.gaussian_filter(white, blur)
    true = np.corrcoef(smooth[1:].ravel(), smooth[:-1].ravel())[0, 1]
    assert lag_one(white) == pytest.approx((0, 0), abs=0.05)
    assert lag_one(smooth) == pytest.approx((true, true), abs=0.08)
    report = estimate_noise(smooth)
    assert report.degree is not Degree.INDEPENDENT
    assert "share noise" in report.warnings[0] or report.degree is Degree.SLIGHT
    assert report.noise_correlation.along_x == pytest.approx(true, abs=0.1)
    assert report.sigma == pytest.approx(smooth.std(), rel=0.15)
    assert estimate_noise(white).degree is Degree.INDEPENDENT


def test_noise_that_is_correlated_along_x_only_is_seen_there():
    rows = ndimage.gaussian_filter1d(np.random.default_rng(0).standard_normal((300, 300)), 0.8, axis=1)
    along_y, along_x = lag_one(rows)
    assert along_x > 0.3
    assert abs(along_y) < 0.1


def test_signal_dependent_noise_makes_the_estimators_disagree():
    ramp = np.kron(np.array([[2.0, 400.0]]), np.ones((256, 128)))
    assert estimate_noise(np.random.default_rng(0).poisson(ramp)).disagreement > 1.3


def test_saturation_is_counted():
    image = np.clip(np.random.default_rng(0).normal(200, 40, (256, 256)), 0, 255).astype(np.uint8)
    report = estimate_noise(image)
    assert report.saturated == pytest.approx((image == 255).mean())
    assert any("largest value" in warning for warning in report.warnings)


def test_a_stack_is_measured_plane_by_plane():
    rng = np.random.default_rng(0)
    stack = np.stack([rng.normal(100 * level, 7, (64, 64)) for level in range(4)])
    assert estimate_noise(stack, "ZYX").sigma == pytest.approx(7, rel=0.1)
    with pytest.raises(AxesError):
        estimate_noise(stack)


def test_a_constant_image_has_no_noise_to_measure():
    with pytest.raises(ImageError, match="constant"):
        estimate_noise(np.ones((32, 32)))
