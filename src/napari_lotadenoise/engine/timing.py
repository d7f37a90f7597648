"""The time that is told before a run, on the machine that it runs on, and what the machine learns from how long it took."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lotadenoise.compute import machine
from napari_lotadenoise.engine.work import Work

if TYPE_CHECKING:
    import torch

    from napari_lotadenoise.contract.method import Method, Training
    from napari_lotadenoise.engine.job import Job
    from napari_lotadenoise.image.stack import Layout
    from napari_lotadenoise.options import Options

#: Seconds that a run must have been expected to take to say something of the machine: shorter ones are first imports.
TELLING = 2.0


def told(
    shape: tuple[int, ...], layout: Layout, method: Method, training: Training, options: Options, device: torch.device
) -> float:
    """Estimate the seconds of a run whose options are resolved; at the first one on a device, its speed is measured."""
    speeds = machine.measured(device, options.threads or 1)
    return Work.of(shape, layout, method, training).seconds(speeds, **_circumstances(method, options))


def learn(job: Job, seconds: float) -> None:
    """Let the machine learn from a run that took all its steps without a pause."""
    threads = job.options.threads or 1
    speeds = dataclasses.replace(machine.measured(job.device, threads), factor=1.0)
    work = Work.of(tuple(job.image.shape), job.layout, job.method, job.training)
    expected = work.seconds(speeds, **_circumstances(job.method, job.options))
    if expected >= TELLING:
        machine.learn(job.device, threads, seconds / expected)


def _circumstances(method: Method, options: Options) -> dict[str, Any]:
    """Count predictions: one, one for the divergence, and one for each snapshot of a training."""
    more = bool(np.any(options.divergence_step)) + (options.snapshots if method.trained else 0)
    return {"predictions": 1 + more, "watched": options.view_request is not None}
