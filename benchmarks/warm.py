"""Warm against cold start: methods that go on with the shipped network, beside their own `fast` preset and the network alone.

    python benchmarks/warm.py --steps 25 100 300

Central 256 x 256 pixels, one thread; decibels and seconds of the processor. Noise2Noise sees four captures of the field as a
time series (where there are any) and is scored on the first; the others see the first one.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from cases import Pair, cases

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.metrics import psnr

CASES = (
    "Confocal_MICE_1",
    "TwoPhoton_BPAE_B_1",
    "TwoPhoton_BPAE_G_1",
    "Set12 01 s25",
    "BSD68 test004 s25",
    "XRay NIH_00000001_000 s10",
)
SIDE = 256


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="*", default=[m.id for m in METHODS.values() if "warm" in m.presets])
    parser.add_argument("--steps", nargs="*", type=int, default=[25, 100, 300])
    parser.add_argument("--cases", nargs="*", default=list(CASES))
    told = parser.parse_args()
    rows = [("instant", "", *_cells("instant", told.cases))]
    for method in told.methods:
        rows.append((method, "fast", *_cells(method, told.cases)))
        rows += [(method, f"warm, {n} steps", *_cells(method, told.cases, preset="warm", steps=n)) for n in told.steps]
    print(markdown(("method", "start", *told.cases, "mean", "seconds"), rows))


def _cells(method: str, names: list[str], **options: object) -> list[str]:
    scores, seconds = [], []
    for name in names:
        pair = _frames(name) if METHODS[method].requires.repeats else cases()[name].read().crop(SIDE)
        if pair is None:
            scores.append(np.nan)
            continue
        start = time.process_time()
        image = denoise(pair.noisy, method, pair.axes, threads=1, **options).image
        seconds.append(time.process_time() - start)
        first = image[0] if pair.axes.startswith("T") else image
        scores.append(psnr(np.clip(first, 0, 255), pair.truth, 255))
    print(method, options, [f"{score:.2f}" for score in scores], f"{np.mean(seconds):.1f} s", flush=True)
    cells = ["" if np.isnan(score) else f"{score:.2f}" for score in scores]
    return [*cells, f"{np.nanmean(scores):.2f}", f"{np.mean(seconds):.1f}"]


def _frames(name: str) -> Pair | None:
    """Return the four captures of the field of one, as a time series."""
    stem = name.removesuffix("1")
    if f"{stem}4" not in cases():
        return None
    pairs = [cases()[f"{stem}{number}"].read().crop(SIDE) for number in (1, 2, 3, 4)]
    return pairs[0]._replace(noisy=np.stack([pair.noisy for pair in pairs]), axes="TYX")


if __name__ == "__main__":
    main()
