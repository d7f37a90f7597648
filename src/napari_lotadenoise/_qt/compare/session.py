"""One comparison in napari: its candidates in a thread, without any widget of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Signal

from napari_lotadenoise._qt.shared.session import WorkerSession
from napari_lotadenoise._qt.shared.worker import Mailbox
from napari_lotadenoise.comparison.candidate import Candidate
from napari_lotadenoise.comparison.crop import Crop
from napari_lotadenoise.comparison.runner import CandidateEvent, Outcome, Skip
from napari_lotadenoise.events import Command, Preview, Progress, Started, ViewRequest
from napari_lotadenoise.options import Options


@dataclass(frozen=True)
class ComparisonRequest:
    """Request to compare candidates on an image.

    Attributes
    ----------
    image, reference : array-like
    candidates : tuple of Candidate
    options : Options
        For every run.
    crop : tuple of slice or int
        As for `compare`.
    budget : float
        Seconds for each training; 0 for no limit.
    """

    image: Any
    candidates: tuple[Candidate, ...]
    options: Options
    crop: Crop | int = 0
    reference: Any = None
    budget: float = 0.0


class ComparisonSession(WorkerSession):
    """Runs a comparison in a thread.

    Signals
    -------
    planned (ComparisonPlan)
        What is compared on what, once it is worked out.
    started (int), progressed (int, Progress), previewed (int, Preview), decided (int, Outcome)
        Events of the candidate with this number.
    ended (str)
        Once: why nothing could be compared, or nothing.
    """

    planned = Signal(object)
    started = Signal(int)
    progressed = Signal(int, object)
    previewed = Signal(int, object)
    decided = Signal(int, object)
    ended = Signal(str)

    def __init__(self, request: ComparisonRequest, plan: Any = None) -> None:
        super().__init__()
        self.request = request
        self._left = len(request.candidates)
        self._start(_events(request, plan, self.mailbox))

    def skip(self, number: int) -> None:
        """Stop a candidate, or leave it out."""
        self.post(Skip(number))

    def finish_one(self) -> None:
        """Let the candidate that is learning apply what it has learnt."""
        self.post(Command.FINISH)

    def stop(self) -> None:
        """Stop all that is not done yet."""
        self.post(Command.STOP)

    def _handle(self, event: Any) -> None:
        if isinstance(event, str):
            self._end(event)
        elif isinstance(event, CandidateEvent):
            self._tell(event.number, event.event)
        else:
            self.planned.emit(event)

    def _tell(self, number: int, event: Any) -> None:
        match event:
            case Started():
                self.started.emit(number)
            case Progress():
                self.progressed.emit(number, event)
            case Preview():
                self.previewed.emit(number, event)
            case Outcome():
                self.decided.emit(number, event)
                self._left -= 1
                if not self._left:
                    self._end("")

    def _end(self, words: str) -> None:
        if self._close():
            self.ended.emit(words)


def _events(request: ComparisonRequest, known: Any, mailbox: Mailbox) -> Callable[[], Generator[Any, Any, None]]:
    """Make a generator of the plan and the events, or of a sentence where nothing can be compared."""

    def events() -> Generator[Any, Any, None]:
        # Imports torch, so that happens in the thread.
        from napari_lotadenoise.comparison import plan_comparison, run_candidates
        from napari_lotadenoise.errors import LotaDenoiseError

        try:
            ready = known or plan_comparison(
                request.image, request.candidates, request.options, reference=request.reference, crop=request.crop
            )
        except LotaDenoiseError as error:
            yield str(error)
            return
        except Exception as error:  # the layer's own data may fail in any way; a thread must not die of it unheard
            yield f"This layer does not work: {error}."
            return
        early = yield ready
        if early is not None:  # nothing runs yet that could receive it
            mailbox.post(early)
        # The middle, which for a crop is the plane that was in view.
        middle = ViewRequest(tuple(n // 2 for n in ready.image.shape))
        options = dataclasses.replace(ready.options, view_request=middle)
        yield from run_candidates(ready.image, request.candidates, options, ready.scorer, request.budget)

    return events
