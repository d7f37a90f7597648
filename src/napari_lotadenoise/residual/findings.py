"""Measurements on a residual: strength, whiteness, structure, artefacts."""

from __future__ import annotations

from dataclasses import dataclass

from napari_lotadenoise.metrics.white import Whiteness
from napari_lotadenoise.residual.artefacts import Pattern
from napari_lotadenoise.residual.bias import Bias
from napari_lotadenoise.residual.law import VarianceLaw

#: Correlation of the noise above which a blind sigma is too small to be of use. Fine texture alone makes it 0.1.
TELLING = 0.2


@dataclass(frozen=True)
class ResidualFindings:
    """Measurements on the residual of an image.

    Attributes
    ----------
    planes : int
        How many were measured; 0 where they are too small.
    deviation : float
        Standard deviation of the residual, in intensities.
    expected : float or None
        That of the noise; None where it is not known and cannot be estimated, since the plane is tiny or there is none.
    known : bool
        Whether `expected` was told, and not estimated blind.
    whiteness : Whiteness
        Autocorrelation of the residual, mean over the planes.
    noise_correlation : tuple of float
        Correlation of the noise of the image with its neighbour in y and x, estimated before denoising.
    reach : int
        Number of neighbouring pixels that share noise; 1 where none do.
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
    reach: int
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
        """Return the deviation of the residual in units of that of the noise."""
        return self.deviation / self.expected if self.expected else None

    @property
    def left(self) -> float | None:
        """Return the share of the noise variance that is still in the result, 0 to 1; None where the noise is not known."""
        return None if self.ratio is None else max(0.0, 1 - self.ratio**2)

    @property
    def noise_white(self) -> bool:
        """Tell whether the noise of the image was independent from pixel to pixel, as far as one can see in it."""
        return max(self.noise_correlation) <= TELLING

    @property
    def numbers(self) -> dict[str, float]:
        """Return the numbers, flat and ready for JSON; what could not be measured is left out."""
        known = {"expected_deviation": self.expected, "ratio": self.ratio}
        return {
            "planes": float(self.planes),
            "deviation": self.deviation,
            **{name: value for name, value in known.items() if value is not None},
            **({} if self.left is None else {"noise_left": self.left}),
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
