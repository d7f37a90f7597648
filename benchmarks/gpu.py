"""Speed, memory and gain of every method on this machine's device, without napari: CUDA, MPS or CPU.

Needs nothing but torch, numpy, scipy, scikit-image, PyWavelets, tifffile and this package on the path:

    PYTHONPATH=src python benchmarks/gpu.py
    PYTHONPATH=src python benchmarks/gpu.py --methods zs-n2n --sizes 512x512 --preset paper --repeats 3

The images are synthetic confocal ones with known truth. A stack is denoised slice by slice, and as a volume where the
method can. *Training* counts from the start of the run to the last step, *prediction* from there to the result in main
memory. The first repeat is a warm-up, shown apart: it holds the choice of kernels and the start of the device.

*Share of peak*: the floating-point operations of one training step (convolutions and matrix products, forward and
backward, as counted by torch's FlopCounterMode), over the measured time of such a step, over what one large product of
square matrices reaches on the same device in the same precision. Steps are those at the start of the training.
The product is the best of twenty; on a processor that others use too, the share may come out too large.
"""

from __future__ import annotations

import argparse
import functools
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from napari_lotadenoise import samples
from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.compute.precision import uses_bfloat16
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import run
from napari_lotadenoise.events import Completed, Finished, Progress
from napari_lotadenoise.image.stack import Stack, layout_for
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.normalisation import affine
from napari_lotadenoise.options import Options
from napari_lotadenoise.training.crops import load_training_images
from napari_lotadenoise.training.trainer import Trainer

#: Side of the square matrices whose product measures the peak: large enough to fill the device.
MATRIX = {"cuda": 8192, "mps": 4096, "cpu": 1024}
#: Seconds for which single training steps are timed, after a few that are not.
STEP_SECONDS, WARM_STEPS = 2.0, 3
#: Planned steps of a training of which only the start is timed: it must not come to its end.
MANY = 100_000
HEADER = (
    "| method | image | way | first run s | result s | training s | prediction s | steps | peak MB | noisy dB | result dB | "
    "ms a step | TFLOP/s | peak TFLOP/s | share of peak |"
)


class Work(NamedTuple):
    """One thing to measure: a method on an image, in 2-D or 3-D."""

    method: str
    noisy: np.ndarray
    truth: np.ndarray
    volume: bool

    @property
    def axes(self) -> str:
        """Return the letters of the image's axes."""
        return "ZYX"[-self.noisy.ndim :]

    @property
    def way(self) -> str:
        """Return how the image is taken."""
        return "plane" if self.noisy.ndim == 2 else "volume" if self.volume else "slices"


class Times(NamedTuple):
    """Seconds of one run, and its result."""

    training: float
    prediction: float
    steps: int
    image: np.ndarray


def main() -> None:
    options = _parse()
    device, words = devices.choose(options.device)
    threads = options.threads or process_settings.default_threads()
    print(f"{words}; torch {torch.__version__}, {threads} thread(s), preset {options.preset}")
    print(
        "peak MB: " + ("allocated on the device" if device.type == "cuda" else "resident memory of the process so far")
    )
    print(HEADER)
    print("|---" * (HEADER.count("|") - 1) + "|", flush=True)
    for work in _works(options):
        try:
            print(_row(work, device, threads, options), flush=True)
        except Exception as error:  # the others still want to be measured
            print(f"| {work.method} | {_shape(work)} | {work.way} | {type(error).__name__}: {error} |", flush=True)


def _works(options: argparse.Namespace) -> Iterator[Work]:
    for size in options.sizes:
        noisy, truth = samples.confocal(size if len(size) == 3 else (1, *size))
        if len(size) == 2:
            noisy, truth = noisy[0], truth[0]
        for method in options.methods:
            yield Work(method, noisy, truth, False)
            if len(size) == 3 and 3 in METHODS[method].info.dimensions:
                yield Work(method, noisy, truth, True)


