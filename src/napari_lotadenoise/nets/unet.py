"""U-Nets: what they share, a small one, and the residual one of Noise2Info."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from napari_lotadenoise.nets.base import (
    Network,
    conv_type,
    in_plane,
    linear_up,
    max_pool,
    norm_type,
    transposed_type,
)
from napari_lotadenoise.nets.footprints import reach


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

    def __init__(self, channels: int, ndim: int, *, width: int = 16, levels: int = 2, norm: str = "batch") -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.stem = _double(channels, width, ndim, norm)
        self.down = nn.ModuleList(
            nn.Sequential(max_pool(ndim), *_double(w_in, w_out, ndim, norm))
            for w_in, w_out in itertools.pairwise(widths)
        )
        self.rise = nn.ModuleList(linear_up(ndim) for _ in widths[1:])
        self.up = nn.ModuleList(_double(3 * w, w, ndim, norm) for w in reversed(widths[:-1]))
        self.head = conv_type(ndim)(width, channels, 1)
        self.multiple = 2**levels
        self.halo = reach(down=[2] * levels, bottom=2, up=[2] * levels)
        self.depth_halo = 2 * (2 * levels + 1)


class ResidualUNet(Hourglass):
    """The U-Net of Noise2Same and Noise2Info: pre-activated residual blocks, strided convolutions down and up.

    With width 96 and two levels it is the published one (three resolutions of 96, 192 and 384 channels).
    """

    def __init__(self, channels: int, ndim: int, *, width: int = 96, levels: int = 2) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        conv, step = conv_type(ndim), in_plane(ndim)
        self.stem = nn.Sequential(conv(channels, width, 3, padding=1), _Residual(width, width, ndim))
        self.down = nn.ModuleList(
            nn.Sequential(conv(w_in, w_out, step, stride=step), _Residual(w_out, w_out, ndim))
            for w_in, w_out in itertools.pairwise(widths)
        )
        raised = [transposed_type(ndim)(w_out, w_in, step, stride=step) for w_in, w_out in itertools.pairwise(widths)]
        self.rise = nn.ModuleList(reversed(raised))
        self.up = nn.ModuleList(_Residual(2 * w, w, ndim) for w in reversed(widths[:-1]))
        self.head = nn.Sequential(norm_type(ndim)(width), nn.ReLU(), conv(width, channels, 1))
        self.multiple = 2**levels
        self.halo = reach(down=[3, *[2] * (levels - 1)], bottom=2, up=[2] * levels)
        self.depth_halo = 1 + 2 * (2 * levels + 1)


class _Residual(nn.Module):
    """Twice normalisation, ReLU and convolution, added to the input."""

    def __init__(self, w_in: int, w_out: int, ndim: int) -> None:
        super().__init__()
        conv, norm = conv_type(ndim), norm_type(ndim)
        self.body = nn.Sequential(
            norm(w_in), nn.ReLU(), conv(w_in, w_out, 3, padding=1),
            norm(w_out), nn.ReLU(), conv(w_out, w_out, 3, padding=1),
        )  # fmt: skip
        self.skip = nn.Identity() if w_in == w_out else conv(w_in, w_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the body finds."""
        return self.skip(x) + self.body(x)


def _double(w_in: int, w_out: int, ndim: int, norm: str) -> nn.Sequential:
    parts: list[nn.Module] = []
    for source in (w_in, w_out):
        parts.append(conv_type(ndim)(source, w_out, 3, padding=1))
        parts += [norm_type(ndim)(w_out)] if norm == "batch" else []
        parts.append(nn.ReLU())
    return nn.Sequential(*parts)
