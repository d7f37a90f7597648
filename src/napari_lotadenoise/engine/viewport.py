"""What is seen of an image: which window a look asks for, and how blocks of a run become pictures for the viewer."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.events import Look
from napari_lotadenoise.image.stack import Layout, Stack, Window
from napari_lotadenoise.prediction.tiling import tile_side

#: Side in pixels up to which a preview shows everything that is looked at.
PREVIEW_SIDE = 1024


@dataclasses.dataclass(frozen=True)
class View:
    """Translates between a look of the user and the blocks of a stack."""

    stack: Stack
    layout: Layout
    method: Method

    def window(self, look: Look) -> Window:
        """The part of a sample that a preview shows: what is seen, or the middle of it where that is too much."""
        rows, columns = look.window or (slice(0, self.stack.spatial[-2]), slice(0, self.stack.spatial[-1]))
        side = tile_side(self.method, largest=PREVIEW_SIDE)
        window = tuple(_middle(part, n, side) for part, n in zip((rows, columns), self.stack.spatial[-2:], strict=True))
        if self.stack.ndim == 2:
            return window
        z = look.point[self.layout.axes.index("Z")]
        return (slice(z, z + 1), *window)

    def plane(self, block: np.ndarray) -> np.ndarray:
        """Bring a (C, [Z=1], Y, X) block into napari's order: (Y, X), or (Y, X, S) for colours, or (C, Y, X)."""
        flat = block[:, 0] if self.stack.ndim == 3 else block
        if flat.shape[0] == 1:
            return flat[0]
        return np.moveaxis(flat, 0, -1) if self.layout.joined == "S" else flat

    def index(self, look: Look, group: int, sample: int) -> tuple[int | slice, ...]:
        """Where in the array the plane that a look asks for lies."""
        index = dict(zip(self.layout.axes, self.stack.index(group, sample), strict=True))
        index |= dict(zip("YX", self.window(look)[-2:], strict=True))
        if self.layout.volume:
            index["Z"] = look.point[self.layout.axes.index("Z")]
        return tuple(index[a] for a in self.layout.axes)


def _middle(part: slice, size: int, side: int) -> slice:
    """Clip a part of an axis to the image, and to the middle of it where it is too long for a preview."""
    start, stop = max(0, part.start), min(size, part.stop)
    if stop <= start:
        start, stop = 0, size
    start += max(0, stop - start - side) // 2
    return slice(start, min(stop, start + side))
