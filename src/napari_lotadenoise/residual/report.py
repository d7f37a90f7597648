"""What a denoiser has removed, and what that says of its result, without the truth.

A good residual is the noise and nothing else: as strong as the noise, as white as the noise, with nothing of the image in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import filled, layout_for
from napari_lotadenoise.metrics.white import Whiteness, whiteness
from napari_lotadenoise.noise import lag_one, patch_sigma
from napari_lotadenoise.residual.artefacts import Pattern, checkerboard, seams, stripes
from napari_lotadenoise.residual.bias import Bias, wide_bias
from napari_lotadenoise.residual.law import VarianceLaw, variance_law
from napari_lotadenoise.residual.leakage import WINDOW, leakage
from napari_lotadenoise.residual.words import sentences

#: At most so many planes are measured, and at most so many pixels, but for the first plane.
PLANES, PIXELS = 16, 8e6
#: Correlation of the noise above which a blind sigma is too small to be of use. Fine texture alone makes it 0.1.
TELLING = 0.2
#: Estimated noise in units of the image's deviation that is no noise but rounding.
_NONE = 1e-4
#: Smallest side of a plane whose residual can be judged.
SMALLEST = 16


@dataclass(frozen=True)
class ResidualReport:
    """What the residual of an image says.

    Attributes
    ----------
    planes : int
        How many were measured; 0 where they are too small.
    deviation : float
        Standard deviation of the residual, in intensities.
    expected : float or None
        That of the noise; None where it is not known and cannot be estimated, since the noise is correlated or there is none.
    known : bool
        Whether `expected` was told, and not estimated blind.
    whiteness : Whiteness
        Autocorrelation of the residual, mean over the planes.
    noise_correlation : tuple of float
        Correlation of the noise of the image with its neighbour in y and x, estimated before denoising.
    variance : VarianceLaw
        Whether the residual is stronger where the result is brighter.
    structure : float
        Share of the image in which the residual goes with the result beyond chance: structure that was removed.
    opposite : float
        Share in which it goes against it: contrast that was added.
    windows : float
        How many windows that do not overlap these shares come from.
    bias : Bias
        Where the result is brighter or darker than the image over wide areas.
    checkerboard, stripes, seams : Pattern
        Artefacts in the result.
    constant : bool
        Whether the noisy image has one value only.
    """

    planes: int
    deviation: float
    expected: float | None
    known: bool
    whiteness: Whiteness
    noise_correlation: tuple[float, float]
    variance: VarianceLaw
    structure: float
    opposite: float
    windows: float
    bias: Bias
    checkerboard: Pattern
    stripes: Pattern
    seams: Pattern
    constant: bool

    @property
    def ratio(self) -> float | None:
        """Deviation of the residual in units of that of the noise."""
        return self.deviation / self.expected if self.expected else None

    @property
    def noise_white(self) -> bool:
        """Whether the noise of the image was independent from pixel to pixel, as far as one can see in it."""
        return max(self.noise_correlation) <= TELLING

    @property
    def sentences(self) -> tuple[str, ...]:
        """What can be said in words: of the residual first, then of each artefact."""
        return sentences(self)

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return " ".join(self.sentences)

    @property
    def numbers(self) -> dict[str, float]:
        """Flat and ready for JSON; what could not be measured is left out."""
        known = {"expected_deviation": self.expected, "ratio": self.ratio}
        return {
            "planes": float(self.planes),
            "deviation": self.deviation,
            **{name: value for name, value in known.items() if value is not None},
            "correlation_y": self.whiteness.y,
            "correlation_x": self.whiteness.x,
            "correlation_largest": self.whiteness.largest,
            "whiteness": self.whiteness.score,
            "noise_correlation_y": self.noise_correlation[0],
            "noise_correlation_x": self.noise_correlation[1],
            "variance_slope": self.variance.slope,
            "variance_slope_error": self.variance.slope_error,
            "variance_rank": self.variance.rank,
            "variance_r_squared": self.variance.r_squared,
            "structure": self.structure,
            "structure_opposite": self.opposite,
            "darker": self.bias.darker,
            "brighter": self.bias.brighter,
            "checkerboard": self.checkerboard.strength,
            "stripes": self.stripes.strength,
            "seams": self.seams.strength,
        }


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
        Noise deviation in intensities; without it and `variance` it is estimated blind, where the noise is not correlated.
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
    """Where the residual holds structure: its local correlation with the result, freed of what noise alone brings about.

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
    for where, turned in _places(shape, axes, everything=True):
        one, other = _plane(noisy, where, turned), _plane(clean, where, turned)
        found = leakage(one - other, other, window).correlation
        out[where] = found.T if turned else found
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
    correlation = lag_one(noisy) if judged else (0.0, 0.0)
    expected = _expected(noisy, clean, sigma, law, judged and max(correlation) <= TELLING)
    leak = leakage(residual, clean) if judged else leakage(residual[:1], clean[:1])
    return ResidualReport(
        planes=int(judged),
        deviation=deviation,
        expected=expected,
        known=sigma is not None or law is not None,
        whiteness=whiteness(residual),
        noise_correlation=correlation,
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
    blind: bool,
) -> float | None:
    """Deviation of the noise: told, or estimated where it can be."""
    if law is not None:
        return float(np.sqrt(np.mean(np.maximum(law(clean), 0)))) or None
    if sigma is not None:
        return float(sigma) or None
    # Of the estimators this one sees the mean of noise that depends on the signal.
    found = patch_sigma(noisy) if blind else 0.0
    return found if found > _NONE * float(noisy.std()) else None


