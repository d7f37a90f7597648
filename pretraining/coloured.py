"""Coloured noise for training: of many spectra, through cameras, in images that may be blurred; of deviation 1 but for a jitter.

The level of correlated noise is harder to measure than that of white noise. The network therefore sees deviations from
e^-0.3 to e^0.3, and learns to find all of it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import torch
from noise import STRONGEST, WEAKEST, noisy_pairs
from PIL import Image
from scipy import ndimage
from torch import Tensor

#: Shares of the crops: with white noise as for the other network, and through a camera; the others have a random spectrum.
WHITE, CAMERA = 0.3, 0.1
#: Share of the crops that are blurred as by a microscope, over how many pixels, and of these the share with full contrast again.
BLURRED, NARROWEST, WIDEST, RESTORED = 0.3, 0.5, 3.5, 0.5
#: Logarithm of the largest deviation from the level that is told.
JITTER = 0.3
#: White noise beside the coloured one: share of the variance, log-uniform.
LEAST_FLOOR, MOST_FLOOR = 0.001, 0.25
#: Pixels around a crop on which noise is drawn, since spectra make it periodic.
MARGIN = 16

Field = Callable[[np.random.Generator, int], np.ndarray]


def coloured_pairs(clean: Tensor, rng: np.random.Generator, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return noisy crops and what they should become, in units of the level that is told, less a constant of the crop.

    Parameters
    ----------
    clean : tensor (N, 1, Y, X)
        From 0 to 1.
    rng, chance
        Sources of chance, for what is drawn once a crop and for white noise.
    """
    pairs = [_pair(_blurred(crop, rng), rng, chance) for crop in clean]
    noisy, target = (torch.stack(images) for images in zip(*pairs, strict=True))
    return noisy, target


