"""Print a hash of the result of every method, and compare it with those of another version.

A change that is meant to leave all results alone is checked with it: run it before and after, on one machine with one
version of torch, since the last bits depend on both.

    python benchmarks/result_hashes.py --out before.json
    python benchmarks/result_hashes.py --out after.json --against before.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.errors import LotaDenoiseError

#: Steps of a training; enough for running averages, scores, stages and stop rules to take part.
STEPS = 60


def images() -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Make small images with signal-dependent noise, by name, with the options of their runs."""
    rng = np.random.default_rng(20)
    y, x = np.mgrid[:72, :80]
    clean = 60 + 50 * np.sin(x / 7) * np.cos(y / 9) + 40 * ((x // 16 + y // 16) % 2)

    def noisy(truth: np.ndarray) -> np.ndarray:
        return (rng.poisson(truth) + rng.normal(0, 3, truth.shape)).astype(np.float32)

    depth = np.stack([np.roll(clean, 2 * z, 1) for z in range(6)])
    return {
        "plane": (noisy(clean), {"axes": "YX"}),
        "volume": (noisy(depth[:, :48, :48]), {"axes": "ZYX", "volume": True}),
        "frames": (noisy(np.stack([clean] * 3)), {"axes": "TYX"}),
        "colour": (noisy(np.stack([clean, 0.7 * clean, clean.T[:72, :72].repeat(2, 1)[:, :80]], -1)), {"axes": "YXS"}),
        "stride": (noisy(clean), {"axes": "YX", "stride": 2}),
    }


def outcome(image: np.ndarray, method: str, preset: str, options: dict[str, Any]) -> str:
    """Hash image and sigma of one run, or name the error that it ends with."""
    steps = {"steps": STEPS} if METHODS[method].presets["fast"].training.steps > 1 else {}
    try:
        result = denoise(image, method, preset=preset, seed=0, threads=1, device="cpu", **options, **steps)
    except LotaDenoiseError as error:
        return type(error).__name__
    digest = hashlib.sha256(np.ascontiguousarray(result.image).tobytes())
    digest.update(repr(result.sigma).encode())
    return digest.hexdigest()[:24]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    found: dict[str, str] = {}
    for method in options.methods.split(","):
        for preset in ("fast", "warm"):
            if preset not in METHODS[method].presets:
                continue
            for name, (image, told) in images().items():
                begun = time.perf_counter()
                key = f"{method} {preset} {name}"
                found[key] = outcome(image, method, preset, told)
                print(f"{key:40} {found[key]} {time.perf_counter() - begun:6.1f} s", flush=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    if options.against is None:
        return 0
    before = json.loads(options.against.read_text())
    changed = [key for key in found if key in before and found[key] != before[key]]
    print(f"{len(found) - len(changed)} of {len(found)} as before.", *(f"changed: {key}" for key in changed), sep="\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
