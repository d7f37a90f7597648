"""Scores against a known truth."""

from __future__ import annotations

import numpy as np

from napari_lotadenoise.image.planes import stacked_planes


def psnr(image: np.ndarray, truth: np.ndarray, peak: float) -> float:
    """Return the peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean squared error).

    Parameters
    ----------
    image, truth : ndarray
        Of one shape and intensity scale; nothing is clipped here.
    peak : float
        Largest intensity of the scale, for example 255.
    """
    error = float(np.mean((np.asarray(image, dtype=np.float64) - np.asarray(truth, dtype=np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(peak**2 / error))


def fitted_psnr(image: np.ndarray, truth: np.ndarray, peak: float) -> float:
    """Return the PSNR in dB after the gain and the offset that bring the image closest to the truth.

    min over a, b of mean (a image + b - truth)^2: a = cov(image, truth) / var(image), b = mean truth - a mean image.
    For pairs whose intensity scales are not the same (another exposure, an image that was stretched for display). It
    forgives every error of gain and offset, so that it is never below `psnr`: it must not be compared with it.

    Parameters
    ----------
    image, truth : ndarray
        Of one shape; `peak` belongs to the scale of the truth.
    peak : float
        Largest intensity of the truth's scale.
    """
    centred = np.asarray(image, dtype=np.float64) - np.mean(image, dtype=np.float64)
    wanted = np.asarray(truth, dtype=np.float64) - np.mean(truth, dtype=np.float64)
    power = float(np.mean(centred**2))
    gain = float(np.mean(centred * wanted)) / power if power > 0 else 0.0
    return psnr(gain * centred, wanted, peak)


def ssim(image: np.ndarray, truth: np.ndarray, peak: float, axes: str = "YX") -> float:
    """Return the structural similarity with a uniform 7 x 7 window, the mean over all planes (and colours).

    Mean of (2 m_x m_y + c1) (2 s_xy + c2) / ((m_x^2 + m_y^2 + c1) (s_x^2 + s_y^2 + c2)) over the windows, with
    c1 = (0.01 peak)^2, c2 = (0.03 peak)^2 (Wang, Bovik, Sheikh & Simoncelli, IEEE TIP 2004; scikit-image, whose window
    is square where the paper's is a Gaussian). Planes smaller than the window get the largest odd one that fits.

    Parameters
    ----------
    image, truth : ndarray
        Of one shape and intensity scale, planes of 3 x 3 pixels at least.
    peak : float
        Largest intensity of the scale; the constants hang on it.
    axes : str
        One letter an axis; all but Y and X are planes.
    """
    from skimage.metrics import structural_similarity

    pairs = list(zip(stacked_planes(image, axes), stacked_planes(truth, axes), strict=True))
    side = min(7, *pairs[0][0].shape)
    side -= 1 - side % 2
    found = [structural_similarity(a, b, win_size=side, data_range=peak) for a, b in pairs]
    return float(np.mean(found))
