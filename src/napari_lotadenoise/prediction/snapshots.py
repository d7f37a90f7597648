"""Pictures from the way of a training, to see what more of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lotadenoise.image.stack import Stack, Window
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.tiling import read_tile
from napari_lotadenoise.result import Snapshot

if TYPE_CHECKING:
    from napari_lotadenoise.training.trainer import Trainer


class Snapshots:
    """Keeps what the network makes of the image at a few steps: the first ones close together, where most changes.

    Parameters
    ----------
    stack : Stack
    count : int
        How many to take; each needs a float32 array of the image's shape.
    steps : int
        Of the training.
    """

    def __init__(self, stack: Stack, count: int, steps: int) -> None:
        self._stack = stack
        self._due = frozenset(max(1, round(steps * (k / count) ** 2)) for k in range(1, count + 1))
        self._images: dict[int, np.ndarray] = {}
        self._groups: dict[int, set[int]] = {}

    def take(self, trainer: Trainer, scale: Scale, tiles: list[Window], group: int) -> None:
        """Take one, if one is due at the trainer's step."""
        if trainer.step_number not in self._due:
            return
        image = self._images.setdefault(trainer.step_number, np.empty(self._stack.array.shape, dtype=np.float32))
        self._groups.setdefault(trainer.step_number, set()).add(group)
        for sample in range(self._stack.samples):
            for number, window in enumerate(tiles):
                tile, inner = read_tile(self._stack, trainer, scale, group, sample, window)
                place: tuple[Any, ...] = (0, slice(None), *inner)
                output = next(trainer.outputs(tile, sample * len(tiles) + number))
                self._stack.write(image, group, sample, window, scale.back(output[place].float().cpu().numpy()))

    def taken(self, out: np.ndarray) -> tuple[Snapshot, ...]:
        """All of them, the first step first; channels that were done before a step stand as they are in the result `out`."""
        for step, image in self._images.items():
            for group in set(range(self._stack.groups)) - self._groups[step]:
                for sample in range(self._stack.samples):
                    where = self._stack.index(group, sample)
                    image[where] = out[where]
        return tuple(Snapshot(step, self._images[step]) for step in sorted(self._images))
