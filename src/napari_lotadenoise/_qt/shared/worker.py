"""Generators of events in a thread: events come out as signals, orders go in through a mailbox."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker

from napari_lotadenoise.events import Command, Event, Finished, Level, Look

_URGENCY = (Command.STOP, Command.FINISH)


class Mailbox:
    """Orders on their way to a run; the newest look replaces the older ones, as does the newest level, nothing else is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Any] = []
        self._newest: dict[type, Look | Level] = {}

    def post(self, order: Any) -> None:
        """Leave an order for the run."""
        with self._lock:
            if isinstance(order, Look | Level):
                self._newest[type(order)] = order
            else:
                self._orders.append(order)

    def take(self) -> Any:
        """Take the next order: first what ends the run, then others in turn, then the look; None where there is none."""
        with self._lock:
            for urgent in _URGENCY:
                if urgent in self._orders:
                    # Who ends a run does not want it paused any more.
                    self._orders = [other for other in self._orders if not isinstance(other, Command)]
                    return urgent
            if self._orders:
                return self._orders.pop(0)
            return self._newest.pop(next(iter(self._newest))) if self._newest else None


def start_worker(
    make: Callable[[], Generator[Any, Any, Any]], mailbox: Mailbox, listener: Callable[[Any], None]
) -> GeneratorWorker:
    """Run a generator in a thread; `listener` gets what it yields in the GUI thread, it gets what is in the mailbox.

    The listener is a method of a QObject: PySide6 goes on to call those of other objects after these are gone.
    """
    worker = create_worker(_drive, make, mailbox, _start_thread=False, _worker_class=_EngineWorker)
    worker.yielded.connect(listener)
    worker.start()
    return worker


def start_run(
    image: Any, method: Any, training: Any, options: dict[str, Any], mailbox: Mailbox, listener: Callable[[Event], None]
) -> GeneratorWorker:
    """Start a run of the engine in a thread; `listener` gets its events in the GUI thread."""
    return start_worker(lambda: _engine(image, method, training, options), mailbox, listener)


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


def _engine(image: Any, method: Any, training: Any, options: dict[str, Any]) -> Generator[Any, Any, Any]:
    """Run the engine; importing it imports torch, so that happens here and not in the GUI thread."""
    try:
        from napari_lotadenoise.engine import run
        from napari_lotadenoise.options import Options
    except ImportError as error:
        yield Finished(None, f"torch cannot be imported ({error}).", error)
        return
    yield from run(image, method, training, Options(**options))


def _drive(make: Callable[[], Generator[Any, Any, Any]], mailbox: Mailbox) -> Generator[Any, None, None]:
    order: Any = None
    with contextlib.closing(make()) as events:
        while True:
            try:
                event = events.send(order)
            except StopIteration:
                return
            yield event
            order = mailbox.take()
