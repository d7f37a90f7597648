"""Knowing the noise: how strong, how it depends on the signal, whether neighbours share it, and what happened to levels."""

from napari_lotadenoise.noise.levels import Levels, hot_pixels, measure_levels
from napari_lotadenoise.noise.report import NoiseReport, estimate_noise
from napari_lotadenoise.noise.sigma import (
    ESTIMATORS,
    laplacian_sigma,
    patch_sigma,
    robust_laplacian_sigma,
    typical_sigma,
    wavelet_sigma,
)
from napari_lotadenoise.noise.variance import VarianceFit, fit_planes, fit_variance, photon_transfer
from napari_lotadenoise.noise.whiteness import (
    CORRELATED,
    INDEPENDENT_ENOUGH,
    autocorrelation,
    block_correlation,
    is_independent,
    lag_one,
    radial_spectrum,
)

__all__ = [
    "CORRELATED",
    "ESTIMATORS",
    "INDEPENDENT_ENOUGH",
    "Levels",
    "NoiseReport",
    "VarianceFit",
    "autocorrelation",
    "block_correlation",
    "estimate_noise",
    "fit_planes",
    "fit_variance",
    "hot_pixels",
    "is_independent",
    "lag_one",
    "laplacian_sigma",
    "measure_levels",
    "patch_sigma",
    "photon_transfer",
    "radial_spectrum",
    "robust_laplacian_sigma",
    "typical_sigma",
    "wavelet_sigma",
]
