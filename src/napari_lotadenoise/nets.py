"""The few networks, 2-D or 3-D by argument.

Each knows how far it sees (`halo` pixels in the plane, `depth_halo` planes) and which image sides it accepts (`multiple`),
so that tiles can be cut for it without a seam.
"""

from __future__ import annotations

import itertools
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


class Hourglass(Network):
    """What all U-Nets share: a stem, a way down that leaves skips behind, and a way up that takes them in again."""

    stem: nn.Module
    down: nn.ModuleList
    rise: nn.ModuleList
    up: nn.ModuleList
    head: nn.Module

    def forward(self, image: Tensor) -> Tensor:
        """Denoise; sides of the image are multiples of `multiple`."""
        x = self.stem(image)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        for rise, up, skip in zip(self.rise, self.up, reversed(skips), strict=True):
            x = up(torch.cat([skip, rise(x)], dim=1))
        return self.head(x)


class UNet(Hourglass):
    """A small U-Net: two convolutions a level, max-pooling in-plane, linear up-sampling, concatenated skips.

    Pooling leaves z alone, since stacks are coarse in z. Width 16 and two levels are the "baby" U-Net of the Noise2Self
    notebooks.
    """

    def __init__(
        self, channels: int, ndim: int, *, width: int = 16, levels: int = 2, norm: Normalisation = "batch"
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.stem = _double(channels, width, ndim, norm)
        self.down = nn.ModuleList(
            nn.Sequential(_pool(ndim), *_double(w_in, w_out, ndim, norm)) for w_in, w_out in itertools.pairwise(widths)
        )
        self.rise = nn.ModuleList(_linear_up(ndim) for _ in widths[1:])
        self.up = nn.ModuleList(_double(3 * w, w, ndim, norm) for w in reversed(widths[:-1]))
        self.head = _conv(ndim)(width, channels, 1)
        self.multiple = 2**levels
        self.halo = _reach(down=[2] * levels, bottom=2, up=[2] * levels)
        self.depth_halo = 2 * (2 * levels + 1)


class ResidualUNet(Hourglass):
    """The U-Net of Noise2Same and Noise2Info: pre-activated residual blocks, strided convolutions down and up.

    With width 96 and two levels it is the published one (three resolutions of 96, 192 and 384 channels).
    """

    def __init__(self, channels: int, ndim: int, *, width: int = 96, levels: int = 2) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        conv, step = _conv(ndim), _in_plane(ndim)
        self.stem = nn.Sequential(conv(channels, width, 3, padding=1), _Residual(width, width, ndim))
        self.down = nn.ModuleList(
            nn.Sequential(conv(w_in, w_out, step, stride=step), _Residual(w_out, w_out, ndim))
            for w_in, w_out in itertools.pairwise(widths)
        )
        raised = [_transposed(ndim)(w_out, w_in, step, stride=step) for w_in, w_out in itertools.pairwise(widths)]
        self.rise = nn.ModuleList(reversed(raised))
        self.up = nn.ModuleList(_Residual(2 * w, w, ndim) for w in reversed(widths[:-1]))
        self.head = nn.Sequential(_batch_norm(ndim)(width), nn.ReLU(), conv(width, channels, 1))
        self.multiple = 2**levels
        self.halo = _reach(down=[3, *[2] * (levels - 1)], bottom=2, up=[2] * levels)
        self.depth_halo = 1 + 2 * (2 * levels + 1)


class _Residual(nn.Module):
    """Twice normalisation, ReLU and convolution, added to the input."""

    def __init__(self, w_in: int, w_out: int, ndim: int) -> None:
        super().__init__()
        conv, norm = _conv(ndim), _batch_norm(ndim)
        self.body = nn.Sequential(
            norm(w_in), nn.ReLU(), conv(w_in, w_out, 3, padding=1),
            norm(w_out), nn.ReLU(), conv(w_out, w_out, 3, padding=1),
        )  # fmt: skip
        self.skip = nn.Identity() if w_in == w_out else conv(w_in, w_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the body finds."""
        return self.skip(x) + self.body(x)


def _reach(*, down: list[int], bottom: int, up: list[int]) -> int:
    """Pixels that a U-Net sees to each side, from its output down to the coarsest level and up to its input again.

    `down` and `up` have the number of 3 x 3 convolutions at each level, the finest first, `bottom` those at the coarsest.
    """
    reach = up[0]
    for convolutions in [*up[1:], bottom]:
        reach = reach // 2 + 1 + convolutions  # up-sampling looks one coarse pixel further
    for convolutions in reversed(down):
        reach = 2 * reach + 1 + convolutions  # both pixels under the last pooled one
    return reach


def _in_plane(ndim: int) -> tuple[int, ...]:
    """Two in the plane, one in depth: the steps by which resolution changes."""
    return (2, 2) if ndim == 2 else (1, 2, 2)


def _pool(ndim: int) -> nn.Module:
    return nn.MaxPool2d(2) if ndim == 2 else nn.MaxPool3d((1, 2, 2))


def _linear_up(ndim: int) -> nn.Module:
    scale = tuple(float(step) for step in _in_plane(ndim))
    return nn.Upsample(scale_factor=scale, mode="bilinear" if ndim == 2 else "trilinear", align_corners=False)


def _transposed(ndim: int) -> type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]:
    return nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d


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
