"""One comparison in napari: the contest in a thread, without any widget of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.shared.worker import Mailbox, start_worker
from napari_lotadenoise.comparison.candidate import Entry
from napari_lotadenoise.comparison.crop import Crop
from napari_lotadenoise.comparison.runner import Outcome, Skip, Turn
from napari_lotadenoise.events import Command, Look, Preview, Progress, Started


@dataclass(frozen=True)
class Match:
    """What is to be compared.

    Attributes
    ----------
    image, reference : array-like
    entries : tuple of Entry
    options : mapping
        Keyword arguments of `Options` that hold for every run.
    crop : tuple of slice or int
        As for `compare`.
    budget : float
        Seconds for each training; 0 for no limit.
    """

    image: Any
    entries: tuple[Entry, ...]
    options: dict[str, Any]
    crop: Crop | int = 0
    reference: Any = None
    budget: float = 0.0


class ContestSession(QObject):
    """Runs a match in a thread and tells what happens.

    Signals
    -------
    planned (Plan)
        What is compared on what, once it is worked out.
    started (int), progressed (int, Progress), previewed (int, Preview), decided (int, Outcome)
        News of the entry with this number.
    ended (str)
        Once: why nothing could be compared, or nothing.
    """

    planned = Signal(object)
    started = Signal(int)
    progressed = Signal(int, object)
    previewed = Signal(int, object)
    decided = Signal(int, object)
    ended = Signal(str)

    def __init__(self, match: Match, plan: Any = None) -> None:
        super().__init__()
        self.match, self.active = match, True
        self._mailbox = Mailbox()
        self._left = len(match.entries)
        self.worker = start_worker(_contest(match, plan, self._mailbox), self._mailbox, self._hear)

    def skip(self, number: int) -> None:
        """Stop an entry, or leave it out."""
        self._mailbox.post(Skip(number))

    def finish_one(self) -> None:
        """Let the entry that is learning apply what it has learnt."""
        self._mailbox.post(Command.FINISH)

    def stop(self) -> None:
        """Stop all that is not done yet."""
        self._mailbox.post(Command.STOP)

    def leave(self) -> None:
        """Stop all and tell nothing any more."""
        self.active = False
        self.stop()

    def _hear(self, news: Any) -> None:
        if not self.active:
            return
        if isinstance(news, str):
            self._end(news)
        elif isinstance(news, Turn):
            self._tell(news.number, news.news)
        else:
            self.planned.emit(news)

    def _tell(self, number: int, news: Any) -> None:
        signals = {Progress: self.progressed, Preview: self.previewed, Outcome: self.decided}
        if isinstance(news, Started):
            self.started.emit(number)
        elif type(news) in signals:
            signals[type(news)].emit(number, news)
        if isinstance(news, Outcome):
            self._left -= 1
            if not self._left:
                self._end("")

    def _end(self, words: str) -> None:
        if self.active:
            self.active = False
            self.ended.emit(words)


def _contest(match: Match, known: Any, mailbox: Mailbox) -> Callable[[], Generator[Any, Any, None]]:
    """A generator of the plan, the turns, or a sentence where nothing can be compared; torch is imported in its thread."""

    def events() -> Generator[Any, Any, None]:
        from napari_lotadenoise.comparison import contest, plan
        from napari_lotadenoise.errors import LotaDenoiseError
        from napari_lotadenoise.options import Options

        try:
            ready = known or plan(
                match.image, match.entries, Options(**match.options), reference=match.reference, crop=match.crop
            )
        except LotaDenoiseError as error:
            yield str(error)
            return
        except Exception as error:  # the layer's own data may fail in any way; a thread must not die of it unheard
            yield f"This layer does not work: {error}."
            return
        early = yield ready
        if early is not None:  # nobody runs yet who could hear it
            mailbox.post(early)
        # The middle, which for a crop is the plane that was looked at.
        look = Look(tuple(n // 2 for n in ready.image.shape))
        options = dataclasses.replace(ready.options, look=look)
        yield from contest(ready.image, match.entries, options, ready.judge, match.budget)

    return events
