"""Blind spots: which pixels are hidden from a network, what is hidden around them, and what stands in their place.

Axes are (N, C, [Z], Y, X); planes and channels are treated each by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.ops import Fill

#: What may be hidden around a pixel.
STRUCTURES = ("pixel", "rows", "columns", "cross", "square")
#: Those that tell rows from columns.
DIRECTED = ("rows", "columns")

STRUCTURE_DOC = (
    "What is hidden around a pixel, for noise that is correlated: nothing, along its row, along its column, along both, or "
    "a square."
)
SPAN_DOC = "Pixels that the structure hides to each side; as far as the noise is correlated."


def structured(mask: Tensor, kind: str, span: int) -> Tensor:
    """Return everything that has to be hidden so that nothing tells of the noise in the pixels of a mask.

    Noise that is correlated along a line shows in the neighbours there: a network learns to predict it from them, unless
    they are hidden too (structN2V, Broaddus et al. 2020).

    Parameters
    ----------
    mask : tensor of bool (..., Y, X)
        Pixels that are to be predicted.
    kind : one of `STRUCTURES`
        "rows" hides along x, "columns" along y, "cross" along both, "square" all around, "pixel" nothing more.
    span : int
        Pixels to each side.

    Returns
    -------
    tensor of bool (..., Y, X)
        The mask, dilated in its plane.
    """
    if kind == "pixel":
        return mask
    planes = mask.reshape(-1, 1, *mask.shape[-2:]).float()

    def dilated(down: int, across: int) -> Tensor:
        return F.max_pool2d(planes, (2 * down + 1, 2 * across + 1), stride=1, padding=(down, across))

    if kind == "cross":
        wide = torch.maximum(dilated(span, 0), dilated(0, span))
    else:
        wide = dilated(0 if kind == "rows" else span, 0 if kind == "columns" else span)
    return wide.reshape(mask.shape) > 0


def check_room(kind: str, span: int, grid: int) -> None:
    """Refuse a structure that leaves nothing, or not what it promises, where one pixel in grid x grid is hidden.

    Raises
    ------
    ParameterError
        Where squares cover the image, or where the structures of two pixels in a line cover each other.
    """
    if kind == "square" and 2 * span + 1 >= grid:
        raise ParameterError(
            f"span must be below {grid / 2 - 0.5:g} for squares on a grid of {grid}, or everything would be hidden; "
            "enlarge the grid."
        )
    if kind != "pixel" and span >= grid:
        raise ParameterError(f"span must be below the grid of {grid}, not {span}; enlarge the grid.")


class Spots(NamedTuple):
    """Places of single pixels in their planes, each (N, C, [Z], count)."""

    y: Tensor
    x: Tensor


def one_per_box(image: Tensor, side: int, rng: torch.Generator) -> Spots:
    """Draw one random pixel of every side x side box, those that the far edges cut included (stratified sampling of N2V).

    Their number is known beforehand, so that what surrounds them can be looked up without waiting for the device.
    """
    starts = [torch.arange(0, n, side, device=image.device) for n in image.shape[-2:]]
    boxes = (*image.shape[:-2], len(starts[0]), len(starts[1]))

    def drawn(start: Tensor, size: int) -> Tensor:
        within = torch.rand(boxes, generator=rng, device=image.device) * (size - start).clamp_max(side)
        return (start + within.long()).flatten(-2)

    return Spots(drawn(starts[0][:, None], image.shape[-2]), drawn(starts[1], image.shape[-1]))


def mask_of(spots: Spots, image: Tensor) -> Tensor:
    """Return booleans of the shape of the image that are true at the spots."""
    return with_values(torch.zeros_like(image, dtype=torch.bool), spots, torch.ones_like(spots.y, dtype=torch.bool))


def with_values(image: Tensor, spots: Spots, values: Tensor) -> Tensor:
    """Put values, one for each spot, into a copy of the image."""
    index = spots.y * image.shape[-1] + spots.x
    return image.flatten(-2).scatter(-1, index, values).reshape(image.shape)


class Windows(NamedTuple):
    """Pixels around each spot, (N, C, [Z], count, pixels), and which of them is the spot itself, (N, C, [Z], count)."""

    values: Tensor
    centre: Tensor


def windows(image: Tensor, spots: Spots, radius: int) -> Windows:
    """Look up the square windows around some pixels; at an edge they are moved inwards.

    They are not mirrored: a mirrored window can show the pixel itself once more.
    """
    rows, columns = image.shape[-2:]
    high, wide = min(2 * radius + 1, rows), min(2 * radius + 1, columns)
    top, left = (spots.y - radius).clamp(0, rows - high), (spots.x - radius).clamp(0, columns - wide)
    down, across = torch.arange(high, device=image.device)[:, None], torch.arange(wide, device=image.device)
    index = ((top[..., None, None] + down) * columns + left[..., None, None] + across).flatten(-2)
    values = image.flatten(-2).gather(-1, index.flatten(-2)).reshape(index.shape)
    return Windows(values, (spots.y - top) * wide + spots.x - left)


def median_without_centre(around: Windows) -> Tensor:
    """Return the median of each window without the pixel itself (N2V2, Hoeck et al. 2022)."""
    ranked = around.values.scatter(-1, around.centre[..., None], torch.inf).sort(-1).values
    count = ranked.shape[-1] - 1
    return (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2


def random_neighbour(around: Windows, rng: torch.Generator) -> Tensor:
    """Draw one pixel of each window at random, never the pixel itself (N2V, Krull et al. 2019)."""
    others = around.values.shape[-1] - 1
    drawn = torch.randint(others, around.centre.shape, generator=rng, device=around.centre.device)
    drawn = drawn + (drawn >= around.centre)
    return around.values.gather(-1, drawn[..., None]).squeeze(-1)


def image_values(rng: torch.Generator) -> Fill:
    """Make a fill of values of the image itself, each from a random place of the same sample and channel."""

    def fill(image: Tensor) -> Tensor:
        flat = image.flatten(2)
        places = torch.randint(flat.shape[-1], flat.shape, generator=rng, device=image.device)
        return flat.gather(-1, places).reshape(image.shape)

    return fill
