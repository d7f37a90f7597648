"""Pure tensor functions that methods are made of: pair samplers, masks, donuts, local means. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


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


def grid_mask(image: Tensor, side: int, phase: int) -> Tensor:
    """One of the side x side grids of single pixels, as booleans that broadcast over (N, C, [Z], Y, X).

    Grid `phase` holds the rows with y % side == phase % side and the columns with x % side == phase // side % side
    (Noise2Self, single-shot notebook).
    """
    y = torch.arange(image.shape[-2], device=image.device) % side == phase % side
    x = torch.arange(image.shape[-1], device=image.device) % side == phase // side % side
    return (y[:, None] & x[None, :]).expand(image.shape[-2:])


def hide(image: Tensor, mask: Tensor) -> Tensor:
    """Replace the pixels of a mask by the mean of their neighbours."""
    return torch.where(mask, donut_mean(image), image)


def hidden_error(function: Callable[[Tensor], Tensor], image: Tensor, side: int, phase: int) -> Tensor:
    """Mean squared difference between the hidden pixels of a grid and what a function predicts for them.

    For noise that is independent between pixels its expectation is the function's true error plus the noise variance
    (Batson & Royer 2019, proposition 1).
    """
    mask = grid_mask(image, side, phase)
    return (function(hide(image, mask)).float() - image)[..., mask].square().mean()


def j_invariant(function: Callable[[Tensor], Tensor], image: Tensor, side: int) -> Tensor:
    """Apply a function so that no pixel is computed from itself: one pass for each grid, which hides it.

    sum over grids J of 1_J f(image without J), the J-invariant version of f (Batson & Royer 2019, section 3).
    """
    out = torch.zeros_like(image)
    for phase in range(side**2):
        mask = grid_mask(image, side, phase)
        out = torch.where(mask, function(hide(image, mask)), out)
    return out


def through_numpy(image: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Apply an array function to each (C, [Z], Y, X) image of a batch; for filters that libraries offer for arrays only."""
    arrays = [function(sample).reshape(sample.shape) for sample in image.detach().cpu().numpy()]
    return torch.from_numpy(np.stack(arrays)).to(image.device, image.dtype)
