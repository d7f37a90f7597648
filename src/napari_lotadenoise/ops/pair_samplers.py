"""Pairs of noisy sub-images of one image: the samplers of Neighbor2Neighbor and Noise2Fast. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_lotadenoise._lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

#: Pixels of a 2 x 2 cell that share an edge, in both orders; 0 and 1 are the upper row, 2 and 3 the lower one.
EDGES = ((0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2))


class Places(NamedTuple):
    """Which pixel of each 2 x 2 cell goes to the first and which to the second sub-image, (N, 1, [Z], Y/2, X/2)."""

    first: Tensor
    second: Tensor


def neighbour_places(image: Tensor, rng: torch.Generator) -> Places:
    """Draw two pixels that share an edge from each 2 x 2 cell in the plane, the same in all channels.

    The sampler of Neighbor2Neighbor (Huang et al. 2021): one of eight ordered pairs, all equally likely.
    """
    cells = (image.shape[0], 1, *image.shape[2:-2], image.shape[-2] // 2, image.shape[-1] // 2)
    drawn = torch.randint(len(EDGES), cells, generator=rng, device=image.device)
    first, second = torch.tensor(EDGES, device=image.device).T
    return Places(first[drawn], second[drawn])


def sampled(image: Tensor, places: Places) -> tuple[Tensor, Tensor]:
    """Return the two half-size sub-images that some places pick from an image with even sides."""
    cells = torch.stack([image[..., y::2, x::2] for y in (0, 1) for x in (0, 1)], -1)

    def picked(place: Tensor) -> Tensor:
        return torch.take_along_dim(cells, place[..., None], -1).squeeze(-1)

    return picked(places.first), picked(places.second)


def checkerboard(image: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Part an image into the black and the white fields of a checkerboard, each squeezed along an axis of the plane.

    The sampler of Noise2Fast (Lequyer et al. 2022). Squeezed along -2, the first image has the odd rows where the column
    is even and the even rows where it is odd; the second has all other pixels. Along -1 it is the same, transposed.

    Parameters
    ----------
    image : tensor (N, C, [Z], Y, X)
        Its size along the axis is even.
    axis : -2 or -1

    Returns
    -------
    two tensors of half the size along the axis
    """
    if axis == -1:
        first, second = checkerboard(image.transpose(-1, -2), -2)
        return first.transpose(-1, -2), second.transpose(-1, -2)
    upper, lower = image[..., 0::2, :], image[..., 1::2, :]
    even = torch.arange(image.shape[-1], device=image.device) % 2 == 0
    return torch.where(even, lower, upper), torch.where(even, upper, lower)
