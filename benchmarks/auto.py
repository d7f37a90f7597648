"""Does *Auto* choose well? Its PSNR beside noisy, the best blur by the truth, Instant and NL-Ridge, on every capture.

    python benchmarks/auto.py [SET ...]

Sets with a reference: FMD, PolyU, CC (green channel), OCT, and white noise of deviation 25 on Set12. Regret is the best of
the columns but noisy, less auto.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cases import DATA
from scipy import ndimage
from skimage.io import imread

from napari_lotadenoise import denoise
from napari_lotadenoise.cli.tables import markdown
from napari_lotadenoise.metrics import psnr

#: Widths of the plain blur, of which the truth tells the best, pixels.
WIDTHS = np.arange(0.4, 3.05, 0.2)
COLUMNS = ("best blur", "nl-ridge", "instant", "auto")
SETS = ("FMD", "PolyU", "CC", "OCT", "Set12")


def main() -> None:
    """Print a row for each capture, and the means of each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS, choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--side", type=int, default=0, help="of a central crop; 0 takes all")
    told = parser.parse_args()
    for name in told.sets:
        rows = []
        for capture, noisy, truth in pairs(told.data, name):
            rows.append((capture, *scores(_middle(noisy, told.side), _middle(truth, told.side))))
            print(name, capture, *(f"{value:.2f}" for value in rows[-1][1:]), flush=True)
        values = np.array([row[1:] for row in rows])
        cells = [("mean", *(f"{value:.2f}" for value in values.mean(0)))]
        print(markdown((name, "noisy", *COLUMNS, "regret"), cells))


def scores(noisy: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """Return PSNR of the noisy image and of each column, and the regret."""
    blurs = [psnr(ndimage.gaussian_filter(noisy, width), truth, 255) for width in WIDTHS]
    images = [denoise(noisy, method, threads=1).image for method in COLUMNS[1:]]
    found = [float(max(blurs)), *(float(psnr(image, truth, 255)) for image in images)]
    return float(psnr(noisy, truth, 255)), *found, max(found) - found[-1]


def pairs(data: Path, name: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Read the captures of a set with their references, float32."""
    if name == "Set12":
        for path in sorted((data / name).glob("*.png")):
            truth = _green(path)
            yield (
                path.stem,
                truth + np.random.default_rng(int(path.stem)).normal(0, 25, truth.shape).astype("f4"),
                truth,
            )
        return
    patterns = {"FMD": "raw/*.png", "PolyU": "*real.JPG", "CC": "*_real.png", "OCT": "*/test.tif"}
    for path in sorted((data / {"OCT": "OCT_Duke"}.get(name, name)).glob(patterns[name])):
        other = str(path).replace("/raw/", "/gt/").replace("real", "mean").replace("test.tif", "average.tif")
        yield f"{path.parent.name} {path.stem}", _green(path), _green(Path(other))


def _green(path: Path) -> np.ndarray:
    image = imread(path)
    return (image[..., 1] if image.ndim == 3 else image).astype(np.float32)


def _middle(image: np.ndarray, side: int) -> np.ndarray:
    if not side:
        return image
    top, left = (max(0, (n - side) // 2) for n in image.shape)
    return image[top : top + side, left : left + side]


if __name__ == "__main__":
    main()
