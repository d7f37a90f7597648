"""What every network has, and the few things that differ between 2-D and 3-D ones."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Network(nn.Module):
    """A network from (N, C, [Z], Y, X) to the same shape."""

    halo: int = 0
    depth_halo: int = 0
    multiple: int = 1
    #: Pixels beyond the edges of an image that it is shown, mirrored; None for as many as the halo.
    border: int | None = None


class Unchanged(Network):
    """Stands in where a method has no network."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the image as it is."""
        return image


def in_plane(ndim: int) -> Any:
    """Return two in the plane, one in depth: the steps by which resolution changes."""
    return (2, 2) if ndim == 2 else (1, 2, 2)


def max_pool(ndim: int) -> nn.Module:
    """Return the maximum over 2 x 2 pixels of a plane."""
    return nn.MaxPool2d(2) if ndim == 2 else nn.MaxPool3d((1, 2, 2))


def linear_up(ndim: int) -> nn.Module:
    """Double the resolution in the plane by linear interpolation."""
    scale = tuple(float(step) for step in in_plane(ndim))
    return nn.Upsample(scale_factor=scale, mode="bilinear" if ndim == 2 else "trilinear", align_corners=False)


def transposed_type(ndim: int) -> type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]:
    """Return the transposed convolution of 2 or 3 dimensions."""
    return nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d


def conv_type(ndim: int) -> type[nn.Conv2d] | type[nn.Conv3d]:
    """Return the convolution of 2 or 3 dimensions."""
    return nn.Conv2d if ndim == 2 else nn.Conv3d


def norm_type(ndim: int) -> type[nn.BatchNorm2d] | type[nn.BatchNorm3d]:
    """Return the batch normalisation of 2 or 3 dimensions."""
    return nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d
