"""The only training loop: a generator of events that obeys the commands sent into it.

Everything that learns an image runs through `run`: the napari dock in a thread, the command line in a ``for`` loop, a
test in ``list()``. Chance and the course of training depend on the step alone, never on the clock, so that watching a
run does not change its result.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.contract.method import Curve, Method, Training
from napari_lotadenoise.engine import plan
from napari_lotadenoise.engine.clock import Clock
from napari_lotadenoise.engine.history import History
from napari_lotadenoise.engine.previews import Pictures
from napari_lotadenoise.engine.viewport import View
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.events import Command, Event, Finished, Look, Preview, Progress, Started
from napari_lotadenoise.image.checks import check, check_samples
from napari_lotadenoise.image.derived import Mix
from napari_lotadenoise.image.stack import Layout, Stack, layout_for
from napari_lotadenoise.normalisation import affine, variance_stabilisation
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.options import Options, check_blend, check_stride, check_whole, preset_of, stabilise_mode
from napari_lotadenoise.prediction.divergence import Probe
from napari_lotadenoise.prediction.ensembles import PassAverage
from napari_lotadenoise.prediction.snapshots import Snapshots
from napari_lotadenoise.prediction.tiling import cut, read_tile
from napari_lotadenoise.pretrained import warm_start
from napari_lotadenoise.recipe import FINISHED_EARLY, Recipe, fingerprint
from napari_lotadenoise.residual import examine
from napari_lotadenoise.result import Result
from napari_lotadenoise.training.crops import load_pool
from napari_lotadenoise.training.trainer import Trainer

#: Side of the middle of each plane in which the residual is examined at the end of a run.
DIAGNOSED = 512
#: Seconds of one sleep while paused, and of the one after a first picture: napari shows it sooner with all processors.
NAP, SHOWING = 0.02, 0.06

Events = Generator[Event, Command | Look | None, Finished]
Steps = Generator[Event, Command | Look | None, None]


def run(image: Any, method: Method, training: Training | None = None, options: Options | None = None) -> Events:
    """Denoise an image, telling what happens on the way.

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
    Started, then Progress and Preview, and in the end always one Finished, also returned
        Send a `Command` or a `Look` into the generator to steer it. Errors are in ``Finished.error``.
    """
    try:
        training = training or method.preset("fast").schedule(volume=options is not None and options.volume)
        job = _Run(image, method, training, options or Options())
        with process_settings.tuned(job.threads):
            finished = yield from job.events()
    except Exception as error:  # whatever goes wrong, the listener gets its last event
        finished = Finished(None, str(error) or type(error).__name__, error)
    yield finished
    return finished


class _Run:
    """One run: what it was asked for, where it is, and what it has been told."""

    def __init__(self, image: Any, method: Method, training: Training, options: Options) -> None:
        self.image = image if hasattr(image, "dtype") and hasattr(image, "shape") else np.asarray(image)
        self.method, self.training, self.options = method, training, options
        self.layout: Layout = layout_for(tuple(self.image.shape), options.axes, options.channels, options.volume)
        self.stack: Stack = check(self.image, self.layout, method.info.dimensions, fill=options.fill)
        check_samples(self.stack, repeats=method.needs_repeats, single=method.whole)
        check_stride(method, training)
        self.device, self.device_words = devices.choose(options.device)
        self.threads = process_settings.default_threads() if options.threads is None else options.threads
        check_whole(threads=self.threads, seed=options.seed, snapshots=options.snapshots)
        check_blend(options.blend)
        self.preset = options.preset or preset_of(method, training)
        self.stabilise = stabilise_mode(options.stabilise, self.preset, method)
        self.look = options.look
        self.finish = self.stop = self.paused = False
        self.clock = Clock()
        self.steps_done: dict[int, int] = {}
        self.sigma: float | None = None
        self.curve: Curve | None = None
        self.sigmas: list[float] = []
        self.law: Callable[[np.ndarray], np.ndarray] | None = None
        self.history = History()
        self.notes: list[str] = []
        self.reason = "all steps done"
        self.group, self.turn = 0, 0
        self.limit = self.planned = training.planned
        self.weights = warm_start.weights_of(method, training, self.stack)
        tiler = warm_start.tiled_as(method, training)
        view = View(self.stack, self.layout, tiler)
        self.pictures = Pictures(view, method, self.device, level=options.glance, threads=options.threads)
        self.tiles = cut(self.stack, tiler)
        self.snapshots = Snapshots(self.stack, options.snapshots if method.trained else 0, self.planned)
        self.probe = Probe(self.image, self.layout, options.probe, fill=options.fill) if np.any(options.probe) else None
        turns = self.stack.groups * (1 if self.probe is None else 2)
        self.probing, self.bfloat16 = 0.0, False
        self.tiles_done, self.tiles_all = 0, turns * self.stack.samples * len(self.tiles)

    def events(self) -> Events:
        """All events but the last, which is returned."""
        seconds = plan.seconds_for(tuple(self.image.shape), self.layout, self.method, self.training)
        words = plan.describe(tuple(self.image.shape), self.layout, self.method, self.device_words, seconds)
        if self.stack.filled:
            self.notes.append(f"{self.stack.filled} pixels that were NaN or inf were filled from their neighbours.")
        yield from self._tell(Started(words, self.device_words, tuple(self.notes)))
        if (first := self.pictures.first(self.look)) is not None:
            yield from self._tell(first)
            time.sleep(SHOWING)
        out = self.out = np.empty(self.image.shape, dtype=np.float32)
        self.uncertainty = np.zeros_like(out) if self.method.stochastic_passes else None
        for turn, group in enumerate(self._order()):
            self.turn, self.group = turn, group
            scale = self._scale()
            if scale is None:
                self._copy(out)
                continue
            pool = load_pool(self.stack, self.group, scale, self.device, neighbours=self.method.needs_repeats)
            trainer = Trainer(pool, self.method, self.training, self.options.seed, scale.unit)
            self.bfloat16 = trainer.bfloat16
            yield from self._train(trainer, scale)
            if not self.stop:
                yield from self._denoise(trainer, scale, self.stack, out, self.uncertainty)
            if not self.stop and self.probe is not None:
                begun = self.clock.elapsed
                yield from self._denoise(trainer, scale, self.probe.stack, self.probe.out)
                self.probing += self.clock.elapsed - begun
            if self.stop:
                return Finished(None, "discarded")
        return Finished(self._result(out), self.reason)

    def _order(self) -> list[int]:
        """Groups in the order of their turns: the one that is looked at comes first."""
        first = self.stack.locate(self.look.point)[0] if self.look else 0
        return sorted(range(self.stack.groups), key=lambda group: group != first)

    def _scale(self) -> Scale | None:
        """What the network is to see of the group, None where there is nothing to see; notes what was stabilised."""
        stabilisers, words = variance_stabilisation.stabilisers_for(self.stack, self.group, self.stabilise)
        scale = affine.measure(self.stack, self.group, self.training.scaling, stabilisers)
        if words and scale is not None:
            self.notes.append(words)
        if self.stack.groups == self.stack.channels == 1 and stabilisers[0] is not None:
            self.law = stabilisers[0].variance
        return scale

    # ---------------------------------------------------------------- training

    def _train(self, trainer: Trainer, scale: Scale) -> Steps:
        if self.finish and any(self.steps_done.values()):  # it was said while the channel before was being denoised
            self.reason, self.limit, self.finish = FINISHED_EARLY, max(self.steps_done.values()), False
        self.clock.training_begins()
        while trainer.step_number < self.limit:
            trainer.step()
            self.snapshots.take(trainer, scale, self.tiles, self.group)
            if self.clock.report_due():
                yield from self._report(trainer, scale)
            if self.clock.preview_due():
                yield from self._preview(trainer, scale)
            if self.stop:
                break
            if self.finish:
                # Channels whose turn comes later get as many steps: "finish now" must not leave them unlearnt.
                self.reason, self.limit, self.finish = FINISHED_EARLY, trainer.step_number, False
            early = self.reason == FINISHED_EARLY  # which the recipe has to know, whatever else ends a later channel
            if trainer.exhausted():
                self.reason = self.reason if early else "the held-out score got no better"
                break
            if trainer.alarm:
                self.reason = self.reason if early else trainer.alarm
                self.notes.append(f"Training {trainer.alarm}, after {trainer.step_number} steps.")
                break
        trainer.keep_best()
        self.steps_done[self.group] = trainer.step_number
        if trainer.curve is not None and len(trainer.curve.values) > 1:
            where = f" in channel {self.group}" if self.stack.groups > 1 else ""
            self.notes.append(f"Calibrated{where}: {trainer.curve.parameter} {trainer.curve.best:g}.")
        if not self.stop:
            yield from self._report(trainer, scale)
            if self.sigma is not None:
                self.sigmas.append(self.sigma)

    def _report(self, trainer: Trainer, scale: Scale, phase: str = "training") -> Steps:
        losses, values = trainer.report()
        if losses:
            sigma = trainer.sigma
            self.sigma = None if sigma is None else sigma * scale.unit
            values = {name: value * scale.unit if name.startswith("sigma") else value for name, value in values.items()}
            self.curve = trainer.curve or self.curve
            step = trainer.step_number + self.turn * self.planned
            self.history.add({"step": step, "sigma": self.sigma, "score": trainer.score, **values, **losses})
        yield from self._tell(self._progress(trainer, phase, losses, values))
        while self.paused and not (self.stop or self.finish):
            time.sleep(NAP)
            yield from self._tell(self._progress(trainer, "paused", {}, {}))
            if self.clock.preview_due():
                yield from self._preview(trainer, scale)

    def _progress(self, trainer: Trainer, phase: str, losses: dict[str, float], values: dict[str, float]) -> Progress:
        before = self.turn * self.planned
        step, of = before + trainer.step_number, self.stack.groups * self.planned
        rate = self.clock.rate(trainer.step_number)
        left = self.clock.seconds_left(
            of - step if phase == "training" else of - before - self.planned, self.tiles_all - self.tiles_done
        )
        elapsed = self.clock.elapsed
        done = elapsed / (elapsed + left) if left is not None and elapsed + left > 0 else 0.0
        return Progress(
            phase, step, of, trainer.stage, self.group, self.stack.groups, done, losses, values, self.sigma,
            trainer.score, rate, left, self.curve,
        )  # fmt: skip

    # ---------------------------------------------------------------- previews

    def _preview(self, trainer: Trainer, scale: Scale) -> Steps:
        look = self.look
        if look is None:
            return
        group, sample = self.stack.locate(look.point)
        if group != self.group:
            yield from self._show_done(look, group, sample)
            return
        start = time.perf_counter()
        picture = self.pictures.picture(look, trainer, scale, group, sample)
        self.clock.previewed(time.perf_counter() - start)
        if picture is not None:
            yield from self._tell(picture)

    def _show_done(self, look: Look, group: int, sample: int) -> Steps:
        """Show a place whose group of channels had its turn already; one that is still to come shows what it has at once."""
        self.clock.previewed(0.0)
        if group in self.steps_done:
            index = self.pictures.view.index(look, group, sample)
            yield from self._tell(Preview(look, self.steps_done[group], index, self.out[index].copy()))
        elif (first := self.pictures.first(look)) is not None:
            yield from self._tell(first)

    # ---------------------------------------------------------------- result

    def _denoise(
        self, trainer: Trainer, scale: Scale, stack: Stack, out: np.ndarray, uncertainty: np.ndarray | None = None
    ) -> Steps:
        places = itertools.product(range(self.stack.samples), self.tiles)
        for number, (sample, window) in enumerate(places):
            start = time.perf_counter()
            tile, inner = read_tile(stack, trainer, scale, self.group, sample, window)
            place: tuple[Any, ...] = (0, slice(None), *inner)
            average = PassAverage()
            for output in trainer.outputs(tile, number):
                average.add(output)
                if self.clock.report_due():
                    yield from self._report(trainer, scale, "denoising")
                if self.stop:
                    return
            clean = average.mean[place].cpu().numpy()
            if not np.isfinite(clean).all():
                raise ImageError("The network's output is not finite; lower the rate or choose precision float32.")
            stack.write(out, self.group, sample, window, scale.back(clean))
            if uncertainty is not None:
                spread = scale.stretch(average.deviation[place].cpu().numpy(), clean)
                stack.write(uncertainty, self.group, sample, window, spread)
            self.tiles_done += 1
            self.clock.tiled(time.perf_counter() - start)

    def _copy(self, out: np.ndarray) -> None:
        self.notes.append(f"Channel {self.group} is constant and was copied as it is.")
        self.steps_done[self.group] = 0
        outs = [out] if self.probe is None else [out, self.probe.out]  # what is copied follows nothing
        for sample, target in itertools.product(range(self.stack.samples), outs):
            self.stack.write(target, self.group, sample, self.stack.full, self.stack.read(self.group, sample))
        self.tiles_done += self.tiles_all // self.stack.groups

    def _result(self, out: np.ndarray) -> Result:
        sigma = float(np.mean(self.sigmas)) if self.sigmas else None
        diagnosis = examine(self.image, out, self.layout.axes, variance=self.law, planes=2, side=DIAGNOSED)
        recipe = Recipe(
            method=self.method.id,
            preset=self.preset,
            parameters=dataclasses.asdict(self.method),
            training=dataclasses.asdict(self.training),
            axes=self.layout.axes,
            channels=self.layout.channels,
            volume=self.layout.volume,
            seed=self.options.seed,
            fill=self.options.fill,
            stabilise=self.stabilise,
            blend=self.options.blend,
            device=self.device_words,
            threads=self.threads,
            precision="bfloat16" if self.bfloat16 else "float32",
            image=fingerprint(self.image),
            steps_done=tuple(self.steps_done[group] for group in range(self.stack.groups)),
            reason=self.reason,
            seconds=round(self.clock.elapsed - self.probing, 3),
            sigma=sigma,
            notes=tuple(self.notes),
            verdict=diagnosis.sentence,
            residual=diagnosis.numbers,
            pretrained=bool(self.weights),
            weights=self.weights,
        )
        response = self.probe.response(out) if self.probe is not None else None
        snapshots = self.snapshots.taken(out)
        if (share := self.options.blend) < 1:
            out = np.asarray(Mix(self.image, out, share))
            response = None if response is None else share * response + (1 - share)
        return Result(
            out, self.image, sigma, self.history.columns, recipe, self.uncertainty, self.curve, diagnosis, response,
            snapshots,
        )  # fmt: skip

    # ---------------------------------------------------------------- talking

    def _tell(self, event: Event) -> Steps:
        order = yield event
        if isinstance(order, Look):
            self.look = order
            self.clock.preview_now()
        elif order is Command.STOP:
            self.stop = True
        elif order is Command.FINISH:
            self.finish, self.paused = True, False
        elif order is not None:
            self.paused = order is Command.PAUSE
