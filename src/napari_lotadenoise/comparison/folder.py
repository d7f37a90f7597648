"""What is kept of a comparison: a folder with the table, the figure, and every result with its recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.errors import FileError


def check_folder(folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Make sure, before anything runs, that a folder can be written to and that nothing in it would be lost unasked.

    Parameters
    ----------
    folder : path
        It need not be there, but the one that it is in.
    overwrite : bool
        Whether files that are there may be replaced.

    Raises
    ------
    FileError
        Where it is no folder, is not empty, cannot be made or cannot be written to.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FileError(f"{folder} is a file; name a folder for the results.")
    if not folder.exists() and not folder.parent.is_dir():
        raise FileError(f"The folder {folder.parent} does not exist; make it first.")
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK):
        raise FileError(f"{folder} cannot be written to; choose a place where you may write.")
    if folder.exists() and not overwrite and any(folder.iterdir()):
        raise FileError(
            f"{folder} is not empty; choose another folder or allow its files to be replaced (--overwrite)."
        )


def report(comparison: Comparison) -> str:
    """Return the table for a terminal, and below it the remarks needed to read it."""
    remarks = "".join(f"{remark}\n" for remark in comparison.remarks)
    return f"{comparison.text()}\n{remarks}" if remarks else comparison.text()


def write(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    scale: Mapping[str, float] | None = None,
    unit: str = "",
    calibration: io.Calibration | None = None,
    overwrite: bool = False,
) -> None:
    """Write a comparison into a folder, which is made if need be.

    It gets every result as ``KEY.tif`` with its recipe beside, the table as ``scores.txt``, ``scores.csv`` and
    ``scores.json``, the figure as ``figure.png`` and ``figure.pdf``; and ``input.tif`` and ``reference.tif`` where the
    comparison is of a part of the image. Each file appears complete or not at all.

    Parameters
    ----------
    comparison : Comparison
    folder : path
    scale : mapping of str to float, optional
        Size of a pixel by axis, as `io.Picture` has it.
    unit : str
        Unit of the sizes, such as "µm".
    calibration : Calibration, optional
        Sizes with a unit each, names and colours of channels; goes before `scale` and `unit`.
    overwrite : bool
        Whether files of the same names are replaced; others stay.

    Raises
    ------
    FileError
        As for `check_folder`, or where a file cannot be written.
    """
    from napari_lotadenoise.comparison.figure import figure, save

    check_folder(folder, overwrite=overwrite)
    folder, sizes = Path(folder), dict(scale or {})
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder {folder} cannot be made ({error.strerror or error}).") from None

    def picture(image: np.ndarray) -> io.Picture:
        if calibration is not None:
            return io.Picture.of(image, comparison.axes, calibration)
        return io.Picture(image, comparison.axes, sizes, unit)

    for outcome in comparison.outcomes:
        if outcome.result is not None:
            path = folder / f"{outcome.candidate.key}.tif"
            io.write(path, picture(outcome.result.image), outcome.result.recipe, overwrite=overwrite)
    if comparison.crop is not None:
        io.write(folder / "input.tif", picture(comparison.image), overwrite=overwrite)
        if comparison.reference is not None:
            io.write(folder / "reference.tif", picture(comparison.reference), overwrite=overwrite)
    texts = {"txt": report(comparison), "csv": comparison.to_csv(), "json": comparison.to_json() + "\n"}
    for kind, content in texts.items():
        with io.whole(folder / f"scores.{kind}") as part:
            part.write_text(content, encoding="utf-8")
    drawn = figure(comparison, scale=sizes, unit=unit)
    for name in ("figure.png", "figure.pdf"):
        save(drawn, folder / name)
