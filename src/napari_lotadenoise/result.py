"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.image import as_dtype
from napari_lotadenoise.method import Curve
from napari_lotadenoise.recipe import Recipe
from napari_lotadenoise.residual import ResidualReport


@dataclass(frozen=True)
class Snapshot:
    """What the network made of the image after so many steps: one prediction, without an ensemble.

    Channels whose training was over by then are as in the result.
    """

    step: int
    image: np.ndarray


@dataclass(frozen=True)
class Result:
    """A denoised image and how it came about.

    Attributes
    ----------
    image : ndarray of float32
        Shape, axes and intensity scale of the input.
    noisy : array-like
        The input itself.
    sigma : float or None
        Noise deviation that the method found, in intensities of the input.
    history : dict of str to list of float
        ``step``, ``sigma``, ``score`` and the loss terms as they were reported.
    recipe : Recipe
        What is needed to do it again.
    uncertainty : ndarray of float32, or None
        Standard deviation of the passes that the image is the mean of, pixel by pixel, in intensities; of methods of
        chance only. It tells where the method wavers, not how wrong it is.
    curve : Curve or None
        Loss over the values of the parameter that was calibrated, where one was.
    diagnosis : ResidualReport or None
        What the residual says of the result: `diagnosis.sentence` in words, `diagnosis.numbers` as they are in the recipe.
    response : ndarray of float32, or None
        How much each pixel follows its own noise, of shape of the image; where `Options.probe` asked for it.
    snapshots : tuple of Snapshot
        Pictures from the way, the first step first; where `Options.snapshots` asked for them.
    """

    image: np.ndarray
    noisy: Any
    sigma: float | None
    history: dict[str, list[float]]
    recipe: Recipe
    uncertainty: np.ndarray | None = None
    curve: Curve | None = None
    diagnosis: ResidualReport | None = None
    response: np.ndarray | None = None
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def residual(self) -> np.ndarray:
        """Noisy minus denoised, float32."""
        return np.asarray(self.noisy).astype(np.float32) - self.image

    def astype(self, dtype: Any) -> tuple[np.ndarray, int]:
        """Return the image in another data type, rounded and clipped to its limits, and how many pixels were clipped."""
        return as_dtype(self.image, np.dtype(dtype))
