"""An error that was estimated without the truth, with how sure one can be of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Side in pixels of the blocks whose means tell how uncertain a mean over the image is.
BLOCK = 16


@dataclass(frozen=True)
class Estimate:
    """A mean squared error that was estimated without the truth.

    Attributes
    ----------
    error : float
        The estimate, in squared intensities. It is a difference of two numbers, and may come out negative.
    standard_error : float
        Its standard error, in squared intensities.
    peak : float
        Largest intensity of the scale.
    """

    error: float
    standard_error: float
    peak: float

    @property
    def psnr(self) -> float | None:
        """Return the PSNR in dB; None where the estimated error is not positive, since nothing but `low` is known then."""
        return _decibels(self.error, self.peak) if self.error > 0 else None

    @property
    def low(self) -> float | None:
        """Return the PSNR in dB two standard errors further down; None where even that error is not positive."""
        worst = self.error + 2 * self.standard_error
        return _decibels(worst, self.peak) if worst > 0 else None

    @property
    def high(self) -> float:
        """Return the PSNR in dB two standard errors further up; infinite where no error at all is within them."""
        best = self.error - 2 * self.standard_error
        return _decibels(best, self.peak) if best > 0 else float("inf")

    @property
    def certain(self) -> bool:
        """Tell whether the error is more than two of its standard errors above 0."""
        return self.error > 2 * self.standard_error

    def __str__(self) -> str:
        if self.low is None:
            return "no estimate: the error would be negative, so the noise is weaker than was assumed"
        if self.psnr is None or not self.certain:
            return f"at least {self.low:.1f} dB"
        return f"{self.psnr:.1f} dB ({self.low:.1f} to {self.high:.1f})"


@dataclass(frozen=True)
class Blocks:
    """Sums of a map over blocks of 16 pixels: all that its mean, and how sure one is of it, need.

    Errors of neighbours go together in a denoised image, so that the deviation of single pixels over the root of their
    number is too small; blocks of 16 pixels hardly know of each other. Structure makes some blocks worse than others,
    which counts as uncertainty here: the standard error is rather too large than too small.

    Attributes
    ----------
    sums, numbers : ndarray
        Sum of the values, and how many there are, in each block.
    deviation : float
        Standard deviation of the single values, for maps of fewer than four blocks.
    """

    sums: np.ndarray
    numbers: np.ndarray
    deviation: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray, counted: np.ndarray | None = None) -> Blocks:
        """Sum up a map of any shape (axes of fewer than 32 pixels are not cut); `counted` tells which values count."""
        counted = np.ones(values.shape, dtype=bool) if counted is None else counted
        sums, numbers = (_blocks(part.astype(np.float64)) for part in (np.where(counted, values, 0), counted))
        return cls(sums, numbers, float(np.std(values[counted])))

    @property
    def mean(self) -> float:
        """Return the mean of the values."""
        return float(self.sums.sum() / self.numbers.sum())

    @property
    def standard_error(self) -> float:
        """Return the standard error of the mean."""
        total = self.numbers.sum()
        if np.count_nonzero(self.numbers) < 4:
            return self.deviation / float(np.sqrt(total))
        spread = np.sum((self.sums - self.mean * self.numbers) ** 2) * self.numbers.size / (self.numbers.size - 1)
        return float(np.sqrt(spread) / total)

    def __sub__(self, other: Blocks) -> Blocks:
        """Return the difference of two maps, value by value: what makes both of them worse in one place falls out of it."""
        return Blocks(self.sums - other.sums, self.numbers, float(np.hypot(self.deviation, other.deviation)))


def mean_and_error(values: np.ndarray, counted: np.ndarray | None = None) -> tuple[float, float]:
    """Return the mean of a map and its standard error, from its `Blocks`."""
    blocks = Blocks.of(values, counted)
    return blocks.mean, blocks.standard_error


def _blocks(values: np.ndarray) -> np.ndarray:
    for axis, size in enumerate(values.shape):
        starts = np.arange(size // BLOCK) * BLOCK if size >= 2 * BLOCK else [0]
        values = np.add.reduceat(values, starts, axis=axis)
    return values


def _decibels(error: float, peak: float) -> float:
    return 10 * float(np.log10(peak**2 / error))
