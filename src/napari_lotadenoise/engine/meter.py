"""Progress of a run, and the time that is left."""

from __future__ import annotations

from napari_lotadenoise.engine.clock import Clock
from napari_lotadenoise.engine.job import Job
from napari_lotadenoise.engine.record import RunRecord
from napari_lotadenoise.events import Progress
from napari_lotadenoise.training.trainer import Trainer


class Meter:
    """Counts the steps and tiles of a run, and makes its `Progress` events.

    Parameters
    ----------
    job : Job
    clock : Clock
    predictions : int
        How often each group is predicted.

    Attributes
    ----------
    group : int
        Group of channels at work.
    """

    def __init__(self, job: Job, clock: Clock, predictions: int) -> None:
        self._job, self._clock, self._planned = job, clock, job.training.planned
        self.group, self._position = 0, -1
        self._tiles_done = 0
        self._tiles_a_group = predictions * job.stack.samples * len(job.tiles)

    def begin(self, group: int) -> None:
        """Go on to the next group."""
        self.group, self._position = group, self._position + 1

    def skip(self) -> None:
        """Count the tiles of the present group as done."""
        self._tiles_done += self._tiles_a_group

    def tiled(self, seconds: float) -> None:
        """Count a tile, and its cost."""
        self._tiles_done += 1
        self._clock.tiled(seconds)

    def step(self, trainer: Trainer) -> int:
        """Return the step of a trainer, counted over all groups."""
        return trainer.step_number + self._position * self._planned

    def progress(
        self, trainer: Trainer, record: RunRecord, phase: str, losses: dict[str, float], values: dict[str, float]
    ) -> Progress:
        """Make the event of now."""
        clock, groups = self._clock, self._job.stack.groups
        step, of = self.step(trainer), groups * self._planned
        rate = clock.rate(trainer.step_number)
        steps_left = of - step if phase == "training" else of - (self._position + 1) * self._planned
        left = clock.seconds_left(steps_left, groups * self._tiles_a_group - self._tiles_done)
        elapsed = clock.elapsed
        done = elapsed / (elapsed + left) if left is not None and elapsed + left > 0 else 0.0
        return Progress(
            phase, step, of, trainer.stage, self.group, groups, done, losses, values, record.sigma, trainer.score, rate,
            left, record.curve,
        )  # fmt: skip
