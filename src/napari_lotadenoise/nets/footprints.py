"""What a network computes at a pixel and how far it sees, without building it: for the estimated time of a run. Imports no torch.

The work is that of the convolutions of a plane with one channel, which is all that a comparison of two sizes needs.
"""

from __future__ import annotations

import itertools

from napari_lotadenoise.contract.capabilities import Footprint

#: Weights of a 3 x 3 convolution for each pair of channels.
_NINE = 9
#: How much longer a multiplication takes than in `UNet` (measured): odd numbers of channels, many of them at full resolution.
_RESIDUAL, _LEHTINEN = 1.8, 1.5

#: What normalisation and activation of one channel of `SkipNet` take, in such multiplications (measured).
_NORMALISED = 130
#: `InstantNet`, the shipped network.
INSTANT = Footprint(halo=144, depth_halo=2, multiple=16, border=16)


def reach(*, down: list[int], bottom: int, up: list[int]) -> int:
    """Return the pixels that a U-Net sees to each side, from its output down to the coarsest level and up to its input again.

    `down` and `up` have the number of 3 x 3 convolutions at each level, the finest first, `bottom` those at the coarsest.
    """
    reach = up[0]
    for convolutions in [*up[1:], bottom]:
        reach = reach // 2 + 1 + convolutions  # up-sampling looks one coarse pixel further
    for convolutions in reversed(down):
        reach = 2 * reach + 1 + convolutions  # both pixels under the last pooled one
    return reach


def chain(width: int, layers: int, head: int = 1) -> Footprint:
    """Describe a `Chain`."""
    halo = layers + head // 2
    return Footprint(_NINE * (width + (layers - 1) * width**2) + head**2 * width, halo, halo)


def unet(width: int, levels: int) -> Footprint:
    """Describe a `UNet`."""
    widths = [width * 2**level for level in range(levels + 1)]
    work = _NINE * (width + width**2) + width
    for level, (fine, coarse) in enumerate(itertools.pairwise(widths)):
        work += _NINE * (4 * fine**2) / 4**level
        work += _NINE * (fine * coarse + coarse**2) / 4 ** (level + 1)
    halo = reach(down=[2] * levels, bottom=2, up=[2] * levels)
    return Footprint(work, halo, 2 * (2 * levels + 1), 2**levels)


def residual_unet(width: int, levels: int) -> Footprint:
    """Describe a `ResidualUNet`."""
    widths = [width * 2**level for level in range(levels + 1)]
    work = _NINE * (width + 2 * width**2) + width
    for level, (fine, coarse) in enumerate(itertools.pairwise(widths)):
        work += _NINE * (3 * fine**2) / 4**level + 2 * fine * coarse / 4**level
        work += (4 * fine * coarse + 2 * _NINE * coarse**2) / 4 ** (level + 1)
    halo = reach(down=[3, *[2] * (levels - 1)], bottom=2, up=[2] * levels)
    return Footprint(_RESIDUAL * work, halo, 1 + 2 * (2 * levels + 1), 2**levels)


def lehtinen_unet(
    width: int, levels: int, *, gradient: bool = False, dilation: int = 1, early: bool = False
) -> Footprint:
    """Describe a `LehtinenUNet`."""
    work = _NINE * (width + width**2) + _NINE * width**2 / 4**levels
    work += sum(_NINE * width**2 / 4**level for level in range(1, levels))
    for level in range(levels):
        entering = (1 if level == levels - 1 else 2) * width + (width if level or early else 1)
        first, second = (2 * width, 2 * width) if level else (4 * width // 3, 2 * width // 3)
        work += _NINE * (entering * first + first * second) / 4**level
    work += _NINE * (2 * width // 3)
    halo = reach(down=[2 * dilation, *[1] * (levels - 1)], bottom=1, up=[3, *[2 + gradient] * (levels - 1)])
    return Footprint(_LEHTINEN * work, halo, 2 * dilation + (levels - 1) + 1 + 2 * levels + 1, 2**levels)


def skip_net(inputs: int, width: int, levels: int) -> Footprint:
    """Describe a `SkipNet`."""
    work = float(width)
    for level in range(levels):
        entering = width if level else inputs
        work += _NINE * (entering * width + width**2) / 4 ** (level + 1)
        work += (_NINE * width**2 + width**2) / 4**level
        work += _NORMALISED * (3 * width + width / 2) / 4**level
    return Footprint(work, multiple=2**levels)