def spectral(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise (side, side) of mean 0 and deviation 1 with a random spectrum and some white noise in it."""
    field = FIELDS[rng.integers(len(FIELDS))](rng, side + 2 * MARGIN)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    floor = math.exp(rng.uniform(math.log(LEAST_FLOOR), math.log(MOST_FLOOR)))
    return math.sqrt(1 - floor) * field + math.sqrt(floor) * rng.standard_normal((side, side))


def gaussian(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise behind a Gaussian kernel, wider in one direction than in the other in half of the cases."""
    width = rng.uniform(0.3, 1.8)
    widths = width, width * (rng.uniform(0.3, 1) if rng.uniform() < 0.5 else 1)
    angle = rng.uniform(0, math.pi)
    y, x = _frequencies(side)
    along, across = math.cos(angle) * y + math.sin(angle) * x, math.cos(angle) * x - math.sin(angle) * y
    return _filtered(rng, np.exp(-2 * math.pi**2 * ((widths[0] * along) ** 2 + (widths[1] * across) ** 2)))


def power_law(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise whose spectrum falls by a power beyond a corner."""
    y, x = _frequencies(side)
    corner, power = math.exp(rng.uniform(math.log(0.03), math.log(0.4))), rng.uniform(0.5, 2)
    return _filtered(rng, (1 + (y**2 + x**2) / corner**2) ** (-power / 2))


def boxes(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise that is the mean of a few pixels, in one direction or both."""
    size = [int(rng.integers(1, 4)), int(rng.integers(2, 5))]
    rng.shuffle(size)
    return _unit(ndimage.uniform_filter(rng.standard_normal((side, side)), size, mode="wrap"))


def enlarged(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise of fewer pixels, interpolated by lines or cubics."""
    times = rng.uniform(1.05, 2.8)
    coarse = rng.standard_normal((int(side / times) + 4,) * 2)
    shift = rng.uniform(0, 1, 2)
    return _unit(
        ndimage.affine_transform(
            coarse, (1 / times, 1 / times), shift + 1, (side, side), order=int(rng.choice([1, 3])), mode="mirror"
        )
    )


def demosaiced(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise of one colour of a Bayer mosaic, interpolated by the mean of the neighbours, or of all three mixed."""
    white = rng.standard_normal((3, side, side))
    green, red, blue = (_interpolated(white[colour], _mosaic(colour, side)) for colour in range(3))
    share = rng.dirichlet((1, 1, 1)) if rng.uniform() < 0.5 else np.eye(3)[rng.integers(3)]
    return _unit(share[0] * green + share[1] * red + share[2] * blue)


def lines(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw noise that rows have in common, or columns, over white noise of its own in each pixel."""
    share = rng.uniform(0.02, 0.4)
    field = math.sqrt(share) * rng.standard_normal((side, 1)) + math.sqrt(1 - share) * rng.standard_normal((side, side))
    return field if rng.uniform() < 0.5 else field.T


FIELDS: tuple[Field, ...] = (gaussian, gaussian, gaussian, power_law, boxes, enlarged, enlarged, demosaiced, lines)


def _pair(crop: Tensor, rng: np.random.Generator, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    kind = rng.uniform()
    if kind < WHITE:
        noisy, target = noisy_pairs(crop[None], rng, chance)
        return noisy[0], target[0]
    jitter = math.exp(rng.uniform(-JITTER, JITTER))
    if kind < WHITE + CAMERA:
        noisy, target, deviation = _through_camera(crop[0].numpy().astype(np.float64), rng)
        scale = jitter / deviation
    else:
        target = crop[0].numpy()
        deviation = math.exp(rng.uniform(math.log(WEAKEST), math.log(STRONGEST)))
        noisy = target + deviation * spectral(rng, target.shape[-1])
        scale = jitter / deviation
    middle = target.mean()
    return _tensor((noisy - middle) * scale), _tensor((target - middle) * scale)


def _through_camera(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a photograph (Y, X) of photons on a mosaic, developed and compressed, the one without noise, and the deviation."""
    side = image.shape[-1]
    peak = math.exp(rng.uniform(math.log(20), math.log(1000)))
    gains = 1, rng.uniform(0.4, 1), rng.uniform(0.4, 1)
    linear = np.clip(image, 0, 1) ** 2.2
    share = np.array((0.587, 0.299, 0.114)) if rng.uniform() < 0.5 else np.eye(3)[rng.integers(3)]
    developed = []
    for photons in (lambda mean: rng.poisson(mean).astype(np.float64), lambda mean: mean):
        colours = []
        for colour, gain in enumerate(gains):
            counts = photons(linear * peak * gain) / (peak * gain)
            colours.append(_interpolated(counts, _mosaic(colour, side)))
        developed.append(np.clip(np.stack(colours[1:2] + colours[:1] + colours[2:], -1), 0, 1) ** (1 / 2.2))
    noisy = _compressed(developed[0], int(rng.integers(80, 99)))
    mix = share[[1, 0, 2]]
    noisy, target = noisy @ mix, developed[1] @ mix
    return noisy, target, max(float(np.std(noisy - target)), 0.3 / 255)


def _compressed(colours: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(np.rint(colours * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float64) / 255


def _mosaic(colour: int, side: int) -> np.ndarray:
    """Return where a Bayer sensor sees green (0), red (1) or blue (2)."""
    y, x = np.indices((side, side))
    return (y + x) % 2 == 0 if colour == 0 else (y % 2 == colour - 1) & (x % 2 == 2 - colour)


def _interpolated(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return values (Y, X) where they are seen, and the mean of the seen neighbours elsewhere."""
    weights = np.outer((0.5, 1, 0.5), (0.5, 1, 0.5))
    around = ndimage.convolve(np.where(seen, values, 0.0), weights, mode="mirror")
    return np.where(seen, values, around / ndimage.convolve(seen.astype(np.float64), weights, mode="mirror"))


def _blurred(crop: Tensor, rng: np.random.Generator) -> Tensor:
    if rng.uniform() >= BLURRED:
        return crop
    image = crop[0].numpy()
    width = math.exp(rng.uniform(math.log(NARROWEST), math.log(WIDEST)))
    soft = ndimage.gaussian_filter(image, width, mode="mirror")
    span = soft.max() - soft.min()
    if rng.uniform() < RESTORED and span > 0.02:
        soft = image.min() + (soft - soft.min()) * (image.max() - image.min()) / span
    return _tensor(soft)


def _frequencies(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies (cycles per pixel) along y and x of a real transform of a square."""
    return np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]


def _filtered(rng: np.random.Generator, transfer: np.ndarray) -> np.ndarray:
    side = transfer.shape[0]
    return _unit(np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * transfer, (side, side)))


def _unit(field: np.ndarray) -> np.ndarray:
    return (field - field.mean()) / field.std()


def _tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
