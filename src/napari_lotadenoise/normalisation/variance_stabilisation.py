"""Variance stabilisation: intensities in which Poisson-Gaussian noise has the deviation 1 everywhere, and back without bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.noise import NoiseModel

#: What the switch can be set to.
MODES = ("auto", "off", "on")

_ZERO = 3 / 8
_ROOT = math.sqrt(_ZERO)


@dataclass(frozen=True)
class Stabiliser:
    """The generalised Anscombe transform and its exact unbiased inverse (Makitalo & Foi, IEEE TIP 22(1), 2013).

    For a variance of gain * y + offset the photons above the pedestal are u = y / gain + offset / gain^2, and
    z = 2 sqrt(u + 3/8) has the variance 1. The inverse takes the mean of z to the mean of y, not z itself: averaging has
    happened in between. Its closed form is u = z^2/4 + sqrt(3/2)/(4 z) - 11/(8 z^2) + 5 sqrt(3/2)/(8 z^3) - 1/8. Below
    u = 0, where noise takes dark pixels to, both are straight lines instead of the authors' clipping, so that nothing is
    lost there.

    Attributes
    ----------
    gain : float
        Intensities per photo-electron, above 0.
    offset : float
        Variance at intensity 0, intensities squared; may be negative.
    """

    gain: float
    offset: float

    # Written with operators alone, so that arrays and tensors will both do.

    def forward(self, image: Any) -> Any:
        """Stabilise intensities (array or tensor); of the same shape and type."""
        u = image / self.gain + self.offset / self.gain**2
        return 2 * (_positive(u) + _ZERO) ** 0.5 - _positive(-u) / _ROOT

    def inverse(self, image: Any) -> Any:
        """Return the intensities whose noisy copies are on average what is given, stabilised; array or tensor."""
        below = _positive(2 * _ROOT - image)
        d, root = image + below, math.sqrt(1.5)
        u = d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8 - below * _ROOT
        return u * self.gain - self.offset / self.gain

    def variance(self, image: np.ndarray) -> np.ndarray:
        """Return the variance of the noise at intensities."""
        return np.maximum(self.gain * np.asarray(image) + self.offset, 0.0)

    def slope(self, image: np.ndarray) -> np.ndarray:
        """Return the intensities per stabilised unit at stabilised values: the deviation of the noise there."""
        return (self.gain * np.maximum(image, 2 * _ROOT) / 2).astype(np.float32)


def _positive(values: Any) -> Any:
    """Return max(values, 0)."""
    return (values + abs(values)) / 2


def stabilisers_for(
    models: Sequence[NoiseModel], mode: str, where: str = ""
) -> tuple[tuple[Stabiliser | None, ...], str]:
    """Make a stabiliser for each channel of a group, or none where the noise does not ask for one.

    Parameters
    ----------
    models : sequence of NoiseModel
        Noise of the channels.
    mode : "auto", "off" or "on"
        Auto stabilises where the noise depends on the signal.
    where : str
        Name of the group in the sentence.

    Returns
    -------
    tuple, str
        A stabiliser or None for each channel, and a sentence for the record, which may be empty.
    """
    none = (None,) * len(models)
    if mode == "off":
        return none, ""
    found, words = [], []
    for fit in (model.fit for model in models):
        chosen = fit.signal_dependent if mode == "auto" else fit.gain > 0
        found.append(Stabiliser(fit.gain, fit.offset) if chosen else None)
        words.append(f"gain {fit.gain:.3g}, offset {fit.offset:.3g}" if chosen else "not this channel")
    # One decision for channels that a network sees together: one of them would not be seen as noisy as the others.
    if all(one is None for one in found) or (mode == "auto" and None in found):
        return none, "" if mode == "auto" else "Nothing to stabilise: the noise does not grow with the signal."
    return tuple(found), f"Variance stabilised{where}: {'; '.join(words)}."
