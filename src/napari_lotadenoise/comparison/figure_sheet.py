"""Where everything stands in the figure of a comparison, in inches; widths of letters are matplotlib's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from napari_lotadenoise.comparison.figure_panels import Panels

FONT = "DejaVu Sans"
#: Sizes of letters in points, and height of a line in letters.
TITLE, SCORE, NOTE, LINE = 7.0, 6.0, 6.0, 1.25
#: What the rows are called.
NAMES = {"picture": "image", "inset": "enlarged", "residual": "noisy \N{MINUS SIGN} image"}
#: Distances between panels and between strips, and margins: left, where the rows have their names, and all others.
GAP, STRIP, LEFT, MARGIN = 0.05, 0.14, 0.22, 0.08
#: Width and height of a page; widest and narrowest column.
_PAGE, _HIGH, _WIDE, _NARROW = 7.2, 9.8, 2.1, 1.1
#: Lowest and highest shape of a picture, in columns; beyond, it is stretched.
_LIMITS = 0.125, 5.0
#: Most columns that stand in one strip; how much higher than wide a larger figure should be; height of titles in columns.
_ONE, _SHAPE, _TITLES = 6, 1.35, 0.4
#: How bad a sheet that is empty but for a strip would be, in powers of e of a wrong shape.
_BLANK = 1.5


@dataclass(frozen=True)
class Sheet:
    """Layout of a figure, in inches from the lower left corner.

    Attributes
    ----------
    width, height : float
    across : int
        How many columns stand beside each other in a strip.
    side : float
        Width of a column.
    rows : mapping of str to float
        Height of "picture", "inset" and "residual", from the top.
    tops : tuple of float
        Upper edge of the first row of each strip.
    titles, scores : tuple of tuple of str
        Lines of the title, and of the score, of each column.
    notes : tuple of str
        Lines below everything.
    named : bool
        Whether there is room for the names of the rows at their left.
    """

    width: float
    height: float
    across: int
    side: float
    rows: Mapping[str, float]
    tops: tuple[float, ...]
    titles: tuple[tuple[str, ...], ...]
    scores: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    named: bool

    @classmethod
    def of(cls, found: Panels, notes: list[str]) -> Sheet:
        """Lay out panels; `notes` are sentences."""
        count = len(found.columns)
        shares = _shares(found)
        ratio = sum(shares.values())
        across = _across(count, ratio)
        strips = [slice(start, start + across) for start in range(0, count, across)]
        widest = min((_PAGE - LEFT - MARGIN) / across - GAP, _HIGH / (ratio * len(strips)))
        side = float(np.clip(widest, _NARROW, _WIDE))
        rows = {name: side * share for name, share in shares.items()}
        named = all(measured(NAMES[name], NOTE) < 72 * height for name, height in rows.items())
        rows_told = [] if named else [f"Rows: {', '.join(NAMES[name] for name in rows)}."]
        stretched = (
            [] if _LIMITS[0] <= _tall(found) <= _LIMITS[1] else ["Whole pictures are stretched to be seen at all."]
        )
        width = LEFT + max(across, 2) * (side + GAP) - GAP + MARGIN
        titles = tuple(wrapped(panel.title, side, TITLE, bold=True, parts=True) for panel in found.columns)
        scores = tuple(wrapped(panel.score, side, SCORE, parts=True) for panel in found.columns)
        below = wrapped(" ".join((*notes, *rows_told, *stretched)), width - 2 * MARGIN, NOTE)
        heads = [lines(_most(titles[part]), TITLE) + lines(_most(scores[part]), SCORE) + GAP for part in strips]
        body = sum(rows.values()) + GAP * (len(rows) - 1) + STRIP
        height = 2 * MARGIN + sum(heads) + body * len(heads) + lines(len(below), NOTE)
        tops = [height - MARGIN - sum(heads[: n + 1]) - n * body for n in range(len(heads))]
        return cls(width, height, across, side, rows, tuple(tops), titles, scores, below, named)

    def corner(self, number: int, row: str) -> tuple[float, float]:
        """Lower left corner of a column's panel in a row."""
        strip, column = divmod(number, self.across)
        names = list(self.rows)
        above = names[: names.index(row) + 1]
        down = sum(self.rows[name] for name in above) + GAP * (len(above) - 1)
        return LEFT + column * (self.side + GAP), self.tops[strip] - down

    def above(self, number: int) -> float:
        """Return the height of the scores in the strip in which this column stands, above which its title begins."""
        start = number // self.across * self.across
        return lines(_most(self.scores[start : start + self.across]), SCORE)


def wrapped(text: str, width: float, size: float, *, bold: bool = False, parts: bool = False) -> tuple[str, ...]:
    """Break a text into lines of at most so many inches.

    Between words, and within those that are too long; with `parts` after commas first, so that names keep their values.
    """

    def fits(line: str) -> bool:
        return measured(line, size, bold=bold) <= 72 * width

    pieces = text.split(" ")
    if parts:
        split = re.split("(?<=,) ", text)
        pieces = [piece for part in split for piece in ([part] if fits(part) else part.split(" "))]
    found = [""]
    for piece in pieces:
        longer = f"{found[-1]} {piece}".strip()
        if fits(longer):
            found[-1] = longer
            continue
        found += [piece] if found[-1] else []
        found[-1] = found[-1] or piece
        while not fits(found[-1]) and len(found[-1]) > 1:
            count = next((n for n in range(len(found[-1]) - 1, 1, -1) if fits(found[-1][:n])), 1)
            found[-1:] = [found[-1][:count], found[-1][count:]]
    return tuple(found)


def measured(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line in points."""
    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def lines(count: int, size: float) -> float:
    """Return the height of so many lines in inches."""
    return count * size * LINE / 72


def _tall(found: Panels) -> float:
    rows, columns = found.columns[0].picture.shape[:2]
    return rows / columns


def _shares(found: Panels) -> dict[str, float]:
    """Return the height of each row in widths of a column."""
    tall = float(np.clip(_tall(found), *_LIMITS))
    if found.inset is None:
        return {"picture": tall, "residual": tall}
    down, along = found.inset
    return {"picture": tall, "inset": (down.stop - down.start) / (along.stop - along.start), "residual": tall}


def _across(count: int, ratio: float) -> int:
    """Return how many columns stand beside each other, each `ratio` times as high as wide: all, or as a page has it."""
    if count <= _ONE and ratio >= 2:
        return count

    def badness(across: int) -> float:
        strips = math.ceil(count / across)
        shape = strips * (ratio + _TITLES) / across
        return abs(math.log(shape / _SHAPE)) + _BLANK * (1 - count / (strips * across))

    return min(range(1, count + 1), key=badness)


def _most(texts: tuple[tuple[str, ...], ...]) -> int:
    """Return the largest number of lines, of texts that may be empty."""
    return max(len(text) if any(text) else 0 for text in texts)
