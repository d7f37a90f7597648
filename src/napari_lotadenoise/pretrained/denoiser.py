"""The pass through the shipped network: noise measured, normalised, removed, intensities back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_lotadenoise import ops
from napari_lotadenoise.normalisation.noise_normalisation import mean_deviation, noise_of
from napari_lotadenoise.pretrained.level_correction import corrected_level
from napari_lotadenoise.pretrained.one_pass import OnePass, noise_in

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


class ShippedDenoiser:
    """Denoises images with the shipped network, after a fit of their noise.

    Parameters
    ----------
    images : tensor (N, C, [Z], Y, X)
        Scaled images that the noise is measured on.
    unit : float
        Intensities of the image in one scaled unit.
    sigma : float
        Known noise deviation in intensities; 0 measures it, and corrects it where texture was taken for noise.
    signal_dependent : bool
        Whether the variance of the noise may grow with the intensity.
    level : float
        Multiple of the measured noise that is removed.

    Attributes
    ----------
    sigma : float
        Measured or known noise deviation in scaled units.
    """

    def __init__(
        self,
        images: Tensor,
        *,
        unit: float = 1.0,
        sigma: float = 0.0,
        signal_dependent: bool = True,
        level: float = 1.0,
    ) -> None:
        fits = noise_of(images, unit=unit, sigma=sigma, dependent=signal_dependent)
        if not sigma:
            fits = corrected_level(fits, images)
        self.sigma = mean_deviation(fits, images)
        self._pass = OnePass(images, [fit.scaled(level**2) for fit in fits])

    def denoise(self, net: Network, image: Tensor, *, ensemble: bool = False) -> Tensor:
        """Denoise (N, C, [Z], Y, X) in one pass, or as the mean over the eight flips and rotations."""
        orientations = range(ops.ORIENTATIONS if ensemble else 1)

        def noise(white: Tensor) -> Tensor:
            found = [ops.undo_flip_rotate(noise_in(ops.flip_rotate(white, k), net), k) for k in orientations]
            return torch.stack(found).mean(0)

        return self._pass.denoised(image, noise)
