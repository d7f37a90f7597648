"""How good a result is: against a reference where there is one, and what can be said without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.comparison.noise_map import looks_independent, noise_map
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.isolation import measure_isolation
from napari_lotadenoise.image.stack import Layout, Stack, filled
from napari_lotadenoise.methods import find
from napari_lotadenoise.metrics import Blocks, Estimate, fitted_psnr, psnr, ssim, stein
from napari_lotadenoise.noise.report import SMALLEST
from napari_lotadenoise.result import Result

#: Gain between image and reference beyond which their exposures count as different, and the difference of their means in
#: deviations of the reference.
_EXPOSURE, _SHIFT = 0.05, 0.1
#: Standard error of the measured noise variance, as a share of it (docs/scores.md).
_DOUBT = 0.03
#: Noise in units of the largest intensity below which there is none to judge by.
_NONE = 1e-4
#: Share of the pixels on the lowest or highest level from which these count as clipped, and are not judged.
_PILED = 1e-3


@dataclass(frozen=True)
class Score:
    """What is known of a result. PSNR in dB.

    Attributes
    ----------
    psnr, ssim, fitted_psnr : float or None
        Against the reference; None without one. `fitted_psnr` is that after the best gain and offset.
    risk : Blocks or None
        Squared error by Stein's estimate, without pixels that were NaN or inf; None where the method's answer to a change
        of its image tells nothing, or the noise is correlated between pixels.
    peak : float
        Largest intensity of the scale.
    whiteness : float
        Share of its spectrum that the residual fills, 0 to 1.
    structure : float
        Share of the image in which structure was removed with the noise, 0 to 1.
    ratio : float or None
        Deviation of the residual in units of that of the noise.
    sentence : str
        What the residual says in words.
    seconds : float
        Time of the run.
    doubt : float
        Standard error of `risk` that comes from that of the noise variance, which all results of an image share.
    """

    psnr: float | None
    ssim: float | None
    fitted_psnr: float | None
    risk: Blocks | None
    peak: float
    whiteness: float
    structure: float
    ratio: float | None
    sentence: str
    seconds: float
    doubt: float = 0.0

    @property
    def estimate(self) -> Estimate | None:
        """Return the PSNR without the reference, with its spread."""
        if self.risk is None:
            return None
        return Estimate(self.risk.mean, float(np.hypot(self.risk.standard_error, self.doubt)), self.peak)


class Scorer:
    """Scores results of one image.

    Parameters
    ----------
    image : array-like
    layout : Layout
    reference : array-like, optional
        A clean image, or an average of many captures, of the image's shape.
    peak : float, optional
        Largest intensity of the scale; default: 255 for 8-bit images, else the span of the reference or, without one, of
        the bulk of the image.
    fill : bool
        Whether NaN and inf are replaced by their neighbours.
    whole : array-like, optional
        The image that `image` is a part of, with axes and channels of the same kind: its noise is measured there.

    Raises
    ------
    ImageError
        Where the reference does not fit the image.
    """

    def __init__(
        self, image: Any, layout: Layout, reference: Any = None, peak: float | None = None, *, fill: bool = False,
        whole: Any = None,
    ) -> None:  # fmt: skip
        self._noisy = _finite(image)
        stack = _stack(image, layout, fill=fill)
        self._seen = np.isfinite(np.asarray(image)) & ~_clipped(np.asarray(image)) & ~_outliers(stack)
        self._reference = None if reference is None else _checked(reference, tuple(image.shape))
        self.peak = peak or _peak(image, self._noisy, self._reference)
        self._variance, self.independent = noise_map(stack, None if whole is None else _stack(whole, layout, fill=fill))
        self.gain = 1.0 if self._reference is None else _gain(self._noisy, self._reference)

        self.caution = self._caution(stack if whole is None else _stack(whole, layout, fill=fill))

    def _caution(self, measured: Stack) -> str:
        """Explain why there can be no estimate without a reference, or why it may mislead."""
        small = min(self._noisy.shape[i] for i, axis in enumerate(measured.layout.axes) if axis in "YX") < SMALLEST
        if small or self.sigma <= _NONE * float(np.abs(self._noisy).max()):
            self.independent = False
            why = f"is smaller than {SMALLEST} pixels" if small else "holds hardly any noise"
            return f"The image {why}: no score without a reference can be believed, so none is shown."
        if not self.independent:
            return "The noise is correlated between pixels: no score without a reference can be believed, so none is shown."
        if not looks_independent(measured):
            return (
                "The noise may be correlated between pixels: the estimate then flatters methods that keep much of it."
            )
        return ""

    @property
    def sigma(self) -> float:
        """Return the noise deviation in intensities, the root of the mean variance."""
        return float(np.sqrt(self._variance.mean()))

    @property
    def divergence_step(self) -> Any:
        """Return the steps in intensities with which runs are to measure their divergence: a tenth of the noise.

        0 where it is no use.
        """
        return np.sqrt(self._variance) / 10 if self.independent else 0.0

    @property
    def same_exposure(self) -> bool:
        """Tell whether image and reference have one scale of intensities: a gain of about 1, and about the same mean."""
        reference = self._reference
        if reference is None or reference.min() == reference.max():
            return True
        shift = float(self._noisy.mean(dtype=np.float64) - reference.mean(dtype=np.float64))
        return abs(shift) <= _SHIFT * float(reference.std(dtype=np.float64)) and abs(self.gain - 1) <= _EXPOSURE

    def decibels(self, image: np.ndarray) -> float | None:
        """Return the PSNR of an image, fitted where exposures differ, by which is ranked; None without a reference."""
        if self._reference is None:
            return None
        return (psnr if self.same_exposure else fitted_psnr)(image, self._reference, self.peak)

    def __call__(self, result: Result) -> Score:
        """Score a result."""
        against: tuple[float | None, float | None, float | None] = (None, None, None)
        if self._reference is not None:
            against = (
                psnr(result.image, self._reference, self.peak),
                ssim(result.image, self._reference, self.peak, result.recipe.axes),
                fitted_psnr(result.image, self._reference, self.peak),
            )
        found = result.diagnosis
        assert found is not None, "the engine examines every result"
        return Score(
            *against, self._risk(result), self.peak, found.whiteness.score, found.structure, found.ratio, found.sentence,
            result.recipe.seconds, self._doubt(result),
        )  # fmt: skip

    def _risk(self, result: Result) -> Blocks | None:
        """Return Stein's estimate, with the variance of each pixel, from the change of the result with its image."""
        if result.divergence is None or not self.independent or find(result.recipe.method).tiling.whole:
            return None
        return stein(result.image, self._noisy, self._variance, result.divergence, self._seen)

    def _doubt(self, result: Result) -> float:
        if result.divergence is None:
            return 0.0
        return _DOUBT * abs(float(np.mean(self._variance * (1 - 2 * result.divergence))))


