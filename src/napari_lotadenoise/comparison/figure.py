"""The figure of a comparison: all pictures in one contrast, an enlarged part and what was removed under each.

Here and in `sheet` alone is matplotlib imported, and never pyplot: no window and no backend of the user's is touched.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.figure_panels import Inset, Panels, panels
from napari_lotadenoise.comparison.figure_sheet import (
    FONT,
    GAP,
    LEFT,
    LINE,
    MARGIN,
    NAMES,
    NOTE,
    SCORE,
    TITLE,
    Sheet,
    lines,
    measured,
)
from napari_lotadenoise.io import whole

#: Dots an inch of a PNG file.
DPI = 300
#: Colours of the frame of the enlarged part, of residuals, and of letters that are no titles.
_FRAME, _REMOVED, _GREY = "#ffcc00", "RdBu_r", "0.25"
_STYLE = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "font.family": FONT, "axes.linewidth": 0.5}


def figure(
    comparison: Comparison,
    *,
    scale: Mapping[str, float] | None = None,
    unit: str = "",
    inset: Inset | None = None,
    best: int | None = None,
) -> Figure:
    """Draw a comparison: one column for the noisy image, the reference, and each result, the best one first.

    Under each picture stand an enlarged part and the residual (noisy minus picture) in colours whose centre is 0. All share
    one contrast, which comes from the reference or the noisy image. Of stacks and channels the middle plane is shown.

    Parameters
    ----------
    comparison : Comparison
    scale : mapping of str to float, optional
        Size of a pixel along X (and Y), as `io.Picture` has it; without it, or without a unit, there is no scale bar.
    unit : str
        Unit of the sizes, such as "µm".
    inset : tuple of two slices, optional
        Rows and columns of the part to enlarge; default: where most edges are.
    best : int, optional
        How many results are shown, from the best one on; default: all.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; `save` writes it.

    Raises
    ------
    ParameterError
        Where the part to enlarge is not in the picture, or `best` is below 1.
    """
    found = panels(comparison, inset=inset, best=best)
    notes, sizes = list(found.notes), scale or {}
    pixel = sizes.get("X", 0.0) if unit else 0.0
    if pixel > 0 and not math.isclose(pixel, sizes.get("Y", pixel), rel_tol=0.01):
        notes.append("Pixels are drawn square and are not; the scale bar holds along the rows.")
    with _styled():
        sheet = Sheet.of(found, notes)
        drawn = Figure(figsize=(sheet.width, sheet.height), facecolor="white")
        for number in range(len(found.columns)):
            _draw_column(drawn, sheet, found, number)
        first = {axes.get_label(): axes for axes in reversed(drawn.axes)}
        for row, taken in (("picture", found.inset), ("inset", None)):
            if pixel > 0 and row in first:
                _scale_bar(first[row], sheet.side, pixel, unit, taken)
        if "residual" in first:
            _colour_bar(drawn, sheet, first["residual"], found.reach)
        _write(drawn, sheet, (MARGIN, MARGIN), sheet.notes, NOTE, color=_GREY)
    return drawn


def save(drawn: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG or PDF, by its name; letters stay letters in a PDF. The file appears complete or not at all.

    Raises
    ------
    FileError
        Where it cannot be written.
    """
    kind = Path(path).suffix[1:].lower()
    # Without a date, the same comparison gives the same file.
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with _styled(), whole(path) as part:
        drawn.savefig(part, format=kind, dpi=DPI, metadata=metadata)


def _draw_column(drawn: Figure, sheet: Sheet, found: Panels, number: int) -> None:
    """Draw what is seen of one image, and its title."""
    panel = found.columns[number]
    axes = _panel(drawn, sheet, number, "picture")
    _show(axes, panel.picture, sheet.side, panel.limits)
    if found.inset is not None:
        rows, columns = found.inset
        # Pixels reach half a pixel beyond their middle.
        frame = Rectangle((columns.start - 0.5, rows.start - 0.5), columns.stop - columns.start, rows.stop - rows.start)
        frame.set(fill=False, edgecolor=_FRAME, linewidth=0.7, clip_on=False)
        axes.add_patch(frame)
        enlarged = _panel(drawn, sheet, number, "inset")
        _show(enlarged, panel.picture[found.inset], sheet.side, panel.limits)
        enlarged.spines[:].set(color=_FRAME, linewidth=0.9)
    if panel.residual is not None:
        removed = _panel(drawn, sheet, number, "residual")
        _show(removed, panel.residual, sheet.side, (-found.reach, found.reach), _REMOVED)
    x, y = sheet.corner(number, "picture")
    x, y = x + sheet.side / 2, y + sheet.rows["picture"] + GAP
    _write(drawn, sheet, (x, y), sheet.scores[number], SCORE, ha="center", color=_GREY)
    y += sheet.above(number)
    _write(drawn, sheet, (x, y), sheet.titles[number], TITLE, ha="center", weight="bold")
    if number % sheet.across == 0 and sheet.named:
        for row, height in sheet.rows.items():
            middle = sheet.corner(number, row)[1] + height / 2
            _write(
                drawn,
                sheet,
                (LEFT - GAP, middle),
                (NAMES[row],),
                NOTE,
                ha="right",
                va="center",
                rotation=90,
                color=_GREY,
            )


