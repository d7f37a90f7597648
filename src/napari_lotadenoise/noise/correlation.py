"""Correlation of the noise of neighbouring pixels: its autocorrelation in the plane, and what follows from it."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from napari_lotadenoise.noise.whiteness import lag_one

#: Longest lag along y and x, pixels.
LAGS = 5
#: Side of the blocks, and their distance. Small blocks hold little structure; what a paraboloid takes from them is undone.
SIDE, STEP = 16, 8
#: Classes of brightness, and the flattest share of each that is measured.
CLASSES, FLATTEST = 8, 0.1
#: Share of equal pixels, or of such at an end of the range, from which a block says nothing.
BLANK = 0.05
#: Fewest blocks that say anything.
FEWEST = 8
#: How strongly long lags are held down where the effect of the paraboloid is undone.
DAMPING = 1e-2
#: Lag-1 correlation up to which it may be faint structure, and from which it must be noise; between them a share of it is
#: believed. By simulated noise on clean images, and the residuals of pairs (`benchmarks/noise.py`).
STRUCTURE, NOISE = 0.05, 0.25
#: Share of the lag-1 correlation at lag 2 up to which it may all be noise, and from which it is structure, which lasts longer.
BRIEF, LASTING = 0.65, 0.85
#: Shares of the noise that its neighbours tell, up to which it passes for independent and for slightly correlated.
NEXT_TO_NOTHING, LITTLE = 0.1, 0.35
#: Correlation from which pixels count as correlated, for the distance in words.
_VISIBLE = 0.1
#: Mean of the lowest tenth of a normal distribution, deviations below its mean.
_LOWEST_TENTH = 1.755
#: Size of the transform by which spectra are computed, and the smallest share of the mean power that counts.
_SIZE, _FLOOR = 32, 0.02


class Degree(enum.Enum):
    """Degree of correlation, in words."""

    INDEPENDENT = "independent"
    SLIGHT = "slightly correlated"
    CORRELATED = "correlated"


@dataclass(frozen=True)
class NoiseCorrelation:
    """Autocorrelation of the noise of a plane.

    Attributes
    ----------
    values : array (LAGS + 1, LAGS + 1)
        Correlation of pixels that are so far apart along y and x, the mean over both diagonals; 1 at [0, 0].
    error : float
        Standard error of the values at lag 1.
    blocks : Blocks or None
        What they were measured on; None where nothing could be.
    """

    values: np.ndarray
    error: float = 0.0
    blocks: Blocks | None = None

    @property
    def along_y(self) -> float:
        """Return the correlation of neighbours along y."""
        return float(self.values[1, 0])

    @property
    def along_x(self) -> float:
        """Return the correlation of neighbours along x."""
        return float(self.values[0, 1])

    @property
    def white(self) -> bool:
        """Tell whether no correlation at all is believed."""
        return bool(np.count_nonzero(self.values) == 1)

    @property
    def predictable(self) -> float:
        """Return the share of the noise variance that the pixels around tell: what a blind spot keeps of it, 0 to 1.

        1 - 1 / mean(1 / S) over the frequencies, for a spectrum S of mean 1: the error of the best linear interpolation
        (Kolmogorov).
        """
        if self.white:
            return 0.0
        spectrum = self.spectrum
        return float(1 - 1 / np.mean(1 / spectrum))

    @property
    def spectrum(self) -> np.ndarray:
        """Return the power at the frequencies of a square transform of 32 pixels, mean 1, never below a fiftieth."""
        lags = np.minimum(np.arange(_SIZE), _SIZE - np.arange(_SIZE))
        near = np.minimum(lags, LAGS)
        taper = np.where(lags <= LAGS, 1 - lags / (LAGS + 1), 0.0)  # keeps the power positive
        field = self.values[np.ix_(near, near)] * np.outer(taper, taper)
        power = np.maximum(np.fft.fft2(field).real, _FLOOR)
        return power / power.mean()

    @property
    def degree(self) -> Degree:
        """Return the degree of correlation, by what it costs a method that takes pixels for independent."""
        if self.predictable < NEXT_TO_NOTHING:
            return Degree.INDEPENDENT
        return Degree.SLIGHT if self.predictable < LITTLE else Degree.CORRELATED

    @property
    def reach(self) -> int:
        """Return the number of neighbouring pixels that share noise, 1 where none do."""
        along = np.maximum(self.values[:, 0], self.values[0])
        return int(np.argmax(np.append(along, 0.0) < _VISIBLE))

    @property
    def structure(self) -> str:
        """Return the direction of the correlation: "pixel" (none), "rows" (along x), "columns" (along y) or "square"."""
        if self.degree is Degree.INDEPENDENT:
            return "pixel"
        if self.along_x > 3 * max(self.along_y, 0.05):
            return "rows"
        return "columns" if self.along_y > 3 * max(self.along_x, 0.05) else "square"

    @property
    def words(self) -> str:
        """Return the degree in words, with the distance and the direction where there is one."""
        if self.degree is not Degree.CORRELATED:
            return f"{self.degree.value} between pixels"
        direction = {"rows": " along x", "columns": " along y"}.get(self.structure, "")
        return f"correlated over about {self.reach} pixels{direction}"

    def at_stride(self, stride: int) -> NoiseCorrelation:
        """Return the correlation in the interleaved images of every so many-th pixel."""
        values = np.zeros_like(self.values)
        kept = self.values[::stride, ::stride]
        values[: len(kept), : len(kept)] = kept
        return NoiseCorrelation(values, self.error)

    def passed_by(self, kernel: np.ndarray) -> float:
        """Return the share of the noise variance behind a separable filter, in units of that for white noise.

        Parameters
        ----------
        kernel : array (taps,)
            The filter along y and along x.
        """
        taps = np.correlate(kernel, kernel, "full")[len(kernel) - 1 :]
        weights = np.zeros(LAGS + 1)
        weights[: len(taps)] = taps * np.where(np.arange(len(taps)) == 0, 1, 2) / taps[0]
        return float(weights @ self.values @ weights)


class Blocks(NamedTuple):
    """The flattest blocks of some planes, each freed from a paraboloid.

    Attributes
    ----------
    means, variances : arrays
        Of each block; intensities, and their squares.
    lost : float
        True variance of the noise over the one that is measured: a paraboloid was taken off, and the flattest blocks are
        also those whose noise happens to be weak.
    """

    means: np.ndarray
    variances: np.ndarray
    lost: float


def uncorrelated() -> NoiseCorrelation:
    """Return the correlation of white noise."""
    values = np.zeros((LAGS + 1, LAGS + 1))
    values[0, 0] = 1
    return NoiseCorrelation(values)


def measure_correlation(planes: Sequence[np.ndarray]) -> NoiseCorrelation:
    """Measure the correlation of the noise of planes (Y, X) in the flattest blocks of every brightness.

    Every block is freed from a paraboloid; what that takes from the noise is known and is undone. Faint structure is
    correlated as well, in blocks that are not flat, and in the finest detail where there is texture: of lag 1 the smaller
    of these two counts. Where it is at most 0.05, nothing is believed, from 0.25 on everything, and in between a share.

    Returns
    -------
    NoiseCorrelation
        White where too few blocks say anything.
    """
    found = [part for plane in planes if (part := _flattest(np.asarray(plane))) is not None]
    if sum(len(variances) for _, _, variances in found) < FEWEST:
        return uncorrelated()
    residuals, means, variances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    units = (residuals / np.sqrt(variances)[:, None]).reshape(-1, SIDE, SIDE)
    measured = autocorrelation_of(units)
    damped = _undone(measured)
    lost, values = damped[0, 0], damped / damped[0, 0]
    along = [(units[:, 1:] * units[:, :-1]).mean((1, 2)), (units[..., 1:] * units[..., :-1]).mean((1, 2))]
    # Blocks overlap by half in both directions, so that four of them tell about as much as one.
    error = max(float(part.std()) for part in along) / math.sqrt(max(1, len(units) / 4))
    share = _believed((float(measured[1, 0]), float(measured[0, 1])), planes) * _brief(measured)
    values = share * values
    values[0, 0] = 1
    return NoiseCorrelation(values, error, Blocks(means, variances, float(lost) / _by_selection(values)))


def _believed(lag_one_in_blocks: tuple[float, float], planes: Sequence[np.ndarray]) -> float:
    """Return the share of the measured correlation that is noise and no structure."""
    if max(lag_one_in_blocks) <= STRUCTURE:
        return 0.0
    finest = np.median([lag_one(plane) for plane in planes], axis=0)
    lower = float(np.minimum(lag_one_in_blocks, finest).max())
    return smooth_step((lower - STRUCTURE) / (NOISE - STRUCTURE))


def _brief(measured: np.ndarray) -> float:
    """Return 1 where the correlation ends as soon as that of noise does, and 0 where it lasts as that of structure."""
    first, second = max((measured[1, 0], measured[2, 0]), (measured[0, 1], measured[0, 2]))
    return 1 - smooth_step((second / first - BRIEF) / (LASTING - BRIEF)) if first > 0 else 1.0


def _flattest(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the flattest blocks (N, pixels) of each brightness less their paraboloids, their means and variances."""
    if min(plane.shape) < 2 * SIDE:
        return None
    scale = float(np.abs(plane).max()) or 1.0
    plane = plane / scale  # whatever the intensities, none of their squares overflows
    windows = sliding_window_view(plane, (SIDE, SIDE))[::STEP, ::STEP].reshape(-1, SIDE * SIDE).astype(np.float32)
    basis = _paraboloids().astype(np.float32)
    means = windows.mean(1)
    ends = (windows == plane.min()) | (windows == plane.max())
    usable = (ends.mean(1) < BLANK) & ((windows[:, 1:] == windows[:, :-1]).mean(1) < 0.5)
    windows = windows - means[:, None]
    residuals = windows - (windows @ basis) @ basis.T
    variances = residuals.var(1)
    order = np.flatnonzero(usable & (variances > 0))
    order = order[np.argsort(means[order], kind="stable")]
    classes = [part[np.argsort(variances[part], kind="stable")] for part in np.array_split(order, CLASSES) if len(part)]
    chosen = np.concatenate([part[: max(1, round(FLATTEST * len(part)))] for part in classes]) if classes else order
    if not len(chosen):
        return None
    chosen_residuals, chosen_means, chosen_variances = (
        values[chosen].astype(np.float64) for values in (residuals, means, variances)
    )
    return chosen_residuals * scale, chosen_means * scale, chosen_variances * scale**2


