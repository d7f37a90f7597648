"""Fourier ring correlation: up to which frequency two images of one scene agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Correlation at which the resolution is read: 1/7 as in electron microscopy (Rosenthal & Henderson 2003).
THRESHOLD = 1 / 7


@dataclass(frozen=True)
class RingCorrelation:
    """Correlation of two images, ring by ring in the Fourier plane.

    Attributes
    ----------
    frequency : ndarray
        Middle of each ring, in cycles per pixel, up to 0.5.
    correlation : ndarray
        Of each ring, -1 to 1.
    pixels : ndarray
        Independent Fourier coefficients of each ring; noise alone gives 0 +- 1 / sqrt(2 pixels).
    """

    frequency: np.ndarray
    correlation: np.ndarray
    pixels: np.ndarray

    @property
    def smooth(self) -> np.ndarray:
        """Return the curve, averaged over three rings, in which the threshold is looked for."""
        kernel = np.ones(3)
        return np.convolve(self.correlation * self.pixels, kernel, "same") / np.convolve(self.pixels, kernel, "same")

    @property
    def cutoff(self) -> float:
        """Return the frequency in cycles per pixel at which the curve first falls below 1/7; 0.5 where it never does."""
        curve = self.smooth
        below = np.flatnonzero(curve < THRESHOLD)
        if not below.size:
            return 0.5
        if below[0] == 0:
            return 0.0
        before, after = below[0] - 1, below[0]
        share = (curve[before] - THRESHOLD) / (curve[before] - curve[after])
        return float(self.frequency[before] + share * (self.frequency[after] - self.frequency[before]))

    @property
    def resolution(self) -> float:
        """Return 1 / cutoff in pixels; 2 where it is as fine as the pixels allow or finer, infinite where nothing agrees."""
        return 1 / self.cutoff if self.cutoff > 0 else float("inf")

    @property
    def floor(self) -> float:
        """Return the mean correlation of the outer tenth of the rings.

        Far above 0, the two images share noise, or are undersampled.
        """
        outer = self.frequency > 0.45
        return float(np.average(self.correlation[outer], weights=self.pixels[outer])) if outer.any() else 0.0


def frc(a: np.ndarray, b: np.ndarray) -> RingCorrelation:
    """Return the Fourier ring correlation of two images of the same scene.

    Re sum A conj(B) / sqrt(sum |A|^2 sum |B|^2) over the coefficients of each ring (Saxton & Baumeister 1982), after the mean
    is subtracted and a Hann window applied, which keeps the borders out of the spectrum. Where signal and noise of a ring have
    the powers S and N, its expectation is S / (S + N).

    Assumes that nothing but the scene is common to the two: independent noise, no common camera pattern, no registration
    that interpolates. The halves may be denoised *independently of each other*; two results of one network, or two parts of
    one result, agree on their errors, and the figure means nothing. For one capture see `halves` and `thinned`.

    Parameters
    ----------
    a, b : ndarray (Y, X)
        Of one shape.
    """
    one, two = (_spectrum(np.asarray(image, dtype=np.float64)) for image in (a, b))
    rows, columns = one.shape
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    # A ring is as wide as the coarser of the two steps; the corners beyond 0.5 belong to no full ring.
    count = max(1, min(rows, columns) // 2)
    ring = np.rint(radius * 2 * count).astype(int).ravel()
    cross, first, second, pixels = (
        np.bincount(ring, part.ravel(), minlength=count + 1)[1 : count + 1]
        for part in ((one * two.conj()).real, np.abs(one) ** 2, np.abs(two) ** 2, np.ones(one.shape))
    )
    power = np.sqrt(first * second)
    correlation = np.divide(cross, power, out=np.zeros_like(cross), where=power > 0)
    return RingCorrelation(np.arange(1, count + 1) / (2 * count), correlation, pixels / 2)


def halves(image: np.ndarray, variance: np.ndarray | float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two images of one capture whose noise is uncorrelated: y + sqrt(v) z and y - sqrt(v) z, z standard normal.

    Their noise has the covariance Var(y) - v = 0 and the variance 2 v, as if each had half of the light: `frc` of the two
    tells the resolution at half the dose (Gaussian noise: Oliveira, Lei & Tibshirani, Biometrika 2022). Since the ring
    correlation is made of second moments, uncorrelated is enough, and v may be estimated from each pixel itself, for example
    gain * (y - offset) + read_noise^2.

    Assumes independent pixels and a variance that is right: with too small a v the halves share noise, which shows as a
    `floor` above 0. Checkerboard halves are not offered: they lie half a pixel apart, and share what their coarser grid aliases.

    Parameters
    ----------
    image : ndarray
        The noisy image.
    variance : ndarray or float
        Noise variance, of each pixel or of all; negative values count as 0.
    seed : int
        Of z.
    """
    image = np.asarray(image, dtype=np.float64)
    noise = np.sqrt(np.maximum(variance, 0)) * np.random.default_rng((seed, 2022)).standard_normal(image.shape)
    return image + noise, image - noise


def thinned(counts: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two independent Poisson images from counted photons: each photon goes to one of them at random.

    Binomial(n, 1/2) and the rest are independent where n is Poisson. Assumes numbers of photons, not grey levels: divide by
    the gain first, and use `halves` where there is read noise.

    Raises
    ------
    ValueError
        Where a value is negative or no whole number.
    """
    counts = np.asarray(counts)
    whole = np.rint(counts)
    if np.any(whole != counts) or np.any(whole < 0):
        raise ValueError("Photons can only be shared out where every pixel holds a whole number of them, 0 or more.")
    first = np.random.default_rng((seed, 2022)).binomial(whole.astype(np.int64), 0.5)
    return first.astype(np.float64), whole - first


def _spectrum(image: np.ndarray) -> np.ndarray:
    rows, columns = (np.hanning(n + 2)[1:-1] for n in image.shape)
    return np.fft.fft2((image - image.mean()) * rows[:, None] * columns[None])
