"""The hourglass of Deep Image Prior: wide on the way down and up, with narrow skips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from napari_lotadenoise.nets.base import Network, conv_type, in_plane, linear_up

#: Of the leaky ReLUs.
SLOPE = 0.2


class SkipNet(Network):
    """The hourglass of Deep Image Prior (Ulyanov, Vedaldi & Lempitsky, CVPR 2018), for one image in one piece.

    Each level has a strided and a plain 3 x 3 convolution on the way down, a 3 x 3 and a 1 x 1 one on the way up, linear
    up-sampling, and a 1 x 1 skip of few channels. Everything is normalised by the statistics of the image itself, in
    evaluation too, so that tiles would not fit together.

    Parameters
    ----------
    inputs, channels : int
        Channels that go in and that come out.
    ndim : int
    width, levels, skip : int
        With 128, 5 and 4 it is the published one.
    """

    def __init__(
        self, inputs: int, channels: int, ndim: int, *, width: int = 128, levels: int = 5, skip: int = 4
    ) -> None:
        super().__init__()
        conv = conv_type(ndim)
        w_in = [inputs, *[width] * (levels - 1)]
        self.skips = nn.ModuleList(_layer(w, skip, 1, ndim) for w in w_in)
        self.down = nn.ModuleList(
            nn.Sequential(*_layer(w, width, 3, ndim, stride=in_plane(ndim)), *_layer(width, width, 3, ndim))
            for w in w_in
        )
        self.rise = nn.ModuleList(linear_up(ndim) for _ in w_in)
        self.up = nn.ModuleList(
            nn.Sequential(
                ImageNorm(width + skip), *_layer(width + skip, width, 3, ndim), *_layer(width, width, 1, ndim)
            )
            for _ in w_in
        )  # fmt: skip
        self.head = conv(width, channels, 1)
        self.multiple = 2**levels

    def forward(self, x: Tensor) -> Tensor:
        """Make an image (1, channels, [Z], Y, X) of (1, inputs, [Z], Y, X)."""
        skips = []
        for down, skip in zip(self.down, self.skips, strict=True):
            skips.append(skip(x))
            x = down(x)
        for rise, up, skip in zip(self.rise, self.up, reversed(skips), strict=True):
            x = up(torch.cat([skip, rise(x)], dim=1))
        return self.head(x)


class ImageNorm(nn.Module):
    """Batch normalisation that never leaves training; of a single pixel only the bias is left, where torch's would refuse."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Bring each channel to its own mean and deviation."""
        return torch.batch_norm(x, self.weight, self.bias, None, None, True, 0.0, 1e-5, False)


def _layer(w_in: int, w_out: int, side: int, ndim: int, stride: Any = 1) -> nn.Sequential:
    convolution = conv_type(ndim)(w_in, w_out, side, stride=stride, padding=side // 2)
    return nn.Sequential(convolution, ImageNorm(w_out), nn.LeakyReLU(SLOPE))
