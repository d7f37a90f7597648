"""What a denoiser has removed, and what that says of its result, without the truth.

A good residual is the noise and nothing else: as strong as the noise, as white as the noise, with nothing of the image in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image import outliers
from napari_lotadenoise.image.informative import informative
from napari_lotadenoise.image.planes import spread_planes
from napari_lotadenoise.metrics.white import Whiteness, whiteness
from napari_lotadenoise.noise import NoiseCorrelation, measure_correlation, measure_noise, patch_sigma
from napari_lotadenoise.residual.artefacts import Pattern, checkerboard, seams, stripes
from napari_lotadenoise.residual.bias import Bias, wide_bias
from napari_lotadenoise.residual.findings import ResidualFindings
from napari_lotadenoise.residual.law import VarianceLaw, variance_law
from napari_lotadenoise.residual.leakage import WINDOW, leakage
from napari_lotadenoise.residual.words import sentences

#: At most so many planes are measured, and at most so many pixels, but for the first plane.
PLANES, PIXELS = 16, 8e6
#: Estimated noise in units of the image's deviation that is no noise but rounding.
_NONE = 1e-4
#: Smallest side of a plane whose residual can be judged.
SMALLEST = 16


@dataclass(frozen=True)
class ResidualReport(ResidualFindings):
    """Measurements on the residual of an image, and what follows from them in words."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Describe the residual in words: of the residual first, then of each artefact."""
        return sentences(self)

    @property
    def sentence(self) -> str:
        """Return all of it in one line."""
        return " ".join(self.sentences)


def examine(
    noisy: Any, clean: Any, axes: str = "YX", sigma: float | None = None,
    variance: Callable[[np.ndarray], np.ndarray] | None = None, tile: int | None = None, planes: int = PLANES,
    side: int | None = None,
) -> ResidualReport:  # fmt: skip
    """Examine what was removed from an image.

    Parameters
    ----------
    noisy, clean : array
        Of one shape, any real data type; NaN and inf are replaced by their neighbours.
    axes : str
        One letter an axis (T, P, C, Z, Y, X, S). Planes are measured one by one, at most 16 evenly spread ones.
    sigma : float, optional
        Noise deviation in intensities; without it and `variance` it is estimated blind.
    variance : callable, optional
        Noise variance as a function of the intensity, for noise that depends on the signal; goes before `sigma`.
    tile : int, optional
        Side of the tiles in pixels in which the image was denoised; without it no seams are looked for.
    planes : int
        Most planes to measure.
    side : int, optional
        Measure only so many pixels in the middle of each plane, to be done sooner; seams are not looked for then.

    Raises
    ------
    AxesError, ImageError
        Where the axes or the shapes do not fit, or the images are not real.
    """
    pairs = (tuple(_middle(plane, side) for plane in pair) for pair in _pairs(noisy, clean, axes, planes))
    found = [_examine(one, other, sigma, variance, None if side else tile) for one, other in pairs]
    return found[0] if len(found) == 1 else _pooled(found)


def leak_map(noisy: Any, clean: Any, axes: str = "YX", window: int = WINDOW) -> np.ndarray:
    """Return where the residual holds structure: its local correlation with the result, freed of what noise alone brings about.

    About 0 +- 1 / window where only noise was removed, towards 1 where structure was removed with it, towards -1 where
    contrast was added. See `napari_lotadenoise.residual.leakage.leakage`.

    Parameters
    ----------
    noisy, clean, axes
        As for `examine`.
    window : int
        Side of the windows in pixels, odd.

    Returns
    -------
    ndarray of float32
        Shape of the image, -1 to 1.
    """
    shape = tuple(np.shape(noisy))
    out = np.zeros(shape, dtype=np.float32)
    for place in spread_planes(shape, axes):
        one, other = place.read(noisy), place.read(clean)
        place.write(out, leakage(one - other, other, window).correlation)
    return out


def _examine(
    noisy: np.ndarray, clean: np.ndarray, sigma: float | None, law: Callable[[np.ndarray], np.ndarray] | None,
    tile: int | None,
) -> ResidualReport:  # fmt: skip
    """Report on one plane."""
    residual = noisy - clean
    deviation = float(residual.std())
    # A residual that is rounding, or an offset, is none.
    if deviation <= 1e-6 * max(float(noisy.std()), float(np.abs(noisy).max()) * 1e-6):
        residual, deviation = np.zeros_like(residual), 0.0
    judged = min(noisy.shape) >= SMALLEST
    correlation = measure_correlation([noisy]) if judged else None
    expected = _expected(noisy, clean, sigma, law, correlation)
    leak = leakage(residual, clean) if judged else leakage(residual[:1], clean[:1])
    return ResidualReport(
        planes=int(judged),
        deviation=deviation,
        expected=expected,
        known=sigma is not None or law is not None,
        whiteness=whiteness(residual),
        noise_correlation=(correlation.along_y, correlation.along_x) if correlation else (0.0, 0.0),
        reach=correlation.reach if correlation else 1,
        variance=variance_law(residual, clean),
        structure=leak.share,
        opposite=leak.opposite,
        windows=leak.windows,
        bias=wide_bias(residual),
        checkerboard=checkerboard(clean, noisy),
        stripes=stripes(clean, noisy),
        seams=seams(clean, noisy, tile) if tile else Pattern(),
        constant=float(noisy.min()) == float(noisy.max()),
    )


