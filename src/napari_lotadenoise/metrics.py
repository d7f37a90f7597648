"""Scores against a known truth."""

from __future__ import annotations

import numpy as np


def psnr(image: np.ndarray, truth: np.ndarray, peak: float) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean squared error).

    Parameters
    ----------
    image, truth : ndarray
        Of one shape and intensity scale; nothing is clipped here.
    peak : float
        Largest intensity of the scale, for example 255.
    """
    error = float(np.mean((np.asarray(image, dtype=np.float64) - np.asarray(truth, dtype=np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(peak**2 / error))
