"""Warm starts: the shipped network in the place of a new one, to go on learning from the image at hand."""

from __future__ import annotations

from torch import Tensor

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.contract.training import Training, WarmTraining
from napari_lotadenoise.errors import MethodError
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.nets import Network
from napari_lotadenoise.normalisation.noise_whitening import noise_of
from napari_lotadenoise.pretrained import weights
from napari_lotadenoise.pretrained.level_correction import without_texture
from napari_lotadenoise.pretrained.one_pass import OnePass, noise_in


def is_warm(training: Training) -> bool:
    """Whether a training begins with the shipped network."""
    return isinstance(training, WarmTraining) and training.warm


def tiled_as(method: Method, training: Training) -> Method:
    """The method by whose tiles a run predicts: that of the network."""
    return Instant() if is_warm(training) else method


def weights_of(method: Method, training: Training, stack: Stack) -> str:
    """Name of the pre-trained weights that take part in a run, or nothing.

    Raises
    ------
    MethodError
        Where a single plane is to go through the network for volumes, which would meet its noise five times.
    """
    weights = tiled_as(method, training).weights(stack.ndim)
    if weights and stack.ndim == 3 and stack.spatial[0] == 1:
        raise MethodError(
            "The pre-trained network for volumes needs two planes or more, and there is one; leave volume off."
        )
    return weights


class WarmNet(Network):
    """The shipped network between the two sides of a whitening, which is fitted to the images that it will see.

    Scaled images (N, C, [Z], Y, X) go in and come out, as with any other network; all weights learn.

    Parameters
    ----------
    pool : tensor (N, C, [Z], Y, X)
        Scaled images whose noise is measured.
    """

    def __init__(self, pool: Tensor) -> None:
        super().__init__()
        self.net = weights.load(weights.kind_for(pool.ndim - 2)).requires_grad_(True)
        self.halo, self.depth_halo, self.multiple = self.net.halo, self.net.depth_halo, self.net.multiple
        self.border = self.net.border
        self._through = OnePass(pool, without_texture(noise_of(pool, dependent=True), pool))

    def forward(self, image: Tensor) -> Tensor:
        """Denoise."""
        return self._through.denoised(image, lambda white: noise_in(white, self.net))
