"""Runs of one method on whole layers, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.denoise.session import RunRequest, RunSession
from napari_lotadenoise.engine import plan

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise.events import Progress


class Applier(QObject):
    """Runs requests one after another; one that fails does not stop the others.

    Signals
    -------
    said (str)
        State of the runs, in words.
    ended ()
    """

    said = Signal(str)
    ended = Signal()

    def __init__(self, viewer: ViewerModel, requests: Sequence[RunRequest]) -> None:
        super().__init__()
        self._viewer, self._requests = viewer, list(requests)
        self._done: list[str] = []
        self.session: RunSession | None = None

    def start(self) -> None:
        """Begin with the first request."""
        self._next()

    def discard(self) -> None:
        """End the present run and drop those that wait."""
        self._requests.clear()
        if self.session is not None:
            self.session.discard()

    def _next(self) -> None:
        if not self._requests:
            self.session = None
            self.ended.emit()
            return
        request = self._requests.pop(0)
        self.said.emit(f"Denoising {request.layer.name!r} with {request.method.info.title} ...")
        self.session = RunSession(self._viewer, request)
        self.session.progressed.connect(lambda news: self._report(request, news[-1]))
        self.session.ended.connect(self._on_ended)

    def _report(self, request: RunRequest, news: Progress) -> None:
        left = "" if news.seconds_left is None else f", {plan.duration(news.seconds_left)} left"
        self.said.emit(f"{request.layer.name} with {request.method.info.title}: {news.phase} {news.done:.0%}{left}")

    def _on_ended(self, error: Exception | None, words: str) -> None:
        self._done.append(f"Cannot denoise: {error}" if error is not None else words)
        self.said.emit("\n".join(self._done))
        self._next()
