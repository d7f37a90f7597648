"""Hidden pixels and shuffled tiles: what a blind spot for correlated noise is made of. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Pixels that `visible_mean` looks around one.
REACH = 2


def visible_mean(image: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the pixels near by (5 x 5, the nearest weigh most) that a mask leaves visible.

    0 where there are none.
    """
    line = image.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = torch.outer(line, line)[None, None]
    shown = (1 - mask).expand(image.shape)
    pair = torch.stack([image * shown, shown]).reshape(-1, 1, *image.shape[-2:])
    total, weight = F.conv2d(pair, kernel, padding=REACH).reshape(2, *image.shape)
    return total / weight.clamp_min(1e-6)


def flat_tiles(image: Tensor, side: int, limit: float) -> Tensor:
    """Return 1 in the side x side tiles in which the mean of the channels deviates less than `limit`, (N, 1, [Z], Y, X).

    What does not fill a tile at the far edges is not flat.
    """
    mean = image.mean(1, keepdim=True)
    flat = _tiles(mean, side).std(-1, correction=0) < limit
    whole = flat.to(image.dtype).repeat_interleave(side, -2).repeat_interleave(side, -1)
    return F.pad(whole, (0, image.shape[-1] - whole.shape[-1], 0, image.shape[-2] - whole.shape[-2]))


def shuffled(image: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """Return the image with the pixels of each tile in a random order, all channels of a pixel together."""
    tiles = _tiles(image, side)
    chance = torch.rand((len(tiles), 1, *tiles.shape[2:]), generator=rng, device=image.device)
    tiles = tiles.gather(-1, chance.argsort(-1).expand(tiles.shape))
    rows, columns = tiles.shape[-3:-1]
    whole = tiles.unflatten(-1, (side, side)).transpose(-3, -2).reshape(*image.shape[:-2], rows * side, columns * side)
    out = image.clone()
    out[..., : rows * side, : columns * side] = whole
    return out


def _tiles(image: Tensor, side: int) -> Tensor:
    """Return the whole tiles of an image, (..., rows, columns, side * side)."""
    rows, columns = (n // side for n in image.shape[-2:])
    part = image[..., : rows * side, : columns * side]
    return part.unflatten(-1, (columns, side)).unflatten(-3, (rows, side)).transpose(-3, -2).flatten(-2)
