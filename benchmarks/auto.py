"""Does *Auto* choose well? Every capture with a reference, beside a blur of the best width, GAT + BM3D, Instant and NL-Ridge.

    python benchmarks/auto.py [--sets FMD ...] [--keep FILE] [--write docs/benchmarks.md]

PSNR as it is, and after a fit of gain and offset: captures and the means of their field differ by up to 16 % in gain, which
is no noise. Regret is the best column after the fit less Auto's. `--keep` holds the numbers of each capture, so that a run
that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from captures import SETS, Capture, captures, fitted
from cases import DATA
from scipy import ndimage

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.cli.tables import markdown, refresh
from napari_lotadenoise.metrics import psnr

#: Widths of the plain blur, of which the truth tells the best, pixels.
WIDTHS = np.arange(0.4, 5.05, 0.2)
#: Columns, and the arguments of `denoise` that make them.
COLUMNS = {
    "GAT + BM3D": {"method": "bm3d"},
    "nl-ridge": {"method": "nl-ridge"},
    "instant": {"method": "instant"},
    "auto alone": {"prior": False},
    "auto": {},
}
ALL = ("noisy", "best blur", *COLUMNS)
#: What is asked of Auto: mean regret, and how far below Instant it may fall where the noise is independent.
REGRET, BELOW = 0.3, 0.1


def main() -> None:
    """Print a row for each capture, the means of each set, and whether the bars are cleared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--side", type=int, default=512, help="of the central part that is denoised; 0 takes all")
    parser.add_argument("--keep", type=Path, help="file of the numbers of each capture")
    parser.add_argument("--write", type=Path, metavar="FILE")
    told = parser.parse_args()
    kept = json.loads(told.keep.read_text()) if told.keep and told.keep.exists() else {}
    for name in told.sets:
        for capture in captures(told.data, name):
            key = f"{name}: {capture.name}"
            if key not in kept:
                kept[key] = scores(_middle(capture, told.side))
                if told.keep:
                    told.keep.write_text(json.dumps(kept))
            print(key, *(f"{kept[key]['fitted'][column]:.2f}" for column in ALL), kept[key]["choice"], flush=True)
    text = table(kept, told.sets)
    print(text, *bars(kept), sep="\n")
    if told.write:
        told.write.write_text(refresh(told.write.read_text(encoding="utf-8"), "auto", text), encoding="utf-8")


def scores(capture: Capture) -> dict:
    """Return PSNR of each column, plain and after a fit, and what Auto chose."""
    blurs = [ndimage.gaussian_filter(capture.noisy, width) for width in WIDTHS]
    images = {
        "noisy": capture.noisy,
        "best blur": max(blurs, key=lambda image: _psnr(fitted(image, capture.truth), capture)),
    }
    choice = ""
    for name, arguments in COLUMNS.items():
        if arguments.get("method", "nlm") in METHODS:
            result = denoise(capture.noisy, threads=1, **arguments)
            images[name], choice = result.image, f"{result.recipe.method} {result.recipe.training.get('stride', '')}"
        else:
            images[name] = np.full_like(capture.noisy, np.nan)
    plain = {name: _psnr(image, capture) for name, image in images.items()}
    after = {name: _psnr(fitted(image, capture.truth), capture) for name, image in images.items()}
    return {"plain": plain, "fitted": after, "choice": choice, "scaled": capture.scaled}


def table(kept: dict, sets: list[str]) -> str:
    """Return the means of each set, plain and fitted, and the regret."""
    rows = []
    for name in sets:
        mine = [numbers for key, numbers in kept.items() if key.startswith(f"{name}: ")]
        for kind in ("plain", "fitted"):
            if kind == "plain" and mine[0]["scaled"]:
                continue
            means = [np.mean([numbers[kind][column] for numbers in mine]) for column in ALL]
            regret = np.mean([_regret(numbers, kind) for numbers in mine])
            rows.append((f"{name} ({len(mine)})", kind, *(f"{mean:.2f}" for mean in means), f"{regret:.2f}"))
    return markdown(("set (captures)", "PSNR", *ALL, "regret"), rows)


def bars(kept: dict) -> list[str]:
    """Say whether what is asked of Auto is there."""
    regrets = [_regret(numbers, "fitted") for numbers in kept.values()]
    worse = [key for key, numbers in kept.items() if numbers["fitted"]["auto"] < numbers["fitted"]["noisy"] - 0.005]
    below = [key for key, numbers in kept.items() if numbers["fitted"]["auto"] < numbers["fitted"]["instant"] - BELOW]
    return [
        f"mean regret {np.mean(regrets):.2f} dB over {len(regrets)} captures (asked: at most {REGRET})",
        f"worse than the noisy image: {worse or 'none'}",
        f"more than {BELOW} dB below instant: {below or 'none'}",
    ]


def _regret(numbers: dict, kind: str) -> float:
    return float(np.nanmax([numbers[kind][column] for column in ALL])) - numbers[kind]["auto"]


def _psnr(image: np.ndarray, capture: Capture) -> float:
    return float(psnr(image, capture.truth, capture.peak))


def _middle(capture: Capture, side: int) -> Capture:
    if not side:
        return capture
    top, left = (max(0, (n - side) // 2) for n in capture.noisy.shape)
    where = (slice(top, top + side), slice(left, left + side))
    return capture._replace(noisy=capture.noisy[where], truth=capture.truth[where])


if __name__ == "__main__":
    main()
