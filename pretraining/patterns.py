"""Images drawn by chance: what microscopes, X-rays and OCT see, and cartoons and textures; in 2-D and, mostly, in 3-D.

Each function takes a source of chance and a shape (Y, X) or (Z, Y, X) and returns float32, roughly from 0 to 1. Lengths
are pixels of the plane; in volumes depth counts `spacing` of them, which `volume` draws.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import ndimage
from scipy.spatial import cKDTree

Shape = tuple[int, ...]


def smooth(rng: Generator, shape: Shape, width: float) -> np.ndarray:
    """Make a random field without detail below `width`, mean 0 and deviation 1."""
    step = max(1, int(width / 2))
    coarse = [n // step + 3 for n in shape]
    field = ndimage.gaussian_filter(rng.standard_normal(coarse, np.float32), width / step)
    field = ndimage.zoom(field, [n * 1.2 / c for n, c in zip(shape, coarse, strict=True)], order=1)
    field = field[tuple(slice(0, n) for n in shape)]
    return (field - field.mean()) / (field.std() + 1e-6)


def stretched(image: np.ndarray) -> np.ndarray:
    """Return the image between 0 and 1."""
    low, high = image.min(), image.max()
    return ((image - low) / max(high - low, 1e-6)).astype(np.float32)


def nuclei(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw ellipsoids with soft edges, a brightness and a grain of their own."""
    size = rng.uniform(6, 40)
    image = np.zeros(shape, np.float32)
    grid = np.indices(shape, dtype=np.float32)
    size_multiple = smooth(rng, shape, rng.uniform(1, 5)) * rng.uniform(0, 0.35)
    for _ in range(int(np.prod(shape[-2:]) / size**2 * rng.uniform(0.1, 0.6)) + 1):
        centre = [rng.uniform(0, n) for n in shape]
        axes = size * rng.uniform(0.5, 1.2, len(shape))
        angle = rng.uniform(0, np.pi)
        y, x = (grid[a] - centre[a] for a in (-2, -1))
        turned = (np.cos(angle) * y + np.sin(angle) * x) / axes[-2], (np.cos(angle) * x - np.sin(angle) * y) / axes[-1]
        r = turned[0] ** 2 + turned[1] ** 2 + (((grid[0] - centre[0]) / axes[0]) ** 2 if len(shape) == 3 else 0)
        inside = 1 / (1 + np.exp(np.clip((np.sqrt(r) - 1) * size / rng.uniform(0.5, 2.5), -30, 30)))
        image = np.maximum(image, inside * rng.uniform(0.15, 1))
    return stretched(image * (1 + size_multiple))


