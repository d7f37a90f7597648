"""Captures of real noise with a reference, of every data set that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from skimage.io import imread


class Capture(NamedTuple):
    """A noisy image and its reference, float32, and the range that PSNR refers to.

    `scaled` says that the reference has another gain and offset than the image, so that only a PSNR after a fit of both counts.
    """

    name: str
    noisy: np.ndarray
    truth: np.ndarray
    peak: float = 255.0
    scaled: bool = False


def captures(data: Path, name: str) -> Iterator[Capture]:
    """Read the captures of a set."""
    yield from SETS[name](data)


def fitted(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return an image with the gain and offset that bring it nearest to the truth."""
    x, y = image.ravel().astype(np.float64), truth.ravel().astype(np.float64)
    gain = np.cov(x, y)[0, 1] / max(x.var(ddof=1), 1e-30)
    return gain * (image - x.mean()) + y.mean()


def _folder(noisy: str, other: Callable[[Path], Path], *, scaled: bool = False) -> Callable[[Path], Iterator[Capture]]:
    def read(data: Path) -> Iterator[Capture]:
        for path in sorted(data.glob(noisy)):
            image, truth = _grey(path), _grey(other(path))
            peak = 255.0 if truth.max() <= 255 else float(np.ptp(truth))
            name = f"{path.parent.name}/{path.stem}" if path.stem == "test" else path.stem
            yield Capture(name, image, truth, peak, scaled)

    return read


def _white(data: Path) -> Iterator[Capture]:
    """White noise of deviation 25, drawn here."""
    for path in sorted((data / "Set12").glob("*.png")):
        truth = _grey(path)
        noise = np.random.default_rng(int(path.stem)).normal(0, 25, truth.shape).astype(np.float32)
        yield Capture(path.stem, truth + noise, truth)


def _grey(path: Path) -> np.ndarray:
    image = imread(path)
    return (image[..., 1] if image.ndim == 3 else image).astype(np.float32)  # the green channel


def _in(folder: str) -> Callable[[Path], Path]:
    return lambda path: path.parent.with_name(folder) / path.name


def _named(old: str, new: str) -> Callable[[Path], Path]:
    return lambda path: path.with_name(path.name.replace(old, new))


SETS: dict[str, Callable[[Path], Iterator[Capture]]] = {
    "FMD": _folder("FMD/raw/*.png", _in("gt")),
    "FMD field 1": _folder("Confocal_FMD_FOV1/noisy/*.tif", _in("gt")),
    "W2S": _folder("W2S_8bit/avg1/*.tif", _in("avg400"), scaled=True),
    "Bacteria": _folder("Bacteria_16bit/noisy.png", _named("noisy", "target")),
    "Calcium": _folder("SRDTrans_calcium/noisy/*.png", _in("gt"), scaled=True),
    "OCT": _folder("OCT_Duke/*/test.tif", _named("test", "average")),
    "PolyU": _folder("PolyU/*real.JPG", _named("real", "mean")),
    "CC": _folder("CC/*_real.png", _named("real", "mean")),
    "Set12, white": _white,
}
