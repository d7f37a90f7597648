"""Images from the course of a training, to see what more of it does."""

from __future__ import annotations

import numpy as np

from napari_lotadenoise.image.stack import Stack, Window
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import read_tile
from napari_lotadenoise.result import Snapshot


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

    def due(self, step: int) -> bool:
        """Tell whether one is to be taken at a step."""
        return step in self._due

    def take(self, predictor: Predictor, step: int, tiles: list[Window], group: int) -> None:
        """Predict the samples of a group with the network of a step."""
        image = self._images.setdefault(step, np.empty(self._stack.array.shape, dtype=np.float32))
        self._groups.setdefault(step, set()).add(group)
        for sample in range(self._stack.samples):
            for window in tiles:
                tile = read_tile(
                    self._stack, predictor.geometry, predictor.scale, predictor.device, group, sample, window
                )
                clean = next(predictor.outputs(tile))[tile.place].float().cpu().numpy()
                self._stack.write(image, group, sample, window, predictor.scale.inverse(clean))

    def taken(self, out: np.ndarray) -> tuple[Snapshot, ...]:
        """Return all of them, the first step first; channels done before a step stand as they are in the result `out`."""
        for step, image in self._images.items():
            for group in set(range(self._stack.groups)) - self._groups[step]:
                for sample in range(self._stack.samples):
                    where = self._stack.index(group, sample)
                    image[where] = out[where]
        return tuple(Snapshot(step, self._images[step]) for step in sorted(self._images))
