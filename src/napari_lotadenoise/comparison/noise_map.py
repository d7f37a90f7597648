"""How strong the noise is at each pixel, and whether neighbours share it: what Stein's estimate of the error has to know."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_lotadenoise.image.informative import read_informative
from napari_lotadenoise.image.stack import Stack, middle
from napari_lotadenoise.noise import Degree, VarianceFit, measure_correlation, measure_noise

#: Samples of each group of channels that are measured, every which plane of a volume, and the side of the middle of them.
_SAMPLES, _EVERY, _SIDE = 4, 4, 1024
#: Width in pixels of the blur that tells the intensity at a pixel.
_WIDTH = 1.5


def noise_map(stack: Stack, whole: Stack | None = None) -> tuple[np.ndarray, bool]:
    """Measure the variance of the noise at each pixel, and whether it is independent from pixel to pixel in all channels.

    Parameters
    ----------
    stack : Stack
        What the map is of.
    whole : Stack, optional
        The image that `stack` is a part of, with the same channels: the more pixels are measured, the better.

    Returns
    -------
    ndarray of float32, bool
        Squared intensities, of the shape of the stack's array; one level where the noise does not grow with the signal.
    """
    variance = np.empty(stack.array.shape, dtype=np.float32)
    independent = True
    for group in range(stack.groups):
        by_channel = _planes(whole or stack, group)
        models = [measure_noise([p for p in planes if p.min() < p.max()] or planes[:1]) for planes in by_channel]
        laws = [model.fit for model in models]
        independent &= all(model.correlation.degree is not Degree.CORRELATED for model in models)
        for sample in range(stack.samples):
            block = stack.read(group, sample)
            found = [_variance(law, values) for law, values in zip(laws, block, strict=True)]
            stack.write(variance, group, sample, stack.full, np.stack(found))
    return variance, independent


def looks_independent(stack: Stack) -> bool:
    """Tell whether the noise passes for independent, and not only for slightly correlated."""
    return all(
        measure_correlation(planes).degree is Degree.INDEPENDENT
        for group in range(stack.groups)
        for planes in _planes(stack, group)
    )


def _planes(stack: Stack, group: int) -> list[list[np.ndarray]]:
    """Return the planes (Y, X) of each channel of a group that the noise is measured on."""
    samples = [(sample, stack.full) for sample in stack.spread(_SAMPLES)]
    blocks = [middle(block, _SIDE) for block in read_informative(stack, group, samples)]
    return [
        [plane for block in blocks for plane in block[channel].reshape(-1, *block.shape[-2:])[::_EVERY]]
        for channel in range(stack.channels)
    ]


def _variance(law: VarianceFit, values: np.ndarray) -> np.ndarray:
    if not law.signal_dependent:
        level = law.level
        return np.full(values.shape, law.offset if level is None else level**2, dtype=np.float32)
    width = (*[0.0] * (values.ndim - 2), _WIDTH, _WIDTH)
    return law.variance(ndimage.gaussian_filter(values, width)).astype(np.float32)
