"""What the commands share: options of every run, the axes of a file, the line of progress on a terminal."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from napari_lotadenoise import io
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.events import Event, Progress, Started

#: Exit codes: something was wrong with input or options; interrupted by the user (as shells have it).
WRONG, INTERRUPTED = 1, 130
#: Seconds between two lines of progress where there is no terminal.
PLAIN_EVERY = 10.0


def axes_of(picture: io.Picture | io.LazyImage, given: str | None) -> str:
    """Return the axes of a file, or those that are given.

    Raises
    ------
    FileError
        Where neither says them.
    """
    if given:
        return given.upper()
    known = io.known_axes(picture.axes)
    if known is None:
        raise FileError(
            f"The file does not say what its axes {picture.data.shape} are (it has {picture.axes!r}); "
            "say it, for example --axes ZYX, TYX or CYX."
        )
    return known


def path(text: str) -> Path:
    """Return the path that an argument names; ~ is the home of the user."""
    return Path(text).expanduser()


def add_series_option(command: Any) -> None:
    """Give a command the choice of an image in a file that holds several."""
    command.add_argument(
        "--series", type=int, metavar="N",
        help="which image of a file that holds several, from 0; default the largest, the first of several",
    )  # fmt: skip


def read(given: Mapping[str, Any], name: Path) -> io.Picture:
    """Read the file of a command, and say what of it is not read."""
    picture = io.read(name, given.get("series"))
    if picture.remark and not given.get("quiet"):
        say(picture.remark)
    return picture


def add_output_options(command: argparse.ArgumentParser) -> None:
    """Give a command the options of how results are written."""
    command.add_argument(
        "--same-dtype", action="store_true", help="write the input's data type, rounded and clipped; default float32"
    )
    command.add_argument("--overwrite", action="store_true", help="replace files that are already there")
    command.add_argument("--quiet", action="store_true", help="no progress, only errors")


@contextlib.contextmanager
def progress(*, quiet: bool = False, before: str = "") -> Iterator[Callable[[Event], None] | None]:
    """Return a listener that shows the progress of a run; none where it is to be quiet."""
    line = ProgressLine()

    def show(event: Event) -> None:
        if isinstance(event, Started):
            say(event.plan)
        elif isinstance(event, Progress):
            line.show(event, before)

    try:
        yield None if quiet else show
    finally:
        line.clear()


def say(*words: str) -> None:
    """Print lines for people, beside the results."""
    print(*words, sep="\n", file=sys.stderr, flush=True)


class ProgressLine:
    """A line on a terminal that shows progress; without a terminal, plain lines now and then."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._said = time.monotonic()

    def show(self, event: Progress, before: str = "") -> None:
        """Show an event of a run, after some words."""
        left = "estimating" if event.seconds_left is None else f"{plan.duration(event.seconds_left)} left"
        losses = "  ".join(f"{name} {value:.4f}" for name, value in event.losses.items())
        sigma = "" if event.sigma is None else f"  sigma {event.sigma:.4g}"
        self.write(f"{before}{event.phase} {event.step}/{event.of}  {losses}{sigma}  {left}")

    def write(self, line: str) -> None:
        """Show a line in place of the one before."""
        if not sys.stderr.isatty():
            if time.monotonic() - self._said >= PLAIN_EVERY:
                self._said = time.monotonic()
                say(line)
            return
        if self._bar is None:
            self._bar = tqdm(total=1.0, file=sys.stderr, leave=False, bar_format="{desc}", dynamic_ncols=True)
        # A line that is broken by the edge of the terminal could not be cleared.
        self._bar.set_description_str(line[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Clear the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
