"""What denoising does to intensities: spots of known size and brightness under photon noise, measured before and after.

    python benchmarks/quantification.py [--methods auto lota-n2n gaussian median] [--photons 20]

For each method and each width of the spots: the sum of the intensity around a spot and its peak, over the truth (1 is right),
with the spread from spot to spot; and the same of the noisy image. The background is subtracted, as whoever measures spots does.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import ndimage

from napari_lotadenoise import denoise

#: Side of the image, spots in it, their distance from each other, and the side of the window around one that is summed.
SIDE, SPOTS, APART, WINDOW = 384, 100, 36, 15
#: Widths of the spots (standard deviation in pixels) and background in photons.
WIDTHS, BACKGROUND = (0.8, 1.2, 2.0, 4.0), 5.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["auto", "lota-n2n", "noise2self", "gaussian", "median"])
    parser.add_argument("--photons", type=float, default=20.0, help="photons at the middle of a spot")
    told = parser.parse_args()
    print("| method | width | sum / truth | peak / truth |\n|---|---|---|---|")
    for width in WIDTHS:
        truth, places = spots(width, told.photons)
        noisy = np.random.default_rng(0).poisson(truth).astype(np.float32)
        results = {"noisy": noisy} | {name: denoise(noisy, name, threads=1).image for name in told.methods}
        for name, image in results.items():
            total, peak = ratios(image, truth, places)
            print(f"| {name} | {width} | {_words(total)} | {_words(peak)} |", flush=True)


def spots(width: float, photons: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of spots on a grid, with a background, and their places."""
    row = np.arange(APART // 2, SIDE - APART // 2, APART)
    places = np.array([(y, x) for y in row for x in row])[:SPOTS]
    image = np.zeros((SIDE, SIDE))
    image[places[:, 0], places[:, 1]] = 1
    image = ndimage.gaussian_filter(image, width)
    return BACKGROUND + photons * image / image.max(), places


def ratios(image: np.ndarray, truth: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sum and peak of each spot over those of the truth, less the background far from all of them."""
    far = ndimage.distance_transform_edt(truth <= BACKGROUND + 1e-3) > 0
    level = float(np.median(image[far])) if far.any() else BACKGROUND
    reach = WINDOW // 2
    windows = [(slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1)) for y, x in places]
    total = np.array([(image[w] - level).sum() / (truth[w] - BACKGROUND).sum() for w in windows])
    peak = np.array([(image[y, x] - level) / (truth[y, x] - BACKGROUND) for y, x in places])
    return total, peak


def _words(values: np.ndarray) -> str:
    return f"{values.mean():.2f} ± {values.std():.2f}"


if __name__ == "__main__":
    main()
