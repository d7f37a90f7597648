"""Sample data made by code, with known truth, and one real image that scikit-image bundles. Nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

#: Width of the blur that correlates the noise of the wide-field image, pixels.
COLOURED_WIDTH = 0.8

LayerData = tuple[np.ndarray, dict[str, Any], str]


def confocal(shape: tuple[int, int, int] = (12, 256, 256), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make a confocal stack of nuclei, membranes and filaments with Poisson-Gaussian noise.

    Camera model: 2 grey levels a photo-electron, pedestal 100, read noise of 3 grey levels.

    Parameters
    ----------
    shape : tuple of int
        (Z, Y, X).
    seed : int
        Of structures and noise.

    Returns
    -------
    noisy : ndarray of uint16 (Z, Y, X)
    truth : ndarray of float32 (Z, Y, X)
        Its expectation, same intensity scale.
    """
    rng = np.random.default_rng(seed)
    nuclei = _blobs(shape, rng, count=max(6, shape[1] * shape[2] // 1800), radius=(3, 13, 13), squash=0.35)
    texture = 1 + 0.35 * _normed(ndimage.gaussian_filter(rng.standard_normal(shape), (1, 2.5, 2.5)))
    shells = np.abs(ndimage.gaussian_filter(nuclei, (0.7, 1.5, 1.5)) - 0.5) < 0.2
    photons = 4 + 55 * np.clip(nuclei * texture, 0, None) + 30 * shells + 70 * _filaments(shape, rng, shape[1] // 12)
    photons = ndimage.gaussian_filter(photons, (0.8, 1.0, 1.0))
    return _camera(photons, rng, gain=2.0, pedestal=100.0, read_noise=3.0), (100 + 2 * photons).astype(np.float32)


def nuclei(shape: tuple[int, int, int] = (24, 192, 192), seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Make a volume of densely packed nuclei, as in stacks of planarian flatworms, with Poisson noise.

    Returns
    -------
    noisy : ndarray of uint16 (Z, Y, X)
        Photon counts, about 12 in a nucleus.
    truth : ndarray of float32 (Z, Y, X)
        Their expectation.
    """
    rng = np.random.default_rng(seed)
    packed = _blobs(shape, rng, count=shape[0] * shape[1] * shape[2] // 900, radius=(4, 6, 6), squash=0.2)
    depth = np.exp(-np.arange(shape[0]) / (1.5 * shape[0]))[:, None, None]
    photons = ndimage.gaussian_filter((1 + 11 * np.clip(packed, 0, 1.5)) * depth, (1.2, 0.8, 0.8))
    return rng.poisson(photons).astype(np.uint16), photons.astype(np.float32)


def xray(shape: tuple[int, int] = (384, 384), seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Make a radiograph-like image: a broad exposure gradient, ribs and a spine, fine trabeculae, Gaussian noise.

    Returns
    -------
    noisy : ndarray of float32 (Y, X)
        0 to 255 with noise of deviation 10.
    truth : ndarray of float32 (Y, X)
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    image = 70 + 60 * np.exp(-((np.abs(x) - 0.45) ** 2) / 0.09 - y**2 / 0.8)
    for row in np.linspace(-0.85, 0.85, 8):
        distance = np.abs(y - row + 0.35 * np.abs(x) ** 1.5)
        image -= 22 * np.exp(-((distance / 0.045) ** 4)) * (np.abs(x) < 0.92)
    image += 55 * np.exp(-((x / 0.12) ** 6)) * (0.8 + 0.2 * np.sign(np.sin(24 * y)))
    image += 4 * _normed(ndimage.gaussian_filter(rng.standard_normal(shape), 1.5))
    truth = ndimage.gaussian_filter(image, 0.8).astype(np.float32)
    return (truth + rng.normal(0, 10, shape)).astype(np.float32), truth


def wide_field(shape: tuple[int, int] = (512, 512), seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Make a wide-field image of cells whose noise is correlated between pixels, as after interpolation or a blur.

    White noise was blurred (Gaussian, width 0.8 px) and brought to the variance 3 * (intensity - 100) + 100.

    Returns
    -------
    noisy : ndarray of uint16 (Y, X)
    truth : ndarray of float32 (Y, X)
    """
    _, stack = confocal((3, *shape), seed)
    truth = 100 + ndimage.gaussian_filter(stack[1] - 100, 1.5).astype(np.float32)
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), COLOURED_WIDTH)
    noisy = truth + noise / noise.std() * np.sqrt(3 * (truth - 100) + 100)
    return np.clip(np.rint(noisy), 0, 65535).astype(np.uint16), truth


def confocal_layers() -> list[LayerData]:
    """Return sample layers for napari: the confocal stack and its truth (hidden), calibrated in micrometres."""
    noisy, truth = confocal()
    return _layers(noisy, truth, "confocal stack", (0.5, 0.12, 0.12), "green", (100, 330))


def nuclei_layers() -> list[LayerData]:
    """Return sample layers for napari: the volume of packed nuclei and its truth (hidden), calibrated in micrometres."""
    noisy, truth = nuclei()
    return _layers(noisy, truth, "packed nuclei", (2.0, 0.35, 0.35), "gray", (0, 18))


def xray_layers() -> list[LayerData]:
    """Return sample layers for napari: the radiograph and its truth (hidden)."""
    noisy, truth = xray()
    return _layers(noisy, truth, "radiograph", (0.15, 0.15), "gray", (20, 190), unit="millimeter")


def wide_field_layers() -> list[LayerData]:
    """Return sample layers for napari: the wide-field image and its truth (hidden), calibrated in micrometres."""
    noisy, truth = wide_field()
    return _layers(noisy, truth, "wide-field image", (0.1, 0.1), "gray", (80, 250))


def cell_layers() -> list[LayerData]:
    """Return sample layers for napari: the real micrograph of a cell that scikit-image bundles (bundled)."""
    from skimage import data

    return [(data.cell(), {"name": "cell (scikit-image)", "colormap": "gray"}, "image")]


def _layers(
    noisy: np.ndarray,
    truth: np.ndarray,
    name: str,
    scale: tuple[float, ...],
    colormap: str,
    limits: tuple[float, float],
    unit: str = "micrometer",
) -> list[LayerData]:
    shared = {"scale": scale, "units": (unit,) * len(scale), "colormap": colormap, "contrast_limits": limits}
    shared["axis_labels"] = tuple("zyx"[-len(scale) :])
    return [
        (truth, {"name": f"{name} (truth)", "visible": False, **shared}, "image"),
        (noisy, {"name": name, **shared}, "image"),
    ]


def _camera(
    photons: np.ndarray, rng: np.random.Generator, gain: float, pedestal: float, read_noise: float
) -> np.ndarray:
    counts = pedestal + gain * rng.poisson(photons) + rng.normal(0, read_noise, photons.shape)
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)


def _blobs(
    shape: tuple[int, ...], rng: np.random.Generator, count: int, radius: tuple[float, ...], squash: float
) -> np.ndarray:
    """Draw ellipsoids of height 1 with soft rims at random places; `squash` is how much their radii vary."""
    out = np.zeros(shape)
    for _ in range(count):
        centre = [rng.uniform(0, n) for n in shape]
        radii = [r * rng.uniform(1 - squash, 1 + squash) for r in radius]
        box = tuple(
            slice(max(0, int(c - 1.5 * r)), min(n, int(c + 1.5 * r) + 2))
            for c, r, n in zip(centre, radii, shape, strict=True)
        )
        grids = np.ogrid[box]
        distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grids, centre, radii, strict=True))
        out[box] = np.maximum(out[box], rng.uniform(0.5, 1.0) / (1 + np.exp(8 * (np.sqrt(distance) - 1))))
    return out


def _filaments(shape: tuple[int, int, int], rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw curved lines of one pixel that wander through the volume."""
    out = np.zeros(shape)
    for _ in range(count):
        place = np.array([rng.uniform(0, n) for n in shape])
        heading = rng.uniform(0, 2 * np.pi)
        for _ in range(int(1.2 * shape[1])):
            heading += rng.normal(0, 0.08)
            place += (rng.normal(0, 0.05), np.sin(heading), np.cos(heading))
            index = tuple(int(p) for p in place)
            if not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
                break
            out[index] = 1.0
    return out


def _normed(field: np.ndarray) -> np.ndarray:
    return (field - field.mean()) / field.std()
