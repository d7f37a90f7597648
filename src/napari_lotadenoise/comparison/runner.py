"""Runs of several candidates on one image, one after another: a generator of events that obeys commands."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_lotadenoise.comparison.candidate import Candidate
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command, Completed, Event, Failed, Finished, Progress, ViewRequest
from napari_lotadenoise.options import Options
from napari_lotadenoise.result import Result


@dataclass(frozen=True)
class Outcome:
    """Result and score of a candidate, or why there is none.

    Attributes
    ----------
    candidate : Candidate
    result : Result or None
        None where it failed or was stopped. `divergence` and `uncertainty` are not kept.
    score : Score or None
    reason : str
        Why it ended, in words; what went wrong, where something did.
    """

    candidate: Candidate
    result: Result | None = None
    score: Score | None = None
    reason: str = ""


@dataclass(frozen=True)
class CandidateEvent:
    """Event of the candidate with this number: of its run, and its outcome in the end."""

    number: int
    event: Event | Outcome


@dataclass(frozen=True)
class Skip:
    """Command to stop the candidate with this number, or to leave it out."""

    number: int


RunnerCommand = Command | ViewRequest | Skip
CandidateEvents = Generator[CandidateEvent, RunnerCommand | None, None]


def run_candidates(
    image: Any,
    candidates: Sequence[Candidate],
    options: Options,
    scorer: Callable[[Result], Score],
    budget: float = 0.0,
) -> CandidateEvents:
    """Run candidates one after another; the failure of one does not affect the others.

    Parameters
    ----------
    image : array-like
    candidates : sequence of Candidate
    options : Options
        For all of them; the preset is that of the candidate.
    scorer : callable
        Maps a result to its score.
    budget : float
        Seconds, without those of pauses, after which the training of a candidate is finished early, with what it has learnt;
        0 lets all of them take their time. What comes after the training is not cut short.

    Yields
    ------
    CandidateEvent
        The events of each run, its `Outcome` last, also of those that failed or were stopped. Send `Skip` to stop one,
        ``Command.STOP`` to stop all, other commands and view requests to steer the present run.
    """
    run = _CandidateRunner(image, candidates, options, scorer, budget)
    for number in range(len(candidates)):
        yield from run.events(number)


class _CandidateRunner:
    def __init__(
        self,
        image: Any,
        candidates: Sequence[Candidate],
        options: Options,
        scorer: Callable[[Result], Score],
        budget: float,
    ) -> None:
        self._image, self._candidates, self._options = image, candidates, options
        self._scorer, self._budget = scorer, budget
        self._skipped: set[int] = set()

    def events(self, number: int) -> CandidateEvents:
        """Yield all events of one candidate."""
        candidate = self._candidates[number]
        outcome = Outcome(candidate, reason="stopped")
        if number not in self._skipped:
            finished = yield from self._run(number)
            outcome = self._outcome(candidate, finished)
            # Nothing of the run may outlive it but what the outcome keeps.
            del finished
        self._receive((yield CandidateEvent(number, outcome)))

    def _run(self, number: int) -> Generator[CandidateEvent, RunnerCommand | None, Finished]:
        from napari_lotadenoise.engine import run

        candidate, hurried, spent, last = self._candidates[number], False, 0.0, time.perf_counter()
        try:
            method, training = candidate.configured(volume=self._options.volume)
        except LotaDenoiseError as error:
            return Failed(error)
        options = dataclasses.replace(self._options, preset=candidate.preset, **candidate.run_options)
        command: Command | ViewRequest | None = None
        with contextlib.closing(run(self._image, method, training, options)) as events:
            while True:
                event = events.send(command)
                if isinstance(event, Finished):
                    return event
                command = self._receive((yield CandidateEvent(number, event)), number)
                now = time.perf_counter()
                spent += 0 if isinstance(event, Progress) and event.phase == "paused" else now - last
                last = now
                if command is None and 0 < self._budget < spent and not hurried:
                    command, hurried = Command.FINISH, True

    def _receive(self, command: RunnerCommand | None, number: int = -1) -> Command | ViewRequest | None:
        """Take in a command; return what the run of the candidate `number` has to know of it."""
        if isinstance(command, Skip):
            self._skipped.add(command.number)
            return Command.STOP if command.number == number else None
        if command is Command.STOP:
            self._skipped.update(range(len(self._candidates)))
        return command

    def _outcome(self, candidate: Candidate, finished: Finished) -> Outcome:
        if not isinstance(finished, Completed):
            return Outcome(candidate, reason=finished.reason if isinstance(finished, Failed) else "stopped")
        kept = dataclasses.replace(finished.result, divergence=None, uncertainty=None)
        try:
            return Outcome(candidate, kept, self._scorer(finished.result), finished.reason)
        except Exception as error:  # whatever goes wrong, the others have their turns
            return Outcome(candidate, kept, reason=f"not scored: {str(error) or type(error).__name__}")
