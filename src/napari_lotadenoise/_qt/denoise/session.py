"""One run in napari: engine, live layers, activity bar and result, without any widget of its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils import cancelable_progress
from qtpy.QtCore import Signal

from napari_lotadenoise._qt.denoise.live_preview import LivePreview
from napari_lotadenoise._qt.shared.layers import Source, add_leaks, add_residual, add_result, add_uncertainty
from napari_lotadenoise._qt.shared.session import WorkerSession
from napari_lotadenoise._qt.shared.worker import with_torch
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command, Completed, Event, Failed, Finished, Preview, Progress, Started
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_lotadenoise.contract.method import Method, Training
    from napari_lotadenoise.model import Model
    from napari_lotadenoise.recipe import Recipe

_PARTS = 1000
#: Seconds between two repaints of the numbers. A window with an OpenGL canvas is composed anew, whole, for every label
#: that changes; without a graphics card that takes more of the processor than the training.
_SHOW_EVERY = 0.25


@dataclass(frozen=True)
class RunRequest:
    """Request to denoise a layer.

    Attributes
    ----------
    layer : Image
    method : Method
    training : Training
    options : Options
        Axes and all other run options.
    maps : frozenset of str
        Names of the maps to show beside the preview.
    model : Model or path, optional
        What was learnt before and is to be applied, without learning.
    same_dtype : bool
        Whether the result has the data type of the layer, rounded and clipped, instead of float32.
    """

    layer: Image
    method: Method
    training: Training
    options: Options
    maps: frozenset[str] = frozenset()
    model: Model | Path | None = None
    same_dtype: bool = False


class RunSession(WorkerSession):
    """Runs a request and shows it.

    Signals
    -------
    started (Started)
    progressed (tuple of Progress)
        All that came since the last time, four times a second.
    ended (Exception or None, str)
        Once, with the last words.

    Attributes
    ----------
    model : Model or None
        What was learnt, once the run has ended well.
    result_layer : Image or None
        The result, once the run has ended well.
    recipe : Recipe or None
        How it was made.
    """

    started = Signal(object)
    progressed = Signal(object)
    ended = Signal(object, str)

    def __init__(self, viewer: ViewerModel, request: RunRequest) -> None:
        super().__init__()
        self._viewer, self.request = viewer, request
        self.source = Source(request.layer)
        self.live = LivePreview(viewer, self.source, self.post, request.maps, request.method.maps)
        self._unseen: list[Progress] = []
        self._shown = 0.0
        self._bar: cancelable_progress | None = None
        self.model: Model | None = None
        self.result_layer: Image | None = None
        self.recipe: Recipe | None = None
        options = dataclasses.replace(request.options, view_request=self.live.view_request)
        self._start(with_torch(lambda: _events(self.source.data, request, options)))

    def finish_now(self) -> None:
        """Stop training and apply what is learnt."""
        self.post(Command.FINISH)

    def pause(self) -> None:
        """Let the run wait."""
        self.post(Command.PAUSE)

    def resume(self) -> None:
        """Let the run go on."""
        self.post(Command.RESUME)

    def discard(self) -> None:
        """End the run at once and leave nothing behind."""
        self.post(Command.STOP)
        self._end(None, "Discarded; nothing was changed.")

    def _handle(self, event: Event) -> None:
        match event:
            case Started():
                self.started.emit(event)
            case Progress():
                self._unseen.append(event)
                if time.perf_counter() - self._shown >= _SHOW_EVERY:
                    self._show_progress()
            case Preview():
                self.live.show(event)
            case Finished():
                self._show_progress()
                self._finish(event)

    def _show_progress(self) -> None:
        # napari's progress bar lets the event loop run, so the next events may arrive in here.
        news, self._unseen = tuple(self._unseen), []
        self._shown = time.perf_counter()
        if news:
            self.progressed.emit(news)
            self._advance(news[-1])

    def _advance(self, progress: Progress) -> None:
        title = self.request.method.info.title
        if self._bar is None:  # which takes napari as long as an instant preview takes
            words = f"{title}: {self.source.name}"
            self._bar = cancelable_progress(total=_PARTS, desc=words, cancel_callback=self.discard)
        self._bar.update(max(0, round(progress.done * _PARTS) - self._bar.n))
        if progress.seconds_left is not None:
            self._bar.set_description(f"{title}: {plan.duration(progress.seconds_left)} left")

    def _finish(self, event: Finished) -> None:
        if not isinstance(event, Completed):
            self._end(event.error if isinstance(event, Failed) else None, event.reason)
            return
        result, title = event.result, self.request.method.info.title
        self.model = result.model
        layer, remark = add_result(self._viewer, self.source, result, title, same_dtype=self.request.same_dtype)
        self.result_layer, self.recipe = layer, result.recipe
        extras = [add_residual, add_leaks] if "residual" in self.live.wanted else []
        extras += [add_uncertainty] if result.uncertainty is not None else []
        for add in extras:
            add(self._viewer, self.source, result, title)
            self._viewer.layers.move(len(self._viewer.layers) - 1, self._viewer.layers.index(layer))
            self._viewer.layers.selection.active = layer
        sigma = f", {result.sigma_words}" if result.sigma_words else ""
        seconds = plan.duration(result.recipe.seconds)
        notes = " ".join([result.recipe.verdict, remark, *result.recipe.notes]).strip()
        self._end(None, f"{layer.name}: {seconds}, {event.reason}{sigma}. {notes}".strip())

    def _end(self, error: Exception | None, words: str) -> None:
        if self._close():
            self.live.close()
            if self._bar is not None:
                self._bar.close()
            self.ended.emit(error, words)


def _events(data: Any, request: RunRequest, options: Options) -> Generator[Any, Any, None]:
    from napari_lotadenoise import engine
    from napari_lotadenoise.model import Model

    if request.model is None:
        yield from engine.run(data, request.method, request.training, options)
        return
    try:
        model = request.model if isinstance(request.model, Model) else Model.load(request.model)
    except LotaDenoiseError as error:
        yield Failed(error)
        return
    yield from engine.apply(data, model, options)
