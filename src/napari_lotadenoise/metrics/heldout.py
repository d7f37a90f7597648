"""The error at pixels that were hidden from the denoiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from napari_lotadenoise.image.planes import plane_axes
from napari_lotadenoise.metrics.estimate import Estimate, mean_and_error

#: Mean of the eight neighbours with weights 1/2, 1, 1/2, without the pixel itself.
_DONUT = np.array([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]]) / 6


class HeldOut(NamedTuple):
    """Mean squared difference to the noisy image at hidden pixels, its standard error, and how many pixels there were."""

    error: float
    standard_error: float
    pixels: int


def heldout_error(
    denoise: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    grid: int = 4,
    sets: int = 4,
    axes: str | None = None,
) -> HeldOut:
    """Return the error of a denoiser at pixels that it does not see, against their noisy values.

    For each of a few sets of pixels J (one in grid x grid): mean over J of (f(y with J filled)_J - y_J)^2. The fill is the
    mean of the eight neighbours without the pixel itself. Where noise is independent from pixel to pixel and zero on
    average, and f uses nothing of y but what it is handed, this is the true error at J plus the noise variance (Batson &
    Royer, Noise2Self, ICML 2019, proposition 1), so that it ranks denoisers without a truth.

    It is the error of the denoiser *with holes*: most denoisers do better where they see the pixel itself. Noise that is
    correlated between neighbours makes it too small, and a network that has been trained on these very pixels too.

    Parameters
    ----------
    denoise : callable
        From an array to an array of the same shape; called `sets` times.
    image : ndarray
        The noisy image.
    grid : int
        One pixel in grid x grid is hidden at a time.
    sets : int
        How many such sets are tried, at most grid x grid, which hides every pixel once.
    axes : str, optional
        One letter an axis; default: Y and X are the last two. All else at a hidden place (colours, slices) is hidden too.

    Returns
    -------
    HeldOut
    """
    image = np.asarray(image)
    place = (image.ndim - 2, image.ndim - 1) if axes is None else plane_axes(axes)
    fill = _neighbour_mean(image, place)
    rows, columns = (_along(np.arange(image.shape[axis]) % grid, axis, image.ndim) for axis in place)
    # Sets that follow each other would lie in one column.
    chosen = np.random.default_rng(0).permutation(grid * grid)[:sets]
    errors, counted = np.zeros(image.shape), np.zeros(image.shape, dtype=bool)
    for number in chosen:
        hidden = np.broadcast_to((rows == number // grid) & (columns == number % grid), image.shape)
        found = np.asarray(denoise(np.where(hidden, fill, image).astype(fill.dtype)))
        errors[hidden] = (found[hidden].astype(np.float64) - image[hidden]) ** 2
        counted |= hidden
    return HeldOut(*mean_and_error(errors, counted), int(counted.sum()))


def masked_psnr(error: HeldOut | float, sigma: float, peak: float, sigma_error: float = 0.0) -> Estimate:
    """Return the PSNR from the error at hidden pixels: 10 log10(peak^2 / (error - sigma^2)).

    Assumes what `heldout_error` does, and a noise variance that is known: a sigma that is 1 % wrong shifts the error by 2 %
    of the *noise variance*, which for a good denoiser may be half of what is left. Where the difference is not positive the
    estimate says so instead of inventing a number. Without a known sigma only differences of errors mean something.

    Parameters
    ----------
    error : HeldOut or float
        From `heldout_error`; a number alone has no standard error.
    sigma : float
        Noise deviation in intensities; where it depends on the signal, the root of the mean variance.
    peak : float
        Largest intensity of the scale.
    sigma_error : float
        Standard error of sigma, in intensities.
    """
    measured, spread = (error.error, error.standard_error) if isinstance(error, HeldOut) else (float(error), 0.0)
    return Estimate(measured - sigma**2, float(np.hypot(spread, 2 * sigma * sigma_error)), peak)


def _neighbour_mean(image: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    as_float = image if image.dtype.kind == "f" else image.astype(np.float64)
    kernel = np.expand_dims(_DONUT, tuple(axis for axis in range(image.ndim) if axis not in place))
    return ndimage.convolve(as_float, kernel, mode="mirror")


def _along(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    return np.expand_dims(values, tuple(other for other in range(ndim) if other != axis))
