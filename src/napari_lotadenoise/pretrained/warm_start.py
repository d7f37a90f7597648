"""Warm starts: the shipped network in place of a new one, trained further on the image at hand."""

from __future__ import annotations

from torch import Tensor

from napari_lotadenoise.contract.capabilities import Cost, Tiling
from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.contract.training import Training, WarmTraining
from napari_lotadenoise.errors import MethodError
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.nets import Network, shipped
from napari_lotadenoise.normalisation.noise_normalisation import noise_of
from napari_lotadenoise.pretrained.level_correction import corrected_level
from napari_lotadenoise.pretrained.one_pass import OnePass, noise_in


def is_warm(training: Training) -> bool:
    """Tell whether a training begins with the shipped network."""
    return isinstance(training, WarmTraining) and training.warm


def tiling_of(method: Method, training: Training) -> tuple[Tiling, Cost]:
    """Return the tiling and cost of a run: those of the network that predicts."""
    return (shipped.TILING, shipped.COST) if is_warm(training) else (method.tiling, method.cost)


def weights_of(method: Method, training: Training, stack: Stack) -> str:
    """Name the pre-trained weights that take part in a run; empty where there are none.

    Raises
    ------
    MethodError
        Where a single plane is to go through the network for volumes, which would see its noise five times.
    """
    words = shipped.words_for(stack.ndim) if is_warm(training) else method.weights(stack.ndim)
    if words and stack.ndim == 3 and stack.spatial[0] == 1:
        raise MethodError(
            "The pre-trained network for volumes needs two planes or more, and there is one; leave volume off."
        )
    return words


class WarmNet(Network):
    """The shipped network between noise normalisation and its inverse, fitted to the images that it will see.

    Scaled images (N, C, [Z], Y, X) go in and come out, as with any other network; all weights learn.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
        Scaled images whose noise is measured.
    """

    def __init__(self, training_images: Tensor) -> None:
        fits = corrected_level(noise_of(training_images, dependent=True), training_images)
        self._assemble(training_images.ndim - 2, OnePass(training_images, fits))

    @classmethod
    def fitted(cls, ndim: int, through: OnePass) -> WarmNet:
        """Make the network for images of 2 or 3 dimensions around a pass that is fitted already."""
        net = cls.__new__(cls)
        net._assemble(ndim, through)
        return net

    def _assemble(self, ndim: int, through: OnePass) -> None:
        super().__init__()
        self.net = shipped.load(shipped.kind_for(ndim)).requires_grad_(True)
        self.halo, self.depth_halo, self.multiple = self.net.halo, self.net.depth_halo, self.net.multiple
        self.border = self.net.border
        self.through = through

    def forward(self, image: Tensor) -> Tensor:
        """Denoise."""
        return self.through.denoised(image, lambda white: noise_in(white, self.net))
