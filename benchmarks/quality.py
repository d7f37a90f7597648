"""PSNR and SSIM before and after, steps, seconds and peak memory of every method on real and synthetic images.

Uses the development images where their folder is given (``--data``, by default ``../shared/data`` beside the
repository), else the synthetic samples and an image that scikit-image bundles. Every measurement runs in a process of
its own, so that peak memory is that of the run. With ``--preset both`` the presets run in turn and are compared.

    python benchmarks/quality.py --methods zs-n2n --cases TwoPhoton_BPAE_G_1 Confocal_MICE_1 --preset both
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Pair = tuple[np.ndarray, np.ndarray, str, float]  # noisy, truth, axes, peak
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def cases(data: Path) -> dict[str, Callable[[], Pair]]:
    """Every case by its name; files are read when a case is called."""
    found: dict[str, Callable[[], Pair]] = {
        "synthetic confocal": lambda: _sample("confocal"),
        "synthetic nuclei": lambda: _sample("nuclei"),
        "synthetic radiograph": lambda: _sample("xray"),
        "camera s25": _camera,
    }
    for path in sorted((data / "FMD" / "raw").glob("*_1.png")):
        found[path.stem] = lambda path=path: _files(path, path.parents[1] / "gt" / path.name)
    lota = data / "Confocal_FMD_FOV1" / "gt" / "BPAE_G.tif"
    if lota.is_file():
        found["BPAE_G Poisson 50"] = lambda: _poisson(lota, copies=1)
        found["BPAE_G Poisson 50, as RGB"] = lambda: _poisson(lota, copies=3)
    for path in sorted((data / "Set12").glob("*.png"))[:3]:
        found[f"Set12 {path.stem} s25"] = lambda path=path: _gaussian(path, 25)
    for path in sorted((data / "XRay").glob("NIH*.png"))[:1]:
        found[f"XRay {path.stem} s10"] = lambda path=path: _gaussian(path, 10)
    return found


def measure(case: str, method: str, preset: str, data: Path, options: dict[str, float]) -> dict[str, float]:
    """Run one method on one case in this process."""
    import resource

    from skimage.metrics import structural_similarity

    from napari_lotadenoise import denoise
    from napari_lotadenoise.metrics import psnr

    noisy, truth, axes, peak = cases(data)[case]()
    colour = "S" in axes
    denoise(noisy[..., :64, :64, :] if colour else noisy[..., :64, :64], method, axes, steps=1)  # imports and warms up
    start = time.perf_counter()
    result = denoise(noisy, method, axes, preset=preset, **options)
    seconds = time.perf_counter() - start

    def scores(image: np.ndarray) -> tuple[float, float]:
        image = np.clip(image.astype(np.float64), 0, peak)
        plane = (0,) * (truth.ndim - 2) if not colour else ()
        similarity = structural_similarity(
            image[plane], truth[plane].astype(np.float64), data_range=peak, channel_axis=-1 if colour else None
        )
        return psnr(image, truth, peak), float(similarity)

    before, after = scores(noisy), scores(result.image)
    return {
        "psnr_before": before[0], "ssim_before": before[1], "psnr": after[0], "ssim": after[1],
        "psnr_grey": scores(np.repeat(result.image.mean(-1, keepdims=True), 3, -1))[0] if colour else after[0],
        "steps": float(sum(result.recipe.steps_done)), "seconds": seconds,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cases", nargs="+", help="default: all that there are")
    parser.add_argument("--methods", nargs="+", default=["lota-n2n", "zs-n2n", "noise2self", "nlm"])
    parser.add_argument("--preset", choices=("fast", "paper", "both"), default="fast")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--one", nargs=3, metavar=("CASE", "METHOD", "PRESET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    changes = {name: value for name in ("steps", "threads") if (value := getattr(options, name)) is not None}
    if options.one:
        print(json.dumps(measure(*options.one, options.data, changes)))
        return
    names = options.cases or list(cases(options.data))
    presets = ("fast", "paper") if options.preset == "both" else (options.preset,)
    print("| case | method | preset | noisy dB / SSIM | result dB / SSIM | steps | seconds | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        for method in options.methods:
            rows = {preset: _in_a_process(name, method, preset, options) for preset in presets}
            for preset, row in rows.items():
                print(_line(name, method, preset, row), flush=True)
            if len(rows) == 2:
                ratio = rows["paper"]["seconds"] / rows["fast"]["seconds"]
                gain = rows["fast"]["psnr"] - rows["paper"]["psnr"]
                print(
                    f"| {name} | {method} | fast against paper | | {gain:+.2f} dB | | {ratio:.0f} times faster | |",
                    flush=True,
                )


def _in_a_process(case: str, method: str, preset: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--data", str(options.data), "--one", case, method, preset]
    command += [f"--{name}={value}" for name in ("steps", "threads") if (value := getattr(options, name)) is not None]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _line(case: str, method: str, preset: str, row: dict[str, float]) -> str:
    grey = f" (mean of colours {row['psnr_grey']:.2f})" if row["psnr_grey"] != row["psnr"] else ""
    return (
        f"| {case} | {method} | {preset} | {row['psnr_before']:.2f} / {row['ssim_before']:.3f} | "
        f"{row['psnr']:.2f} / {row['ssim']:.4f}{grey} | {row['steps']:.0f} | {row['seconds']:.1f} | {row['memory_mb']:.0f} |"
    )


def _sample(name: str) -> Pair:
    from napari_lotadenoise import samples

    noisy, truth = getattr(samples, name)()
    return noisy, truth, "ZYX" if truth.ndim == 3 else "YX", float(truth.max())


def _camera() -> Pair:
    from skimage import data

    truth = data.camera().astype(np.float32)
    return truth + np.random.default_rng(0).normal(0, 25, truth.shape).astype(np.float32), truth, "YX", 255.0


def _grey(path: Path) -> np.ndarray:
    from skimage import io

    image = io.imread(path)
    return image if image.ndim == 2 else image[..., 0]


def _files(noisy: Path, truth: Path) -> Pair:
    return _grey(noisy), _grey(truth).astype(np.float32), "YX", 255.0


def _gaussian(path: Path, sigma: float) -> Pair:
    import zlib

    truth = _grey(path).astype(np.float32)
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    return truth + rng.normal(0, sigma, truth.shape).astype(np.float32), truth, "YX", 255.0


def _poisson(path: Path, copies: int) -> Pair:
    """Poisson noise of 50 photons at full scale; `copies` colours of the same grey image with noise of their own."""
    truth = _grey(path).astype(np.float32) / 255
    noisy = [np.random.default_rng(seed).poisson(50 * truth).astype(np.float32) / 50 for seed in range(copies)]
    if copies == 1:
        return noisy[0], truth, "YX", 1.0
    return np.stack(noisy, -1), np.stack([truth] * copies, -1), "YXS", 1.0


if __name__ == "__main__":
    main()