def membranes(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw walls between the cells around random points."""
    size = rng.uniform(10, 50)
    count = max(4, int(np.prod(shape) / size ** len(shape)))
    points = rng.uniform(-0.1, 1.1, (count, len(shape))) * np.array(shape)
    places = np.stack([g.ravel() for g in np.indices(shape)], 1) + np.stack(
        [smooth(rng, shape, 12).ravel() * size * 0.12 for _ in shape], 1
    )
    near, which = cKDTree(points).query(places, k=2)
    wall = np.exp(-(((near[:, 1] - near[:, 0]) / rng.uniform(1, 4)) ** 2))
    body = rng.uniform(0, 0.4, count)[which[:, 0]] * rng.integers(0, 2)
    bright = np.clip(0.7 + 0.3 * smooth(rng, shape, 25), 0, None)
    return stretched((wall.reshape(shape) * bright + body.reshape(shape)).astype(np.float32))


def filaments(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw curved lines of many brightnesses: the cytoskeleton, vessels, neurites."""
    image = np.zeros(shape, np.float32)
    count, steps = int(rng.integers(8, 90)), 3 * max(shape)
    stiff = rng.uniform(0.01, 0.15)
    turn = np.cumsum(rng.normal(0, stiff, (count, steps)), 1) + rng.uniform(0, 2 * np.pi, (count, 1))
    paths = [np.cumsum(np.sin(turn), 1), np.cumsum(np.cos(turn), 1)]
    if len(shape) == 3:
        paths.insert(0, np.cumsum(rng.normal(0, 0.05, (count, steps)), 1) * rng.uniform(0, 3))
    ink = np.repeat(rng.uniform(0.2, 1, (count, 1)), steps, 1)
    places = [
        np.rint(p * 0.7 + rng.uniform(-0.2, 1.2, (count, 1)) * n).astype(int) for p, n in zip(paths, shape, strict=True)
    ]
    inside = np.all([(p >= 0) & (p < n) for p, n in zip(places, shape, strict=True)], axis=0)
    np.maximum.at(image, tuple(p[inside] for p in places), ink[inside].astype(np.float32))
    return stretched(ndimage.gaussian_filter(image, rng.uniform(0.6, 2.2)))


def puncta(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw spots as small as the point spread function, of many brightnesses."""
    image = np.zeros(shape, np.float32)
    count = int(np.prod(shape) * 10 ** rng.uniform(-3.5, -2))
    places = tuple(rng.integers(0, n, count) for n in shape)
    np.add.at(image, places, rng.exponential(1, count).astype(np.float32))
    return stretched(ndimage.gaussian_filter(image, rng.uniform(0.7, 2.5)) + 1e-3 * smooth(rng, shape, 20))


def clouds(rng: Generator, shape: Shape) -> np.ndarray:
    """Make noise whose spectrum falls with a power of the frequency, as that of natural scenes does."""
    spectrum = np.fft.rfftn(rng.standard_normal(shape, np.float32))
    axes = [np.fft.fftfreq(n) * rng.uniform(0.5, 2) for n in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    frequency = np.sqrt(sum(np.square(f) for f in np.meshgrid(*axes, indexing="ij"))) + 1 / max(shape)
    return stretched(
        np.fft.irfftn(spectrum * frequency ** -rng.uniform(1, 2.5 + len(shape) / 4), shape).astype(np.float32)
    )


def stripes(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw bent gratings within soft borders: cloth, muscle, hair, fringes."""
    period, angle = rng.uniform(2.5, 16), rng.uniform(0, np.pi)
    y, x = np.indices(shape, dtype=np.float32)[-2:]
    phase = (y * np.sin(angle) + x * np.cos(angle)) / period + smooth(rng, shape, rng.uniform(15, 60)) * rng.uniform(
        0, 1.5
    )
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * phase)
    sharp = rng.uniform(0, 1)
    wave = (1 - sharp) * wave + sharp / (1 + np.exp(-(wave - 0.5) * 12))
    where = 1 / (1 + np.exp(-smooth(rng, shape, 20) * 8))
    return stretched(wave * where + 0.4 * smooth(rng, shape, 30))


def leaves(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw dead leaves (Matheron 1968; Lee, Mumford & Huang, IJCV 2001): discs and boxes of all sizes that hide each other."""
    image = np.full(shape, rng.uniform(), np.float32)
    y, x = np.indices(shape[-2:], dtype=np.float32)
    fine = clouds(rng, shape) - 0.5
    weave = stripes(rng, shape) - 0.5
    for _ in range(int(rng.integers(60, 400))):
        radius = min(2.5 / rng.uniform(0.02, 1) ** 1.1, 120)
        a, b = y - rng.uniform(0, shape[-2]), x - rng.uniform(0, shape[-1])
        angle, flat = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
        u, v = a * np.cos(angle) + b * np.sin(angle), (b * np.cos(angle) - a * np.sin(angle)) / flat
        away = np.maximum(abs(u), abs(v)) if rng.uniform() < 0.5 else np.hypot(u, v)
        cover = np.clip(radius - away + 0.5, 0, 1)
        if len(shape) == 3:
            first, last = np.sort(rng.integers(0, shape[0] + 1, 2))
            here: tuple = (slice(first, last),)
        else:
            here = ()
        fill = rng.uniform() + fine[here] * rng.choice([0, 0.3, 1]) + weave[here] * rng.choice([0, 0, 0.6])
        image[here] = image[here] * (1 - cover) + fill * cover
    return stretched(ndimage.gaussian_filter(image, rng.choice([0.0, 0.5, 0.8, 1.2])))


def xray(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw soft tissue that changes slowly, and bones: bent bands whose edges are brighter than their middle."""
    image = smooth(rng, shape, rng.uniform(30, 70)) + 0.15 * smooth(rng, shape, 8)
    y, x = np.indices(shape, dtype=np.float32)[-2:]
    for _ in range(int(rng.integers(1, 9))):
        angle, width = rng.uniform(0, np.pi), rng.uniform(3, 20)
        u, v = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        away = abs(u - rng.uniform(-0.3, 1.3) * shape[-1] + rng.normal(0, 2e-3) * (v - shape[-1] / 2) ** 2) / width
        image += rng.uniform(0.2, 1) * np.exp(-(away**6)) * (0.6 + 0.4 * np.clip(away, 0, 1) ** 4)
    return stretched(ndimage.gaussian_filter(image + 0.02 * clouds(rng, shape), rng.uniform(0, 1)))


def layers(rng: Generator, shape: Shape) -> np.ndarray:
    """Make a retina in depth: bent layers, each with its own brightness, above a fading background."""
    count = int(rng.integers(4, 12))
    bend = smooth(rng, shape, rng.uniform(25, 60)) * rng.uniform(1, 10) + rng.normal(0, 0.15) * np.indices(shape)[-1]
    level = np.indices(shape, dtype=np.float32)[-2] + bend
    edges = np.sort(rng.uniform(0, shape[-2], count))
    shades = rng.uniform(0, 1, count + 1)
    image = np.full(shape, shades[0], np.float32)
    for edge, step in zip(edges, np.diff(shades), strict=True):
        image += step / (1 + np.exp(np.clip(-(level - edge) / rng.uniform(0.5, 2.5), -30, 30)))
    return stretched(image * (1 + 0.15 * clouds(rng, shape)))


def flat(rng: Generator, shape: Shape) -> np.ndarray:
    """Draw nothing, or next to it: noise must not be taken for structure."""
    return (0.5 + rng.uniform(0, 0.02) * smooth(rng, shape, rng.uniform(10, 60))).astype(np.float32)


KINDS = (nuclei, membranes, filaments, puncta, clouds, stripes, leaves, leaves, leaves, xray, layers, flat)


def scene(rng: Generator, shape: Shape) -> np.ndarray:
    """Make one drawing, or two on top of each other, with haze, of any contrast curve."""
    image = KINDS[rng.integers(len(KINDS))](rng, shape)
    if rng.uniform() < 0.35:
        image = image + KINDS[rng.integers(len(KINDS))](rng, shape) * rng.uniform(0.1, 1)
    if rng.uniform() < 0.3:
        image = image + np.clip(smooth(rng, shape, 40), 0, None) * rng.uniform(0, 0.5)
    return stretched(image) ** rng.uniform(0.6, 2) if image.std() > 0.02 else image


def volume(rng: Generator, planes: int, side: int) -> np.ndarray:
    """Make a stack (Z, Y, X) whose planes are one to four pixels apart."""
    spacing = int(rng.integers(1, 5))
    return scene(rng, (planes * spacing, side, side))[::spacing]
