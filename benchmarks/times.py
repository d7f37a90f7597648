"""The time that is told before a run against the time of the processor that the run takes, for every method.

    PYTHONPATH=src python benchmarks/times.py
    PYTHONPATH=src python benchmarks/times.py --methods noise2self dip --sizes 512 --seconds 10
    PYTHONPATH=src python benchmarks/times.py --presets paper --more

Images are synthetic, everything runs on one thread of the processor. What is told is the estimate for this machine, measured
anew, without what it has learnt from earlier runs. Long trainings are cut after `--seconds`: the time of a step and of the rest
are measured apart, with `until`, and added up to that of the whole schedule. `--more` adds volumes, colours, time series and
hyper-parameters that multiply the cost. The last line names what is not within a factor of 1.5.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_lotadenoise import samples
from napari_lotadenoise.compute import machine
from napari_lotadenoise.contract.method import Method, Training, configure
from napari_lotadenoise.engine import run
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.events import Completed, Failed
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.options import Options

#: Factor within which what is told is right.
RIGHT = 1.5
#: Steps of the shortest of the runs that a long one is made up from; the first ones are slow.
FEW = 10


class Case(NamedTuple):
    """One thing to run."""

    method: str
    preset: str
    shape: tuple[int, ...]
    axes: str
    volume: bool = False
    channels: str = "separate"
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def words(self) -> str:
        """Return method, preset, shape, and whatever else is unusual."""
        sizes = " x ".join(f"{axis}{size}" for axis, size in zip(self.axes, self.shape, strict=True))
        more = ["volume"] * self.volume + [f"{name}={value}" for name, value in self.changes]
        return " | ".join((self.method, self.preset, ", ".join((sizes, *more))))


#: Cases beside one plane: volumes, colours, channels, time series, and settings that multiply the cost.
MORE = (
    Case("noise2self", "fast", (16, 128, 128), "ZYX", volume=True),
    Case("lota-n2n", "fast", (16, 128, 128), "ZYX", volume=True),
    Case("noise2same", "fast", (16, 128, 128), "ZYX", volume=True),
    Case("zs-n2n", "fast", (16, 128, 128), "ZYX", volume=True),
    Case("gaussian", "fast", (16, 128, 128), "ZYX", volume=True),
    Case("instant", "fast", (16, 256, 256), "ZYX", volume=True),
    Case("lota-n2n", "fast", (256, 256, 3), "YXS"),
    Case("gaussian", "fast", (256, 256, 3), "YXS"),
    Case("instant", "fast", (512, 512, 3), "YXS"),
    Case("lota-n2n", "fast", (2, 256, 256), "CYX"),
    Case("noise2void", "fast", (8, 256, 256), "TYX"),
    Case("instant", "fast", (8, 512, 512), "TYX"),
    Case("instant", "fast", (512, 512), "YX", changes=(("self_ensemble", True),)),
    Case("noise2self", "fast", (512, 512), "YX", changes=(("inference", "j-invariant"),)),
    Case("noise2self", "fast", (256, 256), "YX", changes=(("stride", 2),)),
    Case("noise2self", "fast", (256, 256), "YX", changes=(("width", 32), ("ensemble", False))),
    Case("self2self", "fast", (256, 256), "YX", changes=(("passes", 64), ("steps", 500))),
    Case("tv", "fast", (512, 512), "YX", changes=(("inference", "single"),)),
    Case("gaussian", "fast", (512, 512), "YX", changes=(("width", 2.0),)),
    Case("nlm", "fast", (256, 256), "YX", changes=(("distance", 10),)),
)


def main() -> None:
    options = _parse()
    os.environ[machine.FOLDER] = tempfile.mkdtemp()  # nothing that is remembered counts, and nothing is remembered
    speeds = dataclasses.replace(machine.measured(torch.device("cpu"), 1), factor=1.0)
    print(f"torch {torch.__version__}, speeds {speeds}")
    print(
        "| method | preset | image | told s | processor s | told / processor | ended |\n|---|---|---|---|---|---|---|"
    )
    wrong = []
    for case in _cases(options):
        _import(case.method)
        told, took, ended = _times(case, speeds, options.seconds)
        ratio = told / took
        print(f"| {case.words} | {told:.1f} | {took:.1f} | {ratio:.2f} | {ended} |", flush=True)
        if not 1 / RIGHT <= ratio <= RIGHT:
            wrong.append(f"{case.words.replace(' | ', ' ')} ({ratio:.2f})")
    print(f"\nNot within a factor of {RIGHT}: {'; '.join(wrong) or 'none'}.")


@functools.cache
def _import(name: str) -> None:
    """Run a method on a tiny image, so that what it imports at first use is not measured."""
    frames = (3,) if METHODS[name].requires.repeats else ()
    case = Case(name, "fast", (*frames, 32, 32), "TYX"[-2 - len(frames) :])
    method, training = configure(METHODS[name])
    _run(case, _image(case), method, dataclasses.replace(training, until=1))


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for name in options.methods:
        for preset in options.presets:
            for size in options.sizes:
                if preset not in METHODS[name].presets:
                    continue
                frames = (3,) if METHODS[name].requires.repeats else ()
                yield Case(name, preset, (*frames, size, size), "TYX"[-2 - len(frames) :])
    if options.more:
        yield from (case for case in MORE if case.method in options.methods)


def _times(case: Case, speeds: machine.Speeds, seconds: float) -> tuple[float, float, str]:
    """Return the time that is told, that of the processor, and why the training ended."""
    method, training = configure(METHODS[case.method], case.preset, volume=case.volume, **dict(case.changes))
    work = Work.of(case.shape, Layout(case.axes, case.channels, case.volume), method, training)
    told, image = work.seconds(speeds), _image(case)
    one = work.training_seconds(speeds) / training.planned  # a step of all groups
    planned = training.planned
    if not method.trained or told < seconds or planned <= 2 * FEW:
        return told, *_run(case, image, method, training)
    until = min(planned, FEW + max(FEW, round(seconds / one)))
    short, _ = _run(case, image, method, dataclasses.replace(training, until=FEW))
    longer, ended = _run(case, image, method, dataclasses.replace(training, until=until))
    return told, short + (longer - short) / (until - FEW) * (planned - FEW), ended


def _run(case: Case, image: np.ndarray, method: Method, training: Training) -> tuple[float, str]:
    begun = time.process_time()
    options = Options(axes=case.axes, channels=case.channels, volume=case.volume, threads=1, device="cpu")
    for event in run(image, method, training, options):
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Completed):
            return time.process_time() - begun, event.reason
    raise RuntimeError("the run was discarded")


def _image(case: Case) -> np.ndarray:
    sizes = dict(zip(case.axes, case.shape, strict=True))
    others = int(np.prod([size for axis, size in sizes.items() if axis not in "YX"]))
    planes = samples.confocal((others, sizes["Y"], sizes["X"]))[0].astype(np.float32)
    image = planes.reshape(*(size for axis, size in sizes.items() if axis not in "YXS"), -1, sizes["Y"], sizes["X"])
    return np.moveaxis(image, -3, -1) if "S" in case.axes else image.reshape(case.shape)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--presets", nargs="*", default=["fast"], choices=["fast", "paper", "warm"])
    parser.add_argument("--sizes", nargs="*", type=int, default=[256, 512], help="sides of square images")
    parser.add_argument("--seconds", type=float, default=12.0, help="of a training that is longer than this")
    parser.add_argument("--more", action="store_true", help="volumes, colours, series and other settings too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
