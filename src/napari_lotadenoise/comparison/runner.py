"""One method after another on one image: a generator of news that obeys what is said to it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_lotadenoise.comparison.candidate import Entry
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command, Event, Finished, Look, Progress
from napari_lotadenoise.options import Options
from napari_lotadenoise.result import Result


@dataclass(frozen=True)
class Outcome:
    """How an entry came out.

    Attributes
    ----------
    entry : Entry
    result : Result or None
        None where it failed or was stopped. `response` and `uncertainty` are not kept.
    score : Score or None
    reason : str
        Why it ended, in words; what went wrong, where something did.
    """

    entry: Entry
    result: Result | None = None
    score: Score | None = None
    reason: str = ""


@dataclass(frozen=True)
class Turn:
    """News of the entry with this number: an event of its run, and its outcome in the end."""

    number: int
    news: Event | Outcome


@dataclass(frozen=True)
class Skip:
    """Asks for the entry with this number to be stopped, or left out."""

    number: int


Order = Command | Look | Skip
Turns = Generator[Turn, Order | None, None]


def contest(
    image: Any,
    entries: Sequence[Entry],
    options: Options,
    judge: Callable[[Result], Score],
    budget: float = 0.0,
) -> Turns:
    """Run entries one after another; what becomes of one does not touch the others.

    Parameters
    ----------
    image : array-like
    entries : sequence of Entry
    options : Options
        For all of them; the preset is that of the entry.
    judge : callable
        From a result to its score.
    budget : float
        Seconds, without those of pauses, after which the training of an entry is finished early, with what it has learnt;
        0 lets all of them take their time. What comes after the training is not cut short.

    Yields
    ------
    Turn
        The events of each run, its `Outcome` last, also of those that failed or were stopped. Send `Skip` to stop one,
        ``Command.STOP`` to stop all, other commands and looks to steer the run that is going on.
    """
    run = _Contest(image, entries, options, judge, budget)
    for number in range(len(entries)):
        yield from run.turns(number)


class _Contest:
    def __init__(
        self, image: Any, entries: Sequence[Entry], options: Options, judge: Callable[[Result], Score], budget: float
    ) -> None:
        self._image, self._entries, self._options, self._judge, self._budget = image, entries, options, judge, budget
        self._skipped: set[int] = set()

    def turns(self, number: int) -> Turns:
        """All news of one entry."""
        entry = self._entries[number]
        outcome = Outcome(entry, reason="stopped")
        if number not in self._skipped:
            finished = yield from self._run(number)
            outcome = self._outcome(entry, finished)
            # Nothing of the run may outlive it but what the outcome keeps.
            del finished
        self._hear((yield Turn(number, outcome)))

    def _run(self, number: int) -> Generator[Turn, Order | None, Finished]:
        from napari_lotadenoise.engine.loop import run

        entry, hurried, spent, last = self._entries[number], False, 0.0, time.perf_counter()
        try:
            method, training = entry.configured(volume=self._options.volume)
        except LotaDenoiseError as error:
            return Finished(None, str(error), error)
        options = dataclasses.replace(self._options, preset=entry.preset)
        command: Command | Look | None = None
        with contextlib.closing(run(self._image, method, training, options)) as events:
            while True:
                event = events.send(command)
                if isinstance(event, Finished):
                    return event
                command = self._hear((yield Turn(number, event)), number)
                now = time.perf_counter()
                spent += 0 if isinstance(event, Progress) and event.phase == "paused" else now - last
                last = now
                if command is None and 0 < self._budget < spent and not hurried:
                    command, hurried = Command.FINISH, True

    def _hear(self, order: Order | None, number: int = -1) -> Command | Look | None:
        """Take an order; returns what the run of the entry `number` has to know of it."""
        if isinstance(order, Skip):
            self._skipped.add(order.number)
            return Command.STOP if order.number == number else None
        if order is Command.STOP:
            self._skipped.update(range(len(self._entries)))
        return order

    def _outcome(self, entry: Entry, finished: Finished) -> Outcome:
        result = finished.result
        if result is None:
            return Outcome(entry, reason=finished.reason if finished.error else "stopped")
        kept = dataclasses.replace(result, response=None, uncertainty=None)
        try:
            return Outcome(entry, kept, self._judge(result), finished.reason)
        except Exception as error:  # whatever goes wrong, the others have their turns
            return Outcome(entry, kept, reason=f"not judged: {str(error) or type(error).__name__}")
