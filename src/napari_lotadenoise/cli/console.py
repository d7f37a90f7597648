"""What the commands share: options of every run, the axes of a file, the line of progress on a terminal."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from tqdm import tqdm

from napari_lotadenoise import io
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.events import Progress

#: Exit codes: something was wrong with input or options; interrupted by the user (as shells have it).
WRONG, INTERRUPTED = 1, 130


def axes_of(picture: io.Picture, given: str | None) -> str:
    """Return the axes of a file, or those that are given.

    Raises
    ------
    FileError
        Where neither says them.
    """
    if given:
        return given.upper()
    if picture.known_axes is None:
        raise FileError(
            f"The file does not say what its axes {picture.data.shape} are (it has {picture.axes!r}); "
            "say it, for example --axes ZYX, TYX or CYX."
        )
    return picture.known_axes


class ProgressLine:
    """A line on a terminal that shows the progress of a run; without a terminal there is none."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def show(self, event: Progress, before: str = "") -> None:
        """Show an event, after some words."""
        if self._bar is None:
            self._bar = tqdm(
                total=1.0,
                file=sys.stderr,
                leave=False,
                disable=not sys.stderr.isatty(),
                bar_format="{desc}",
                dynamic_ncols=True,
            )
        left = "estimating" if event.seconds_left is None else f"{plan.duration(event.seconds_left)} left"
        losses = "  ".join(f"{name} {value:.4f}" for name, value in event.losses.items())
        sigma = "" if event.sigma is None else f"  sigma {event.sigma:.4g}"
        line = f"{before}{event.phase} {event.step}/{event.of}  {losses}{sigma}  {left}"
        # A line that is broken by the edge of the terminal could not be cleared.
        self._bar.set_description_str(line[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Clear the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
