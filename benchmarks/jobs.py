"""Memory, time and throughput of images larger than memory, from learning to pyramid.

    python benchmarks/jobs.py                  # three sizes, one process: peak memory and time per megavoxel
    python benchmarks/jobs.py --executors      # one size: serial, two processes, Dask, parts; bits and ratios
    python benchmarks/jobs.py --kill 10        # killed at random moments and gone on with: bits

Peak memory is the sum of the resident memory of all processes, looked at every 50 ms. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import zarr

from napari_lotadenoise import io

COMMAND = [sys.executable, "-m", "napari_lotadenoise.cli"]


def make(path: Path, planes: int, side: int) -> None:
    """Write a stack of blobs with photon noise, uint16, plane by plane."""
    if path.exists():
        return
    rng = np.random.default_rng(0)
    array = zarr.create_array(path, shape=(planes, side, side), dtype=np.uint16, chunks=(1, 512, 512))
    y, x = np.mgrid[:side, :side].astype(np.float32)
    clean = 60 + 40 * np.sin(x / 9) * np.cos(y / 7)
    for z in range(planes):
        array[z] = rng.poisson(clean * (1 + 0.3 * np.sin(z / 5))).astype(np.uint16)


def watched(arguments: list[str], kill_after: float | None = None) -> tuple[float, float, int, list[tuple[float, str]]]:
    """Run a command; return its seconds, the peak memory of its processes in GB, its exit code and what it said when."""
    begun, peak = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([*COMMAND, *arguments], stderr=said, start_new_session=True)
        family = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, resident(family))
            if kill_after is not None and time.monotonic() - begun > kill_after:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            time.sleep(0.05)
        said.seek(0)
        if process.returncode not in (0, -signal.SIGKILL):
            sys.exit(said.read())
        return time.monotonic() - begun, peak / 2**30, process.returncode, []


def resident(family: psutil.Process) -> int:
    """Return the resident memory of a process and its children."""
    total = 0
    try:
        for one in [family, *family.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def same(one: Path, other: Path) -> bool:
    """Tell whether two results have the same pixels, plane by plane."""
    a, b = (io.open_source(path).data for path in (one, other))
    return a.shape == b.shape and all(np.array_equal(a[z], b[z]) for z in range(a.shape[0]))


def sizes(folder: Path, options: argparse.Namespace) -> None:
    """Print memory and time for one, two and four times the planes."""
    print("planes  seconds  s/megavoxel  peak GB")
    for planes in (options.planes, 2 * options.planes, 4 * options.planes):
        source, out = folder / f"{planes}.zarr", folder / f"{planes}-clean.zarr"
        make(source, planes, options.side)
        shutil.rmtree(out, ignore_errors=True)
        learnt, peak, *_ = watched(["learn", str(source), "--axes", "ZYX", "--out", str(folder / "m.safetensors"),
                                    "--overwrite", "--quiet", *options.method])  # fmt: skip
        applied, peak_applied, *_ = watched(
            ["apply", str(folder / "m.safetensors"), str(source), str(out), "--axes", "ZYX", "--quiet"]
        )
        megavoxels = planes * options.side**2 / 1e6
        print(f"{planes:6}  {learnt + applied:7.0f}  {applied / megavoxels:11.3f}  {max(peak, peak_applied):7.2f}"
              f"   (learning {learnt:.0f} s)", flush=True)  # fmt: skip
        shutil.rmtree(out)


def prepared(folder: Path, options: argparse.Namespace) -> tuple[Path, Path, Path]:
    """Return source, model and the undisturbed result."""
    source, model, wanted = folder / "source.zarr", folder / "m.safetensors", folder / "wanted.zarr"
    make(source, options.planes, options.side)
    watched(["learn", str(source), "--axes", "ZYX", "--out", str(model), "--overwrite", "--quiet", "--threads", "1",
             *options.method])  # fmt: skip
    return source, model, wanted


def executors(folder: Path, options: argparse.Namespace) -> None:
    """Print time and bits of every way to get through the blocks."""
    source, model, wanted = prepared(folder, options)
    ways = {
        "serial": [[]],
        "two processes": [["--workers", "2"]],
        "Dask, two workers": [["--scheduler", "local", "--workers", "2"]],
        "parts 1/2, 2/2": [["--part", "1/2"], ["--part", "2/2"]],
    }
    first = 0.0
    print("way                  seconds  ratio  peak GB  same bits")
    for name, runs in ways.items():
        out = wanted if name == "serial" else folder / "other.zarr"
        shutil.rmtree(out, ignore_errors=True)
        done = [
            watched(["apply", str(model), str(source), str(out), "--axes", "ZYX", "--quiet", *more]) for more in runs
        ]
        seconds = sum(one[0] for one in done)
        first = first or seconds
        bits = "yes" if same(out, wanted) else "NO"
        print(
            f"{name:20} {seconds:7.1f}  {first / seconds:5.2f}  {max(one[1] for one in done):7.2f}  {bits}", flush=True
        )


def kills(folder: Path, options: argparse.Namespace) -> None:
    """Kill a run at random moments, go on with it, and compare the bits."""
    source, model, wanted = prepared(folder, options)
    command = ["apply", str(model), str(source), "--axes", "ZYX", "--quiet"]
    seconds, *_ = watched([*command[:3], str(wanted), *command[3:]])
    chance = random.Random(0)
    equal = 0
    for number in range(options.kill):
        out = folder / "killed.zarr"
        shutil.rmtree(out, ignore_errors=True)
        moment = chance.uniform(0.3, seconds)
        _, _, code, _ = watched([*command[:3], str(out), *command[3:]], kill_after=moment)
        if code:
            watched([*command[:3], str(out), *command[3:]])
        equal += same(out, wanted)
        print(f"kill {number + 1} after {moment:.1f} s of {seconds:.1f} s: {'same bits' if equal == number + 1 else 'DIFFERENT'}",
              flush=True)  # fmt: skip
    print(f"{equal} of {options.kill} the same")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planes", type=int, default=64)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--method", nargs="+", default=["zs-n2n"], help="id, then options of learn")
    parser.add_argument("--executors", action="store_true")
    parser.add_argument("--kill", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, help="where to work; default a temporary one")
    options = parser.parse_args()
    options.method = ["--method", *options.method]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        action = executors if options.executors else kills if options.kill else sizes
        action(folder, options)


if __name__ == "__main__":
    main()
