"""The pass through the shipped networks: noise measured, normalised, removed, intensities back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_lotadenoise import ops
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.noise import NoiseModel
from napari_lotadenoise.normalisation.noise_normalisation import mean_deviation, models_of, noise_of
from napari_lotadenoise.pretrained.level_correction import corrected_level
from napari_lotadenoise.pretrained.one_pass import OnePass, noise_in

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


class ShippedDenoiser:
    """Denoises images with the shipped networks, after a fit of their noise.

    White noise goes through the network for it, correlated noise through the one for coloured noise; where little is
    correlated, their results are mixed.

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
    coloured : float
        Weight of the network for coloured noise in the result, 0 to 1.
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
        models = models_of(images)
        self.coloured = coloured_share(models)
        fits = noise_of(images, unit=unit, sigma=sigma, dependent=signal_dependent, models=models)
        if not sigma and not self.coloured:
            fits = corrected_level(fits, images)
        self.sigma = mean_deviation(fits, images)
        self._pass = OnePass(images, [fit.scaled(level**2) for fit in fits])
        self._coloured_net = shipped.load("coloured").to(images.device) if self.coloured else None

    def denoise(self, net: Network, image: Tensor, *, ensemble: bool = False) -> Tensor:
        """Denoise (N, C, [Z], Y, X) in one pass, or as the mean over the eight flips and rotations.

        `net` is the shipped network for white noise.
        """
        orientations = range(ops.ORIENTATIONS if ensemble else 1)

        def noise(white: Tensor) -> Tensor:
            found = [ops.undo_flip_rotate(self._noise(net, ops.flip_rotate(white, k)), k) for k in orientations]
            return torch.stack(found).mean(0)

        return self._pass.denoised(image, noise)

    def _noise(self, net: Network, white: Tensor) -> Tensor:
        if self._coloured_net is None:
            return noise_in(white, net)
        found = noise_in(white, self._coloured_net)
        return found if self.coloured == 1 else torch.lerp(noise_in(white, net), found, self.coloured)


def coloured_share(models: list[NoiseModel]) -> float:
    """Return how much the network for coloured noise should count for channels with such noise, 0 to 1."""
    return shipped.coloured_weight(max(model.correlation.predictable for model in models))
