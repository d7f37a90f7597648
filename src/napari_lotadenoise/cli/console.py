"""What the commands share: options of every run, the axes of a file, the line of progress on a terminal."""

from __future__ import annotations

import shutil
import sys

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


def show_progress(event: Progress, before: str = "") -> None:
    """Write how far a run is over the line before, where there is somebody to see it."""
    if not sys.stderr.isatty():
        return
    left = "estimating" if event.seconds_left is None else f"{plan.duration(event.seconds_left)} left"
    losses = "  ".join(f"{name} {value:.4f}" for name, value in event.losses.items())
    sigma = "" if event.sigma is None else f"  sigma {event.sigma:.4g}"
    line = f"{before}{event.phase} {event.step}/{event.of}  {losses}{sigma}  {left}"
    # A line that is broken by the edge of the terminal could not be taken back.
    print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\033[K", end="", file=sys.stderr, flush=True)


def clear_progress() -> None:
    """Take that line away."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
