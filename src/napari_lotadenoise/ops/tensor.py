"""Pure tensor functions that methods are made of: pair samplers, masks, donuts, local means. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_lotadenoise.image.stack import reflected

#: Flips and rotations of a plane.
ORIENTATIONS = 8


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


def pixel_unshuffle(image: Tensor, stride: int) -> Tensor:
    """Part (N, C, [Z], Y, X) into its stride^2 interleaved images (N * stride^2, C, [Z], Y / stride, X / stride).

    Noise whose correlation ends before `stride` pixels is independent in each of them (Zhou et al., AAAI 2020).
    """
    if stride == 1:
        return image
    parts = [image[..., y::stride, x::stride] for y in range(stride) for x in range(stride)]
    return torch.stack(parts, 1).flatten(0, 1)


def pixel_shuffle(parts: Tensor, stride: int) -> Tensor:
    """Undo `pixel_unshuffle`."""
    if stride == 1:
        return parts
    *_, height, width = parts.shape
    grid = parts.unflatten(0, (-1, stride, stride)).movedim((1, 2), (-2, -1))  # (N, C, [Z], y, x, stride, stride)
    return grid.transpose(-3, -2).reshape(*grid.shape[:-4], height * stride, width * stride)


def with_noise(image: Tensor, sigma: float, rng: torch.Generator) -> Tensor:
    """Add Gaussian noise of deviation sigma, in the units of the image."""
    if not sigma:
        return image
    return image + sigma * torch.randn(image.shape, generator=rng, device=image.device, dtype=image.dtype)


def block_mean(image: Tensor, side: int) -> Tensor:
    """Return the mean over in-plane blocks of `side` x `side` pixels; what does not fill a block at the far edges is left out."""
    side_y, side_x = min(side, image.shape[-2]), min(side, image.shape[-1])
    if image.ndim == 4:
        return F.avg_pool2d(image, (side_y, side_x))
    return F.avg_pool3d(image, (1, side_y, side_x))


def forward_difference(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the in-plane gradient by forward differences along y and x, 0 across the last row and column."""
    down, right = torch.diff(image, dim=-2), torch.diff(image, dim=-1)
    return F.pad(down, (0, 0, 0, 1)), F.pad(right, (0, 1))


def gradient_magnitude(image: Tensor) -> Tensor:
    """Return the length of the in-plane gradient, pixel by pixel."""
    down, right = forward_difference(image)
    return (down.square() + right.square() + 1e-12).sqrt()  # the root of 0 has no gradient


def flip_rotate(image: Tensor, turn: int) -> Tensor:
    """Return one of the `ORIENTATIONS` flips and rotations of an image in its plane."""
    return torch.rot90(image.flip(-1) if turn >= 4 else image, turn % 4, (-2, -1))


def undo_flip_rotate(image: Tensor, turn: int) -> Tensor:
    """Undo `flip_rotate`."""
    image = torch.rot90(image, -(turn % 4), (-2, -1))
    return image.flip(-1) if turn >= 4 else image


def through_numpy(image: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Apply an array function to each (C, [Z], Y, X) image of a batch; for filters that libraries offer for arrays only."""
    arrays = [function(sample).reshape(sample.shape) for sample in image.detach().cpu().numpy()]
    return torch.from_numpy(np.stack(arrays)).to(image.device, image.dtype)


def random_crops(training_images: Tensor, side: int, count: int, rng: torch.Generator) -> Tensor:
    """Cut `count` random side x side windows (all planes of them) from training images (N, C, [Z], Y, X)."""
    rows, columns = (min(side, n) for n in training_images.shape[-2:])
    limits = (len(training_images), training_images.shape[-2] - rows + 1, training_images.shape[-1] - columns + 1)
    places = [torch.randint(limit, (count,), generator=rng, device=training_images.device).tolist() for limit in limits]
    return torch.stack(
        [training_images[n, ..., y : y + rows, x : x + columns] for n, y, x in zip(*places, strict=True)]
    )


def channels_last(image: Tensor) -> torch.memory_format:
    """Return the memory order in which convolutions are fastest, for an image of 2 or 3 dimensions."""
    return torch.channels_last if image.ndim == 4 else torch.channels_last_3d


def pad_to(image: Tensor, size_multiple: int) -> Tensor:
    """Mirror the far edges of Y and X until their sizes are multiples of a number."""
    for axis in (-2, -1):
        size = image.shape[axis]
        if size % size_multiple:
            index = torch.from_numpy(reflected(size, 0, -(-size // size_multiple) * size_multiple)).to(image.device)
            image = image.index_select(axis, index)
    return image
