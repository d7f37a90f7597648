"""The few networks, 2-D or 3-D by argument.

Each knows how far it sees (`halo` pixels in the plane, `depth_halo` planes) and which image sides it accepts (`multiple`),
so that tiles can be cut for it without a seam.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Normalisation = Literal["none", "batch"]


class Network(nn.Module):
    """A network from (N, C, [Z], Y, X) to the same shape."""

    halo: int = 0
    depth_halo: int = 0
    multiple: int = 1


class Unchanged(Network):
    """Stands in where a method has no network."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the image as it is."""
        return image


class Chain(Network):
    """A plain chain of 3 x 3 convolutions with a last one of its own size; `residual` makes it predict the noise.

    With two hidden layers, slope 0.2, a 1 x 1 head and a residual output it is the network of ZS-N2N (Mansour & Heckel
    2023, 21 313 weights for one channel and width 48); with seven hidden layers, slope 0, batch normalisation and a
    3 x 3 head it is DnCNN-8.
    """

    def __init__(
        self,
        channels: int,
        ndim: int,
        *,
        width: int = 48,
        layers: int = 2,
        slope: float = 0.2,
        head: int = 1,
        norm: Normalisation = "none",
        residual: bool = True,
    ) -> None:
        super().__init__()
        conv = _conv(ndim)
        parts: list[nn.Module] = []
        for index in range(layers):
            normed = norm == "batch" and index > 0
            parts.append(conv(channels if index == 0 else width, width, 3, padding=1, bias=norm == "none"))
            parts += [_batch_norm(ndim)(width)] if normed else []
            parts.append(nn.LeakyReLU(slope))
        parts.append(conv(width, channels, head, padding=head // 2, bias=norm == "none"))
        self.body = nn.Sequential(*parts)
        self.residual = residual
        self.halo = self.depth_halo = layers + head // 2

    def forward(self, image: Tensor) -> Tensor:
        """Denoise."""
        return image - self.body(image) if self.residual else self.body(image)


class UNet(Network):
    """A small U-Net: two convolutions a level, max-pooling in-plane, linear up-sampling, concatenated skips.

    Pooling leaves z alone, since stacks are coarse in z. Width 16 and two levels are the "baby" U-Net of the Noise2Self
    notebooks.
    """

    def __init__(
        self, channels: int, ndim: int, *, width: int = 16, levels: int = 2, norm: Normalisation = "batch"
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.pool = nn.MaxPool2d(2) if ndim == 2 else nn.MaxPool3d((1, 2, 2))
        scale = 2.0 if ndim == 2 else (1.0, 2.0, 2.0)
        self.up = nn.Upsample(scale_factor=scale, mode="bilinear" if ndim == 2 else "trilinear", align_corners=False)
        self.down_blocks = nn.ModuleList(
            _double(w_in, w_out, ndim, norm) for w_in, w_out in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.up_blocks = nn.ModuleList(_double(w + 2 * w, w, ndim, norm) for w in reversed(widths[:-1]))
        self.head = _conv(ndim)(width, channels, 1)
        self.multiple = 2**levels
        self.halo = _reach(levels)
        self.depth_halo = 2 * (2 * levels + 1)

    def forward(self, image: Tensor) -> Tensor:
        """Denoise; sides of the image are multiples of `multiple`."""
        skips = []
        x = image
        for block in self.down_blocks[:-1]:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = self.down_blocks[-1](x)
        for block, skip in zip(self.up_blocks, reversed(skips), strict=True):
            x = block(torch.cat([skip, self.up(x)], dim=1))
        return self.head(x)


def _reach(levels: int) -> int:
    """Pixels that a U-Net sees to each side, from its output down to the coarsest level and up to its input again."""
    reach = 2
    for _ in range(levels):
        reach = reach // 2 + 1 + 2  # linear up-sampling looks one coarse pixel further; two 3 x 3 convolutions
    for _ in range(levels):
        reach = 2 * reach + 1 + 2  # both pixels under the last pooled one; two 3 x 3 convolutions
    return reach


def _conv(ndim: int) -> type[nn.Conv2d] | type[nn.Conv3d]:
    return nn.Conv2d if ndim == 2 else nn.Conv3d


def _batch_norm(ndim: int) -> type[nn.BatchNorm2d] | type[nn.BatchNorm3d]:
    return nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d


def _double(w_in: int, w_out: int, ndim: int, norm: Normalisation) -> nn.Sequential:
    parts: list[nn.Module] = []
    for source in (w_in, w_out):
        parts.append(_conv(ndim)(source, w_out, 3, padding=1))
        parts += [_batch_norm(ndim)(w_out)] if norm == "batch" else []
        parts.append(nn.ReLU())
    return nn.Sequential(*parts)
