"""The real images, where their folder is there: what the synthetic ones cannot show."""

import numpy as np
import pytest
from skimage import io as skio

from napari_lotadenoise import denoise, estimate_noise, io
from napari_lotadenoise.metrics import psnr
from tests.helpers import SINGLE, quick


@pytest.mark.parametrize("method", SINGLE)
def test_real_confocal_noise_is_reduced(data, method):
    crop = (slice(128, 256), slice(128, 256))
    noisy, truth = (skio.imread(data / "FMD" / kind / "Confocal_MICE_1.png")[crop] for kind in ("raw", "gt"))
    result = denoise(noisy, method, **quick(method, steps=200))
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3.5


@pytest.mark.parametrize(
    ("name", "correlated"),
    [
        ("Confocal_MICE_1", False),
        ("TwoPhoton_BPAE_G_1", False),
        ("TwoPhoton_BPAE_B_1", False),
        ("WideField_BPAE_B_1", True),
    ],
)
def test_correlated_noise_is_recognised(data, name, correlated):
    image = skio.imread(data / "FMD" / "raw" / f"{name}.png")
    assert estimate_noise(image).correlated == correlated


def test_the_median_error_of_sigma_on_clean_sets_is_below_a_tenth(data):
    for sigma in (10, 25, 50):
        errors = []
        for path in sorted((data / "Set12").glob("*.png")):
            clean = skio.imread(path).astype(float)
            found = estimate_noise(clean + np.random.default_rng(0).normal(0, sigma, clean.shape)).sigma
            errors.append(abs(found - sigma) / sigma)
        assert errors
        assert np.median(errors) < 0.1


def test_stacks_with_calibration_are_read(data):
    brain = io.read(data / "Stacks_3D" / "brain_ch0_ch1_12planes.ome.tif")
    assert brain.axes == "CZYX"
    assert brain.data.shape[:2] == (2, 12)
    embryo = io.read(data / "Stacks_3D" / "arabidopsis-embryo.tif")
    assert set(embryo.axes) >= {"Y", "X"}


def test_a_nearly_empty_grey_range_works(data):
    grid = io.read(data / "Stacks_3D" / "DeconvolutionSampleVerticalGrid1AU-crop.tif").data
    result = denoise(grid, "zs-n2n", "ZYX", steps=30, crop=16)
    assert np.isfinite(result.image).all()
    assert abs(result.image.mean() - grid.mean()) < 0.2
