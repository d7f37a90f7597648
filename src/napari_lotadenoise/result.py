"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lotadenoise.contract.capabilities import Curve
from napari_lotadenoise.image.stack import as_dtype
from napari_lotadenoise.recipe import Recipe
from napari_lotadenoise.residual import ResidualReport

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model

#: Sigma of a method in units of the measured noise above which it is a bound and no estimate.
_LOOSE = 1.25


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
    divergence : ndarray of float32, or None
        How much each pixel follows its own noise, of shape of the image; where `Options.divergence_step` asked for it.
    snapshots : tuple of Snapshot
        Pictures from the way, the first step first; where `Options.snapshots` asked for them.
    model : Model or None
        What was learnt, to be saved and applied to other images; None where it cannot be.
    """

    image: np.ndarray
    noisy: Any
    sigma: float | None
    history: dict[str, list[float]]
    recipe: Recipe
    uncertainty: np.ndarray | None = None
    curve: Curve | None = None
    diagnosis: ResidualReport | None = None
    divergence: np.ndarray | None = None
    snapshots: tuple[Snapshot, ...] = ()
    model: Model | None = None

    @property
    def sigma_words(self) -> str:
        """Return the sigma of the method for a sentence, empty where it has none.

        Most methods can only bound it from above, by what they have not learnt to predict; where the image itself tells of
        clearly weaker noise, the number is called what it is.
        """
        if self.sigma is None:
            return ""
        measured = None if self.diagnosis is None else self.diagnosis.expected
        if measured is not None and self.sigma > _LOOSE * measured:
            return f"sigma at most {self.sigma:.4g} (the noise measures {measured:.4g})"
        return f"sigma {self.sigma:.4g}"

    @property
    def residual(self) -> np.ndarray:
        """Return noisy minus denoised, float32."""
        return np.asarray(self.noisy).astype(np.float32) - self.image

    def astype(self, dtype: Any) -> tuple[np.ndarray, int]:
        """Return the image in another data type, rounded and clipped to its limits, and how many pixels were clipped."""
        return as_dtype(self.image, np.dtype(dtype))
