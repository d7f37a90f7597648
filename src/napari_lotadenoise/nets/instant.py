"""The network whose weights the package carries: a U-Net of residual blocks at half resolution and below."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_lotadenoise.nets.base import Network

#: Channels at a half, a quarter, an eighth and a sixteenth of the resolution.
WIDTHS = (48, 64, 96, 128)


class InstantNet(Network):
    """Finds the noise in images whose noise has the deviation 1.

    Images are taken apart into their 2 x 2 interleaved ones first (Zhang, Zuo & Zhang, FFDNet, IEEE TIP 2018), which costs
    no detail and a quarter of the time. Skips are added, not concatenated (Zhang et al., DRUNet, IEEE TPAMI 2022). A volume
    is seen through a few planes, of which the middle one is denoised.

    Parameters
    ----------
    planes : int
        Planes of a volume that are seen at a time, an odd number; 1 for images.
    """

    def __init__(self, planes: int = 1, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.planes = planes
        steps = list(itertools.pairwise(widths))
        self.stem = nn.Conv2d(4 * planes, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_Block(width) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = nn.Sequential(_Block(widths[-1]), _Block(widths[-1]))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in reversed(steps))
        self.up = nn.ModuleList(_Block(width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(widths[0], 4, 3, padding=1)
        self.multiple = self.border = 2 ** len(widths)
        self.halo = 9 * self.multiple
        self.depth_halo = planes // 2

    def forward(self, image: Tensor) -> Tensor:
        """Return the noise (N, 1, Y, X) of the middle one of some planes (N, planes, Y, X); sides are multiples of `multiple`."""
        x = self._in_float32(self.stem, F.pixel_unshuffle(image, 2))
        skips = []
        for down, shrink in zip(self.down, self.shrink, strict=True):
            skips.append(down(x))
            x = shrink(skips[-1])
        x = self.bottom(x)
        for grow, up, skip in zip(self.grow, self.up, reversed(skips), strict=True):
            x = up(_added(skip, grow(x)))
        return F.pixel_shuffle(self._in_float32(self.head, x), 2)

    def _in_float32(self, layer: nn.Module, x: Tensor) -> Tensor:
        # Intensities may be thousands of deviations: bfloat16 has no digits left for the noise before they are compared.
        with torch.autocast(x.device.type, enabled=False):
            return layer(x.float())


class _Block(nn.Module):
    """Convolution, ReLU, convolution, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the two find."""
        return _added(x, self.second(F.relu(self.first(x), inplace=True)))


def _added(kept: Tensor, found: Tensor) -> Tensor:
    """Return the sum, in the place of the first where nothing learns: new memory for it took a sixth of a pass."""
    return kept + found if torch.is_grad_enabled() else kept.add_(found)
