"""Record of a run: steps, noise levels, history and notes; in the end its result and recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_lotadenoise.contract.capabilities import Curve, passes_of
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.engine.history import History
from napari_lotadenoise.engine.job import Job
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.derived import Blend
from napari_lotadenoise.model.model import Model, made
from napari_lotadenoise.model.seen import look
from napari_lotadenoise.prediction.divergence import DivergenceProbe
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.recipe import EndReason, Recipe, fingerprint
from napari_lotadenoise.residual import examine
from napari_lotadenoise.result import Result, Snapshot

#: Side of the middle of each plane in which the residual is examined at the end of a run.
EXAMINED = 512


class RunRecord:
    """Steps, noise levels, history and notes of one run.

    Attributes
    ----------
    out : ndarray of float32
        The denoised image, as far as it is done.
    uncertainty : ndarray of float32 or None
        Deviation of the passes of a stochastic method.
    predictors : dict of int to Predictor
        What was learnt of each group of channels that is done; None where it is constant.
    steps : dict of int to int
        Training steps of each group of channels that is done.
    history : History
    notes : list of str
        Remarks for the user, one sentence each.
    sigma : float or None
        Noise deviation of the present group, intensities.
    curve : Curve or None
    variance : callable or None
        Noise variance as a function of the intensity, where it is known of the whole image.
    bfloat16 : bool
        Whether the training used it.
    weights : str
        Names of the pre-trained weights that took part; empty where there were none.
    ended : EndReason
    reason : str
        The same in words.
    """

    def __init__(self, job: Job, *, only_learn: bool = False) -> None:
        self._job = job
        self.out = np.empty((0,) if only_learn else job.image.shape, dtype=np.float32)
        self.uncertainty = np.zeros_like(self.out) if passes_of(job.method) else None
        self.predictors: dict[int, Predictor | None] = {}
        self.steps: dict[int, int] = {}
        self.history, self.notes = History(), list[str]()
        self.sigma: float | None = None
        self._sigmas: list[float] = []
        self.curve: Curve | None = None
        self.variance: Callable[[np.ndarray], np.ndarray] | None = None
        self.bfloat16 = False
        self.weights = job.weights
        self.ended, self.reason = EndReason.ALL_STEPS, EndReason.ALL_STEPS.value

    def end(self, reason: EndReason, words: str = "") -> None:
        """Note why a training ended; one that was finished early stays so, whatever ends a later channel."""
        if self.ended is not EndReason.FINISHED_EARLY:
            self.ended, self.reason = reason, words or reason.value

    def use_weights(self, words: str) -> None:
        """Note pre-trained weights that take part beside those that were known before."""
        if words and words not in self.weights:
            self.weights = f"{self.weights}, {words}" if self.weights else words

    def trained(self, group: int, steps: int, curve: Curve | None) -> None:
        """Note the end of the training of a group."""
        self.steps[group] = steps
        if curve is not None and len(curve.values) > 1:
            where = f" in channel {group}" if self._job.stack.groups > 1 else ""
            self.notes.append(f"Calibrated{where}: {curve.parameter} {curve.best:g}.")

    def measured(self, sigma: float | None, unit: float) -> None:
        """Record the noise deviation of the present group, given in scaled units of so many intensities."""
        self.sigma = None if sigma is None else sigma * unit

    def keep_sigma(self) -> None:
        """Let the noise deviation of the present group count for the result."""
        if self.sigma is not None:
            self._sigmas.append(self.sigma)

    def result(self, seconds: float, probe: DivergenceProbe | None, snapshots: tuple[Snapshot, ...]) -> Result:
        """Put the result together, with its recipe.

        Parameters
        ----------
        seconds : float
            Time that the run took.
        probe : DivergenceProbe or None
        snapshots : tuple of Snapshot
        """
        job, blend = self._job, self._job.options.blend
        report = examine(job.image, self.out, job.layout.axes, variance=self.variance, planes=2, side=EXAMINED)
        recipe = dataclasses.replace(self._recipe(seconds), verdict=report.sentence, residual=report.numbers)
        divergence = None if probe is None else probe.divergence(self.out)
        out = self.out
        if blend < 1:
            out = np.asarray(Blend(job.image, out, blend))
            divergence = None if divergence is None else blend * divergence + (1 - blend)
        return Result(
            out, job.image, self._sigma, self.history.columns, recipe, self.uncertainty, self.curve, report, divergence,
            snapshots, self._made(recipe),
        )  # fmt: skip

    def model(self, seconds: float) -> Model:
        """Return what was learnt, of a run that was to learn only.

        Raises
        ------
        ImageError
            Where every channel is constant.
        """
        model = self._made(self._recipe(seconds))
        if model is None:
            raise ImageError("There is nothing to learn: every channel is constant.")
        return model

    def _made(self, recipe: Recipe) -> Model | None:
        stack, noise = self._job.stack, self._job.noise
        seen = tuple(look(stack, group, noise[group] if noise else ()) for group in range(stack.groups))
        return made(self.predictors, self._job.training, recipe, seen)

    @property
    def _sigma(self) -> float | None:
        return float(np.mean(self._sigmas)) if self._sigmas else None

    def _recipe(self, seconds: float) -> Recipe:
        job = self._job
        return Recipe(
            **self._options(),
            method=job.method.id,
            preset=job.options.preset,
            parameters=dataclasses.asdict(job.method),
            training=dataclasses.asdict(job.training),
            precision="bfloat16" if self.bfloat16 else "float32",
            image=fingerprint(job.image),
            steps_done=tuple(self.steps[group] for group in range(job.stack.groups)),
            reason=self.reason,
            seconds=round(seconds, 3),
            sigma=self._sigma,
            notes=tuple(self.notes),
            repaired=job.outliers.places if job.options.outliers == "repair" else (),
            citation={"title": job.method.info.title, "source": job.method.info.source, "url": job.method.info.url},
            pretrained=bool(self.weights),
            weights=self.weights,
        )

    def _options(self) -> dict[str, Any]:
        """Return all run options as they were resolved; of the device, what it was."""
        options = {option.name: getattr(self._job.options, option.name) for option in parameters(RunOptions)}
        return {**options, "device": self._job.device_words}
