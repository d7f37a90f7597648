"""State of the Compare dock: which candidates run, which one is at work, what the user may do now. Knows no widget."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Collection
from typing import Any

from psygnal import Signal


class CompareState(enum.Enum):
    """States of the Compare dock."""

    IDLE = "idle"
    PLANNING = "planning"
    RUNNING = "running"
    STOPPING = "stopping"
    APPLYING = "applying"

    @property
    def busy(self) -> bool:
        """Tell whether anything runs."""
        return self is not CompareState.IDLE

    @property
    def comparing(self) -> bool:
        """Tell whether candidates run, or are about to."""
        return self in (CompareState.PLANNING, CompareState.RUNNING, CompareState.STOPPING)


class CompareController:
    """Drives one comparison after the other, and the runs that apply a result to whole layers.

    Candidates have a number in the comparison that is shown; a session that runs one of them again counts from 0.

    Parameters
    ----------
    clock : callable
        Returns seconds.

    Attributes
    ----------
    state : CompareState
    session : object or None
        The comparison that is running: has `request`, `skip`, `finish_one`, `stop`, `leave`.
    applier : object or None
        The runs on whole layers: has `start`, `discard`.
    running : int
        Number of the candidate at work.

    Signals
    -------
    state_changed (CompareState)
    said (str)
        A sentence for the user.
    """

    state_changed = Signal(CompareState)
    said = Signal(str)

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.state = CompareState.IDLE
        self.session: Any = None
        self.applier: Any = None
        self._numbers: tuple[int, ...] = ()
        self.running, self._begun = 0, 0.0

    def compare(self, make_session: Callable[[], Any], numbers: Collection[int]) -> None:
        """Start a session over the candidates with these numbers; while anything runs, do nothing."""
        if self.state.busy:
            return
        self._numbers = tuple(numbers)
        self.running = self._numbers[0]
        self._enter(CompareState.PLANNING)
        self.said.emit("Measuring the noise ...")
        self.session = make_session()

    def apply(self, make_applier: Callable[[], Any]) -> None:
        """Start runs on whole layers; while anything runs, do nothing."""
        if not self.state.busy:
            self.applier = make_applier()
            self._enter(CompareState.APPLYING)
            self.applier.start()

    def stop_one(self, chosen: int | None, done: Collection[int]) -> None:
        """Stop the chosen candidate if it is not done, else the one at work."""
        if self.state.comparing:
            number = chosen if chosen in self._numbers and chosen not in done else self.running
            self.session.skip(self._numbers.index(self.running if number is None else number))

    def finish_one(self) -> None:
        """Let the candidate at work apply what it has learnt."""
        if self.state.comparing:
            self.session.finish_one()

    def stop_all(self) -> None:
        """Stop everything that is not done; what is done stays."""
        if self.state.comparing:
            self._enter(CompareState.STOPPING)
            self.said.emit("Stopping ...")
            self.session.stop()
        elif self.state is CompareState.APPLYING:
            self.applier.discard()

    def leave(self) -> None:
        """End whatever runs, without a word."""
        if self.state.comparing:
            self.session.leave()
        elif self.state is CompareState.APPLYING:
            self.applier.discard()
        self.session = self.applier = None
        self._enter(CompareState.IDLE)

    def number(self, index: int) -> int:
        """Return the number of the candidate that the session counts as `index`."""
        return self._numbers[index]

    def on_started(self, index: int, label: str) -> None:
        """Take in that a candidate begins."""
        if self.state is CompareState.PLANNING:
            self._enter(CompareState.RUNNING)
        self.running, self._begun = self._numbers[index], self._clock()
        self.said.emit(f"{index + 1} of {len(self._numbers)}: {label}")

    def seconds_left(self, budget: float) -> float | None:
        """Return what is left of the time limit of the candidate at work; None without a limit."""
        return max(0.0, budget - (self._clock() - self._begun)) if budget else None

    def on_ended(self, words: str) -> None:
        """Take in the end of a session: why nothing could be compared, or what came out."""
        self.session = None
        self._enter(CompareState.IDLE)
        self.said.emit(words)

    def on_applied(self) -> None:
        """Take in the end of the runs on whole layers."""
        self.applier = None
        self._enter(CompareState.IDLE)

    def _enter(self, state: CompareState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)
