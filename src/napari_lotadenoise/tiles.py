"""Prediction in tiles that leave no seam: each is read with the surroundings that the network sees."""

from __future__ import annotations

import math

import torch

from napari_lotadenoise.image import Scale, Stack, Window, read_with_halo, tiles
from napari_lotadenoise.method import Method
from napari_lotadenoise.trainer import Trainer

#: Largest and smallest side of a tile in pixels, and its planes in a volume.
LARGEST, SMALLEST, DEPTH = 256, 64, 16
#: Microseconds that one tile may take (as far as the method's cost tells), so that a run can be stopped between two.
PATIENCE = 300_000


def tile_side(method: Method, planes: int = 1, largest: int = LARGEST) -> int:
    """Side of the tiles that a method is given: smaller where it is slow. The same on every machine."""
    side = math.isqrt(int(PATIENCE / (method.cost[1] * planes)))
    return max(SMALLEST, min(largest, side // 16 * 16))


def cut(stack: Stack, method: Method) -> list[Window]:
    """The tiles of one sample of a stack."""
    planes = min(DEPTH, stack.spatial[0]) if stack.ndim == 3 else 1
    return list(tiles(stack.spatial, tile_side(method, planes), planes))


def margins_for(window: Window, halo: int, multiple: int) -> list[tuple[int, int]]:
    """Pixels to read around a window: the halo, and what makes start and size multiples of `multiple` in Y and X."""
    margins = []
    for axis, part in enumerate(window):
        step = multiple if axis >= len(window) - 2 else 1
        before = halo + (part.start - halo) % step
        size = before + part.stop - part.start + halo
        margins.append((before, halo + -size % step))
    return margins


def read_tile(
    stack: Stack, trainer: Trainer, scale: Scale, group: int, sample: int, window: Window
) -> tuple[torch.Tensor, tuple[slice, ...]]:
    """Read a tile as a scaled (1, C, [Z], Y, X) tensor with its surroundings, and where the window is in it."""
    net = trainer.net
    halo = trainer.method.halo(net) if stack.ndim == len(window) else 0
    margins = margins_for(window, halo, net.multiple * trainer.method.grain)
    block = scale.into(read_with_halo(stack, group, sample, window, margins))
    inner = tuple(slice(before, before + w.stop - w.start) for w, (before, _) in zip(window, margins, strict=True))
    return torch.from_numpy(block)[None].to(trainer.device), inner
