"""NL-Ridge and, where its package is installed, BM3D on Set12 with Gaussian noise of known deviation 25.

    python benchmarks/known_noise.py

Published: NL-Ridge 30.00 dB and BM3D 29.97 dB, means over all twelve images with other draws of the noise.
"""

from __future__ import annotations

import time

import numpy as np
from cases import cases

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.metrics import psnr

SIGMA = 25.0


def main() -> None:
    """Print a table."""
    methods = [name for name in ("nl-ridge", "bm3d") if name in METHODS]
    rows, scores = [], []
    for name, case in cases().items():
        if not (name.startswith("Set12") and name.endswith("s25")):
            continue
        pair = case.read()
        cells = [_measure(method, pair.noisy, pair.truth) for method in methods]
        scores.append([score for score, _ in cells])
        size = " x ".join(map(str, pair.truth.shape))
        rows.append((name, size, *(f"{score:.2f} dB, {seconds:.1f} s" for score, seconds in cells)))
    rows.append(("mean", "", *(f"{score:.2f} dB" for score in np.mean(scores, axis=0))))
    print(markdown(("image", "size", *methods), rows))


def _measure(method: str, noisy: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the PSNR and seconds of the processor, one thread."""
    start = time.process_time()
    result = denoise(noisy, method, "YX", threads=1, sigma=SIGMA, noise="constant")
    return psnr(np.clip(result.image, 0, 255), truth, 255), time.process_time() - start


if __name__ == "__main__":
    main()
