"""What the methods are measured on: images with a truth, each belonging to a column of the table.

Synthetic noise is drawn on the whole image and never clipped, from ``default_rng(crc32(file name))`` (Poisson noise:
from the seeds 0, 1 and 2), so that every crop of an image has the noise that the whole image has there. The development
images lie in one folder that is not part of the repository; without it there are the synthetic samples and a photograph
of scikit-image.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

#: Columns of the table, in its order, and what stands in each of them.
COLUMNS = {
    "Set12 s25": "01 and 03, grey, Gaussian noise of sigma 25",
    "BSD68 s25": "test004 and test011, grey, Gaussian noise of sigma 25",
    "Kodak24 s25": "kodim03, central 256 x 256, colour, Gaussian noise of sigma 25",
    "Kodak24 s50": "the same with sigma 50",
    "Set9 s25": "House, colour, Gaussian noise of sigma 25",
    "Set9 s50": "the same with sigma 50",
    "BPAE_G P50": "truth of the confocal FMD field BPAE_G, grey, Poisson noise of 50 photons at full scale",
    "BPAE_G P50 RGB": "the same saved as RGB, noise drawn for each colour",
    "X-ray s10": "NIH chest radiograph 00000001_000, Gaussian noise of sigma 10",
    "TwoPhoton": "FMD captures BPAE_B_1, BPAE_G_1 and BPAE_R_1, real noise",
    "Confocal": "FMD capture MICE_1, real noise",
    "WideField": "FMD capture BPAE_B_1, real noise, correlated between pixels",
    "stack, volume": "arabidopsis-embryo, central 16 x 112 x 109 (its whole plane), Poisson-Gaussian noise of 8 grey levels "
    "a photo-electron and a read noise of 5, denoised as a volume",
    "stack, slices": "the same, denoised slice by slice with one network",
    "OCT": "Duke scan 01, one B-scan against the registered mean of many (whose PSNR has a ceiling)",
}
#: Images of a set that the table uses; few, since a slow preset takes 20 minutes and more for one.
CHOSEN = {
    "Set12": ("01", "03"),
    "BSD68": ("test004", "test011"),
    "Kodak24": ("kodim03",),
    "Set9": ("image_House256rgb",),
}
#: Deviations of the Gaussian noise on images of the sets, of 255.
SIGMAS = (15, 25, 50)
#: Central crop of colour images, which have three times as much to learn.
COLOUR_SIDE = 256
#: Planes of the stack, grey levels a photo-electron, and read noise in grey levels.
PLANES, GAIN, READ_NOISE = 16, 8.0, 5.0


class Pair(NamedTuple):
    """An image with noise, its truth, the letters of its axes and the peak of its intensity scale."""

    noisy: np.ndarray
    truth: np.ndarray
    axes: str
    peak: float

    def crop(self, side: int, planes: int = 0) -> Pair:
        """Take the central side x side pixels and the central planes; 0 takes all."""
        wanted = {"Y": side, "X": side, "Z": planes}
        window = tuple(
            _central(n, wanted.get(axis, 0))
            for axis, n in zip(self.axes, self.truth.shape[-len(self.axes) :], strict=True)
        )
        return self._replace(noisy=self.noisy[window], truth=self.truth[window])


@dataclass(frozen=True)
class Case:
    """One image to measure on.

    Attributes
    ----------
    name : str
    read : callable
        Reads the files and draws the noise.
    column : str
        Where it stands in the table; empty for one that is measured by its name only.
    field : str
        Field of view: captures of one field are averaged before fields are.
    volume : bool
        Whether a stack is denoised as a volume.
    """

    name: str
    read: Callable[[], Pair]
    column: str = ""
    field: str = ""
    volume: bool = False


def cases(data: Path = DATA) -> dict[str, Case]:
    """Return every case by its name; files are read when a case is."""
    return {case.name: case for case in (*_real(data), *_synthetic())}


def select(found: dict[str, Case], names: list[str] | None) -> list[Case]:
    """Return the cases by their names or by those of their columns; by default all of the table, or the synthetic ones.

    Raises
    ------
    ValueError
        Where there is no case and no column of a name.
    """
    if names is None:
        table = [case for case in found.values() if case.column]
        return sorted(table, key=lambda case: list(COLUMNS).index(case.column)) or list(found.values())
    chosen = {name: [case for case in found.values() if name in (case.name, case.column)] for name in names}
    if missing := [name for name, some in chosen.items() if not some]:
        raise ValueError(f"There is no case {', '.join(missing)}; --list shows what there is.")
    return [case for some in chosen.values() for case in some]


def _real(data: Path) -> Iterator[Case]:
    for folder, colour in {"Set12": False, "BSD68": False, "Kodak24": True, "Set9": True}.items():
        for path in sorted((data / folder).glob("*.png")):
            for sigma in SIGMAS:
                column = f"{folder} s{sigma}"
                column = column if column in COLUMNS and path.stem in CHOSEN[folder] else ""
                read = _gaussian_reader(path, sigma, colour=colour)
                yield Case(f"{folder} {path.stem} s{sigma}", read, column, path.stem)
    for path in sorted((data / "FMD" / "raw").glob("*.png")):
        field, capture = path.stem.rsplit("_", 1)
        column = field.split("_")[0] if capture == "1" else ""
        yield Case(path.stem, _files_reader(path, data / "FMD" / "gt" / path.name), column, field)
    for path in sorted((data / "Confocal_FMD_FOV1" / "noisy").glob("*.tif")):
        name = f"Confocal_{path.stem}_FOV1"
        yield Case(name, _files_reader(path, path.parents[1] / "gt" / path.name), field=name)
    for path in sorted((data / "XRay").glob("*.*")):
        column = "X-ray s10" if path.stem.startswith("NIH") else ""
        yield Case(f"XRay {path.stem} s10", _gaussian_reader(path, 10, colour=False), column, path.stem)
    for path in sorted((data / "OCT_Duke").glob("*/test.tif")):
        scan = path.parent.name
        column = "OCT" if scan == "01" else ""
        yield Case(f"OCT_Duke {scan}", _files_reader(path, path.with_name("average.tif")), column, scan)
    lota = data / "Confocal_FMD_FOV1" / "gt" / "BPAE_G.tif"
    if lota.is_file():
        yield Case("BPAE_G Poisson 50", lambda: _poisson(lota, copies=1), "BPAE_G P50", "BPAE_G")
        yield Case("BPAE_G Poisson 50, as RGB", lambda: _poisson(lota, copies=3), "BPAE_G P50 RGB", "BPAE_G")
    stack = data / "Stacks_3D" / "arabidopsis-embryo.tif"
    if stack.is_file():
        yield Case("arabidopsis volume", lambda: _stack(stack), "stack, volume", "arabidopsis", volume=True)
        yield Case("arabidopsis slices", lambda: _stack(stack), "stack, slices", "arabidopsis")


def _synthetic() -> Iterator[Case]:
    yield Case("synthetic confocal", lambda: _sample("confocal"))
    yield Case("synthetic nuclei", lambda: _sample("nuclei"))
    yield Case("synthetic radiograph", lambda: _sample("xray"))
    yield Case("camera s25", _camera)


def _sample(name: str) -> Pair:
    from napari_lotadenoise import samples

    noisy, truth = getattr(samples, name)()
    return Pair(noisy, truth, "ZYX" if truth.ndim == 3 else "YX", float(truth.max()))


def _camera() -> Pair:
    from skimage import data

    truth = data.camera().astype(np.float32)
    return Pair(truth + np.random.default_rng(0).normal(0, 25, truth.shape).astype(np.float32), truth, "YX", 255.0)


def _gaussian_reader(path: Path, sigma: float, *, colour: bool) -> Callable[[], Pair]:
    def read() -> Pair:
        truth = (_image(path) if colour else _grey(path)).astype(np.float32)
        noisy = truth + _chance(path).normal(0, sigma, truth.shape).astype(np.float32)
        pair = Pair(noisy, truth, "YXS" if colour else "YX", 255.0)
        return pair.crop(COLOUR_SIDE) if colour else pair

    return read


def _files_reader(noisy: Path, truth: Path) -> Callable[[], Pair]:
    return lambda: Pair(_grey(noisy), _grey(truth).astype(np.float32), "YX", 255.0)


def _poisson(path: Path, copies: int) -> Pair:
    """Return the Poisson noise of 50 photons at full scale; `copies` colours of the same grey image with noise of their own."""
    truth = _grey(path).astype(np.float32) / 255
    noisy = [np.random.default_rng(seed).poisson(50 * truth).astype(np.float32) / 50 for seed in range(copies)]
    if copies == 1:
        return Pair(noisy[0], truth, "YX", 1.0)
    return Pair(np.stack(noisy, -1), np.stack([truth] * copies, -1), "YXS", 1.0)


def _stack(path: Path) -> Pair:
    """Return the Poisson-Gaussian noise on the central planes of a clean stack."""
    from tifffile import imread

    truth, rng = imread(path).astype(np.float32), _chance(path)
    noisy = GAIN * rng.poisson(truth / GAIN) + rng.normal(0, READ_NOISE, truth.shape)
    return Pair(noisy.astype(np.float32), truth, "ZYX", 255.0).crop(0, PLANES)


def _chance(path: Path) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(path.name.encode()))


def _image(path: Path) -> np.ndarray:
    from skimage import io

    return io.imread(path)


def _grey(path: Path) -> np.ndarray:
    image = _image(path)
    return image if image.ndim == 2 else image[..., 0]


def _central(size: int, wanted: int) -> slice:
    side = min(size, wanted or size)
    return slice((size - side) // 2, (size - side) // 2 + side)
