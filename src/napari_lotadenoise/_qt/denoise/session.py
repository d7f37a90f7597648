"""One run in napari: engine, live layers, activity bar and result, without any widget of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.utils import cancelable_progress
from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.denoise.live_preview import LivePreview
from napari_lotadenoise._qt.shared.layers import Source, add_leaks, add_residual, add_result, add_uncertainty
from napari_lotadenoise._qt.shared.worker import Mailbox, start_run
from napari_lotadenoise.engine import plan
from napari_lotadenoise.events import Command, Event, Finished, Preview, Progress, Started
from napari_lotadenoise.image.stack import Layout

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_lotadenoise.contract.method import Method, Training

_PARTS = 1000
#: Seconds between two repaints of the numbers. A window with an OpenGL canvas is composed anew, whole, for every label
#: that changes; without a graphics card that takes more of the processor than the training.
_SHOW_EVERY = 0.25


@dataclass(frozen=True)
class Order:
    """What the user wants done."""

    layer: Image
    method: Method
    training: Training
    layout: Layout
    preset: str = "fast"
    device: str = "auto"
    seed: int = 0
    fill: bool = False
    show: frozenset[str] = frozenset()
    stabilise: str = "auto"
    strength: float = 1.0
    glance: float = 0.0


class Session(QObject):
    """Runs an order and shows it.

    Signals
    -------
    started (Started)
    progressed (tuple of Progress)
        All that came since the last time, four times a second.
    ended (Exception or None, str)
        Once, with the last words.
    """

    started = Signal(object)
    progressed = Signal(object)
    ended = Signal(object, str)

    def __init__(self, viewer: ViewerModel, order: Order) -> None:
        super().__init__()
        self._viewer, self.order = viewer, order
        self.source = Source(order.layer)
        self.mailbox = Mailbox()
        self.live = LivePreview(viewer, self.source, self.mailbox.post, order.show, order.method.maps)
        self.active = True
        self.paused = False
        self._unseen: list[Progress] = []
        self._shown = 0.0
        options = {
            "axes": order.layout.axes, "channels": order.layout.channels, "volume": order.layout.volume,
            "device": order.device, "seed": order.seed, "fill": order.fill, "preset": order.preset, "look": self.live.look,
            "stabilise": order.stabilise, "blend": order.strength, "glance": order.glance,
        }  # fmt: skip
        self._bar: cancelable_progress | None = None
        self.worker = start_run(self.source.data, order.method, order.training, options, self.mailbox, self._hear)

    def finish_now(self) -> None:
        """Stop training and apply what is learnt."""
        self.mailbox.post(Command.FINISH)

    def toggle_pause(self) -> bool:
        """Pause or resume; returns whether the run is paused now."""
        self.paused = not self.paused
        self.mailbox.post(Command.PAUSE if self.paused else Command.RESUME)
        return self.paused

    def discard(self) -> None:
        """End the run at once and leave nothing behind."""
        self.mailbox.post(Command.STOP)
        self._end(None, "Discarded; nothing was changed.")

    def _hear(self, event: Event) -> None:
        if not self.active:
            return
        if isinstance(event, Started):
            self.started.emit(event)
        elif isinstance(event, Progress):
            self._unseen.append(event)
            if time.perf_counter() - self._shown >= _SHOW_EVERY:
                self._show_progress()
        elif isinstance(event, Preview):
            self.live.show(event)
        elif isinstance(event, Finished):
            self._finish(event)

    def _show_progress(self) -> None:
        # napari's progress bar lets the event loop run, so the next events may arrive in here.
        news, self._unseen = tuple(self._unseen), []
        self._shown = time.perf_counter()
        if news:
            self.progressed.emit(news)
            self._advance(news[-1])

    def _advance(self, progress: Progress) -> None:
        if self._bar is None:  # which takes napari as long as a first picture takes
            words = f"{self.order.method.info.title}: {self.source.name}"
            self._bar = cancelable_progress(total=_PARTS, desc=words, cancel_callback=self.discard)
        self._bar.update(max(0, round(progress.done * _PARTS) - self._bar.n))
        if progress.seconds_left is not None:
            self._bar.set_description(f"{self.order.method.info.title}: {plan.duration(progress.seconds_left)} left")

    def _finish(self, event: Finished) -> None:
        self._show_progress()
        if event.result is None:
            self._end(event.error, event.reason)
            return
        title = self.order.method.info.title
        layer, remark = add_result(self._viewer, self.source, event.result, title)
        extras = [add_residual, add_leaks] if "residual" in self.live.wanted else []
        extras += [add_uncertainty] if event.result.uncertainty is not None else []
        for add in extras:
            add(self._viewer, self.source, event.result, title)
            self._viewer.layers.move(len(self._viewer.layers) - 1, self._viewer.layers.index(layer))
            self._viewer.layers.selection.active = layer
        sigma = f", {event.result.sigma_words}" if event.result.sigma_words else ""
        seconds = plan.duration(event.result.recipe.seconds)
        notes = " ".join([event.result.recipe.verdict, remark, *event.result.recipe.notes]).strip()
        self._end(None, f"{layer.name}: {seconds}, {event.reason}{sigma}. {notes}".strip())

    def _end(self, error: Exception | None, words: str) -> None:
        if not self.active:
            return
        self.active = False
        self.live.close()
        if self._bar is not None:
            self._bar.close()
        self.ended.emit(error, words)
