"""What a network is trained on: random crops, some of them set aside to score it on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_lotadenoise.contract.method import Training
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.ops.tensor import channels_last

#: Voxels of a group that are kept on the device to draw crops from; larger groups are represented by some of their samples.
POOL_VOXELS = 64 * 1024 * 1024

Corner = tuple[int, ...]


def load_pool(stack: Stack, group: int, scale: Scale, device: torch.device, *, neighbours: bool = False) -> Tensor:
    """Scaled samples of a group, (N, C, [Z], Y, X): all of them, or as many as the budget allows.

    Those are evenly spread, or, where neighbours must stay together, the ones in the middle.
    """
    voxels = stack.channels
    for size in stack.spatial:
        voxels *= size
    count = max(2 if neighbours else 1, POOL_VOXELS // voxels)
    first = max(0, stack.samples - count) // 2
    chosen = range(first, min(first + count, stack.samples)) if neighbours else stack.spread(count)
    return torch.stack([torch.from_numpy(scale.into(stack.read(group, sample))) for sample in chosen]).to(device)


class Crops:
    """Draws batches of crops (N, C, [Z], Y, X) from a pool, never touching the held-out ones.

    Parameters
    ----------
    pool : tensor (N, C, [Z], Y, X)
    training : Training
        Its `crop`, `crop_depth`, `batch`, `augment` and `holdout` matter here.
    grain : int
        Y and X of every crop are multiples of this.
    rng : torch.Generator
        Source of all chance.
    oriented : bool
        Whether crops must not be turned by a right angle.
    """

    def __init__(
        self, pool: Tensor, training: Training, grain: int, rng: torch.Generator, *, oriented: bool = False
    ) -> None:
        self.pool = pool
        self.rng = rng
        self.batch = training.batch
        self.augment, self.oriented = training.augment, oriented
        spatial = pool.shape[2:]
        self.size = tuple(
            _fit(n, wanted, grain) for n, wanted in zip(spatial, _wanted(training, len(spatial)), strict=True)
        )
        self.held_out = self._set_aside(training.holdout) if training.crop else []

    def draw(self) -> Tensor:
        """A batch of random crops, flipped and rotated alike."""
        crops = torch.stack([self._cut(*self._place()) for _ in range(self.batch)])
        if not self.augment:
            return crops
        turn = self._integer(8)
        turnable = crops.shape[-1] == crops.shape[-2] and not self.oriented
        crops = crops.flip(-1) if turn >= 4 else crops
        crops = torch.rot90(crops, turn % 4 if turnable else 2 * (turn % 2), (-2, -1))
        return crops.contiguous(memory_format=channels_last(crops))

    def validation(self) -> Tensor | None:
        """The crops that are kept away from training, or None."""
        return torch.stack([self._cut(*place) for place in self.held_out]) if self.held_out else None

    def _place(self) -> tuple[int, Corner]:
        place = self._anywhere()
        for _ in range(20):
            if not any(self._overlap(place, other) for other in self.held_out):
                break
            place = self._anywhere()
        return place

    def _anywhere(self) -> tuple[int, Corner]:
        sample = self._integer(len(self.pool))
        return sample, tuple(
            self._integer(n - size + 1) for n, size in zip(self.pool.shape[2:], self.size, strict=True)
        )

    def _cut(self, sample: int, corner: Corner) -> Tensor:
        window: tuple[Any, ...] = tuple(
            slice(start, start + size) for start, size in zip(corner, self.size, strict=True)
        )
        return self.pool[(sample, slice(None), *window)]

    def _set_aside(self, count: int) -> list[tuple[int, Corner]]:
        """Choose crops to hold out, as long as at least fifteen sixteenths of the pool are left to train on."""
        room = self.pool[:, 0].numel() // (16 * torch.Size(self.size).numel())
        chosen: list[tuple[int, Corner]] = []
        for _ in range(min(count, room)):
            place = self._anywhere()
            chosen += [] if any(self._overlap(place, other) for other in chosen) else [place]
        return chosen

    def _overlap(self, one: tuple[int, Corner], other: tuple[int, Corner]) -> bool:
        near = (abs(a - b) < size for a, b, size in zip(one[1], other[1], self.size, strict=True))
        return one[0] == other[0] and all(near)

    def _integer(self, below: int) -> int:
        return int(torch.randint(below, (), generator=self.rng))


def _wanted(training: Training, ndim: int) -> tuple[int, ...]:
    return (training.crop_depth, training.crop, training.crop)[-ndim:] if ndim == 3 else (training.crop,) * 2


def _fit(available: int, wanted: int, grain: int) -> int:
    """Largest multiple of the grain within the image that is not above what is wanted (0: no wish)."""
    size = min(available, wanted) if wanted else available
    return max(size // grain * grain, min(grain, available))
