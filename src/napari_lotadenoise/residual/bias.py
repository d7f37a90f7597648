"""Whether a result is brighter or darker than its image over wide areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: Side of the windows in pixels: detail that was lost averages out in them, noise falls to a thirtieth.
WINDOW = 31
#: Mean of the residual in a window, in units of its deviation there, that counts as biased.
_LARGE = 0.25


@dataclass(frozen=True)
class Bias:
    """Where the residual is not zero on average.

    Attributes
    ----------
    darker, brighter : float
        Share of the image in which the result is darker, or brighter, than the image by a quarter of the noise and more.
    size : float
        Mean of the residual where it is farthest from zero, in units of its deviation there; above 0 the result is too dark.
    """

    darker: float = 0.0
    brighter: float = 0.0
    size: float = 0.0


def wide_bias(residual: np.ndarray) -> Bias:
    """Return the mean of the residual in windows of 31 x 31 pixels, in units of its deviation there.

    Noise is zero on average, to a thirtieth of itself in such a window; a quarter is no chance, and no detail either, which
    has both signs within it. Planes that are smaller than the window are not judged.
    """
    if min(residual.shape) < WINDOW:
        return Bias()
    inner = tuple(slice(WINDOW // 2, -(WINDOW // 2) or None) for _ in residual.shape)
    mean, power = (ndimage.uniform_filter(part, WINDOW)[inner] for part in (residual, residual**2))
    deviation = np.sqrt(np.maximum(power - mean**2, 0))
    sizes = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
    return Bias(
        float((sizes > _LARGE).mean()), float((sizes < -_LARGE).mean()), float(sizes.flat[np.argmax(np.abs(sizes))])
    )