def autocorrelation_of(units: np.ndarray) -> np.ndarray:
    """Return the mean autocorrelation (LAGS + 1, LAGS + 1) of blocks (N, side, side) of variance 1."""
    return np.array([[_at_lag(units, y, x) for x in range(LAGS + 1)] for y in range(LAGS + 1)])


def _at_lag(units: np.ndarray, y: int, x: int) -> float:
    """Return the mean product of pixels of blocks (N, side, side) at a lag, over both diagonals."""
    rows, columns = SIDE - y, SIDE - x
    down = (units[:, :rows, :columns] * units[:, y:, x:]).mean()
    up = (units[:, :rows, x:] * units[:, y:, :columns]).mean()
    return float(down + up) / 2


def _by_selection(values: np.ndarray) -> float:
    """Return the variance of the flattest tenth of blocks of nothing but noise, over that of all.

    The variance of a block has the relative deviation sqrt(2 / n), for n independent values in it; the mean of the lowest
    tenth of a normal distribution lies 1.755 deviations below its middle.
    """
    weights = np.ones_like(values)
    weights[1:] *= 2
    weights[:, 1:] *= 2
    independent = SIDE * SIDE / float((weights * values**2).sum())
    return max(0.3, 1 - _LOWEST_TENTH * math.sqrt(2 / independent))


