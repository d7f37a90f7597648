"""Application of a model to an image in memory, with the events of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.engine import plan
from napari_lotadenoise.engine.controls import Controls
from napari_lotadenoise.engine.record import EXAMINED
from napari_lotadenoise.events import Completed, Discarded, Event, Failed, Finished, Progress, Started
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.model.model import Model
from napari_lotadenoise.model.seen import differences, look_at
from napari_lotadenoise.options import Options
from napari_lotadenoise.residual import examine
from napari_lotadenoise.result import Result

#: Seconds between two events of progress.
EVERY = 0.1


def apply(image: Any, model: Model, options: Options | None = None) -> Any:
    """Denoise an image with what was learnt before, reporting what happens on the way.

    Parameters
    ----------
    image : array-like
        Anything with ``shape``, ``dtype`` and numpy-like indexing.
    model : Model
    options : Options, optional
        Axes and device; all else is that of the model.

    Yields
    ------
    Event
        Those of `run`, but for previews; commands are those of `run`.
    """
    finished: Finished
    try:
        finished = yield from _Application(image, model, options or Options()).events()
    except Exception as error:  # whatever goes wrong, the listener gets its last event
        finished = Failed(error)
    yield finished
    return finished


class _Application:
    """One application on its way."""

    def __init__(self, image: Any, model: Model, options: Options) -> None:
        self._device, self._device_words = devices.choose(options.device)
        self._model = model.on(options.device)
        self._stack: Stack = model.stack(image, options.axes)
        self._controls = Controls(None)
        self._begun = time.monotonic()

    def events(self) -> Any:
        """Yield all events but the last, which is returned."""
        stack, model = self._stack, self._model
        notes = tuple(self._differences())
        shape = tuple(stack.array.shape)
        words = plan.describe(shape, stack.layout, model.method, self._device_words)
        self._controls.receive((yield Started(f"Applying what was learnt: {words}", self._device_words, notes)))
        out = np.empty(shape, dtype=np.float32)
        parts = list(model.parts(stack))
        with process_settings.applied(model.recipe.threads):
            for number, (group, sample, window) in enumerate(parts, start=1):
                stack.write(out, group, sample, window, model.window(stack, group, sample, window))
                yield from self._told(group, number, len(parts))
                if self._controls.stop:
                    return Discarded()
        return self._completed(out, notes)

    def _differences(self) -> Iterator[str]:
        """Say how the image differs from the one that was learnt."""
        for group, seen in enumerate(self._model.seen):
            now = look_at(self._stack, group, noise=seen.sigma is not None)
            yield from (f"Careful: {words}." for words in differences(seen, now))

    def _told(self, group: int, number: int, of: int) -> Iterator[Event]:
        elapsed = time.monotonic() - self._begun
        left = elapsed / number * (of - number)
        progress = Progress(
            "denoising", number, of, group=group, groups=self._stack.groups, done=number / of, seconds_left=left
        )
        self._controls.receive((yield progress))
        while self._controls.waiting:
            time.sleep(EVERY)
            self._controls.receive((yield progress))

    def _completed(self, out: np.ndarray, notes: tuple[str, ...]) -> Completed:
        stack, model = self._stack, self._model
        report = examine(stack.array, out, stack.layout.axes, planes=2, side=EXAMINED)
        seconds = time.monotonic() - self._begun
        recipe = model.recipe_for(stack, report.sentence, report.numbers, notes=notes, seconds=seconds)
        result = Result(out, stack.array, model.recipe.sigma, {}, recipe, diagnosis=report, model=model)
        return Completed(result, reason="applied what was learnt before")
