"""Processing around a pass through the shipped network: noise of deviation 1 before, intensities after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_lotadenoise.image.stack import reflected
from napari_lotadenoise.noise import VarianceFit
from napari_lotadenoise.normalisation.noise_normalisation import NoiseNormaliser

#: Noise deviations beyond which nothing is taken from a pixel: what the network wants to remove there is no noise.
FARTHEST = 5.0
#: Noise deviations by which a pixel may stand out from all its neighbours before the network is shown less of it.
ISOLATED = 5.0


class OnePass:
    """Denoises images with a network that finds noise of deviation 1.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
        By which images are whitened.
    fits : list of VarianceFit
        Noise of the channels.
    """

    def __init__(self, training_images: Tensor, fits: list[VarianceFit]) -> None:
        self._whitening = NoiseNormaliser(training_images, fits)
        # Whatever the offset of an image: the network is shown differences from its middle.
        self._middle = torch.stack(
            [self._whitening.forward(sample).flatten(1).mean(1) for sample in training_images]
        ).mean(0)

    def denoised(self, image: Tensor, noise: Callable[[Tensor], Tensor]) -> Tensor:
        """Subtract from an image (N, C, [Z], Y, X) what a function finds in the normalised one."""
        white = torch.stack([self._whitening.forward(sample) for sample in image.float()])
        found = noise(white - self._middle.view(-1, *[1] * (white.ndim - 2)))
        clean = white - found.clamp(-FARTHEST, FARTHEST)
        return torch.stack([self._whitening.inverse(sample) for sample in clean])


def noise_in(white: Tensor, net: Any) -> Tensor:
    """Predict the noise in images (N, C, [Z], Y, X) with noise of deviation 1, by an `InstantNet`.

    Their sides are multiples of `net.multiple`.
    """
    if white.ndim == 5:
        stacks = without_hot_pixels(white).flatten(0, 1)
        return torch.stack([_noise_in_stack(stack, net) for stack in stacks]).view_as(white)
    white = without_hot_pixels(white)
    parts = white.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
    return net(parts).float().view_as(white)


def without_hot_pixels(white: Tensor) -> Tensor:
    """Limit how far isolated pixels of images (..., Y, X) stand out to `ISOLATED`, or the network would spread them."""
    flat = white.flatten(0, -3)[:, None]
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    rows, columns = flat.shape[-2:]
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    low = high = padded[..., :rows, :columns]
    for y, x in shifts[1:]:
        neighbour = padded[..., y : y + rows, x : x + columns]
        low, high = torch.minimum(low, neighbour), torch.maximum(high, neighbour)
    return flat.clamp(low - ISOLATED, high + ISOLATED).view_as(white)


def _noise_in_stack(stack: Tensor, net: Any) -> Tensor:
    """Predict plane by plane, each with its neighbours; beyond the ends they are mirrored."""
    reach = net.planes // 2
    around = stack[torch.from_numpy(reflected(len(stack), -reach, len(stack) + reach)).to(stack.device)]
    windows = (around[None, z : z + net.planes] for z in range(len(stack)))
    return torch.cat([net(window.contiguous(memory_format=torch.channels_last)).float()[:, 0] for window in windows])
