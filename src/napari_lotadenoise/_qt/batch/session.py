"""One batch in napari, in a thread."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal

from napari_lotadenoise._qt.shared.session import WorkerSession
from napari_lotadenoise._qt.shared.worker import with_torch
from napari_lotadenoise.events import Command

if TYPE_CHECKING:
    from napari_lotadenoise.batch import BatchRequest

#: What comes last, with the error that has ended a batch as a whole, or None.
_END = "end"


class BatchSession(WorkerSession):
    """Runs a batch.

    Signals
    -------
    happened (BatchEvent)
    ended (Exception or None)
        Once.
    """

    happened = Signal(object)
    ended = Signal(object)

    def __init__(self, request: BatchRequest) -> None:
        super().__init__()
        self._start(with_torch(lambda: _events(request)))

    def stop(self) -> None:
        """End after the present step; what is done stays."""
        self.post(Command.STOP)

    def _handle(self, event: Any) -> None:
        if isinstance(event, tuple) and event[0] == _END:
            if self._close():
                self.ended.emit(event[1])
        elif event is not None:
            self.happened.emit(event)


def _events(request: BatchRequest) -> Generator[Any, Any, None]:
    from napari_lotadenoise import batch

    try:
        yield from batch.run(request)
    except Exception as error:  # whatever goes wrong, the dock hears of it
        yield (_END, error)
        return
    yield (_END, None)
