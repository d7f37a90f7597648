"""Do scores without a truth rank methods as the truth does? Kendall's tau for each score and image: a table of docs/scores.md.

Every fast method runs on a central crop of each image, with the response of its result measured; what a run leaves
(picture, response, residual scores) is kept in a folder, so that the benchmark may be stopped and started at will, and scores
may be changed without running anything again. All methods on one crop take about ten minutes on one core.

    python benchmarks/ranking.py --folder runs --threads 1
    python benchmarks/ranking.py --folder runs --cases "Set12 01 s25" Confocal_MICE_1
    python benchmarks/ranking.py --folder runs --table --write docs/scores.md docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cases import DATA, Case, cases, select
from scipy.stats import kendalltau

from napari_lotadenoise.cli.tables import markdown, refresh
from napari_lotadenoise.comparison.noise_map import noise_map
from napari_lotadenoise.comparison.ranking import Closeness, closeness
from napari_lotadenoise.engine import run
from napari_lotadenoise.events import Completed
from napari_lotadenoise.image.stack import Stack, layout_for
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import Blocks, stein
from napari_lotadenoise.options import Options

#: One image of each column of the table of docs/benchmarks.md, more of grey ones.
CASES = (
    "Set12 01 s25", "Set12 03 s25", "BSD68 test004 s25", "Kodak24 kodim03 s25", "BPAE_G Poisson 50",
    "XRay NIH_00000001_000 s10", "TwoPhoton_BPAE_B_1", "TwoPhoton_BPAE_G_1", "TwoPhoton_BPAE_R_1", "Confocal_MICE_1",
    "arabidopsis slices", "WideField_BPAE_B_1", "OCT_Duke 01",
)  # fmt: skip
#: Not here: what needs repeats, and what learns one image in one piece, whose response to a change of it tells nothing.
METHODS_HERE = [name for name, kind in METHODS.items() if not kind.requires.repeats and not kind.tiling.whole]
#: Difference in dB below which two results are as good as each other.
LEVEL = 0.2


class Run(NamedTuple):
    """What a method has left, with its true and its estimated error."""

    method: str
    image: np.ndarray
    psnr: float
    risk: Blocks
    whiteness: float
    structure: float
    ratio: float


def main() -> None:
    options = _parse()
    if options.table:
        for name, text in {"ranking": _table(options.folder), "crops": _qualities(options.folder)}.items():
            print(text)
            for path in options.write or ():
                _write(path, name, text)
        return
    for case in select(cases(options.data), options.cases or list(CASES)):
        for method in options.methods:
            _measure(case, method, options)


def _measure(case: Case, method: str, options: argparse.Namespace) -> None:
    """Run a method on a crop and keep what it leaves, unless it is there."""
    folder = options.folder / f"{case.name.replace(' ', '_').replace(',', '')}_{options.side}"
    target = folder / f"{method}.npz"
    if target.exists():
        return
    pair = case.read().crop(options.side)
    noisy = pair.noisy.astype(np.float32)
    layout = layout_for(noisy.shape, pair.axes)
    folder.mkdir(parents=True, exist_ok=True)
    variance, independent = noise_map(Stack(noisy, layout))
    np.savez(folder / "_input.npz", noisy=noisy, truth=pair.truth, v=variance, peak=pair.peak, indep=independent)
    asked = Options(axes=pair.axes, threads=options.threads, preset="fast", divergence_step=np.sqrt(variance) / 10)
    start = time.process_time()
    *_, last = run(pair.noisy, METHODS[method](**METHODS[method].preset("fast").parameters), None, asked)
    if not isinstance(last, Completed):
        print(f"{case.name} {method}: {last}", flush=True)
        return
    result, seconds = last.result, time.process_time() - start
    found = result.diagnosis
    assert found is not None
    np.savez(
        target, clean=result.image, divergence=result.divergence, seconds=seconds, whiteness=found.whiteness.score,
        structure=found.structure, ratio=found.ratio or 0.0,
    )  # fmt: skip
    print(f"{case.name} {method}: {_psnr(result.image, pair.truth, pair.peak):.2f} dB, {seconds:.0f} s", flush=True)


# ---------------------------------------------------------------- the table


#: Scores, and how a larger one of them is a better result.
SCORES: dict[str, Callable[[Run], float]] = {
    "Stein's estimate": lambda r: -r.risk.mean,
    "whiteness": lambda r: r.whiteness,
    "structure lost": lambda r: -r.structure,
    "residual / noise": lambda r: -abs(np.log(r.ratio)) if r.ratio else 0.0,
}


def _table(folder: Path) -> str:
    lines = [
        "| image | independent | methods | " + " | ".join(SCORES) + " | best by estimate | loses (dB) |",
        "|---|---|---|" + "---|" * len(SCORES) + "---|---|",
    ]
    close: list[bool] = []
    unsure: list[bool] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        runs, independent = _runs(place)
        if len(runs) < 10:
            continue
        truth = [run.psnr for run in runs]
        taus = [_tau([get(run) for run in runs], truth) for get in SCORES.values()]
        best = min(runs, key=lambda run: run.risk.mean)
        cells = [
            _title(place), "yes" if independent else "**no**", str(len(runs)), *taus,
            f"`{best.method}`", f"{max(truth) - best.psnr:.2f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
        if independent:
            close += list(_calls(runs))
            unsure.append(_covered(runs, best))
    right = sum(close)
    lines += [
        "",
        f"*Too close to call*, said of {len(close)} of all pairs on images with independent noise, is right for {right} of them "
        f"({right / max(1, len(close)):.0%}): the true difference is under {LEVEL} dB. The best method by truth, or one within "
        f"{LEVEL} dB of it, is named best or called *perhaps as good* on {sum(unsure)} of {len(unsure)} images.",
    ]
    return "\n".join(lines) + "\n"


def _qualities(folder: Path) -> str:
    """Return the PSNR of every method on every image."""
    places = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    found = {_title(place): {run.method: run.psnr for run in _runs(place)[0]} for place in places}
    rows = [
        [f"`{method}`", *(f"{runs[method]:.2f}" if method in runs else "" for runs in found.values())]
        for method in METHODS_HERE
        if any(method in runs for runs in found.values())
    ]
    return markdown(("method", *found), rows)


def _title(place: Path) -> str:
    return place.name.rsplit("_", 1)[0].replace("_", " ")


def _write(path: Path, name: str, text: str) -> None:
    """Put a text between its marks, where the document has some."""
    document = path.read_text(encoding="utf-8")
    if f"<!-- {name} -->" in document:
        path.write_text(refresh(document, name, text), encoding="utf-8")


def _tau(scores: list[float], truth: list[float]) -> str:
    """Return Kendall's tau, nothing where a score is the same for all."""
    tau = kendalltau(scores, truth)[0]
    return f"{tau:+.2f}" if np.isfinite(tau) else ""


