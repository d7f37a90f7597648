"""Estimated time of a run, and correction of the speeds of the machine by the time that it took. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_lotadenoise.compute import speeds
from napari_lotadenoise.compute.speeds import Speeds
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from napari_lotadenoise.engine.job import Job

#: Seconds that a run must have been estimated to take to say something of the machine: in shorter ones, first imports count.
LONG_ENOUGH = 2.0


def estimate(work: Work, options: Options, machine: Speeds, *, watched: bool = False) -> float:
    """Estimate the seconds of a run.

    Predictions are counted: one, one for the divergence, and one for each snapshot of a training.

    Parameters
    ----------
    work : Work
    options : Options
    machine : Speeds
    watched : bool
        Whether previews are made on the way, be there a view request already or not.
    """
    more = bool(np.any(options.divergence_step)) + (options.snapshots if work.method.trained else 0)
    return work.seconds(machine, predictions=1 + more, watched=watched or options.view_request is not None)


def correct_speeds(job: Job, seconds: float) -> None:
    """Correct the speeds of the machine by a run that took all its steps without a pause."""
    threads = job.options.threads or 1
    estimated = estimate(job.work, job.options, speeds.calibrated(job.device, threads).uncorrected)
    if estimated >= LONG_ENOUGH:
        speeds.correct(job.device, threads, seconds / estimated)
