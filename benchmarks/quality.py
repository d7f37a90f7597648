"""PSNR and SSIM before and after, steps, seconds and peak memory of every method on the images of `cases.py`.

Every measurement runs in a process of its own, so that peak memory is that of the run, and a crash, an error or a
timeout ends nothing but itself. With ``--results`` each one is appended to a file of JSON lines as soon as it is there,
and what the file holds is not measured again: the benchmark may be stopped and started at will, and two of them may
share a file. ``--table`` makes the Markdown tables of such a file.

    python benchmarks/quality.py --methods zs-n2n --cases TwoPhoton_BPAE_G_1 Confocal_MICE_1 --preset both
    python benchmarks/quality.py --results results.jsonl --timeout 3600
    python benchmarks/quality.py --results results.jsonl --preset paper --crop 128 --methods noisy blur zs-n2n
    python benchmarks/quality.py --table results.jsonl
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from cases import COLUMNS, DATA, Case, Pair, cases, select
from table import BASELINES, append, key_of, read, write_into

#: Options of `denoise` that may be changed; a measurement with another value is another measurement.
CHANGES = {"steps": int, "threads": int, "device": str, "stabilise": str}
Row = dict[str, Any]


def main() -> None:
    options = _parse()
    if options.one:
        case, method, preset = options.one
        print(json.dumps(measure(cases(options.data)[case], method, preset, options.crop, _changes(options))))
    elif options.table:
        write_into(options.write, read(options.table))
    elif options.list:
        for case in cases(options.data).values():
            print(f"{case.name:40}{case.column}")
    else:
        run(options)


def run(options: argparse.Namespace) -> None:
    """Measure all that was asked for and is not known yet, one line of a table each."""
    print("| case | method | preset | noisy dB / SSIM | result dB / SSIM | steps | seconds | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for case in _selected(options):
        for method in options.methods:
            presets = (
                ("",) if method in BASELINES else ("fast", "paper") if options.preset == "both" else (options.preset,)
            )
            rows = [_known_or_measured(case, method, preset, options) for preset in presets]
            for row in rows:
                print(_line(row), flush=True)
            if len(rows) == 2 and all(row["status"] == "ok" for row in rows):
                print(_comparison(*rows), flush=True)


def measure(case: Case, method: str, preset: str, crop: int, changes: dict[str, Any]) -> Row:
    """Run one method on one case in this process."""
    pair = case.read().crop(crop)
    before = _scores(pair, pair.noisy)
    if method in BASELINES:
        image, known = _baseline(pair, method, case), {"steps": 0, "seconds": 0.0}
    else:
        image, known = _denoised(pair, method, case, {"preset": preset, **changes})
    after = _scores(pair, image)
    grey = np.repeat(image.mean(-1, keepdims=True), image.shape[-1], -1) if _grey_as_colour(pair) else image
    return {
        "psnr_before": before[0], "ssim_before": before[1], "psnr": after[0], "ssim": after[1],
        "psnr_grey": _scores(pair, grey)[0], **known, "memory_mb": _peak_memory(),
    }  # fmt: skip


def _grey_as_colour(pair: Pair) -> bool:
    return "S" in pair.axes and bool((pair.truth == pair.truth[..., :1]).all())


def _denoised(pair: Pair, method: str, case: Case, options: dict[str, Any]) -> tuple[np.ndarray, Row]:
    from napari_lotadenoise import denoise

    options["volume"] = case.volume
    small = pair.crop(64)
    denoise(small.noisy, method, pair.axes, **{**options, "preset": "fast", "steps": 2})  # imports and warms up
    start, worked = time.perf_counter(), time.process_time()
    result = denoise(pair.noisy, method, pair.axes, **options)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    recipe = result.recipe
    told = {"device": recipe.device, "threads": recipe.threads, "torch": recipe.versions.get("torch", "")}
    told |= {"seconds": seconds, "processor_seconds": worked}
    return result.image, {"steps": sum(recipe.steps_done), "sigma": result.sigma, **told}


def _baseline(pair: Pair, name: str, case: Case) -> np.ndarray:
    """Return the noisy image itself, or its Gaussian blur of the best width, which only the truth can tell."""
    from scipy.ndimage import gaussian_filter

    if name == "noisy":
        return pair.noisy
    image = pair.noisy.astype(np.float32)
    depths = (0.0, 0.5, 1.0) if case.volume else (0.0,)  # width along z as a share of that in the plane
    widths = [
        [width * {"Y": 1.0, "X": 1.0, "Z": depth}.get(axis, 0.0) for axis in pair.axes]
        for width in np.arange(0.3, 5, 0.1)
        for depth in depths
    ]
    return max((gaussian_filter(image, width) for width in widths), key=lambda blurred: _psnr(pair, blurred))


def _scores(pair: Pair, image: np.ndarray) -> tuple[float, float]:
    """Return the PSNR and SSIM (7 x 7 window, mean over planes) of an image that is clipped to its range."""
    from skimage.metrics import structural_similarity

    clipped, truth = np.clip(image.astype(np.float64), 0, pair.peak), pair.truth.astype(np.float64)
    colour = {"channel_axis": -1} if "S" in pair.axes else {}
    planes = zip(clipped, truth, strict=True) if "Z" in pair.axes else [(clipped, truth)]
    similar = [structural_similarity(a, b, data_range=pair.peak, **colour) for a, b in planes]
    return _psnr(pair, image), float(np.mean(similar))


def _psnr(pair: Pair, image: np.ndarray) -> float:
    from napari_lotadenoise.metrics import psnr

    return psnr(np.clip(image.astype(np.float64), 0, pair.peak), pair.truth, pair.peak)


def _peak_memory() -> float:
    """Return the peak resident memory of this process in MB; Linux counts in kilobytes, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _known_or_measured(case: Case, method: str, preset: str, options: argparse.Namespace) -> Row:
    row: Row = {
        "case": case.name, "column": case.column, "field": case.field, "method": method, "preset": preset,
        "crop": options.crop, "options": {} if method in BASELINES else _changes(options),
    }  # fmt: skip
    # Read anew each time: another process may have written to the file.
    known = {key_of(old): old for old in read(options.results)}.get(key_of(row))
    if known is not None and (known["status"] in ("ok", "cannot") or not options.retry):
        return known
    row |= _outcome(case, method, preset, options)
    if options.results:
        append(options.results, row)
    return row


