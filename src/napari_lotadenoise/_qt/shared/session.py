"""A generator of events in a thread, for as long as somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import QObject

from napari_lotadenoise._qt.shared.worker import Mailbox, start_worker
from napari_lotadenoise.events import Command


class WorkerSession(QObject):
    """Base of everything that a dock runs in a thread: events come in, commands go out, and it ends exactly once.

    Subclasses start their generator with `_start` and act on its events in `_handle`. Being a QObject matters: PySide6 goes
    on to call methods of other objects after these are gone.

    Attributes
    ----------
    active : bool
        Whether events still count.
    mailbox : Mailbox
        Commands on their way to the generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.active, self.mailbox = True, Mailbox()
        self.worker: Any = None

    def post(self, command: Any) -> None:
        """Send a command to the generator."""
        self.mailbox.post(command)

    def leave(self) -> None:
        """Stop the generator and ignore what it still yields."""
        self.post(Command.STOP)
        self._close()

    def _start(self, make: Callable[[], Generator[Any, Any, Any]]) -> None:
        """Run a generator in a thread; `make` is called there, so that it may import torch."""
        self.worker = start_worker(make, self.mailbox, self._receive)

    def _receive(self, event: Any) -> None:
        if self.active:
            self._handle(event)

    def _handle(self, event: Any) -> None:
        raise NotImplementedError

    def _close(self) -> bool:
        """End the session; true the first time."""
        was, self.active = self.active, False
        return was