def _undone(measured: np.ndarray) -> np.ndarray:
    """Return the autocovariance whose image behind the paraboloid is the measured one; long lags are held down."""
    design, lags = _design(), np.hypot(*np.mgrid[: LAGS + 1, : LAGS + 1]).ravel()
    found = np.linalg.solve(design.T @ design + np.diag(DAMPING * lags**2), design.T @ measured.ravel())
    return found.reshape(LAGS + 1, LAGS + 1)


@functools.cache
def _design() -> np.ndarray:
    """Return what each lag of an autocovariance adds to the measured ones, behind the paraboloid."""
    basis = _paraboloids()
    projection = np.eye(SIDE * SIDE) - basis @ basis.T
    y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
    rows, columns = np.abs(y[:, None] - y), np.abs(x[:, None] - x)
    lags = [(dy, dx) for dy in range(LAGS + 1) for dx in range(LAGS + 1)]
    design = np.empty((len(lags), len(lags)))
    for number, (dy, dx) in enumerate(lags):
        covariance = projection @ ((rows == dy) & (columns == dx)).astype(np.float64) @ projection
        sums = np.bincount((rows * SIDE + columns).ravel(), covariance.ravel(), SIDE * SIDE)
        counts = np.bincount((rows * SIDE + columns).ravel(), minlength=SIDE * SIDE)
        design[:, number] = [sums[a * SIDE + b] / counts[a * SIDE + b] for a, b in lags]
    return design


@functools.cache
def _paraboloids() -> np.ndarray:
    """Return an orthonormal basis (pixels, 6) of the polynomials of second degree on a block."""
    y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1) / SIDE - 0.5
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], 1))
    return basis


def smooth_step(position: float) -> float:
    """Return 0 below 0, 1 above 1, and a smooth rise between."""
    inside = min(max(position, 0.0), 1.0)
    return inside * inside * (3 - 2 * inside)
