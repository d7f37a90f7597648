"""The shipped network against BM3D on the same inputs: quality by kind of image, time by size.

    python benchmarks/instant.py --results instant.jsonl --threads 2       (BM3D: pip install bm3d, not for commercial use)
    python benchmarks/instant.py --speed
    python benchmarks/instant.py --volumes

Gaussian noise is known to both; on real captures both stand behind the same blind fit and the same variance
stabilisation. None of these images was trained on or looked at when the training was set up. Rows that are in the file of
results are not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cases import SIGMAS, Case, Pair, cases

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.samples import confocal

METHODS_COMPARED = ("instant", "bm3d")
#: Sides of square images whose time is measured, and the size of a stack.
SIDES, STACK, REPEATS = (256, 512, 1024), (32, 512, 512), 5


def main() -> None:
    """Measure what is missing, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("instant.jsonl"))
    parser.add_argument("--methods", nargs="*", default=[name for name in METHODS_COMPARED if name in METHODS])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--self-ensemble", action="store_true", help="a column for the mean of eight views as well")
    parser.add_argument("--speed", action="store_true", help="measure times only")
    parser.add_argument(
        "--volumes", action="store_true", help="compare volumes denoised as such and plane by plane only"
    )
    told = parser.parse_args()
    if told.volumes:
        print(markdown(("volume", "size", "plane by plane", "as a volume"), list(_volumes(told.threads))))
        return
    if told.speed:
        print(markdown(("size", "one pass", "with fit", "whole run"), _times(told.threads)))
        return
    columns = [*told.methods, *(["instant x8"] if told.self_ensemble else [])]
    for case in _chosen():
        for column in columns:
            _measure(case, column, told)
    print(markdown(("images", "number", *columns), _rows(_read(told.results), columns)))


def group_of(case: Case) -> str:
    """Return the row of the table that an image belongs to; empty for images that are in none."""
    folder, last = case.name.split(" ")[0], case.name.split(" ")[-1]
    if folder in ("Set12", "BSD68", "Kodak24"):
        return f"{folder} {last}"
    if folder == "XRay":
        return "X-ray s10" if "16747" not in case.name else ""  # a large one, in which BM3D takes minutes
    if folder.startswith(("Confocal", "TwoPhoton", "WideField")) and folder.endswith(("_1", "_FOV1")):
        return f"FMD {folder.split('_')[0].lower()}"
    return ""


def _chosen() -> list[Case]:
    # Colour crops are what BM3D takes longest for.
    return sorted((case for case in cases().values() if group_of(case)), key=lambda case: "Kodak" in case.name)


def _measure(case: Case, column: str, told: argparse.Namespace) -> None:
    if any(row["case"] == case.name and row["method"] == column for row in _read(told.results)):
        return
    pair = case.read()
    method, _, eight = column.partition(" ")
    options: dict[str, object] = {"self_ensemble": True} if eight else {}
    level = case.name.rsplit(" s", 1)[-1]
    if level in {*map(str, SIGMAS), "10"}:
        options |= {"sigma": float(level), "noise": "constant"}
    start = time.perf_counter()
    result = denoise(pair.noisy, method, pair.axes, threads=told.threads, **options)
    seconds = time.perf_counter() - start
    found = psnr(np.clip(result.image, 0, pair.peak), pair.truth, pair.peak)
    row = {
        "case": case.name,
        "group": group_of(case),
        "field": case.field,
        "method": column,
        "psnr": found,
        "s": seconds,
    }
    with told.results.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(f"{case.name}: {column} {found:.2f} dB, {seconds:.2f} s", flush=True)


def _read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _rows(found: list[dict], columns: list[str]) -> list[tuple]:
    """Return the means over fields of view, of which the means over captures are taken first."""
    scores: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in found:
        scores[row["group"]][row["method"]][row["field"]].append(row["psnr"])
    rows = []
    for group, by_method in scores.items():
        means = [np.mean([np.mean(v) for v in by_method[c].values()]) if by_method[c] else np.nan for c in columns]
        rows.append((group, str(sum(map(len, by_method[columns[0]].values()))), *(f"{mean:.2f} dB" for mean in means)))
    return rows


def _volumes(threads: int) -> Iterator[tuple]:
    """Return what the neighbouring planes are worth: the synthetic sample (the peak is its maximum), and a real embryo."""
    noisy, truth = confocal()
    pairs = {"synthetic sample": Pair(noisy, truth, "ZYX", float(truth.max()))}
    pairs |= {name: case.read() for name, case in cases().items() if name == "arabidopsis volume"}
    for name, pair in pairs.items():
        images = [denoise(pair.noisy, "instant", "ZYX", volume=v, threads=threads).image for v in (False, True)]
        scores = (psnr(np.clip(image, 0, pair.peak), pair.truth, pair.peak) for image in images)
        yield name, " x ".join(map(str, pair.truth.shape)), *(f"{score:.2f} dB" for score in scores)


def _times(threads: int) -> list[tuple]:
    """Return the best of some runs: the pass alone, with the fit of the noise, and all that `denoise` does."""
    import torch

    from napari_lotadenoise.compute.process_settings import applied
    from napari_lotadenoise.contract.method import configure
    from napari_lotadenoise.normalisation.affine import Scale
    from napari_lotadenoise.prediction.predictor import Predictor
    from napari_lotadenoise.prediction.tiling import Tile
    from napari_lotadenoise.training.trainer import Trainer

    unscaled = Scale(np.zeros(1, np.float32), np.ones(1, np.float32))

    rows = []
    rng = np.random.default_rng(0)
    for shape in (*((side, side) for side in SIDES), STACK):
        image = rng.poisson(50, shape).astype(np.float32)
        volume = len(shape) == 3
        method, training = configure(METHODS["instant"], volume=volume)
        training_images = torch.from_numpy(image)[None, None] / 10
        with applied(threads):
            predictor = Predictor.of(Trainer(training_images, method, training, 0), unscaled)
            tile = Tile.whole(training_images)
            one = _best(lambda predictor=predictor, tile=tile: list(predictor.outputs(tile)))
            fit = _best(lambda training_images=training_images, method=method: method.prepare(training_images))
        axes = "ZYX" if volume else "YX"
        whole = _best(
            lambda image=image, axes=axes: denoise(image, "instant", axes, volume=len(axes) == 3, threads=threads)
        )
        size = " x ".join(map(str, shape))
        rows.append((size, f"{one:.3f} s", f"{one + fit:.3f} s", f"{whole:.3f} s"))
    return rows


def _best(action) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
