"""Whether what a denoiser has removed is white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

#: Correlation with another pixel above which a residual is not called white, however few pixels it takes to be sure of it:
#: 0.05 is common in scanned images and harmless.
CORRELATED = 0.1
#: Share of the spectrum's width below which it is not called white either: many small correlations make a large one.
NARROW = 0.75
#: Side of the window, in pixels, in which the residual is brought to one strength; one of twice the side takes its mean off.
_WINDOW = 15


@dataclass(frozen=True)
class Whiteness:
    """How a residual is correlated with itself.

    Attributes
    ----------
    correlation : ndarray
        Normalised autocorrelation for shifts of -lags to lags along y and x; 1 in the middle.
    pixels : int
        Pixels that count: those where the residual is not 0 throughout the neighbourhood.
    """

    correlation: np.ndarray
    pixels: int

    @property
    def band(self) -> float:
        """Return two standard deviations of each correlation of white noise, 2 / sqrt(pixels)."""
        return 2 / float(np.sqrt(max(self.pixels, 1)))

    @property
    def y(self) -> float:
        """Return the correlation with the neighbour in y."""
        return float(self.correlation[self._lags + 1, self._lags])

    @property
    def x(self) -> float:
        """Return the correlation with the neighbour in x."""
        return float(self.correlation[self._lags, self._lags + 1])

    @property
    def largest(self) -> float:
        """Return the largest absolute correlation with any other pixel."""
        return float(np.abs(self._half).max())

    @property
    def outside(self) -> float:
        """Return the share of the shifts whose correlation is outside the band; about 0.05 for white noise."""
        return float(np.mean(np.abs(self._half) > self.band))

    @property
    def statistic(self) -> float:
        """Return the statistic of Box & Pierce (1970): pixels times the sum of squared correlations, opposite shifts once."""
        return float(self.pixels * np.sum(self._half**2))

    @property
    def p_value(self) -> float:
        """Return how often white noise has a larger statistic (chi-square); nearly always 0 for real noise on large images."""
        return float(special.chdtrc(self._half.size, self.statistic)) if self.pixels else 1.0

    @property
    def score(self) -> float:
        """Return 1 / (sum of the squared correlations beyond chance), 0 to 1: the share of its spectrum that the residual fills.

        By Parseval's theorem (mean power)^2 / mean squared power, as far as `lags` reach; white noise fills all of it.
        """
        excess = 2 * float(np.sum(self._half**2)) - 2 * self._half.size / max(self.pixels, 1)
        return 1 / (1 + max(excess, 0.0))

    @property
    def white(self) -> bool:
        """Tell whether no correlation matters: all below 0.1 (or 4 / sqrt(pixels), if that is more), and the score above 0.75.

        Deliberately not a test of significance: a quarter of a million pixels make a correlation of 0.01 significant.
        """
        return self.largest < max(CORRELATED, 2 * self.band) and (self.score > NARROW or self.p_value > 0.01)

    @property
    def _lags(self) -> int:
        return self.correlation.shape[0] // 2

    @property
    def _half(self) -> np.ndarray:
        """Return one of each pair of opposite shifts, which are equal, without the middle."""
        return self.correlation.ravel()[self.correlation.size // 2 + 1 :]


def whiteness(residual: np.ndarray, lags: int = 5) -> Whiteness:
    """Return the autocorrelation of a residual, and whether it is white.

    r(d) = sum z_i z_(i+d) / sum z_i^2, where z is the residual without its mean in a window of 31 x 31 pixels, over its
    root mean square in one of 15 x 15: noise that is stronger where the image is brighter would otherwise be judged by the
    bright parts alone, and a lamp that has drifted between two captures would pass for correlated noise. White noise gives
    0 +- 1 / sqrt(pixels) (Bartlett 1946).

    Assumes noise that is symmetric enough for its sign to be independent of its size, which even the noise of a few
    photons is. A white residual does not prove a good result (removing nothing leaves none at all, removing fine texture
    leaves a nearly white one); a correlated one means that the noise is correlated or that structure was removed with it.

    Parameters
    ----------
    residual : ndarray (..., Y, X)
        Noisy minus denoised. More planes are pooled.
    lags : int
        Largest shift in pixels; fewer where the image is small.

    Returns
    -------
    Whiteness
    """
    residual = np.asarray(residual, dtype=np.float64)
    planes = residual.reshape(-1, *residual.shape[-2:])
    lags = max(1, min(lags, min(planes.shape[1:]) // 6))
    even, counts = zip(*(_even(plane) for plane in planes), strict=True)
    sums = np.sum([_products(plane, lags) for plane in even], axis=0)
    power = sums[lags, lags]
    flat = np.zeros_like(sums)
    flat[lags, lags] = 1.0
    return Whiteness(sums / power if power > 0 else flat, sum(counts))


def _even(plane: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the residual at one strength everywhere, and in how many pixels there is any of it."""
    centred = plane - ndimage.uniform_filter(plane, min(2 * _WINDOW + 1, *plane.shape), mode="mirror")
    power = np.maximum(ndimage.uniform_filter(centred**2, min(_WINDOW, *plane.shape), mode="mirror"), 0)
    # Where nothing was removed there is nothing but rounding, which must not be blown up.
    counts = power > 1e-6 * power.max() if power.max() > 0 else np.zeros(plane.shape, dtype=bool)
    even = np.divide(centred, np.sqrt(power), out=np.zeros_like(centred), where=counts)
    return even, int(counts.sum())


def _products(plane: np.ndarray, lags: int) -> np.ndarray:
    """Return the sum of the products with the shifted plane, shifts of -lags to lags; nothing is wrapped around."""
    shape = tuple(n + 2 * lags for n in plane.shape)
    power = np.abs(np.fft.rfft2(plane, shape)) ** 2
    around = np.fft.irfft2(power, shape)
    return np.roll(around, (lags, lags), (0, 1))[: 2 * lags + 1, : 2 * lags + 1]
