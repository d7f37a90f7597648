"""Pure tensor functions that methods are made of: pair samplers, masks, donuts, local means. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Makes the values that stand in for hidden pixels, of the shape of the image.
Fill = Callable[[Tensor], Tensor]


def diagonal_pair(image: Tensor) -> tuple[Tensor, Tensor]:
    """Split an image into two half-size ones: the means of both diagonals of each 2 x 2 cell in the plane.

    The sampler of ZS-N2N (Mansour & Heckel 2023). With independent noise of deviation sigma both have independent noise
    of deviation sigma / sqrt(2). Z is left alone.

    Parameters
    ----------
    image : tensor (N, C, [Z], Y, X)
        Y and X are even.

    Returns
    -------
    two tensors (N, C, [Z], Y/2, X/2)
        First the mean of the upper right and lower left pixels, then that of the upper left and lower right ones.
    """
    rising = (image[..., 0::2, 1::2] + image[..., 1::2, 0::2]) / 2
    falling = (image[..., 0::2, 0::2] + image[..., 1::2, 1::2]) / 2
    return rising, falling


def block_mean(image: Tensor, side: int) -> Tensor:
    """Mean over in-plane blocks of `side` x `side` pixels; what does not fill a block at the far edges is left out."""
    side_y, side_x = min(side, image.shape[-2]), min(side, image.shape[-1])
    if image.ndim == 4:
        return F.avg_pool2d(image, (side_y, side_x))
    return F.avg_pool3d(image, (1, side_y, side_x))


def donut_mean(image: Tensor) -> Tensor:
    """Mean of the eight in-plane neighbours, nearer ones weighted double, the pixel itself left out.

    The fill of Noise2Self's single-shot notebook: weights 0.5, 1, 0.5 / 1, 0, 1 / 0.5, 1, 0.5, over 6. Edges reflect.
    """
    flat = image.reshape(-1, 1, *image.shape[-2:])
    kernel = flat.new_tensor([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]])[None, None] / 6
    return F.conv2d(F.pad(flat, (1, 1, 1, 1), mode="reflect"), kernel).reshape(image.shape)


def zeros(image: Tensor) -> Tensor:
    """A fill that says nothing: zero, which is the mean of the image where intensities are scaled by their deviation."""
    return torch.zeros_like(image)


def random_fill(rng: torch.Generator) -> Fill:
    """A fill of uniform random values between the smallest and the largest of the image (Noise2Self, section 4)."""

    def fill(image: Tensor) -> Tensor:
        low, high = image.amin(), image.amax()
        return low + (high - low) * torch.rand(image.shape, generator=rng, device=image.device)

    return fill


def grid_labels(image: Tensor, side: int) -> Tensor:
    """Part the pixels into side x side grids of single pixels; returns the number of each pixel's grid, ([Z], Y, X).

    Grid i holds the rows with y % side == i % side and the columns with x % side == i // side % side (Noise2Self,
    single-shot notebook). From plane to plane the grids move on, so that the neighbours above and below a hidden pixel
    are not hidden with it.
    """
    y, x = (torch.arange(n, device=image.device) % side for n in image.shape[-2:])
    labels = y[:, None] + side * x[None, :]
    if image.ndim == 5:
        z = torch.arange(image.shape[2], device=image.device)
        labels = labels + (side // 2 * (side + 1)) * z[:, None, None]
    return labels % side**2


def random_labels(image: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Part the pixels at random into `count` sets of about equal size; returns the number of each pixel's set."""
    return torch.randint(count, image.shape[2:], generator=rng, device=image.device)


def hide(image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Replace the pixels of a mask, by default with the mean of their neighbours."""
    return torch.where(mask, fill(image), image)


def hidden_error(function: Callable[[Tensor], Tensor], image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Mean squared difference between the hidden pixels of a mask and what a function predicts for them.

    For noise that is independent between pixels its expectation is the function's true error plus the noise variance
    (Batson & Royer 2019, proposition 1).
    """
    return masked_error(function(hide(image, mask, fill)), image, mask)


def masked_error(prediction: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference between two images at the pixels of a mask, which may carry weights."""
    # A weighted mean, not an index: how many pixels are hidden is known on the device alone.
    weight = mask.to(image.dtype).expand(image.shape)
    return ((prediction.float() - image).square() * weight).sum() / weight.sum().clamp_min(1)


def j_invariant(
    function: Callable[[Tensor], Tensor], image: Tensor, labels: Tensor, count: int, fill: Fill = donut_mean
) -> Tensor:
    """Apply a function so that no pixel is computed from itself: one pass for each of `count` sets, which hides it.

    sum over sets J of 1_J f(image without J), the J-invariant version of f (Batson & Royer 2019, section 3).
    """
    out = torch.zeros_like(image)
    for number in range(count):
        mask = labels == number
        out = torch.where(mask, function(hide(image, mask, fill)), out)
    return out


def through_numpy(image: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Apply an array function to each (C, [Z], Y, X) image of a batch; for filters that libraries offer for arrays only."""
    arrays = [function(sample).reshape(sample.shape) for sample in image.detach().cpu().numpy()]
    return torch.from_numpy(np.stack(arrays)).to(image.device, image.dtype)
