"""Knowing the noise: how strong, how it depends on the signal, whether neighbours share it, and what happened to levels."""

from napari_lotadenoise.noise.correlation import Degree, NoiseCorrelation, measure_correlation
from napari_lotadenoise.noise.levels import Levels, hot_pixels, measure_levels
from napari_lotadenoise.noise.model import NoiseModel, measure_images, measure_noise
from napari_lotadenoise.noise.report import NoiseReport, estimate_noise
from napari_lotadenoise.noise.sigma import (
    ESTIMATORS,
    laplacian_sigma,
    patch_sigma,
    robust_laplacian_sigma,
    typical_sigma,
    wavelet_sigma,
)
from napari_lotadenoise.noise.stride import best_stride, expected_error
from napari_lotadenoise.noise.variance import VarianceFit, fit_planes, photon_transfer
from napari_lotadenoise.noise.whiteness import (
    CORRELATED,
    autocorrelation,
    block_correlation,
    lag_one,
    radial_spectrum,
)

__all__ = [
    "CORRELATED",
    "ESTIMATORS",
    "Degree",
    "Levels",
    "NoiseCorrelation",
    "NoiseModel",
    "NoiseReport",
    "VarianceFit",
    "autocorrelation",
    "best_stride",
    "block_correlation",
    "estimate_noise",
    "expected_error",
    "fit_planes",
    "hot_pixels",
    "lag_one",
    "laplacian_sigma",
    "measure_correlation",
    "measure_images",
    "measure_levels",
    "measure_noise",
    "patch_sigma",
    "photon_transfer",
    "radial_spectrum",
    "robust_laplacian_sigma",
    "typical_sigma",
    "wavelet_sigma",
]
