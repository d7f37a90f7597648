"""The engine in a thread: events come out as signals, commands go in through a mailbox."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker

from napari_lotadenoise.events import Command, Event, Finished, Look

_URGENCY = (Command.STOP, Command.FINISH)


class Mailbox:
    """Commands on their way to a run; the newest look replaces the older ones, no command is lost to another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: list[Command] = []
        self._look: Look | None = None

    def post(self, order: Command | Look) -> None:
        """Leave an order for the run."""
        with self._lock:
            if isinstance(order, Look):
                self._look = order
            else:
                self._commands.append(order)

    def take(self) -> Command | Look | None:
        """Take the next order: first what ends the run, then other commands in turn, then the look."""
        with self._lock:
            for urgent in _URGENCY:
                if urgent in self._commands:
                    self._commands.clear()
                    return urgent
            if self._commands:
                return self._commands.pop(0)
            look, self._look = self._look, None
            return look


def start_run(
    image: Any, method: Any, training: Any, options: dict[str, Any], mailbox: Mailbox, listener: Callable[[Event], None]
) -> GeneratorWorker:
    """Start a run in a thread; `listener` gets its events in the GUI thread."""
    arguments = (image, method, training, options, mailbox)
    worker = create_worker(_drive, *arguments, _start_thread=False, _worker_class=_EngineWorker)
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


def _drive(
    image: Any, method: Any, training: Any, options: dict[str, Any], mailbox: Mailbox
) -> Generator[Event, None, None]:
    """Run the engine; importing it imports torch, so that happens here and not in the GUI thread."""
    try:
        from napari_lotadenoise.engine import Options, run
    except ImportError as error:
        yield Finished(None, f"torch cannot be imported ({error}).", error)
        return
    events = run(image, method, training, Options(**options))
    order: Command | Look | None = None
    with contextlib.closing(events):
        while True:
            try:
                event = events.send(order)
            except StopIteration:
                return
            yield event
            order = mailbox.take()