def _calls(runs: list[Run]) -> Iterator[bool]:
    """Tell, for each pair that is called close, whether it is."""
    for index, one in enumerate(runs):
        for other in runs[:index]:
            if _closeness(one, other) is Closeness.LEVEL:
                yield abs(one.psnr - other.psnr) < LEVEL


def _covered(runs: list[Run], best: Run) -> bool:
    """Tell whether one of the truly best is named best, or perhaps as good."""
    top = max(run.psnr for run in runs)
    named = [run for run in runs if run is best or _closeness(run, best) is not Closeness.APART]
    return any(run.psnr > top - LEVEL for run in named)


def _closeness(one: Run, other: Run) -> Closeness:
    better, worse = sorted((one, other), key=lambda run: run.risk.mean)
    return closeness(worse.risk, better.risk, float(np.mean((one.image - other.image) ** 2)))


def _runs(place: Path) -> tuple[list[Run], bool]:
    given = np.load(place / "_input.npz")
    noisy, truth, variance, peak = (given[name] for name in ("noisy", "truth", "v", "peak"))
    found = []
    for path in sorted(place.glob("[a-z]*.npz")):
        left = np.load(path)
        image = left["clean"]
        risk = stein(image, noisy, variance, left["response"])
        numbers = (float(left[name]) for name in ("whiteness", "structure", "ratio"))
        found.append(Run(path.stem, image, _psnr(image, truth, float(peak)), risk, *numbers))
    return [run for run in found if run.method in METHODS_HERE], bool(given["indep"])


def _psnr(image: np.ndarray, truth: np.ndarray, peak: float) -> float:
    return 10 * float(np.log10(peak**2 / np.mean((image.astype(np.float64) - truth) ** 2)))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--cases", nargs="*", help="names of cases, or of columns of the quality table")
    parser.add_argument("--methods", nargs="*", default=METHODS_HERE)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--table", action="store_true", help="print the table of what there is")
    parser.add_argument("--write", type=Path, nargs="*", help="put the tables between their marks in these documents")
    return parser.parse_args()


if __name__ == "__main__":
    main()
