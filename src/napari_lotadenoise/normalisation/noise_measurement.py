"""Noise of the channels of an image, measured on a few of its planes."""

from __future__ import annotations

from napari_lotadenoise.image.informative import read_informative
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.noise import NoiseModel, measure_noise

#: Samples that are looked at, and the largest sides of the part of each: its middle.
SAMPLES, DEPTH, SIDE = 4, 128, 512
#: Planes of a volume of which one is looked at.
EVERY = 4


def measure_group(stack: Stack, group: int) -> tuple[NoiseModel, ...]:
    """Measure the noise of each channel of a group."""
    sides = (DEPTH, SIDE, SIDE)[-stack.ndim :]
    starts = [max(0, (n - side) // 2) for n, side in zip(stack.spatial, sides, strict=True)]
    window = tuple(slice(a, min(n, a + side)) for a, n, side in zip(starts, stack.spatial, sides, strict=True))
    blocks = read_informative(stack, group, [(sample, window) for sample in stack.spread(SAMPLES)])
    found = []
    for channel in range(stack.channels):
        planes = [plane for block in blocks for plane in block[channel].reshape(-1, *block.shape[-2:])[::EVERY]]
        found.append(measure_noise([plane for plane in planes if plane.min() < plane.max()] or planes[:1]))
    return tuple(found)
