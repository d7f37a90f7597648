"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.image import as_dtype
from napari_lotadenoise.recipe import Recipe


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
    """

    image: np.ndarray
    noisy: Any
    sigma: float | None
    history: dict[str, list[float]]
    recipe: Recipe

    @property
    def residual(self) -> np.ndarray:
        """Noisy minus denoised, float32."""
        return np.asarray(self.noisy).astype(np.float32) - self.image

    def astype(self, dtype: Any) -> tuple[np.ndarray, int]:
        """Return the image in another data type, rounded and clipped to its limits, and how many pixels were clipped."""
        return as_dtype(self.image, np.dtype(dtype))
