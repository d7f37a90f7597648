"""The winner of a comparison on whole layers, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.denoise.session import Order, Session
from napari_lotadenoise.engine import plan

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise.events import Progress


class Applier(QObject):
    """Runs orders in turn; one that fails does not stop the others.

    Signals
    -------
    said (str)
        What is going on, in words.
    ended ()
    """

    said = Signal(str)
    ended = Signal()

    def __init__(self, viewer: ViewerModel, orders: Sequence[Order]) -> None:
        super().__init__()
        self._viewer, self._orders = viewer, list(orders)
        self._done: list[str] = []
        self.session: Session | None = None

    def start(self) -> None:
        """Begin with the first order."""
        self._next()

    def discard(self) -> None:
        """End what runs and drop what waits."""
        self._orders.clear()
        if self.session is not None:
            self.session.discard()

    def _next(self) -> None:
        if not self._orders:
            self.session = None
            self.ended.emit()
            return
        order = self._orders.pop(0)
        self.said.emit(f"Denoising {order.layer.name!r} with {order.method.info.title} ...")
        self.session = Session(self._viewer, order)
        self.session.progressed.connect(lambda news: self._report(order, news[-1]))
        self.session.ended.connect(self._on_ended)

    def _report(self, order: Order, news: Progress) -> None:
        left = "" if news.seconds_left is None else f", {plan.duration(news.seconds_left)} left"
        self.said.emit(f"{order.layer.name} with {order.method.info.title}: {news.phase} {news.done:.0%}{left}")

    def _on_ended(self, error: Exception | None, words: str) -> None:
        self._done.append(f"Cannot denoise: {error}" if error is not None else words)
        self.said.emit("\n".join(self._done))
        self._next()
