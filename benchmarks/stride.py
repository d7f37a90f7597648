"""Measure the price of interleaving, which `noise/stride.py` weighs against the noise that is kept.

    python benchmarks/stride.py

Squared error of NL-Ridge on independent noise at strides 1 to 5, in units of that at stride 1, and the regret of the stride
that is chosen on noise that a Gaussian kernel correlates. Crops of photographs and of averages of micrographs.
"""

from __future__ import annotations

import zlib

import numpy as np
from cases import DATA
from scipy import ndimage
from skimage.io import imread

from napari_lotadenoise import denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.noise import best_stride, measure_noise

FILES = (
    "Set12/01.png",
    "Set12/02.png",
    "BSD68/test004.png",
    "FMD/gt/Confocal_MICE_1.png",
    "FMD/gt/TwoPhoton_BPAE_G_1.png",
)
STRIDES = (1, 2, 3, 4, 5)
WIDTHS = (0.0, 0.4, 0.5, 0.65, 0.9, 1.3)
SIDE, SIGMA = 256, 20.0


def main() -> None:
    """Print one table a width of the kernel."""
    for width in WIDTHS:
        rows, prices = [], []
        for name in FILES:
            truth = imread(DATA / name).astype(np.float32)[:SIDE, :SIDE]
            noisy = truth + noise(truth.shape, width, zlib.crc32(name.encode()))
            errors = np.array([error(noisy, truth, stride) for stride in STRIDES])
            chosen = best_stride(measure_noise([noisy]).correlation)
            regret = 10 * np.log10(errors[chosen - 1] / errors.min())
            rows.append((name, *(f"{value:.3f}" for value in errors), str(chosen), f"{regret:.2f}"))
            prices.append(errors / errors[0])
        print(f"Kernel of {width} pixels; errors over the noise variance, chosen stride, regret (dB)")
        print(markdown(("image", *map(str, STRIDES), "chosen", "regret"), rows))
        if not width:
            print("Prices:", np.exp(np.log(prices).mean(0)).round(2))


def noise(shape: tuple[int, ...], width: float, seed: int) -> np.ndarray:
    """Draw noise of deviation `SIGMA` behind a Gaussian kernel."""
    white = np.random.default_rng(seed).standard_normal(shape)
    field = ndimage.gaussian_filter(white, width) if width else white
    return (SIGMA * field / field.std()).astype(np.float32)


def error(noisy: np.ndarray, truth: np.ndarray, stride: int) -> float:
    """Return the squared error of NL-Ridge in units of the noise variance."""
    image = denoise(noisy, "nl-ridge", stride=stride, stabilise="off", threads=1).image
    return float(np.mean((image - truth) ** 2)) / SIGMA**2


if __name__ == "__main__":
    main()
