"""Photographs that may be trained on: those that scikit-image bundles, and folders of others that the caller answers for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from skimage.io import imread

#: Of scikit-image: CC0, public domain or without known restrictions, each said in the docstring of its function there.
BUNDLED = {
    "astronaut": 1, "brick": 1, "camera": 1, "clock": 1, "coffee": 1, "coins": 1, "grass": 1, "gravel": 1,
    "hubble_deep_field": 2, "immunohistochemistry": 1, "moon": 2, "page": 1, "retina": 2, "rocket": 1,
}  # fmt: skip
#: Kept away from training, to choose the recipe by.
HELD_OUT = ("chelsea",)
#: Photographs larger than this are also shrunk: pixels of cameras share their neighbours' colours and noise.
LARGE = 1500
#: Of the photographs of folders every so many-th, by name, is held out.
EVERY = 9


def bundled(*, held_out: bool = False) -> list[np.ndarray]:
    """Return the photographs of scikit-image, float32 from 0 to 1, (Y, X, 3)."""
    names = dict.fromkeys(HELD_OUT, 1) if held_out else BUNDLED
    return [shrunk(_colour(getattr(skimage.data, name)()), times) for name, times in names.items()]


def from_folders(folders: list[Path], *, held_out: bool = False) -> list[np.ndarray]:
    """Return the photographs (JPEG) of folders, the large ones at a half and at a third of their size."""
    paths = sorted(path for folder in folders for path in folder.rglob("*.jpg"))
    chosen = [path for number, path in enumerate(paths) if (number % EVERY == EVERY - 1) == held_out]
    images = [_colour(imread(path)) for path in chosen]
    large = [image for image in images if max(image.shape) > LARGE]
    small = [image for image in images if max(image.shape) <= LARGE]
    return small + [shrunk(image, times) for image in large for times in (2, 3)]


def shrunk(image: np.ndarray, times: int) -> np.ndarray:
    """Return the mean over squares of pixels."""
    rows, columns = (n // times * times for n in image.shape[:2])
    return image[:rows, :columns].reshape(rows // times, times, columns // times, times, 3).mean((1, 3))


def _colour(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, np.float32) / 255
    return np.repeat(image[..., None], 3, -1) if image.ndim == 2 else image[..., :3]
