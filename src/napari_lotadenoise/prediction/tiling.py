"""Tiles that leave no seam: each is read with the surroundings that the network sees. Importing it imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_lotadenoise import ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Tiling
from napari_lotadenoise.image.stack import Stack, Window, read_with_halo, tiles

if TYPE_CHECKING:
    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.normalisation.affine import Scale

#: Planes of a tile of a volume; its sides are those of the method.
DEPTH = 16
#: Microseconds that one pass over a tile may take by the method's cost, so that a run can be stopped after it.
PATIENCE = 300_000


@dataclass(frozen=True)
class TileGeometry:
    """Halo and sizes of the tiles of a network.

    Attributes
    ----------
    halo, depth_halo : int
        Pixels around a tile, and planes above and below it, that its prediction depends on.
    size_multiple : int
        Number that the sides of a tile with its halo are multiples of.
    border : int or None
        Pixels beyond the image that may be read, mirrored; None for as many as the halo has.
    whole : bool
        Whether the image is seen in one piece.
    """

    halo: int
    depth_halo: int = 0
    size_multiple: int = 1
    border: int | None = None
    whole: bool = False

    @classmethod
    def of(cls, net: Network) -> TileGeometry:
        """Return the geometry of a network by itself."""
        return cls(net.halo, net.depth_halo, net.multiple, net.border)


class Tile(NamedTuple):
    """Part of an image, ready for a network.

    Attributes
    ----------
    image : tensor (1, C, [Z], Y, X)
        Scaled, with its halo.
    inner : tuple of slice
        Where the window lies in it ([Z], Y, X).
    origin : tuple of int
        Coordinates ([Z], Y, X) of its first pixel in the image; negative where the image is mirrored before its edge.
    sample : int
        Which sample it is a part of.
    """

    image: torch.Tensor
    inner: tuple[slice, ...]
    origin: tuple[int, ...]
    sample: int

    @classmethod
    def whole(cls, image: torch.Tensor) -> Tile:
        """Return the tile that is all of a scaled image (1, C, [Z], Y, X)."""
        spatial = image.shape[2:]
        return cls(image, tuple(slice(0, n) for n in spatial), (0,) * len(spatial), 0)

    @property
    def place(self) -> tuple[Any, ...]:
        """Return the index of the window (C, [Z], Y, X) in `image`."""
        return (0, slice(None), *self.inner)


def tile_side(tiling: Tiling, cost: Cost, planes: int = 1, largest: int = 0) -> int:
    """Choose the side of tiles: smaller where a method is slow. The same on every machine."""
    side = math.isqrt(int(PATIENCE / (cost.of_tiles * planes)))
    return max(tiling.smallest, min(largest or tiling.largest, side // 16 * 16))


def cut(stack: Stack, tiling: Tiling, cost: Cost) -> list[Window]:
    """Cut one sample of a stack into tiles, or leave it whole where the method needs that."""
    if tiling.whole:
        return [stack.full]
    planes = min(DEPTH, stack.spatial[0]) if stack.ndim == 3 else 1
    return list(tiles(stack.spatial, tile_side(tiling, cost, planes), planes))


def pixels_read(spatial: tuple[int, ...], tiling: Tiling, cost: Cost, geometry: TileGeometry) -> int:
    """Count the pixels of all tiles of one sample, each with its surroundings: axis by axis, as they are cut."""
    if tiling.whole:
        return math.prod(spatial)
    planes = min(DEPTH, spatial[0]) if len(spatial) == 3 else 1
    side, total = tile_side(tiling, cost, planes), 1
    for size in spatial[-2:]:
        sizes = (size, size)
        parts = _parts(size, side)
        margins = [margins_for((p, p), geometry.halo, geometry.size_multiple, sizes, geometry.border)[0] for p in parts]
        total *= size + sum(map(sum, margins))
    if len(spatial) == 3:
        depths = [depth_margins_for((p, p, p), geometry.depth_halo, spatial[0])[0] for p in _parts(spatial[0], planes)]
        total *= spatial[0] + sum(map(sum, depths))
    return total


def _parts(size: int, side: int) -> list[slice]:
    return [slice(start, min(start + side, size)) for start in range(0, size, side)]


def margins_for(
    window: Window, halo: int, multiple: int, spatial: tuple[int, ...] = (), border: int | None = None
) -> list[tuple[int, int]]:
    """Return the pixels to read around a window in Y and X: the halo, and what makes start and size multiples of `multiple`.

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
    """Return the planes to read around a window of a volume; none beyond its ends, since the network has learnt on such ends."""
    if len(window) == 2:
        return []
    return [(min(halo, window[0].start), min(halo, planes - window[0].stop))]


def read_tile(
    stack: Stack, geometry: TileGeometry, scale: Scale, device: torch.device, group: int, sample: int, window: Window
) -> Tile:
    """Read a window with its surroundings."""
    read = stack.full if geometry.whole else window
    margins = depth_margins_for(read, geometry.depth_halo, stack.spatial[0])
    margins += margins_for(read, geometry.halo, geometry.size_multiple, stack.spatial, geometry.border)
    block = scale.forward(read_with_halo(stack, group, sample, read, margins))
    starts = [before + w.start - r.start for w, r, (before, _) in zip(window, read, margins, strict=True)]
    inner = tuple(slice(start, start + w.stop - w.start) for start, w in zip(starts, window, strict=True))
    origin = tuple(r.start - before for r, (before, _) in zip(read, margins, strict=True))
    image = torch.from_numpy(block)[None].to(device)
    return Tile(image.contiguous(memory_format=ops.channels_last(image)), inner, origin, sample)
