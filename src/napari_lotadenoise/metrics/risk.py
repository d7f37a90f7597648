"""Stein's unbiased estimate of the error, for noise whose strength is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_lotadenoise.metrics.estimate import Blocks, Estimate, mean_and_error

Denoiser = Callable[[np.ndarray], np.ndarray]


def sure(
    denoise: Denoiser,
    image: np.ndarray,
    sigma: float,
    peak: float,
    eps: float | None = None,
    probes: int = 1,
    seed: int = 0,
) -> Estimate:
    """Return the PSNR of a denoiser under white Gaussian noise of known strength, without the truth (Monte-Carlo SURE).

    mean (f(y) - y)^2 - sigma^2 + 2 sigma^2 / (N eps) b . (f(y + eps b) - f(y)), with random signs b (Stein, Annals of
    Statistics 1981; Ramani, Blu & Unser, IEEE TIP 2008). The last term is how much each pixel of the result follows its own
    noise.

    Assumes independent Gaussian noise of one known deviation, and a denoiser that is a fixed, nearly smooth function of
    what it is handed. *Not* for a network that was trained on this image: its weights have seen the noise, which the probe
    with frozen weights does not feel, so that the estimate is too good by what they have memorised. That was 0.1 dB for
    LoTA-N2N and Noise2Self in docs/scores.md; it has no bound (a network that reproduces the image from a fixed input gets
    an error of -sigma^2). To take the whole training for the function is unbiased in theory and was worse in practice.

    Parameters
    ----------
    denoise : callable
        From an array to an array of the same shape; called 1 + `probes` times. Chance in it must be the same every time.
    image : ndarray
        The noisy image.
    sigma : float
        Noise deviation in intensities.
    peak : float
        Largest intensity of the scale.
    eps : float, optional
        Size of the probe, default a tenth of sigma: small against the noise, large against rounding in float32.
    probes : int
        How many random probes are averaged.
    seed : int
        Of the probes.
    """
    variance = np.full(np.shape(image), float(sigma) ** 2)
    return _risk(denoise, image, variance, peak, sigma / 10 if eps is None else eps, probes, seed)


def pure(
    denoise: Denoiser, image: np.ndarray, gain: float, read_noise: float, peak: float, offset: float = 0.0,
    eps: float | None = None, probes: int = 1, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Return the PSNR of a denoiser under Poisson or Poisson-Gaussian noise of a known camera, without the truth (PURE).

    For y = gain * Poisson(x) + offset + Normal(0, read_noise): `sure` with the variance of each pixel estimated from the
    pixel itself, v = gain (y - offset) + read_noise^2:
    mean (f(y) - y)^2 - mean v + 2 / (N eps) (v b) . (f(y + eps b) - f(y)) (Luisier, Blu & Unser, IEEE TIP 2011; Le
    Montagner, Angelini & Olivo-Marin, IEEE TIP 2014, to first order in the gain).

    Assumes a camera that is known, independent pixels, and a denoiser that changes little when one photon more or less hits
    a pixel: it is exact for linear filters, and errs for strongly nonlinear ones below a few photons a pixel. Not for
    networks trained on this image, see `sure`.

    Parameters
    ----------
    denoise, image, peak, probes, seed
        As for `sure`.
    gain : float
        Intensities for one photo-electron.
    read_noise : float
        Deviation of the Gaussian part, in intensities.
    offset : float
        Intensity without light.
    eps : float, optional
        Size of the probe; default a tenth of the root of the mean variance.
    """
    variance = gain * (np.asarray(image, dtype=np.float64) - offset) + read_noise**2
    typical = float(np.sqrt(max(variance.mean(), np.finfo(np.float64).tiny)))
    return _risk(denoise, image, variance, peak, typical / 10 if eps is None else eps, probes, seed)


def stein(
    found: np.ndarray, image: np.ndarray, variance: np.ndarray | float, divergence: np.ndarray, counted: np.ndarray | None = None
) -> Blocks:  # fmt: skip
    """Return the squared error of a result by Stein's estimate, from a divergence that was measured beside it.

    (f(y) - y)^2 - v + 2 v df/dy, pixel by pixel, for independent noise of variance v at each pixel. The difference of two such
    estimates on one image does not hang on v where the two respond alike, which is why it ranks better than it measures.

    Parameters
    ----------
    found, image : ndarray
        Result and noisy image, of one shape.
    variance : ndarray or float
        Of the noise, in squared intensities.
    divergence : ndarray
        Derivative of each pixel of the result by its own pixel of the image (`Result.divergence`).
    counted : ndarray of bool, optional
        Which pixels count; default: all.
    """
    return Blocks.of((found - image) ** 2 + variance * (2 * divergence - 1), counted)


def _risk(
    denoise: Denoiser, image: np.ndarray, variance: np.ndarray, peak: float, eps: float, probes: int, seed: int
) -> Estimate:  # fmt: skip
    """Return the mean of the shares that the pixels have in the risk; `variance` is that of the noise of each of them."""
    image = np.asarray(image)
    image = image if image.dtype.kind == "f" else image.astype(np.float64)
    found = np.asarray(denoise(image), dtype=np.float64)
    share = (found - image) ** 2 - variance
    # Not the stream that whoever simulates noise with the same seed draws it from.
    rng = np.random.default_rng((seed, 2008))
    for _ in range(probes if eps > 0 else 0):
        signs = rng.choice([-1.0, 1.0], image.shape)
        moved = np.asarray(denoise((image + eps * signs).astype(image.dtype)), dtype=np.float64)
        share += 2 * variance * signs * (moved - found) / (eps * probes)
    return Estimate(*mean_and_error(share), peak)
