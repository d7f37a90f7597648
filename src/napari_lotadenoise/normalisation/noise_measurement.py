"""Noise of the channels of an image, measured on a few of its planes."""

from __future__ import annotations

from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.noise import NoiseModel, measure_noise

#: Samples that are looked at, the largest side of the part of each, and the planes of a volume of which one is looked at.
SAMPLES, SIDE, EVERY = 4, 512, 4


def measure_group(stack: Stack, group: int) -> tuple[NoiseModel, ...]:
    """Measure the noise of each channel of a group."""
    starts = [max(0, (n - SIDE) // 2) for n in stack.spatial[-2:]]
    middle = tuple(slice(start, min(n, start + SIDE)) for start, n in zip(starts, stack.spatial[-2:], strict=True))
    window = (*(slice(0, n) for n in stack.spatial[:-2]), *middle)
    blocks = [stack.read(group, sample, window) for sample in stack.spread(SAMPLES)]
    found = []
    for channel in range(stack.channels):
        planes = [plane for block in blocks for plane in block[channel].reshape(-1, *block.shape[-2:])[::EVERY]]
        found.append(measure_noise([plane for plane in planes if plane.min() < plane.max()] or planes[:1]))
    return tuple(found)
