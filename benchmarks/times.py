"""Estimated time of runs against the processor time that they take, for every method.

    PYTHONPATH=src python benchmarks/times.py
    PYTHONPATH=src python benchmarks/times.py --methods noise2self dip --sizes 512 --seconds 10
    PYTHONPATH=src python benchmarks/times.py --presets paper --more

Images are synthetic, everything runs on one thread of the processor. The machine is calibrated before each run, since others
may be using it too; nothing is cached or corrected. Long trainings are cut after `--seconds`: the time of a step and of the rest
are measured separately, with `until`, and added up to that of the whole schedule. `--more` adds what the automatic choice makes
of each kind of noise, volumes, colours, time series, strides and settings that multiply the cost. The last line names what is
not within a factor of 1.5.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy import ndimage

from napari_lotadenoise import samples
from napari_lotadenoise.api import automatic_settings, resolve
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.compute import speed_cache, speed_probes
from napari_lotadenoise.compute.speeds import Speeds
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import run
from napari_lotadenoise.engine.job import prepare
from napari_lotadenoise.events import Completed, Failed
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.options import Options

#: Factor within which an estimate is right.
RIGHT = 1.5
#: Steps of the shortest of the runs that a long one is made up from; the first ones are slow.
FEW = 10


class Case(NamedTuple):
    """One thing to run."""

    method: str
    preset: str
    shape: tuple[int, ...]
    axes: str
    noise: str = "white"
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def words(self) -> str:
        """Return method, preset, shape, and whatever else is unusual."""
        sizes = " x ".join(f"{axis}{size}" for axis, size in zip(self.axes, self.shape, strict=True))
        more = [self.noise] * (self.noise != "white") + [f"{name}={value}" for name, value in self.changes]
        return " | ".join((self.method, self.preset, ", ".join((sizes, *more))))


#: Kinds of noise: weight of the noise of the neighbours along each axis in that of a pixel.
NOISES = {"white": 0.0, "slightly correlated": 0.12, "correlated": 0.8}
#: Cases beside one plane of white noise.
MORE = (
    *(Case(AUTO, "fast", (size, size), "YX", noise) for size in (256, 1024) for noise in NOISES),
    Case(AUTO, "fast", (16, 256, 256), "ZYX"),
    Case(AUTO, "fast", (512, 512), "YX", changes=(("prior", False),)),
    Case("instant", "fast", (512, 512), "YX", "slightly correlated", (("self_ensemble", True),)),
    Case("noise2self", "fast", (256, 256), "YX", "correlated"),
    Case("lota-n2n", "fast", (1024, 1024), "YX", "correlated"),
    Case("noise2self", "warm", (512, 512), "YX"),
    Case("noise2self", "fast", (16, 128, 128), "ZYX", changes=(("volume", True),)),
    Case("lota-n2n", "fast", (16, 128, 128), "ZYX", changes=(("volume", True),)),
    Case("noise2same", "fast", (16, 128, 128), "ZYX", changes=(("volume", True),)),
    Case("zs-n2n", "fast", (16, 128, 128), "ZYX", changes=(("volume", True),)),
    Case("gaussian", "fast", (16, 128, 128), "ZYX", changes=(("volume", True),)),
    Case("instant", "fast", (16, 256, 256), "ZYX", changes=(("volume", True),)),
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
    arguments = _parse()
    os.environ[speed_cache.FOLDER] = ""
    print(f"torch {torch.__version__}, {_calibrated()}")
    print("| method | preset | image | estimated s | processor s | ratio | ended |\n|---|---|---|---|---|---|---|")
    wrong = []
    for case in _cases(arguments):
        _import(case.method)
        estimated, took, ended = _times(case, arguments.seconds)
        ratio = estimated / took
        print(f"| {case.words} | {estimated:.1f} | {took:.1f} | {ratio:.2f} | {ended} |", flush=True)
        if not 1 / RIGHT <= ratio <= RIGHT:
            wrong.append(f"{case.words.replace(' | ', ' ')} ({ratio:.2f})")
    print(f"\nNot within a factor of {RIGHT}: {'; '.join(wrong) or 'none'}.")


@functools.cache
def _import(name: str) -> None:
    """Run a method on a tiny image, so that what it imports at first use is not measured."""
    if name != AUTO:
        case = _plain(name, "fast", 32)
        method, training, options = _resolved(case, _image(case))
        _run(_image(case), method, dataclasses.replace(training, until=1), options)


def _cases(arguments: argparse.Namespace) -> Iterator[Case]:
    for name in arguments.methods:
        for preset, size in itertools.product(arguments.presets, arguments.sizes):
            if name != AUTO and preset in METHODS[name].presets:
                yield _plain(name, preset, size)
    if arguments.more:
        yield from (case for case in MORE if case.method in arguments.methods)


def _plain(name: str, preset: str, size: int) -> Case:
    """Return the case of a plane, or of the fewest planes that a method takes."""
    frames = (3,) if METHODS[name].requires.repeats else ()
    return Case(name, preset, (*frames, size, size), "TYX"[-2 - len(frames) :])


def _times(case: Case, seconds: float) -> tuple[float, float, str]:
    """Return the estimated time, that of the processor, and why the training ended."""
    image = _image(case)
    method, training, options = _resolved(case, image)
    job = prepare(image, method, training, options)
    machine, planned = _calibrated(), training.planned
    estimated = job.work.seconds(machine)
    one = job.work.training_seconds(machine) / planned  # a step of all groups
    if not method.trained or estimated < seconds or planned <= 2 * FEW:
        return estimated, *_run(image, method, training, options)
    until = min(planned, FEW + max(FEW, round(seconds / one)))
    short, _ = _run(image, method, dataclasses.replace(training, until=FEW), options)
    longer, ended = _run(image, method, dataclasses.replace(training, until=until), options)
    return estimated, short + (longer - short) / (until - FEW) * (planned - FEW), ended


def _calibrated() -> Speeds:
    return Speeds(**speed_probes.measure(torch.device("cpu"), 1))


def _resolved(case: Case, image: np.ndarray) -> tuple[Method, Training, Options]:
    name, settings = case.method, {**dict(case.changes), "threads": 1, "device": "cpu"}
    if name == AUTO:
        name, settings = automatic_settings(image, case.preset, case.axes, settings)
    return resolve(name, case.preset, axes=case.axes, **settings)


def _run(image: np.ndarray, method: Method, training: Training, options: Options) -> tuple[float, str]:
    begun = time.process_time()
    for event in run(image, method, training, options):
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Completed):
            return time.process_time() - begun, event.reason
    raise RuntimeError("the run was discarded")


def _image(case: Case) -> np.ndarray:
    sizes = dict(zip(case.axes, case.shape, strict=True))
    others = int(np.prod([size for axis, size in sizes.items() if axis not in "YX"]))
    planes = _noisy(samples.confocal((others, sizes["Y"], sizes["X"]))[0].astype(np.float32), NOISES[case.noise])
    image = planes.reshape(*(size for axis, size in sizes.items() if axis not in "YXS"), -1, sizes["Y"], sizes["X"])
    return np.moveaxis(image, -3, -1) if "S" in case.axes else image.reshape(case.shape)


def _noisy(planes: np.ndarray, weight: float) -> np.ndarray:
    """Return planes as they are, or blurred and with correlated noise in place of their own."""
    if not weight:
        return planes
    white = np.random.default_rng(0).standard_normal(planes.shape)
    noise = ndimage.correlate1d(ndimage.correlate1d(white, [weight, 1, weight], -1), [weight, 1, weight], -2)
    smooth = ndimage.gaussian_filter(planes, (0, 2, 2))
    return (smooth + 0.2 * smooth.std() * noise / noise.std()).astype(np.float32)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="*", default=[AUTO, *METHODS], choices=[AUTO, *METHODS])
    parser.add_argument("--presets", nargs="*", default=["fast"], choices=["fast", "paper", "warm"])
    parser.add_argument("--sizes", nargs="*", type=int, default=[256, 512], help="sides of square images")
    parser.add_argument("--seconds", type=float, default=12.0, help="of a training that is longer than this")
    parser.add_argument("--more", action="store_true", help="other noise, volumes, colours, series and settings too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
