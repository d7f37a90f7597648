"""Prediction in tiles that leave no seam: each is read with the surroundings that the network sees."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.image.stack import Stack, Window, read_with_halo, tiles
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.ops.tensor import channels_last
from napari_lotadenoise.training.trainer import Trainer

#: Planes of a tile of a volume; how large its sides may be is said by the method.
DEPTH = 16
#: Microseconds that one pass over a tile may take (as far as the method's cost tells), so that a run can be stopped after it.
PATIENCE = 300_000


def tile_side(method: Method, planes: int = 1, largest: int = 0) -> int:
    """Side of the tiles that a method is given: smaller where it is slow. The same on every machine."""
    side = math.isqrt(int(PATIENCE / (method.cost[1] * planes)))
    return max(method.smallest_tile, min(largest or method.largest_tile, side // 16 * 16))


def cut(stack: Stack, method: Method) -> list[Window]:
    """The tiles of one sample of a stack, or all of it where the method sees it as a whole."""
    if method.whole:
        return [stack.full]
    planes = min(DEPTH, stack.spatial[0]) if stack.ndim == 3 else 1
    return list(tiles(stack.spatial, tile_side(method, planes), planes))


def margins_for(
    window: Window, halo: int, multiple: int, spatial: tuple[int, ...] = (), border: int | None = None
) -> list[tuple[int, int]]:
    """Pixels to read around a window in Y and X: the halo, and what makes start and size multiples of `multiple`.

    They reach beyond the image, where it is mirrored: by the halo, or, with a `border`, by as many pixels beyond the sizes
    `spatial` of the image.
    """
    margins = []
    for axis, part in zip((-2, -1), window[-2:], strict=True):
        near = far = halo
        if border is not None:
            near, far = min(halo, part.start + border), min(halo, spatial[axis] - part.stop + border)
        before = near + (part.start - near) % multiple
        size = before + part.stop - part.start + far
        margins.append((before, far + -size % multiple))
    return margins


def depth_margins_for(window: Window, halo: int, planes: int) -> list[tuple[int, int]]:
    """Planes to read around a window of a volume; none beyond its ends, since the network has learnt on such ends."""
    if len(window) == 2:
        return []
    return [(min(halo, window[0].start), min(halo, planes - window[0].stop))]


class Sight(NamedTuple):
    """A tile that was looked at: scaled, what the network makes of it, and where the window is in both."""

    tile: torch.Tensor
    place: tuple[Any, ...]
    output: torch.Tensor
    deviation: torch.Tensor | None

    def clean(self, scale: Scale) -> np.ndarray:
        """The denoised window (C, [Z], Y, X) in intensities."""
        return scale.back(self.output[self.place].float().cpu().numpy())


def look_at(stack: Stack, trainer: Trainer, scale: Scale, group: int, sample: int, window: Window) -> Sight:
    """Denoise a window for a preview."""
    tile, inner = read_tile(stack, trainer, scale, group, sample, window)
    output, deviation = trainer.look(tile, (group, sample, str(window)))
    return Sight(tile, (0, slice(None), *inner), output, deviation)


def read_tile(
    stack: Stack, trainer: Trainer, scale: Scale, group: int, sample: int, window: Window
) -> tuple[torch.Tensor, tuple[slice, ...]]:
    """Read a tile as a scaled (1, C, [Z], Y, X) tensor with its surroundings, and where the window is in it."""
    net = trainer.net
    read = stack.full if trainer.method.whole else window
    margins = depth_margins_for(read, net.depth_halo, stack.spatial[0])
    stride = trainer.training.stride
    border = None if net.border is None else stride * net.border
    grain = stride * net.multiple * trainer.method.grain
    margins += margins_for(read, stride * trainer.method.halo(net), grain, stack.spatial, border)
    block = scale.into(read_with_halo(stack, group, sample, read, margins))
    starts = [before + w.start - r.start for w, r, (before, _) in zip(window, read, margins, strict=True)]
    inner = tuple(slice(start, start + w.stop - w.start) for start, w in zip(starts, window, strict=True))
    tile = torch.from_numpy(block)[None].to(trainer.device)
    return tile.contiguous(memory_format=channels_last(tile)), inner
