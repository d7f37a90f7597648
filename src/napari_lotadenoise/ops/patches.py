"""Patches that look alike: where they are, taking them out of an image, and putting them back."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_lotadenoise.image.stack import reflected

#: Distances that are held at once, 4 MB of them: more are no faster, since they leave the cache.
HELD = 1024 * 1024


def mirrored(image: Tensor, margin: int) -> Tensor:
    """Mirror an image (..., Y, X) at its edge pixels, `margin` pixels to each side, however small it is."""
    for axis in (-2, -1):
        size = image.shape[axis]
        index = torch.from_numpy(reflected(size, -margin, size + margin)).to(image.device)
        image = image.index_select(axis, index)
    return image


def row_blocks(rows: range, columns: range, reach: int, side: int) -> Iterator[range]:
    """Part the rows of a grid of patches so that `similar` needs little memory for each part."""
    span, width = 2 * reach + 1, columns[-1] - columns[0] + side
    fits = min(HELD // (len(columns) * span**2), HELD // (span * width * rows.step))
    count = max(fits, -(-2 * side // rows.step))  # fewer would mostly work on rows that their neighbours work on too
    for start in range(0, len(rows), count):
        yield rows[start : start + count]


def distances(image: Tensor, rows: range, columns: range, side: int, reach: int, *, absolute: bool = False) -> Tensor:
    """Return the distances of the patches of a grid from all patches of the square window around each.

    Parameters
    ----------
    image : tensor (C, Y, X)
        Reaches `reach` pixels beyond the patches of the grid on all sides.
    rows, columns : range
        Where the patches of the grid begin.
    side : int
        Of the patches.
    reach : int
        Pixels from a patch to the farthest that it is compared with, in y and in x.
    absolute : bool
        Whether absolute differences are added up instead of squared ones.

    Returns
    -------
    tensor (rows, columns, 2 reach + 1, 2 reach + 1)
        Summed over pixels and channels; the patch itself is in the middle.
    """
    span, height, width = 2 * reach + 1, rows[-1] - rows[0] + side, columns[-1] - columns[0] + side
    top, left = rows[0], columns[0]
    here = image[:, top : top + height, None, left : left + width]
    found = image.new_empty(len(rows), len(columns), span, span)
    for dy in range(span):
        start = top + dy - reach
        there = image[:, start : start + height, left - reach : left + width + reach].unfold(-1, width, 1)
        change = here - there
        change = change.abs_() if absolute else change.square_()
        change = change.sum(0) if len(image) > 1 else change[0]
        lines = _box_sums(change, 0, side, rows.step, len(rows))
        found[:, :, dy] = _box_sums(lines, 2, side, columns.step, len(columns)).transpose(1, 2)
    return found


def similar(
    image: Tensor, rows: range, columns: range, side: int, reach: int, count: int, *, absolute: bool = False
) -> Tensor:
    """Return where the patches begin that look most like those of a grid: y * X + x, (rows, columns, count), nearest first.

    The parameters are those of `distances`; the first is the patch itself, unless another one is its exact copy.
    """
    span = 2 * reach + 1
    found = distances(image, rows, columns, side, reach, absolute=absolute).flatten(2)
    place = found.topk(min(count, span**2), largest=False).indices
    y = torch.tensor(list(rows), device=image.device)[:, None, None] + place // span - reach
    x = torch.tensor(list(columns), device=image.device)[:, None] + place % span - reach
    return y * image.shape[-1] + x


def take(image: Tensor, places: Tensor, side: int) -> Tensor:
    """Take patches out of an image (C, Y, X) at places as `similar` gives them, to (C, *places, side * side)."""
    windows = image.unfold(1, side, 1).unfold(2, side, 1)
    return windows[:, places // image.shape[-1], places % image.shape[-1]].flatten(-2)


class Mosaic:
    """An image (C, Y, X) that is put together from overlapping patches, each with a weight.

    Parameters
    ----------
    under : tensor (C, Y, X)
        What is seen where no patch is put.
    side : int
        Of the patches.
    taper : float
        How much less the pixels at the border of a patch count than its middle: the beta of a Kaiser window.
    """

    def __init__(self, under: Tensor, side: int, taper: float = 0.0) -> None:
        self.under, self.side = under, side
        line = torch.kaiser_window(side, periodic=False, beta=taper, device=under.device)
        self._window = line[:, None] * line
        self._sum, self._weight = (torch.zeros_like(under).flatten(1) for _ in range(2))

    def put(self, patches: Tensor, weights: Tensor, places: Tensor) -> None:
        """Add patches (C, *places, side * side) with weights (C, *places)."""
        width = self.under.shape[-1]
        y, x = (
            torch.arange(self.side, device=places.device)[:, None] * width,
            torch.arange(self.side, device=places.device),
        )
        pixels = (places[..., None] + (y + x).flatten()).flatten()
        for channel in range(len(patches)):
            weighted = patches[channel] * weights[channel, ..., None] * self._window.flatten()
            self._sum[channel].scatter_add_(0, pixels, weighted.flatten())
            self._weight[channel].scatter_add_(0, places.flatten(), weights[channel].flatten())

    def image(self) -> Tensor:
        """Return the weighted mean of the patches at each pixel."""
        starts = F.pad(self._weight.view_as(self.under)[:, None], (self.side - 1, 0, self.side - 1, 0))
        # A pixel is covered by the patches that begin up to a side above and left of it; the window is symmetric.
        weight = F.conv2d(starts, self._window[None, None])[:, 0]
        return torch.where(weight > 0, self._sum.view_as(self.under) / weight.clamp_min(1e-12), self.under)


def _box_sums(values: Tensor, axis: int, side: int, step: int, count: int) -> Tensor:
    """Return the sums of `side` neighbours along an axis, of which `count` are wanted, `step` apart."""
    last = (count - 1) * step + 1
    part = (slice(None),) * axis
    total = values[(*part, slice(0, last, step))].clone()
    for offset in range(1, side):
        total += values[(*part, slice(offset, offset + last, step))]
    return total