def _pooled(found: list[ResidualReport]) -> ResidualReport:
    """Mean of the planes; a pattern counts where most of the planes have it."""

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


Place = tuple[int | slice, ...]


def _middle(plane: np.ndarray, side: int | None) -> np.ndarray:
    if side is None:
        return plane
    top, left = (max(0, (n - side) // 2) for n in plane.shape)
    return plane[top : top + side, left : left + side]


def _pairs(noisy: Any, clean: Any, axes: str, planes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Planes of both images."""
    shape, other = tuple(np.shape(noisy)), tuple(np.shape(clean))
    if shape != other:
        raise ImageError(f"The image has the shape {shape} and the result {other}; they must be the same.")
    for where, turned in _places(shape, axes, most=planes):
        yield _plane(noisy, where, turned), _plane(clean, where, turned)


def _places(
    shape: tuple[int, ...], axes: str, *, most: int = PLANES, everything: bool = False
) -> list[tuple[Place, bool]]:
    """Where the planes are, and whether they have X before Y."""
    axes = layout_for(shape, axes).axes
    if 0 in shape:
        raise ImageError(f"The image is empty (shape {shape}).")
    others = [n for axis, n in zip(axes, shape, strict=True) if axis not in "YX"]
    planes = int(np.prod(others, dtype=int))
    most = planes if everything else max(1, min(most, int(PIXELS * planes / np.prod(shape, dtype=float))))
    places = []
    for number in np.unique(np.linspace(0, planes - 1, min(most, planes)).round().astype(int)):
        index = iter(np.unravel_index(number, others)) if others else iter(())
        where = tuple(slice(None) if axis in "YX" else int(next(index)) for axis in axes)
        places.append((where, axes.index("X") < axes.index("Y")))
    return places


def _plane(array: Any, where: Place, turned: bool) -> np.ndarray:
    plane = np.asarray(array[where] if hasattr(array, "dtype") else np.asarray(array)[where])
    if plane.dtype.kind not in "buif":
        raise ImageError(f"The image has the data type {plane.dtype}; it must hold real numbers.")
    plane = filled(plane.astype(np.float64)[None])[0][0]
    return plane.T if turned else plane
