"""What an image was like that was learnt, and how another one differs from it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_lotadenoise.image.informative import read_informative
from napari_lotadenoise.image.sampling import sampled_windows
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.noise import NoiseModel
from napari_lotadenoise.normalisation.noise_measurement import measure_group

#: Samples that are looked at, and voxels of all of them together.
SAMPLES, VOXELS = 8, 1 << 22
#: Ratio of noise deviations, of ranges or of pixel sizes from which a difference is told.
RATIO = 1.3
#: Share of the range by which the darkest pixels may differ.
SHIFT = 0.25


@dataclass(frozen=True)
class Seen:
    """Intensities and noise of a group of channels.

    Attributes
    ----------
    low, high : float
        The 0.1 and 99.9 percentiles.
    sigma : float or None
        Typical deviation of the noise, in intensities; None where it was not measured.
    """

    low: float
    high: float
    sigma: float | None = None

    @property
    def span(self) -> float:
        """Return the range of intensities."""
        return self.high - self.low


def look(stack: Stack, group: int, noise: Sequence[NoiseModel] = ()) -> Seen:
    """Look at a few samples of a group; the models of its noise, where they are known, tell its deviation."""
    blocks = read_informative(stack, group, sampled_windows(stack, SAMPLES, VOXELS))
    low, high = np.percentile(np.concatenate([block.ravel() for block in blocks]), (0.1, 99.9))
    sigma = None
    if noise:
        variances = [
            np.mean([model.fit.variance(block[channel].astype(np.float64)).mean() for block in blocks])
            for channel, model in enumerate(noise)
        ]
        sigma = float(np.sqrt(np.mean(variances)))
    return Seen(float(low), float(high), sigma)


def look_at(stack: Stack, group: int, *, noise: bool) -> Seen:
    """Look at a group of another image, and measure its noise where that is to be compared."""
    return look(stack, group, measure_group(stack, group) if noise else ())


def differences(learnt: Seen, now: Seen) -> list[str]:
    """Say what is clearly different, with the numbers: noise and intensities."""
    found = []
    if learnt.sigma and now.sigma and not 1 / RATIO < now.sigma / learnt.sigma < RATIO:
        found.append(f"noise of deviation {now.sigma:.3g} where {learnt.sigma:.3g} was learnt")
    elsewhere = abs(now.low - learnt.low) > SHIFT * learnt.span
    if learnt.span > 0 and (elsewhere or not 1 / RATIO**2 < now.span / learnt.span < RATIO**2):
        found.append(
            f"intensities of {now.low:.4g} to {now.high:.4g} where {learnt.low:.4g} to {learnt.high:.4g} were learnt"
        )
    return found