def _stack(image: Any, layout: Layout, *, fill: bool) -> Stack:
    stack = Stack(image, layout, fill=fill)
    stack.isolation = measure_isolation(stack)
    return stack


def _outliers(stack: Stack) -> np.ndarray:
    """Find the pixels that no noise explains."""
    found = np.zeros(stack.array.shape, dtype=bool)
    for group in range(stack.groups):
        for sample in range(stack.samples):
            stack.write(found, group, sample, stack.full, stack.outliers(group, sample))
    return found


def _clipped(image: np.ndarray) -> np.ndarray:
    """Find where so many pixels lie on the lowest or the highest level that their noise has been cut off."""
    found = np.zeros(image.shape, dtype=bool)
    finite = image[np.isfinite(image)]
    for level in (finite.min(), finite.max()) if finite.size else ():
        piled = image == level
        if piled.mean() > _PILED:
            found |= piled
    return found if not found.all() else np.zeros_like(found)


def _finite(image: Any) -> np.ndarray:
    """Return the image in float32, NaN and inf replaced by near values."""
    whole = np.asarray(image).astype(np.float32)
    return filled(whole.reshape(-1, *whole.shape[-2:]))[0].reshape(whole.shape)


def _checked(reference: Any, shape: tuple[int, ...]) -> np.ndarray:
    if tuple(np.shape(reference)) != shape:
        raise ImageError(
            f"The reference has the shape {tuple(np.shape(reference))} and the image {shape}; they must be the same."
        )
    found = np.asarray(reference)
    if found.dtype.kind not in "uif":
        raise ImageError(f"The reference has the data type {found.dtype}; it must hold real numbers.")
    if not np.isfinite(found).all():
        raise ImageError("The reference holds NaN or inf; nothing can be compared with it.")
    return found.astype(np.float32)


def _peak(image: Any, noisy: np.ndarray, reference: np.ndarray | None) -> float:
    if np.dtype(image.dtype) == np.uint8:
        return 255.0
    low, high = np.percentile(noisy, (0.1, 99.9)) if reference is None else (reference.min(), reference.max())
    return float(high - low) or 1.0


def _gain(noisy: np.ndarray, reference: np.ndarray) -> float:
    """Return the slope of the image over the reference, which the noise of the image does not change."""
    centred = reference - reference.mean(dtype=np.float64)
    power = float(np.mean(centred**2))
    return float(np.mean(centred * (noisy - noisy.mean(dtype=np.float64)))) / power if power > 0 else 1.0
