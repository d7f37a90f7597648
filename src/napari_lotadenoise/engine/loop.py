"""The only training loop: a generator of events that obeys the commands sent into it.

Everything that learns an image runs through `run`: the napari dock in a thread, the command line in a ``for`` loop, a
test in ``list()``. Chance and the course of training depend on the step alone, never on the clock, so that watching a
run does not change its result.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import timing
from napari_lotadenoise.engine.clock import Clock
from napari_lotadenoise.engine.controls import Controls
from napari_lotadenoise.engine.job import Job, prepare
from napari_lotadenoise.engine.meter import Meter
from napari_lotadenoise.engine.previews import PreviewMaker
from napari_lotadenoise.engine.record import RunRecord
from napari_lotadenoise.events import (
    Command,
    Completed,
    Discarded,
    Event,
    Failed,
    Finished,
    Learnt,
    Preview,
    Started,
    ViewRequest,
)
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.model.model import refuse_unsavable
from napari_lotadenoise.normalisation import affine, variance_stabilisation
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.options import Options
from napari_lotadenoise.prediction.divergence import DivergenceProbe
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.snapshots import Snapshots
from napari_lotadenoise.prediction.windows import averages, intensities, tile_at
from napari_lotadenoise.recipe import EndReason
from napari_lotadenoise.training.crops import load_training_images
from napari_lotadenoise.training.trainer import Trainer

#: Seconds of one sleep while paused, and of the one after a first preview: napari shows it sooner with all processors.
NAP, SHOWING = 0.02, 0.06

Events = Generator[Event, Command | ViewRequest | None, Finished]
Steps = Generator[Event, Command | ViewRequest | None, None]


def run(image: Any, method: Method, training: Training | None = None, options: Options | None = None) -> Events:
    """Denoise an image, reporting what happens on the way.

    Parameters
    ----------
    image : array-like
        Anything with ``shape``, ``dtype`` and numpy-like indexing; it is never written to.
    method : Method
    training : Training, optional
        Default: the method's ``fast`` preset.
    options : Options, optional
        Axes, device, seed and so on.

    Yields
    ------
    Event
        `Started`, then `Progress` and `Preview`, and always one `Finished` at the end, also returned: `Completed`, `Failed`
        or `Discarded`. Send a `Command` or a `ViewRequest` into the generator to steer it.
    """
    return (yield from _events(image, method, training, options))


def learn(image: Any, method: Method, training: Training | None = None, options: Options | None = None) -> Events:
    """Learn an image without denoising it, reporting what happens on the way.

    Parameters, events and commands are those of `run`; the last event is `Learnt`, with the model, `Failed` or `Discarded`.
    """
    return (yield from _events(image, method, training, options, only_learn=True))


def _events(
    image: Any, method: Method, training: Training | None, options: Options | None, *, only_learn: bool = False
) -> Events:
    finished: Finished
    try:
        options = options or Options()
        training = training or method.preset("fast").schedule(volume=options.volume)
        if only_learn:
            refuse_unsavable(method)
        job = prepare(image, method, training, options)
        with process_settings.applied(job.options.threads or 1):
            finished = yield from _Run(job, only_learn=only_learn).events()
    except Exception as error:  # whatever goes wrong, the listener gets its last event
        finished = Failed(error)
    yield finished
    return finished


class _Run:
    """One run on its way: its job, the commands of the user, its record."""

    def __init__(self, job: Job, *, only_learn: bool = False) -> None:
        self.job, options = job, job.options
        self.only_learn = only_learn
        self.controls = Controls(options.view_request)
        self.clock, self.record = Clock(options.preview_share), RunRecord(job, only_learn=only_learn)
        self.previews = PreviewMaker(job)
        self.probe: DivergenceProbe | None = None
        if np.any(options.divergence_step) and not only_learn:
            stack, step = job.stack, options.divergence_step
            self.probe = DivergenceProbe(job.image, job.layout, step, fill=stack.fill, isolation=stack.isolation)
        self.meter = Meter(job, self.clock, predictions=1 if self.probe is None else 2)
        count = options.snapshots if job.method.trained else 0
        self.snapshots = Snapshots(job.stack, count, job.training.planned)
        self.limit = job.training.planned
        self.probing = 0.0

    def events(self) -> Events:
        """Yield all events but the last, which is returned."""
        job, record = self.job, self.record
        record.notes += job.notes
        if job.stack.filled:
            record.notes.append(f"{job.stack.filled} pixels that were NaN or inf were filled from their neighbours.")
        if job.outliers.number:
            record.notes.append(job.outliers.words(job.options.outliers))
        yield from self._emit(Started(job.words, job.device_words, tuple(record.notes)))
        if (first := self.previews.first(self.controls.view_request)) is not None:
            yield from self._emit(first)
            time.sleep(SHOWING)
        for group in self._group_order():
            yield from self._denoise_group(group)
            if self.controls.stop:
                return Discarded()
        seconds = self.clock.elapsed - self.probing
        if self.only_learn:
            return Learnt(record.model(seconds), record.reason)
        result = record.result(seconds, self.probe, self.snapshots.taken(record.out))
        if record.ended is EndReason.ALL_STEPS and not self.clock.paused:
            timing.correct_speeds(job, self.clock.working)
        return Completed(result, record.ended, record.reason)

    def _group_order(self) -> list[int]:
        """Put the group that is viewed first."""
        request = self.controls.view_request
        first = self.job.stack.locate(request.point)[0] if request else 0
        return sorted(range(self.job.stack.groups), key=lambda group: group != first)

    def _denoise_group(self, group: int) -> Steps:
        job = self.job
        self.meter.begin(group)
        scale = self._scale(group)
        if scale is None:
            self._leave(group)
            return
        trainer = yield from self._learn(group, scale)
        if self.controls.stop:
            return
        predictor = Predictor.of(trainer, scale)
        self.record.predictors[group] = predictor
        if self.only_learn:
            self.meter.skip()
            return
        yield from self._predict(trainer, predictor, job.stack, self.record.out, self.record.uncertainty)
        if self.probe is not None and not self.controls.stop:
            begun = self.clock.elapsed
            yield from self._predict(trainer, predictor, self.probe.stack, self.probe.out)
            self.probing += self.clock.elapsed - begun

    def _learn(self, group: int, scale: Scale) -> Generator[Event, Command | ViewRequest | None, Trainer]:
        job = self.job
        repeats = job.method.requires.repeats
        whole = job.method.tiling.whole
        images = load_training_images(job.stack, group, scale, job.device, neighbours=repeats, whole=whole)
        trainer = Trainer(images, job.method, job.training, job.options.seed, scale.unit)
        self.record.bfloat16 = trainer.bfloat16
        self.record.use_weights(job.method.more_weights(trainer.state))
        yield from self._train(trainer, scale)
        return trainer

    def _scale(self, group: int) -> Scale | None:
        """Measure what the network sees of a group, None where it is constant; note what was stabilised."""
        job = self.job
        where = f" in channel {group}" if job.stack.groups > 1 else ""
        models = job.noise[group] if job.noise else ()
        stabilisers, words = variance_stabilisation.stabilisers_for(models, job.options.stabilise, where)
        scale = affine.measure(job.stack, group, job.training.scaling, stabilisers)
        if words and scale is not None:
            self.record.notes.append(words)
        only = stabilisers[0] if job.stack.groups == len(stabilisers) == 1 else None
        if only is not None and models[0].white:
            self.record.variance = only.variance
        return scale

    def _leave(self, group: int) -> None:
        """Leave a constant group as it is."""
        self.record.notes.append(f"Channel {group} is constant and was copied as it is.")
        self.record.steps[group], self.record.predictors[group] = 0, None
        if not self.only_learn:
            self._copy(group)
        self.meter.skip()

    def _copy(self, group: int) -> None:
        stack = self.job.stack
        outs = [self.record.out] if self.probe is None else [self.record.out, self.probe.out]
        for sample, target in itertools.product(range(stack.samples), outs):
            stack.write(target, group, sample, stack.full, stack.read(group, sample))

    # ---------------------------------------------------------------- training

    def _train(self, trainer: Trainer, scale: Scale) -> Steps:
        if self.controls.finish and any(
            self.record.steps.values()
        ):  # it came while the channel before was being predicted
            self._finish_early(max(self.record.steps.values()))
        self.clock.training_begins()
        while trainer.step_number < self.limit:
            trainer.step()
            if self.snapshots.due(trainer.step_number):
                predictor = Predictor.of(trainer, scale)
                self.snapshots.take(predictor, trainer.step_number, list(self.job.tiles), self.meter.group)
            if self.clock.report_due():
                yield from self._report(trainer, scale)
            if self.clock.preview_due():
                yield from self._preview(trainer, scale)
            if self.controls.stop:
                break
            if self.controls.finish:
                self._finish_early(trainer.step_number)
            if self._ends(trainer):
                break
        trainer.restore_best()
        self.record.trained(self.meter.group, trainer.step_number, trainer.curve)
        if not self.controls.stop:
            yield from self._report(trainer, scale)
            # Going back to other weights changes it, whether or not there were losses to report since.
            self.record.measured(trainer.sigma, scale.unit)
            self.record.keep_sigma()

    def _finish_early(self, step: int) -> None:
        """Let this and all later channels learn for as many steps: "finish now" must not leave them unlearnt."""
        self.record.end(EndReason.FINISHED_EARLY)
        self.limit, self.controls.finish = step, False

    def _ends(self, trainer: Trainer) -> bool:
        """Apply the stop rules."""
        if trainer.exhausted():
            self.record.end(EndReason.NO_BETTER_SCORE)
            return True
        if trainer.stop_reason:
            self.record.end(EndReason.METHOD_RULE, trainer.stop_reason)
            self.record.notes.append(f"Training {trainer.stop_reason}, after {trainer.step_number} steps.")
            return True
        return False

    def _report(self, trainer: Trainer, scale: Scale, phase: str = "training") -> Steps:
        losses, values = trainer.report()
        if losses:
            self.record.measured(trainer.sigma, scale.unit)
            values = {name: value * scale.unit if name.startswith("sigma") else value for name, value in values.items()}
            self.record.curve = trainer.curve or self.record.curve
            row = {"step": self.meter.step(trainer), "sigma": self.record.sigma, "score": trainer.score}
            self.record.history.add({**row, **values, **losses})
        yield from self._emit(self.meter.progress(trainer, self.record, phase, losses, values))
        while self.controls.waiting:
            self.clock.paused = True
            time.sleep(NAP)
            yield from self._emit(self.meter.progress(trainer, self.record, "paused", {}, {}))
            if self.clock.preview_due():
                yield from self._preview(trainer, scale)

    # ---------------------------------------------------------------- previews

    def _preview(self, trainer: Trainer, scale: Scale) -> Steps:
        request = self.controls.view_request
        if request is None:
            return
        group, sample = self.job.stack.locate(request.point)
        if group != self.meter.group:
            yield from self._preview_other_group(request, group, sample)
            return
        start = time.perf_counter()
        preview = self.previews.preview(request, trainer, scale, group, sample)
        self.clock.previewed(time.perf_counter() - start)
        if preview is not None:
            yield from self._emit(preview)

    def _preview_other_group(self, request: ViewRequest, group: int, sample: int) -> Steps:
        """Show a place of a group that is done; one that is still to come shows its instant preview, once."""
        self.clock.previewed(0.0)
        if group in self.record.steps:
            index = self.previews.viewport.index(request, group, sample)
            yield from self._emit(Preview(request, self.record.steps[group], index, self.record.out[index].copy()))
        elif (first := self.previews.first(request)) is not None:
            yield from self._emit(first)

    # ---------------------------------------------------------------- prediction

    def _predict(
        self,
        trainer: Trainer,
        predictor: Predictor,
        stack: Stack,
        out: np.ndarray,
        uncertainty: np.ndarray | None = None,
    ) -> Steps:
        group, scale = self.meter.group, predictor.scale
        for sample, window in itertools.product(range(stack.samples), self.job.tiles):
            start = time.perf_counter()
            tile = tile_at(predictor, stack, group, sample, window)
            for average in averages(predictor, tile):  # noqa: B007 - the last one is the result
                if self.clock.report_due():
                    yield from self._report(trainer, scale, "denoising")
                if self.controls.stop:
                    return
            clean, spread = intensities(predictor, tile, average)
            if self.job.options.outliers == "keep":
                clean = stack.with_outliers(clean, group, sample, window)
            stack.write(out, group, sample, window, clean)
            if uncertainty is not None:
                stack.write(uncertainty, group, sample, window, spread)
            self.meter.tiled(time.perf_counter() - start)

    # ---------------------------------------------------------------- events out, commands in

    def _emit(self, event: Event) -> Steps:
        begun = time.perf_counter()
        command = yield event
        self.clock.listened(time.perf_counter() - begun)
        self.controls.receive(command)
        if isinstance(command, ViewRequest):
            self.clock.preview_now()
