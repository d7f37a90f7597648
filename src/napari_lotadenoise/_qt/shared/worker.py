"""Generators of events in a thread: events come out as signals, commands go in through a mailbox."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker

from napari_lotadenoise.events import Command, Failed, LevelRequest, ViewRequest

_URGENCY = (Command.STOP, Command.FINISH)


class Mailbox:
    """Commands on their way to a run; the newest view and level replace the older ones, nothing else is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: list[Any] = []
        self._newest: dict[type, ViewRequest | LevelRequest] = {}

    def post(self, command: Any) -> None:
        """Leave a command for the run."""
        with self._lock:
            if isinstance(command, ViewRequest | LevelRequest):
                self._newest[type(command)] = command
            else:
                self._commands.append(command)

    def take(self) -> Any:
        """Take the next command: first what ends the run, then others in turn, then the view; None where there is none."""
        with self._lock:
            for urgent in _URGENCY:
                if urgent in self._commands:
                    # Who ends a run does not want it paused any more.
                    self._commands = [other for other in self._commands if not isinstance(other, Command)]
                    return urgent
            if self._commands:
                return self._commands.pop(0)
            return self._newest.pop(next(iter(self._newest))) if self._newest else None


def start_worker(
    make: Callable[[], Generator[Any, Any, Any]], mailbox: Mailbox, listener: Callable[[Any], None]
) -> GeneratorWorker:
    """Run a generator in a thread: what it yields goes to `listener` in the GUI thread, what is in the mailbox goes to it.

    The listener must be a method of a QObject: PySide6 goes on to call those of other objects after these are gone.
    """
    worker = create_worker(_drive, make, mailbox, _start_thread=False, _worker_class=_EngineWorker)
    worker.yielded.connect(listener)
    worker.start()
    return worker


class _EngineWorker(GeneratorWorker):
    """Closes its generator when it is told to quit (napari does, when its window is closed).

    Otherwise the run would stay suspended, and its settings of the process in force, until it is collected.
    """

    def work(self) -> Any:
        """Run to the end, or to the first event after `quit`."""
        try:
            return super().work()
        finally:
            self._gen.close()


def with_torch(make: Callable[[], Generator[Any, Any, Any]]) -> Callable[[], Generator[Any, Any, Any]]:
    """Wrap a generator that imports torch: where that fails, its one event says so."""

    def events() -> Generator[Any, Any, None]:
        try:
            import torch  # noqa: F401 - which takes a second, and so happens in the thread
        except ImportError as error:
            yield Failed(ImportError(f"torch cannot be imported ({error})."))
            return
        yield from make()

    return events


def _drive(make: Callable[[], Generator[Any, Any, Any]], mailbox: Mailbox) -> Generator[Any, None, None]:
    command: Any = None
    with contextlib.closing(make()) as events:
        while True:
            try:
                event = events.send(command)
            except StopIteration:
                return
            yield event
            command = mailbox.take()
