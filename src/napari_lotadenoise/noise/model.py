"""Model of the noise: its variance over the intensity and its correlation over the distance, from the image alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_lotadenoise.noise.correlation import NoiseCorrelation, measure_correlation, uncorrelated
from napari_lotadenoise.noise.judge import opinion
from napari_lotadenoise.noise.variance import VarianceFit, fit_planes

#: Planes that the correlation is measured on, and the side of the middle of each.
PLANES, SIDE = 4, 512
#: Longest stride of the interleaved images that the variance is fitted on, and the share of the noise that its high-pass must
#: let through.
FARTHEST, ENOUGH = 3, 0.8
#: The high-pass of the variance fit, along one axis.
_HIGH_PASS = np.array([1.0, -2.0, 1.0])
#: Smallest share of the noise behind the high-pass that is believed.
_LEAST = 0.05


@dataclass(frozen=True)
class NoiseModel:
    """Second moment of the noise of an image.

    Attributes
    ----------
    fit : VarianceFit
        Variance as a function of the intensity, of the noise that is there whatever its correlation.
    correlation : NoiseCorrelation
    seen : VarianceFit
        Variance by the finest detail alone, which sees only a part of correlated noise; `fit` itself where it is white.
    """

    fit: VarianceFit
    correlation: NoiseCorrelation
    seen: VarianceFit

    @property
    def white(self) -> bool:
        """Tell whether neighbouring pixels have no noise in common."""
        return self.correlation.white


def measure_noise(planes: Sequence[np.ndarray]) -> NoiseModel:
    """Measure the noise of planes (Y, X) of one channel blindly.

    White noise is measured by `fit_planes`. Of correlated noise its high-pass sees only a part: the fit is then one of the
    interleaved images of every second or third pixel, corrected for the correlation that is left there, and its level is
    the geometric mean with that of the flattest blocks. The two are wrong in opposite ways, since interleaved images have
    more texture at their finest detail, and blocks as flat as that are often darker than the rest. Texture is correlated
    as well: how much of all that is noise, the shipped network tells.
    """
    spread = np.unique(np.linspace(0, len(planes) - 1, PLANES).astype(int))
    chosen = [planes[index] for index in spread]
    correlation = measure_correlation([_middle(plane) for plane in chosen])
    seen = fit_planes(planes)
    if correlation.white:
        return NoiseModel(seen, correlation, seen)
    return _judged(chosen, correlation, seen, _coloured(planes, correlation))


def _judged(
    planes: Sequence[np.ndarray], correlation: NoiseCorrelation, seen: VarianceFit, coloured: VarianceFit
) -> NoiseModel:
    """Return the model of noise that is white by one fit and correlated by the other, as far as the network believes it."""
    level, believed, removed = opinion(planes, coloured)
    white, strong = (float(fit.typical_variance(planes[0]).mean()) for fit in (seen, coloured))
    if not believed or strong * level**2 <= white:
        return NoiseModel(seen, uncorrelated(), seen)
    # Photographs through JPEG have more noise than is found in them: the geometric mean of the level before and after.
    share = level**2 if level > 1 else level
    # Where it is not certain that there is such noise, the level lies between that and the one of white noise.
    fit = coloured.corrected(share**believed * (white / strong) ** (1 - believed))
    values = removed * believed
    values[0, 0] = 1
    return NoiseModel(fit, NoiseCorrelation(values, correlation.error, correlation.blocks), seen)


def measure_images(images: np.ndarray) -> NoiseModel:
    """Measure the noise of images (N, C, [Z], Y, X) blindly, all channels together, on at most 16 of their planes."""
    planes = np.asarray(images).reshape(-1, *images.shape[-2:])
    chosen = np.unique(np.linspace(0, len(planes) - 1, 16).astype(int))
    return measure_noise([planes[index] for index in chosen])


def _coloured(planes: Sequence[np.ndarray], correlation: NoiseCorrelation) -> VarianceFit:
    """Fit the variance of correlated noise."""
    passed = {stride: correlation.at_stride(stride).passed_by(_HIGH_PASS) for stride in range(1, FARTHEST + 1)}
    stride = next((n for n, share in passed.items() if share >= ENOUGH), FARTHEST)
    parts = [plane[y::stride, x::stride] for plane in planes for y in range(stride) for x in range(stride)]
    fit = fit_planes(parts).corrected(1 / max(passed[stride], _LEAST))
    blocks = correlation.blocks
    if blocks is None or not len(blocks.means):
        return fit
    expected = float(np.mean(fit.typical_variance(blocks.means)))
    # As far as the correlation is believed, the level of the blocks is.
    believed = min(1.0, max(correlation.along_y, correlation.along_x) / 0.5)
    ratio = float(np.mean(blocks.variances)) * blocks.lost / max(expected, 1e-30)
    return fit.corrected(ratio ** (0.5 * believed))


def _middle(plane: np.ndarray) -> np.ndarray:
    starts = [max(0, (n - SIDE) // 2) for n in plane.shape]
    return plane[starts[0] : starts[0] + SIDE, starts[1] : starts[1] + SIDE]
