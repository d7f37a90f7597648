"""Scores from repeated captures of one scene."""

from __future__ import annotations

import numpy as np

from napari_lotadenoise.metrics.estimate import Estimate, mean_and_error


def upsnr(a: np.ndarray, b: np.ndarray, c: np.ndarray, image: np.ndarray, peak: float) -> Estimate:
    """Return the PSNR of a result from three noisy captures of the same scene, without the truth.

    uMSE = mean[(image - a)^2 - (b - c)^2 / 2] (Marcos-Morales et al.,
    Evaluating Unsupervised Denoising Requires Unsupervised Metrics, ICML 2023). The first term is the true
    error plus the noise variance, the second takes that variance off.

    Assumes noise that is zero on average and independent between the three captures, of the same strength in each; it
    may depend on the signal and be correlated between pixels. The result must be computed without `a` (from b or c, or
    from yet another capture). A scene that moves or bleaches between the captures counts as error.

    Parameters
    ----------
    a, b, c : ndarray
        Noisy captures of one scene.
    image : ndarray
        The result, computed without `a`.
    peak : float
        Largest intensity of the scale.
    """
    one, two, three, found = (np.asarray(part, dtype=np.float64) for part in (a, b, c, image))
    return Estimate(*mean_and_error((found - one) ** 2 - (two - three) ** 2 / 2), peak)
