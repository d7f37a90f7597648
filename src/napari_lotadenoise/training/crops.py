"""Training images, and the random crops drawn from them; some are held out for scoring."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from napari_lotadenoise.contract.method import Training
from napari_lotadenoise.image.informative import read_informative, read_whole
from napari_lotadenoise.image.sampling import sampled_windows
from napari_lotadenoise.image.stack import Stack, Window
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.ops.tensor import channels_last

#: Voxels of a group that are kept on the device to draw crops from; larger groups are represented by some of their samples.
TRAINING_VOXELS = 64 * 1024 * 1024

Corner = tuple[int, ...]


def load_training_images(
    stack: Stack, group: int, scale: Scale, device: torch.device, *, neighbours: bool = False, whole: bool = False
) -> Tensor:
    """Load the scaled samples of a group, (N, C, [Z], Y, X): all of them, or as many as the budget allows.

    Those are evenly spread, or, where neighbours must stay together, the ones in the middle. What carries no information, such
    as padding, is left out, unless the `whole` image is to be learnt in one piece.
    """
    places = _places(stack, neighbours=neighbours)
    read = read_whole if whole else read_informative
    return torch.stack([torch.from_numpy(scale.forward(block)) for block in read(stack, group, places)]).to(device)


def _places(stack: Stack, *, neighbours: bool) -> list[tuple[int, Window]]:
    voxels = stack.channels * math.prod(stack.spatial)
    count = max(2 if neighbours else 1, TRAINING_VOXELS // voxels)
    if neighbours:
        first = max(0, stack.samples - count) // 2
        return [(sample, stack.full) for sample in range(first, min(first + count, stack.samples))]
    if voxels <= TRAINING_VOXELS:
        return [(sample, stack.full) for sample in stack.spread(count)]
    return sampled_windows(stack, stack.samples, TRAINING_VOXELS)


class Crops:
    """Draws batches of crops (N, C, [Z], Y, X) that never overlap the held-out ones.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
    training : Training
        Its `crop`, `crop_depth`, `batch`, `augment` and `holdout` matter here.
    size_multiple : int
        Y and X of every crop are multiples of this.
    rng : torch.Generator
        Source of all chance.
    directional : bool
        Whether crops must not be rotated by a right angle.
    """

    def __init__(
        self,
        training_images: Tensor,
        training: Training,
        size_multiple: int,
        rng: torch.Generator,
        *,
        directional: bool = False,
    ) -> None:
        self.training_images = training_images
        self.rng = rng
        self.batch = training.batch
        self.augment, self.directional = training.augment, directional
        spatial = training_images.shape[2:]
        self.size = tuple(
            _fit(n, wanted, size_multiple) for n, wanted in zip(spatial, _wanted(training, len(spatial)), strict=True)
        )
        self.held_out = self._set_aside(training.holdout) if training.crop else []

    def draw(self) -> Tensor:
        """Draw a batch of random crops, flipped and rotated alike."""
        crops = torch.stack([self._cut(*self._place()) for _ in range(self.batch)])
        if not self.augment:
            return crops
        turn = self._integer(8)
        turnable = crops.shape[-1] == crops.shape[-2] and not self.directional
        crops = crops.flip(-1) if turn >= 4 else crops
        crops = torch.rot90(crops, turn % 4 if turnable else 2 * (turn % 2), (-2, -1))
        return crops.contiguous(memory_format=channels_last(crops))

    def validation(self) -> Tensor | None:
        """Return the held-out crops, or None."""
        return torch.stack([self._cut(*place) for place in self.held_out]) if self.held_out else None

    def _place(self) -> tuple[int, Corner]:
        place = self._anywhere()
        for _ in range(20):
            if not any(self._overlap(place, other) for other in self.held_out):
                break
            place = self._anywhere()
        return place

    def _anywhere(self) -> tuple[int, Corner]:
        sample = self._integer(len(self.training_images))
        return sample, tuple(
            self._integer(n - size + 1) for n, size in zip(self.training_images.shape[2:], self.size, strict=True)
        )

    def _cut(self, sample: int, corner: Corner) -> Tensor:
        window: tuple[Any, ...] = tuple(
            slice(start, start + size) for start, size in zip(corner, self.size, strict=True)
        )
        return self.training_images[(sample, slice(None), *window)]

    def _set_aside(self, count: int) -> list[tuple[int, Corner]]:
        """Choose crops to hold out, as long as at least fifteen sixteenths of the images are left to train on."""
        room = self.training_images[:, 0].numel() // (16 * torch.Size(self.size).numel())
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


def _fit(available: int, wanted: int, size_multiple: int) -> int:
    """Return the largest multiple of a size within the image that is not above the wanted side (0: any)."""
    size = min(available, wanted) if wanted else available
    return max(size // size_multiple * size_multiple, min(size_multiple, available))
