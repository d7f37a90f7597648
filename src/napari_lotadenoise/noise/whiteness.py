"""Is the noise of neighbouring pixels independent? Correlations of one noisy plane, and its radial spectrum."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Lag-1 correlation of a residual, or of the finest detail, that white noise does not have: it gives 0 +- 0.02.
CORRELATED = 0.1
#: Longest lag, and the width of the running mean that is taken off before.
LAGS, _RUN = 4, 9
#: Longest lag in blocks.
BLOCK_LAGS = 8
#: Share of the lag-1 correlation that is left at lag 2 where it is one of structure.
_LASTING = 0.75
#: Share of the pixels on the lowest level from which they are left out: clipped pixels have no noise to correlate.
_CLIPPED, _ENOUGH = 0.05, 2000


def lag_one(plane: np.ndarray) -> tuple[float, float]:
    """Return the correlation of the noise with its neighbour along y and along x; see `autocorrelation`."""
    along_y, along_x = autocorrelation(plane, 1)
    return float(along_y[0]), float(along_x[0])


def autocorrelation(plane: np.ndarray, lags: int = LAGS) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlation of the fine noise of a plane (Y, X) along y and along x, for lags of 1 to `lags` pixels.

    Second differences across the other axis and a running mean along this one take the image away; what the latter does
    to white noise is known and is taken back, so that white noise gives 0. (Undoing it for correlated noise as well would
    blow up what is left of the image: behind a strong correlation the next ones come out too low.) Medians of sums and
    differences pass over edges. Noise that is correlated over more than a few pixels is taken for image:
    `block_correlation` sees that.

    Returns
    -------
    two arrays of `lags` numbers
        Along y, along x; about 0 for white noise.
    """
    plane = np.asarray(plane, dtype=np.float32)
    bottom = plane == plane.min()
    clipped = ndimage.binary_dilation(bottom, np.ones((3, 3), dtype=bool)) if bottom.mean() > _CLIPPED else None
    along = []
    for axis in (0, 1):
        high = np.diff(plane, n=2, axis=1 - axis)
        high = high - ndimage.uniform_filter1d(high, _RUN, axis=axis)
        if clipped is not None:
            high[np.delete(clipped, [0, -1], axis=1 - axis)] = np.nan
        along.append(np.array([_robust_correlation(high, axis, lag) for lag in range(1, lags + 1)]))
    return along[0], along[1]


def confidence(pixels: int) -> float:
    """Return the size that a correlation of `autocorrelation` has by chance in one of twenty planes of white noise.

    2 / sqrt(N) for independent values; differences and medians cost a factor of about 2.5 (simulated).
    """
    return 5 / np.sqrt(max(pixels, 1))


def block_correlation(plane: np.ndarray) -> tuple[float, float]:
    """Return the lag-1 correlation along y and along x in the flattest blocks of a plane; see `block_autocorrelation`."""
    along_y, along_x = block_autocorrelation(plane)
    return float(along_y[0]), float(along_x[0])


def block_autocorrelation(plane: np.ndarray, side: int = 24, share: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return correlation along y and along x in the flattest blocks of a plane, each freed from a paraboloid, for lags 1 to 8.

    Sees correlations over several pixels that a high-pass takes for image. Where no block is flat, structure would be taken
    for correlation: it is told by lasting from the first lag to the second, in which case 0 is given.
    """
    height, width = (size // side for size in plane.shape)
    if height * width < 4:
        return np.zeros(BLOCK_LAGS), np.zeros(BLOCK_LAGS)
    blocks = np.asarray(plane, dtype=np.float64)[: height * side, : width * side]
    blocks = blocks.reshape(height, side, width, side).swapaxes(1, 2).reshape(-1, side * side)
    flat = blocks - blocks @ _paraboloids(side)
    variance = flat.var(1)
    order = np.argsort(variance)
    chosen = [index for index in order if variance[index] > 0][: max(4, int(share * len(order)))]
    if not chosen:
        return np.zeros(BLOCK_LAGS), np.zeros(BLOCK_LAGS)
    unit = (flat[chosen] / np.sqrt(variance[chosen])[:, None]).reshape(-1, side, side)
    return _falling(unit), _falling(unit.swapaxes(1, 2))


def radial_spectrum(plane: np.ndarray, bins: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean power of rings of equal frequency of a plane (mean taken off, Hann window); flat where noise is white.

    Returns
    -------
    frequencies, power : arrays
        Cycles per pixel up to 0.5, and intensities squared.
    """
    plane = np.asarray(plane, dtype=np.float64)
    window = np.outer(np.hanning(plane.shape[0]), np.hanning(plane.shape[1]))
    power = np.abs(np.fft.fft2((plane - plane.mean()) * window)) ** 2 / max((window**2).sum(), 1e-12)
    radius = np.hypot(np.fft.fftfreq(plane.shape[0])[:, None], np.fft.fftfreq(plane.shape[1])[None])
    number = np.minimum((radius * 2 * bins).astype(int), bins)  # the corners beyond 0.5 are left out
    counts = np.bincount(number.ravel(), minlength=bins + 1)[:bins]
    sums = np.bincount(number.ravel(), power.ravel(), minlength=bins + 1)[:bins]
    return (np.arange(bins) + 0.5) / (2 * bins), sums / np.maximum(counts, 1)


def _falling(unit: np.ndarray) -> np.ndarray:
    """Return correlation along the first axis of blocks (N, Y, X) of unit variance, zeros where lag 1 hardly falls to lag 2."""
    found = np.array([(unit[:, :-lag] * unit[:, lag:]).mean() for lag in range(1, BLOCK_LAGS + 1)])
    return found if found[1] < _LASTING * found[0] or found[0] < 0 else np.zeros(BLOCK_LAGS)


def _robust_correlation(high: np.ndarray, axis: int, lag: int) -> float:
    """Return the correlation at a lag from the medians of |a + b| and |a - b|, which edges hardly touch.

    0 where it cannot be told.

    White noise less its running mean of n = 9 has (max(0, n - lag) / n^2 - 2 / n [lag < n / 2]) / (1 - 1 / n).
    """
    size = high.shape[axis]
    if size <= lag:
        return 0.0
    a, b = np.take(high, range(size - lag), axis=axis), np.take(high, range(lag, size), axis=axis)
    seen = np.isfinite(a) & np.isfinite(b)
    if seen.sum() < min(_ENOUGH, seen.size):
        return 0.0
    plus, minus = np.median(np.abs(a + b)[seen]) ** 2, np.median(np.abs(a - b)[seen]) ** 2
    white = (max(0, _RUN - lag) / _RUN**2 - (2 / _RUN if lag < _RUN / 2 else 0)) / (1 - 1 / _RUN)
    return float((plus - minus) / (plus + minus) - white) if plus + minus > 0 else 0.0


def _paraboloids(side: int) -> np.ndarray:
    """Return the projection of a block on the polynomials of second degree."""
    y, x = np.mgrid[:side, :side].reshape(2, -1) / side - 0.5
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], 1))
    return basis @ basis.T