def _row(work: Work, device: torch.device, threads: int, options: argparse.Namespace) -> str:
    changes = {} if options.steps is None else {"steps": options.steps}
    first, *rest = (_timed(work, device, threads, options.preset, changes) for _ in range(options.repeats))
    rest = rest or [first]
    training, prediction = (float(np.median(some)) for some in zip(*(times[:2] for times in rest), strict=True))
    memory = _peak_memory(device)  # of the runs alone: it is read before single steps are measured
    speed = _step_speed(work, device, threads, options.preset)
    peak, image = float(work.truth.max()), rest[-1].image
    cells = (
        work.method, _shape(work), work.way, f"{first.training + first.prediction:.2f}", f"{training + prediction:.2f}",
        f"{training:.2f}", f"{prediction:.2f}", rest[-1].steps, f"{memory:.0f}",
        f"{psnr(work.noisy, work.truth, peak):.2f}", f"{psnr(image, work.truth, peak):.2f}", *speed,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _timed(work: Work, device: torch.device, threads: int, preset: str, changes: dict[str, Any]) -> Times:
    """Run once; the last report of the training, which has waited for the device, parts training from prediction."""
    method, training = configure(METHODS[work.method], preset, volume=work.volume, **changes)
    options = Options(axes=work.axes, volume=work.volume, device=str(device), threads=threads)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    _wait(device)
    start = trained = time.perf_counter()
    for event in run(work.noisy, method, training, options):
        if isinstance(event, Progress) and event.phase == "training":
            _wait(device)
            trained = time.perf_counter()
        if isinstance(event, Finished):
            _wait(device)
            if not isinstance(event, Completed):
                raise RuntimeError(event.reason)
            done = sum(event.result.recipe.steps_done)
            return Times(trained - start, time.perf_counter() - trained, done, event.result.image)
    raise AssertionError("a run ends with Finished")


def _step_speed(work: Work, device: torch.device, threads: int, preset: str) -> tuple[str, ...]:
    """Return the milliseconds of a training step, its TFLOP/s, those of a large product, and the share; for trained methods."""
    method, training = configure(METHODS[work.method], preset, volume=work.volume, steps=MANY)
    if not method.trained:
        return ("-",) * 4
    stack = Stack(work.noisy, layout_for(work.noisy.shape, work.axes, volume=work.volume))
    scale = affine.measure(stack, 0, training.scaling)
    assert scale is not None, "the samples are not constant"
    with process_settings.applied(threads):
        trainer = Trainer(load_training_images(stack, 0, scale, device), method, training, 0, scale.unit)
        for _ in range(WARM_STEPS):
            trainer.step()
        with FlopCounterMode(display=False) as counter:
            trainer.step()
        seconds = _seconds_a_step(trainer, device)
        bfloat16 = uses_bfloat16(training.precision, device, stack.ndim)
        peak = measured_peak(device, torch.bfloat16 if bfloat16 else torch.float32)
    reached = counter.get_total_flops() / seconds
    share = f"{reached / peak:.1%} ({'bfloat16' if bfloat16 else 'float32'})"
    return f"{1000 * seconds:.2f}", f"{reached / 1e12:.3g}", f"{peak / 1e12:.3g}", share


def _seconds_a_step(trainer: Trainer, device: torch.device) -> float:
    _wait(device)
    start, count, bundle = time.perf_counter(), 0, 1 if device.type == "cpu" else 10
    while True:
        # Waiting for a GPU after every step would measure the wait: there, steps are launched in tens.
        for _ in range(bundle):
            trainer.step()
        count += bundle
        _wait(device)
        if (elapsed := time.perf_counter() - start) > STEP_SECONDS:
            return elapsed / count


@functools.cache
def measured_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Return the operations a second of a large matrix product, the best of several.

    In float32 on CUDA the product may use TF32 where convolutions may, or it would not be the same precision.
    """
    side = MATRIX[device.type]
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        return 2 * side**3 / min(_seconds_of_product(a, b, device) for _ in range(20))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _seconds_of_product(a: torch.Tensor, b: torch.Tensor, device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    a @ b
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    """Wait until the device has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _peak_memory(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _shape(work: Work) -> str:
    return " x ".join(map(str, work.noisy.shape))


def _size(text: str) -> tuple[int, ...]:
    size = tuple(int(side) for side in text.split("x"))
    if len(size) not in (2, 3):
        raise argparse.ArgumentTypeError(f"{text} is neither YxX nor ZxYxX")
    return size


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=METHODS, metavar="ID", help="default: all"
    )
    parser.add_argument("--sizes", nargs="+", type=_size, default=[(512, 512), (32, 512, 512)], metavar="[Zx]YxX")
    parser.add_argument("--preset", choices=("fast", "paper"), default="fast")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=int, help="processor threads; default: all processors but one")
    parser.add_argument(
        "--repeats", type=int, default=2, help="the first is the warm-up; the median of the others counts"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
