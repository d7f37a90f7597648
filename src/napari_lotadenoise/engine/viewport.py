"""Translation between the view of the user and the blocks of a stack."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_lotadenoise.events import ViewRequest
from napari_lotadenoise.image.stack import Layout, Stack, Window

#: Side in pixels up to which a preview shows everything that is in view.
PREVIEW_SIDE = 1024


@dataclasses.dataclass(frozen=True)
class Viewport:
    """Translates between the view of the user and the blocks of a stack.

    Attributes
    ----------
    stack : Stack
    layout : Layout
    side : int
        Side in pixels of the largest window that a preview shows.
    """

    stack: Stack
    layout: Layout
    side: int

    def window(self, request: ViewRequest) -> Window:
        """Return the part of a sample that a preview shows: what is in view, or its middle where that is too much."""
        rows, columns = request.window or (slice(0, self.stack.spatial[-2]), slice(0, self.stack.spatial[-1]))
        window = tuple(
            _middle(part, n, self.side) for part, n in zip((rows, columns), self.stack.spatial[-2:], strict=True)
        )
        if self.stack.ndim == 2:
            return window
        z = self.layout.depth(request.point)
        return (slice(z, z + 1), *window)

    def plane(self, block: np.ndarray) -> np.ndarray:
        """Bring a (C, [Z=1], Y, X) block into napari's order: (Y, X), or (Y, X, S) for colours, or (C, Y, X)."""
        flat = block[:, 0] if self.stack.ndim == 3 else block
        if flat.shape[0] == 1:
            return flat[0]
        return np.moveaxis(flat, 0, -1) if self.layout.joined == "S" else flat

    def index(self, request: ViewRequest, group: int, sample: int) -> tuple[int | slice, ...]:
        """Return where in the array the plane in view lies."""
        return self.stack.plane_index(group, sample, self.window(request)[-2:], self.layout.depth(request.point))


def _middle(part: slice, size: int, side: int) -> slice:
    """Clip a part of an axis to the image, and to its middle where it is too long for a preview."""
    start, stop = max(0, part.start), min(size, part.stop)
    if stop <= start:
        start, stop = 0, size
    start += max(0, stop - start - side) // 2
    return slice(start, min(stop, start + side))
