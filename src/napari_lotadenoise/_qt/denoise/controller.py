"""State of the Denoise dock: what runs, what the user may do now, and what is said of it. Knows no widget."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Protocol

from psygnal import Signal

from napari_lotadenoise.errors import LotaDenoiseError, NotFiniteError
from napari_lotadenoise.events import Started


class RunState(enum.Enum):
    """States of a dock that runs one thing at a time."""

    IDLE = "idle"
    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"

    @property
    def busy(self) -> bool:
        """Tell whether a run is going on."""
        return self is not RunState.IDLE


class Session(Protocol):
    """A run that can be controlled; its end comes back through `DenoiseController.on_ended`."""

    def finish_now(self) -> None:
        """Apply what is learnt."""

    def pause(self) -> None:
        """Wait."""

    def resume(self) -> None:
        """Go on."""

    def discard(self) -> None:
        """End at once."""


class DenoiseController:
    """Drives one run after the other.

    Parameters
    ----------
    start : callable
        Starts the run of a request and returns its `Session`.

    Signals
    -------
    state_changed (RunState)
    said (str, bool)
        A sentence for the user, and whether to offer filling NaN and inf.
    """

    state_changed = Signal(RunState)
    said = Signal(str, bool)

    def __init__(self, start: Callable[[Any], Any]) -> None:
        self._start = start
        self.state = RunState.IDLE
        self.session: Any = None

    def denoise(self, make_request: Callable[[], Any]) -> bool:
        """Start a run; tells whether it did. A second one while one is going on is not started.

        Parameters
        ----------
        make_request : callable
            Returns the request, or raises `LotaDenoiseError` where the choices do not fit together.
        """
        if self.state.busy:
            return False
        try:
            request = make_request()
        except LotaDenoiseError as error:
            self.complain(error)
            return False
        self._enter(RunState.PLANNING)
        self.said.emit("Starting ...", False)
        self.session = self._start(request)
        return True

    def finish_now(self) -> None:
        """Apply what is learnt so far."""
        if self.state in (RunState.PLANNING, RunState.RUNNING, RunState.PAUSED):
            self._enter(RunState.FINISHING)
            self.said.emit("Finishing: applying what is learnt ...", False)
            self.session.finish_now()

    def toggle_pause(self) -> None:
        """Pause the run, or resume it."""
        if self.state in (RunState.PLANNING, RunState.RUNNING):
            self._enter(RunState.PAUSED)
            self.session.pause()
        elif self.state is RunState.PAUSED:
            self._enter(RunState.RUNNING)
            self.session.resume()

    def discard(self) -> None:
        """End the run and leave everything as it was."""
        if self.state.busy:
            self.session.discard()

    def complain(self, error: Exception) -> None:
        """Say what went wrong, with an offer to fill NaN and inf where that would help."""
        self.said.emit(f"Cannot denoise: {error}", isinstance(error, NotFiniteError))

    def on_started(self, event: Started) -> None:
        """Take in the first event of the run."""
        if self.state is RunState.PLANNING:
            self._enter(RunState.RUNNING)
        self.said.emit(event.plan, False)

    def on_ended(self, error: Exception | None, words: str) -> None:
        """Take in the end of the run."""
        self.session = None
        self._enter(RunState.IDLE)
        if error is None:
            self.said.emit(words, False)
        else:
            self.complain(error)

    def _enter(self, state: RunState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)
