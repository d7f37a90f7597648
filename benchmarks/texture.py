"""What the network's say in the measured noise level is worth: blind runs of `instant` with and without it, side by side.

    python benchmarks/texture.py --threads 1

Truths of the benchmarks as if they were noisy (what is lost of a clean image, root mean square in percent of its range);
the same shrunk by two, which takes most of what noise and grain they have; the same with weak Gaussian noise; and real
captures. Nothing is told to either.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
from cases import Pair, cases
from instant import group_of

from napari_lotadenoise import denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.pretrained import level_correction

SIGMAS, LARGEST_LOSS = (3, 5, 15), 0.5


def main() -> None:
    """Measure, print three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    losses, shrunk, gains, real = [], [], {sigma: [] for sigma in SIGMAS}, []
    for name, pair, synthetic in _truths():
        losses.append(_losses(pair.truth, pair.axes, threads))
        shrunk.append(_losses(_shrunk(pair.truth), pair.axes, threads))
        for words, (loss, before) in (("", losses[-1]), (", shrunk", shrunk[-1])):
            print(f"{name}{words}: loses {loss:.2f} %, without the network's say {before:.2f} %", flush=True)
        if not synthetic:
            real.append((name, *(f"{score:.2f}" for score in _scores(pair.noisy, pair, threads))))
            continue
        for sigma in SIGMAS:
            noise = np.random.default_rng(1).normal(0, sigma, pair.truth.shape)
            with_say, without = _scores((pair.truth + noise).astype(np.float32), pair, threads)
            gains[sigma].append(with_say - without)
            print(f"{name} with noise of {sigma}: {with_say:.2f} dB, without {without:.2f} dB", flush=True)
    print(
        markdown(("", "median", "largest", f"over {LARGEST_LOSS} %"), _rows("whole", losses) + _rows("shrunk", shrunk))
    )
    rows = [(str(s), *(f"{f(g):+.2f}" for f in (np.mean, np.min, np.max))) for s, g in gains.items() if g]
    print(markdown(("Gaussian noise", "mean dB", "worst", "best"), rows))
    print(markdown(("capture", "with", "without"), real))


def _truths() -> Iterator[tuple[str, Pair, bool]]:
    """Return each image of the benchmark of `instant` once, and whether its noise is synthetic."""
    seen = set()
    for name, case in cases().items():
        base, _, level = name.rpartition(" s")
        synthetic = level.isdigit()
        base = base if synthetic else name
        if group_of(case) and base not in seen:
            seen.add(base)
            pair = case.read()
            yield base, pair._replace(truth=pair.truth.astype(np.float32)), synthetic


def _both(image: np.ndarray, axes: str, threads: int) -> list[np.ndarray]:
    """Return the image, denoised with and without the network's say in the level."""
    with_say = denoise(image, "instant", axes, threads=threads).image
    with patch.object(level_correction, "corrected_level", lambda fits, _: fits):
        return [with_say, denoise(image, "instant", axes, threads=threads).image]


def _scores(noisy: np.ndarray, pair: Pair, threads: int) -> list[float]:
    return [psnr(np.clip(c, 0, pair.peak), pair.truth, pair.peak) for c in _both(noisy, pair.axes, threads)]


def _losses(truth: np.ndarray, axes: str, threads: int) -> list[float]:
    return [100 * float(np.sqrt(np.mean((c - truth) ** 2)) / np.ptp(truth)) for c in _both(truth, axes, threads)]


def _shrunk(image: np.ndarray) -> np.ndarray:
    """Return the means of 2 x 2 pixels of an image (Y, X) or (Y, X, S)."""
    rows, columns = (size // 2 for size in image.shape[:2])
    return image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, *image.shape[2:]).mean((1, 3))


def _rows(images: str, losses: list[list[float]]) -> list[tuple]:
    rows = []
    for words, found in zip(("with the network's say", "without"), np.transpose(losses), strict=True):
        over = f"{(found > LARGEST_LOSS).sum()} of {len(found)}"
        rows.append((f"{images}, {words}", f"{np.median(found):.2f} %", f"{found.max():.2f} %", over))
    return rows


if __name__ == "__main__":
    main()