def _panel(drawn: Figure, sheet: Sheet, number: int, row: str) -> Axes:
    """Make the axes of a column in a row."""
    x, y = sheet.corner(number, row)
    where = (x / sheet.width, y / sheet.height, sheet.side / sheet.width, sheet.rows[row] / sheet.height)
    return drawn.add_axes(where, label=row, xticks=[], yticks=[])


def _show(axes: Axes, picture: np.ndarray, side: float, limits: tuple[float, float], colours: str = "gray") -> None:
    """Show pixels as they are where the print has room for them, averaged where it has not."""
    low, high = limits
    fits = picture.shape[1] <= DPI * side
    how: dict[str, Any] = {"interpolation": "none" if fits else "antialiased", "aspect": "auto"}
    if picture.ndim == 3:
        axes.imshow(np.nan_to_num(np.clip((picture - low) / (high - low), 0, 1)), **how)
    else:
        axes.imshow(picture, cmap=colours, norm=Normalize(low, high), **how)


def _write(
    drawn: Figure, sheet: Sheet, at: tuple[float, float], text: tuple[str, ...], size: float, **how: Any
) -> None:
    """Write lines, the last one so many inches from the lower left corner; nothing in them is mathematics."""
    x, y = at
    where: dict[str, Any] = {"va": "baseline", "fontsize": size, "parse_math": False, **how}
    for above, line in zip(reversed(range(len(text))), text, strict=True):
        if line:
            drawn.text(x / sheet.width, (y + lines(above, size)) / sheet.height, line, **where)


def _scale_bar(axes: Axes, side: float, pixel: float, unit: str, taken: Inset | None) -> None:
    """Draw a bar of a round length into a lower corner that is not taken, on a dark ground so that it is seen on anything."""
    height, width = axes.images[0].get_size()
    length = round_length(width * pixel / 3)
    name, bar = f"{length:g} {unit}", length / pixel
    point = width / side / 72  # of letters, in pixels of the picture
    wide, high = max(bar, measured(name, NOTE) * point) + 6 * point, (NOTE * LINE + 7) * point
    crowded = taken is not None and taken[0].stop > height - high and taken[1].stop > width - wide
    left, bottom = -0.5 if crowded else width - 0.5 - wide, height - 0.5
    middle = left + wide / 2
    axes.add_patch(Rectangle((left, bottom), wide, -high, facecolor="black", alpha=0.55, linewidth=0))
    drawn = Rectangle((middle - bar / 2, bottom - 4.5 * point), bar, 1.5 * point, facecolor="white", linewidth=0)
    drawn.set_gid("scale bar")
    axes.add_patch(drawn)
    how: dict[str, Any] = {"ha": "center", "va": "baseline", "fontsize": NOTE, "parse_math": False}
    axes.text(middle, bottom - 7 * point, name, color="white", **how)


def round_length(most: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above `most`.

    >>> round_length(37.0), round_length(0.04)
    (20.0, 0.02)
    """
    power = 10.0 ** math.floor(math.log10(most))
    # Rounded, since powers of ten below 1 are no exact numbers.
    return float(f"{max(m for m in (1, 2, 5) if m * power <= most * (1 + 1e-9)) * power:.3g}")


def _colour_bar(drawn: Figure, sheet: Sheet, residual: Axes, reach: float) -> None:
    """Say what the colours of the residuals mean, in the cell under the noisy image, which has none."""
    x, y = sheet.corner(0, "residual")
    long, up = 0.7 * sheet.side, y + sheet.rows["residual"] / 2
    where = ((x + (sheet.side - long) / 2) / sheet.width, up / sheet.height, long / sheet.width, 0.07 / sheet.height)
    axes = drawn.add_axes(where, label="colours")
    bar = drawn.colorbar(residual.images[0], cax=axes, orientation="horizontal", ticks=[-reach, 0, reach])
    bar.set_ticklabels([f"\N{MINUS SIGN}{reach:g}", "0", f"{reach:g}"])
    axes.tick_params(labelsize=NOTE, length=2, width=0.5, pad=1.5, colors=_GREY)


@contextlib.contextmanager
def _styled() -> Iterator[None]:
    """Draw alike everywhere, whatever style the user has set."""
    with style.context(["default", _STYLE]):
        yield
