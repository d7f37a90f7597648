"""What a network sees of intensities: a map of each channel that is undone at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_lotadenoise.image.informative import read_informative
from napari_lotadenoise.image.sampling import sampled_windows
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.normalisation.variance_stabilisation import Stabiliser

#: Voxels that the map of a group is measured on, at most.
MEASURED_VOXELS = 1 << 26


@dataclass(frozen=True)
class Scale:
    """The map of each channel of a group to what the network sees: (value - offset) / span, stabilised before if asked for.

    Attributes
    ----------
    offset, span : arrays
        One number a channel, of intensities or of stabilised ones.
    stabilisers : tuple of Stabiliser or None
        One a channel; empty where no channel is stabilised.
    unit : float
        Intensities in one scaled unit, the root mean square over pixels and channels where it is not the same everywhere.
    """

    offset: np.ndarray
    span: np.ndarray
    stabilisers: tuple[Stabiliser | None, ...] = ()
    unit: float = 1.0

    def forward(self, block: np.ndarray) -> np.ndarray:
        """Scale a (C, ...) block of intensities."""
        return (self._through(block, "forward") - _column(self.offset, block)) / _column(self.span, block)

    def inverse(self, block: np.ndarray) -> np.ndarray:
        """Undo `forward` for means of scaled values."""
        return self._through(block * _column(self.span, block) + _column(self.offset, block), "inverse")

    def stretch(self, deviation: np.ndarray, around: np.ndarray) -> np.ndarray:
        """Turn deviations (C, ...) of scaled values `around` into intensities."""
        wide = deviation * _column(self.span, deviation)
        if not any(self.stabilisers):
            return wide
        at = around * _column(self.span, around) + _column(self.offset, around)
        slopes = [np.ones_like(v) if s is None else s.slope(v) for s, v in zip(self.stabilisers, at, strict=True)]
        return wide * np.stack(slopes)

    def _through(self, block: np.ndarray, direction: str) -> np.ndarray:
        if not any(self.stabilisers):
            return block
        pairs = zip(self.stabilisers, block, strict=True)
        # In double precision: both transforms subtract what is nearly equal.
        done = [values if s is None else getattr(s, direction)(values.astype(np.float64)) for s, values in pairs]
        return np.stack(done).astype(np.float32)


def measure(stack: Stack, group: int, kind: str, stabilisers: tuple[Stabiliser | None, ...] = ()) -> Scale | None:
    """Measure the map of a group on some of its samples; None where every channel is constant.

    `kind` is "deviation" (mean 0, deviation 1) or "range" (the bulk of the histogram between 0 and 1).
    """
    parts = read_informative(stack, group, sampled_windows(stack, 16, MEASURED_VOXELS))
    thin = max(1, round((sum(p[0].size for p in parts) / 4e6) ** (1 / stack.ndim)))
    step = (slice(None), *([slice(None, None, thin)] * stack.ndim))
    plain = Scale(np.zeros(stack.channels, np.float32), np.ones(stack.channels, np.float32), stabilisers)
    values = np.concatenate([plain.forward(p[step]).reshape(stack.channels, -1) for p in parts], axis=1)
    if all(span == 0 for _, span in (affine(channel, kind) for channel in values)):
        return None
    return of_values(values, kind, stabilisers)


def of_values(values: np.ndarray, kind: str = "deviation", stabilisers: tuple[Stabiliser | None, ...] = ()) -> Scale:
    """Return the map for values (C, pixels), stabilised ones where there are stabilisers; a constant channel is only shifted."""
    maps = [affine(channel, kind) for channel in values]
    offset, span = np.array(maps, dtype=np.float32).T
    span = np.where(span > 0, span, 1).astype(np.float32)
    return Scale(offset, span, stabilisers, float((span * _slopes(values, stabilisers)).mean()))


def _slopes(values: np.ndarray, stabilisers: tuple[Stabiliser | None, ...]) -> np.ndarray:
    """Return the intensities per stabilised unit of each channel; variances are what adds up, hence the root mean square."""
    if not any(stabilisers):
        return np.ones(len(values))
    return np.array(
        [1.0 if s is None else np.sqrt(np.mean(s.slope(v) ** 2)) for s, v in zip(stabilisers, values, strict=True)]
    )


def affine(values: np.ndarray, kind: str) -> tuple[float, float]:
    """Return the offset and span of some intensities, robust against hot pixels; span 0 where they are constant.

    ``deviation``: mean and standard deviation of the values between the 0.1 and 99.9 percentiles;
    ``range``: these percentiles become 0 and 1. Where nearly all values are the same, all of them count.
    """
    low, high = np.percentile(values, (0.1, 99.9))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if kind == "range":
        return float(low), float(high - low)
    bulk = np.clip(values, low, high)
    return float(bulk.mean(dtype=np.float64)), float(bulk.std(dtype=np.float64))


def _column(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    return values.reshape((-1, *([1] * (block.ndim - 1))))