def _expected(
    noisy: np.ndarray,
    clean: np.ndarray,
    sigma: float | None,
    law: Callable[[np.ndarray], np.ndarray] | None,
    correlation: NoiseCorrelation | None,
) -> float | None:
    """Return the deviation of the noise: the known one, or an estimate where the plane is large enough for one."""
    if law is not None:
        return float(np.sqrt(np.mean(np.maximum(law(clean), 0)))) or None
    if sigma is not None:
        return float(sigma) or None
    if correlation is None:
        return None
    # Of the estimators of white noise this one sees the mean of noise that depends on the signal.
    found = patch_sigma(noisy) if correlation.white else _deviation(noisy)
    return found if found > _NONE * float(noisy.std()) else None


def _deviation(noisy: np.ndarray) -> float:
    return float(np.sqrt(measure_noise([noisy]).fit.typical_variance(noisy).mean()))


def _pooled(found: list[ResidualReport]) -> ResidualReport:
    """Return the mean of the planes; a pattern counts where most of the planes have it."""

    def mean(get: Callable[[ResidualReport], float]) -> float:
        return float(np.mean([get(each) for each in found]))

    def pattern(get: Callable[[ResidualReport], Pattern]) -> Pattern:
        shares = [get(each).found for each in found]
        return Pattern(mean(lambda r: get(r).strength), mean(lambda r: get(r).deviation), float(np.mean(shares)) > 0.5)

    laws = [each.variance for each in found]
    expected = [each.expected for each in found if each.expected is not None]
    counted = [each for each in found if each.whiteness.pixels] or found
    return ResidualReport(
        planes=sum(each.planes for each in found),
        deviation=float(np.sqrt(mean(lambda r: r.deviation**2))),
        expected=float(np.sqrt(np.mean(np.square(expected)))) if len(expected) > len(found) / 2 else None,
        known=found[0].known,
        whiteness=Whiteness(
            np.mean([each.whiteness.correlation for each in counted], axis=0), sum(r.whiteness.pixels for r in found)
        ),
        noise_correlation=(mean(lambda r: r.noise_correlation[0]), mean(lambda r: r.noise_correlation[1])),
        reach=max(each.reach for each in found),
        variance=VarianceLaw(
            slope=float(np.mean([law.slope for law in laws])),
            slope_error=float(np.sqrt(np.sum([law.slope_error**2 for law in laws]))) / len(laws),
            growth=float(np.mean([law.growth for law in laws])),
            rank=float(np.mean([law.rank for law in laws])),
            r_squared=float(np.mean([law.r_squared for law in laws])),
        ),
        structure=mean(lambda r: r.structure),
        opposite=mean(lambda r: r.opposite),
        windows=sum(each.windows for each in found),
        bias=Bias(
            mean(lambda r: r.bias.darker),
            mean(lambda r: r.bias.brighter),
            max((r.bias.size for r in found), key=abs),
        ),
        checkerboard=pattern(lambda r: r.checkerboard),
        stripes=pattern(lambda r: r.stripes),
        seams=pattern(lambda r: r.seams),
        constant=all(each.constant for each in found),
    )


def _middle(plane: np.ndarray, side: int | None) -> np.ndarray:
    if side is None:
        return plane
    top, left = (max(0, (n - side) // 2) for n in plane.shape)
    return plane[top : top + side, left : left + side]


def _pairs(noisy: Any, clean: Any, axes: str, planes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return the planes of both images."""
    shape, other = tuple(np.shape(noisy)), tuple(np.shape(clean))
    if shape != other:
        raise ImageError(f"The image has the shape {shape} and the result {other}; they must be the same.")
    for place in spread_planes(shape, axes, planes, PIXELS):
        pair = _without_outliers(place.read(noisy), place.read(clean))
        kept = informative([pair[0][None]])
        yield pair if kept is None else tuple(plane[kept[0][:, None], kept[1]] for plane in pair)


def _without_outliers(noisy: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Repair the outliers of a noisy plane, and those that a result has kept: nothing can be said of what was removed there."""
    repaired, found = outliers.repaired(noisy[None].astype(np.float32), [outliers.isolation_of([noisy])])
    if not found.any():
        return noisy, clean
    kept = found[0] & (clean == noisy)
    return np.where(found[0], repaired[0], noisy), np.where(kept, repaired[0], clean)