def _outcome(case: Case, method: str, preset: str, options: argparse.Namespace) -> Row:
    """Measure in a process of its own; whatever happens to it becomes a status and a sentence."""
    from napari_lotadenoise.methods import METHODS

    if case.volume and method not in BASELINES and 3 not in METHODS[method].info.dimensions:
        return {"status": "cannot", "error": "a method for planes only"}
    command = [sys.executable, __file__, "--data", str(options.data), "--crop", str(options.crop)]
    command += [f"--{name}={value}" for name, value in _changes(options).items()]
    command += ["--one", case.name, method, preset]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=options.timeout)
    except subprocess.TimeoutExpired:
        return {"status": "timeout", "error": f"not done after {options.timeout:g} s", "seconds": options.timeout}
    if done.returncode:
        return {"status": "error", "error": (done.stderr.splitlines() or [f"exit code {done.returncode}"])[-1]}
    try:
        return {"status": "ok", **json.loads(done.stdout.splitlines()[-1])}
    except (IndexError, ValueError):
        return {"status": "error", "error": "no numbers came back"}


def _line(row: Row) -> str:
    head = f"| {row['case']} | {row['method']} | {row['preset']} |"
    if row["status"] != "ok":
        return f"{head} | {row['status']}: {row['error']} | | | |"
    grey = "" if math.isclose(row["psnr_grey"], row["psnr"]) else f" (mean of colours {row['psnr_grey']:.2f})"
    return (
        f"{head} {row['psnr_before']:.2f} / {row['ssim_before']:.3f} | {row['psnr']:.2f} / {row['ssim']:.4f}{grey} | "
        f"{row['steps']} | {row['seconds']:.1f} | {row['memory_mb']:.0f} |"
    )


def _comparison(fast: Row, paper: Row) -> str:
    gain, ratio = fast["psnr"] - paper["psnr"], paper["seconds"] / fast["seconds"]
    return (
        f"| {fast['case']} | {fast['method']} | fast against paper | | {gain:+.2f} dB | | {ratio:.0f} times faster | |"
    )


def _changes(options: argparse.Namespace) -> Row:
    return {name: value for name in CHANGES if (value := getattr(options, name)) is not None}


def _selected(options: argparse.Namespace) -> list[Case]:
    try:
        return select(cases(options.data), options.cases)
    except ValueError as error:
        sys.exit(str(error))


def _parse() -> argparse.Namespace:
    from napari_lotadenoise.methods import METHODS

    names = (*BASELINES, *METHODS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--cases", nargs="+", metavar="NAME", help=f"cases or columns ({', '.join(COLUMNS)}); default: all columns"
    )
    parser.add_argument(
        "--methods", nargs="+", default=names, choices=names, metavar="ID", help=f"of {', '.join(names)}; default: all"
    )
    parser.add_argument("--preset", choices=("fast", "paper", "both"), default="fast")
    parser.add_argument("--crop", type=int, default=0, metavar="N", help="take the central N x N pixels; 0 takes all")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device")
    parser.add_argument("--stabilise", choices=("auto", "off", "on"), help="default: auto")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="JSON lines to append to, and to skip what they hold"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="of one measurement; default: none")
    parser.add_argument("--retry", action="store_true", help="measure again what ended in an error or a timeout")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print the tables of a results file and end")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the tables between the marks of this file instead"
    )
    parser.add_argument("--list", action="store_true", help="list the cases with their columns and end")
    parser.add_argument("--one", nargs=3, metavar=("CASE", "METHOD", "PRESET"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
