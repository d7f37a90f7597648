"""The table of a batch: one row a file, as CSV and as a page with pictures before and after."""

from __future__ import annotations

import base64
import csv
import html
import io as memory
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise import io

#: Names of the two tables in the folder of the results.
TABLES = ("batch.csv", "batch.html")
#: Side of a picture in the page, pixels.
SIDE = 240


@dataclass(frozen=True)
class Row:
    """What became of a file.

    Attributes
    ----------
    source, output : str
        Paths; no output where it failed.
    method : str
    seconds : float
        0 where it was there before.
    sigma : float or None
        Noise deviation that was found, in intensities.
    verdict : str
        What the residual says, in one sentence.
    error : str
        Why it failed; empty where it did not.
    """

    source: str
    output: str = ""
    method: str = ""
    seconds: float = 0.0
    sigma: float | None = None
    verdict: str = ""
    error: str = ""

    @classmethod
    def of(cls, source: Path, output: Path, seconds: float = 0.0, *, done_before: bool = False) -> Row:
        """Return the row of a result that is there, from its recipe."""
        recipe = io.recipe_of(output)
        verdict = "" if recipe is None else recipe.verdict
        if done_before:
            verdict = f"There already, left as it was. {verdict}".strip()
        method, sigma = ("", None) if recipe is None else (recipe.method, recipe.sigma)
        return cls(str(source), str(output), method, round(seconds, 1), sigma, verdict)


class Table:
    """The rows of a batch, written to the folder of its results after each file, so that nothing is lost.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rows: list[Row] = []
        self._cells: list[str] = []

    def add(self, row: Row) -> None:
        """Add a row, and write both files."""
        self.rows.append(row)
        self._cells.append(_html_row(row))
        with io.whole(self._folder / TABLES[0]) as part:
            part.write_text(self._csv(), encoding="utf-8", newline="")
        with io.whole(self._folder / TABLES[1]) as part:
            part.write_text(_PAGE.format(rows="\n".join(self._cells)), encoding="utf-8")

    def _csv(self) -> str:
        out = memory.StringIO()
        writer = csv.DictWriter(out, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in self.rows)
        return out.getvalue()


_PAGE = """<!doctype html><meta charset="utf-8"><title>lotadenoise batch</title>
<style>body{{font-family:sans-serif}}td{{padding:.4em;vertical-align:top}}.failed{{color:#a00}}img{{image-rendering:pixelated}}</style>
<table><tr><th>file</th><th>before</th><th>after</th><th>what</th></tr>
{rows}
</table>
"""


def _html_row(row: Row) -> str:
    if row.error:
        return (
            f'<tr><td>{html.escape(row.source)}</td><td colspan="3" class="failed">{html.escape(row.error)}</td></tr>'
        )
    before, after = thumbnails(Path(row.source), Path(row.output))
    sigma = "" if row.sigma is None else f", sigma {row.sigma:.4g}"
    what = html.escape(f"{row.method}, {row.seconds:g} s{sigma}. {row.verdict}")
    pictures = "".join(f'<td><img src="data:image/png;base64,{picture}"></td>' for picture in (before, after))
    return f"<tr><td>{html.escape(row.source)}</td>{pictures}<td>{what}</td></tr>"


def thumbnails(source: Path, output: Path) -> tuple[str, str]:
    """Return the middle of the middle plane of both files as PNG, in base64 and with the same contrast."""
    planes = [_plane(path) for path in (source, output)]
    low, high = np.percentile(planes[0], (0.5, 99.5))
    before, after = (_png(np.clip((plane - low) / max(high - low, 1e-30), 0, 1)) for plane in planes)
    return before, after


def _plane(path: Path) -> np.ndarray:
    image = io.open_source(path)
    sizes = dict(zip(image.axes, image.data.shape, strict=True))
    index: list[Any] = [n // 2 for n in image.data.shape]
    for axis in "YX":
        start = max(0, (sizes[axis] - SIDE) // 2)
        index[image.axes.index(axis)] = slice(start, start + SIDE)
    plane = np.asarray(image.data[tuple(index)], dtype=np.float32)
    return plane if image.axes.index("Y") < image.axes.index("X") else plane.T


def _png(values: np.ndarray) -> str:
    from PIL import Image

    out = memory.BytesIO()
    Image.fromarray(np.uint8(values * 255)).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()
