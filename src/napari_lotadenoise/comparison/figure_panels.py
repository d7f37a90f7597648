"""What the figure of a comparison shows: planes, residuals, limits of the contrast, the part that is enlarged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_lotadenoise.comparison.columns import headline
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.ranking import Standing
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.image.stack import AXIS_NAMES
from napari_lotadenoise.metrics import fitted_psnr, psnr, ssim

#: Marks a result that is as good as the best one, as far as can be told.
CLOSE = "≈"
#: Shares of pixels, in percent, that may be darker and brighter than the contrast shows.
_DARK, _BRIGHT = 0.2, 99.8
#: Share of a residual's pixels, in percent, that its colours reach.
_REACHED = 99.5
#: Sides of the enlarged part, pixels, and how many times it goes into the shorter side of the picture.
_SMALL, _LARGE, _TIMES = 24, 128, 4
#: Width of the blur in which edges are looked for, in sides of the enlarged part: those of structures, not of speckle.
_EDGE = 1 / 16

Inset = tuple[slice, slice]


@dataclass(frozen=True)
class Panel:
    """One column of the figure.

    Attributes
    ----------
    title, score : str
        What it is, and how good it is; `score` may be empty.
    picture : ndarray of float32
        (Y, X) or (Y, X, 3), NaN where the image is not finite.
    residual : ndarray of float32 or None
        Noisy minus picture, (Y, X), mean over the colours; None for the noisy image.
    limits : tuple of float
        Intensities that are black and white.
    """

    title: str
    score: str
    picture: np.ndarray
    residual: np.ndarray | None
    limits: tuple[float, float]


@dataclass(frozen=True)
class Panels:
    """All of them, and what they share.

    Attributes
    ----------
    columns : tuple of Panel
        The noisy image, the reference where there is one, the results, the best one first.
    inset : tuple of two slices, or None
        Rows and columns that are enlarged; None where the picture is too small to enlarge a part of it.
    reach : float
        Largest value, to both sides of 0, of the colours of the residuals.
    notes : tuple of str
        What has to be known to read the figure, one sentence each.
    """

    columns: tuple[Panel, ...]
    inset: Inset | None
    reach: float
    notes: tuple[str, ...]


def panels(comparison: Comparison, *, inset: Inset | None = None, best: int | None = None) -> Panels:
    """Work out what is to be seen of a comparison.

    Parameters
    ----------
    comparison : Comparison
    inset : tuple of two slices, optional
        Rows and columns of the part to enlarge; default: where most edges are.
    best : int, optional
        How many results are shown, from the best one on; default: all.

    Raises
    ------
    ParameterError
        Where the part is not in the picture, or `best` is below 1.
    """
    if best is not None and best < 1:
        raise ParameterError(f"best must be a number of results, 1 or more, not {best!r}.")
    shown = [s for s in comparison.ranked if s.outcome.result is not None][:best]
    noisy = _plane(comparison.image, comparison.axes)
    truth = None if comparison.reference is None else _plane(comparison.reference, comparison.axes)
    limits = _limits(noisy if truth is None or not comparison.same_exposure else truth)
    found = [Panel("Noisy input", _input_score(comparison), noisy, None, limits)]
    if truth is not None:
        own = comparison.same_exposure
        # Of another exposure, the difference would hold the image itself.
        left = _grey(noisy - truth) if own else None
        found.append(Panel("Reference", "", truth, left, limits if own else _limits(truth)))
    found += [_result(standing, comparison, noisy, limits) for standing in shown]
    reaches = [_percentiles(np.abs(p.residual), _REACHED)[0] for p in found if p.residual is not None]
    guide = found[1].picture if len(found) > 1 else noisy
    return Panels(
        tuple(found),
        _chosen(guide) if inset is None else _checked(inset, noisy.shape),
        float(f"{float(np.median(reaches)) if reaches else 0:.2g}") or 1.0,
        tuple(_notes(comparison, shown, limits)),
    )


def _result(standing: Standing, comparison: Comparison, noisy: np.ndarray, limits: tuple[float, float]) -> Panel:
    outcome = standing.outcome
    assert outcome.result is not None
    picture = _plane(outcome.result.image, comparison.axes)
    place = "" if standing.place is None else f"{standing.place}. "
    title = f"{place}{outcome.candidate.label}{f' {CLOSE}' if standing.close else ''}"
    return Panel(title, comparison.headline(outcome), picture, _grey(noisy - picture), limits)


def _input_score(comparison: Comparison) -> str:
    """Return the score of the noisy image, to compare the results with; empty without a reference."""
    image, truth, peak = comparison.image.astype(np.float32), comparison.reference, comparison.peak
    if truth is None or not np.isfinite(image).all():
        return ""
    truth = truth.astype(np.float32)
    found = psnr(image, truth, peak), ssim(image, truth, peak, comparison.axes), fitted_psnr(image, truth, peak)
    return headline(Score(*found, None, peak, 0.0, 0.0, None, "", 0.0), fitted=not comparison.same_exposure)


def _middle(comparison: Comparison) -> dict[str, int]:
    """Name the plane that is shown, for every axis beyond Y, X and S."""
    sizes = zip(comparison.axes, comparison.image.shape, strict=True)
    return {axis: (size - 1) // 2 for axis, size in sizes if axis not in "YXS"}


def _plane(array: np.ndarray, axes: str) -> np.ndarray:
    """Return the middle plane as (Y, X), or (Y, X, 3) for colours."""
    shape = array.shape
    plane = array[tuple(slice(None) if a in "YXS" else (n - 1) // 2 for a, n in zip(axes, shape, strict=True))]
    left = [axis for axis in axes if axis in "YXS"]
    plane = plane.transpose([left.index(axis) for axis in "YXS" if axis in left]).astype(np.float32)
    if plane.ndim == 3:
        plane = plane[..., :3] if plane.shape[2] >= 3 else plane.mean(2)
    return np.where(np.isfinite(plane), plane, np.float32(np.nan))


def _grey(residual: np.ndarray) -> np.ndarray:
    return residual.mean(2) if residual.ndim == 3 else residual


def _limits(picture: np.ndarray) -> tuple[float, float]:
    low, high = _percentiles(picture, _DARK, _BRIGHT)
    return (low, high) if high > low else (low, low + 1)


def _percentiles(values: np.ndarray, *shares: float) -> list[float]:
    known = values[np.isfinite(values)]
    return [float(value) for value in np.percentile(known, shares)] if known.size else [0.0 for _ in shares]


def _chosen(picture: np.ndarray) -> Inset | None:
    """Return the part with most edges, to enlarge it; None where it would be most of the picture."""
    side = int(np.clip(min(picture.shape[:2]) // _TIMES, _SMALL, _LARGE))
    if 2 * side > min(picture.shape[:2]):
        return None
    # A part of a flat strip is as flat.
    sides = side, side * (2 if picture.shape[1] >= 3 * picture.shape[0] else 1)
    edges = ndimage.gaussian_gradient_magnitude(np.nan_to_num(_grey(picture)), _EDGE * side)
    # Many edges, rather than a single bright one.
    total = np.pad(np.minimum(edges, np.percentile(edges, 95)).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = sides
    within = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]
    starts = np.unravel_index(int(np.argmax(within)), within.shape)
    down, along = (slice(int(start), int(start) + n) for start, n in zip(starts, sides, strict=True))
    return down, along


def _checked(inset: Inset, shape: tuple[int, ...]) -> Inset:
    if len(inset) != 2 or any(
        not 0 <= (part.start or 0) < (n if part.stop is None else part.stop) <= n
        for part, n in zip(inset, shape, strict=False)
    ):
        raise ParameterError(
            f"The part to enlarge, {inset}, is not within the {shape[0]} x {shape[1]} pixels of the picture."
        )
    rows, columns = (slice(*part.indices(n)[:2]) for part, n in zip(inset, shape, strict=False))
    return rows, columns


def _notes(comparison: Comparison, shown: list[Standing], limits: tuple[float, float]) -> Iterator[str]:
    """Return the remarks that a reader of the figure needs."""
    if any(standing.place is not None for standing in shown) and comparison.headline(shown[0].outcome):
        truth = comparison.reference is not None
        yield f"Results are in order of {'PSNR against the reference' if truth else 'estimated PSNR'}, the best one first."
    if any(standing.close for standing in shown):
        yield f"{CLOSE}: too close to the best one to call."
    apart = "" if comparison.same_exposure or comparison.reference is None else " but the reference, which has its own"
    yield f"One contrast for all pictures{apart}: black is {limits[0]:.4g}, white {limits[1]:.4g}."
    if "S" in comparison.axes:
        yield "Residuals are means over the colours."
    plane = _middle(comparison)
    if plane:
        yield f"Shown is {', '.join(_where(comparison, axis, index) for axis, index in plane.items())} (counted from 1)."
    if any(comparison.image.shape[comparison.axes.index(axis)] > 1 for axis in plane):
        yield "Scores are those of all planes compared."
    failed = [o.candidate.label for o in comparison.outcomes if o.result is None]
    if failed:
        yield f"No result: {', '.join(failed)}."
    yield from comparison.remarks


def _where(comparison: Comparison, axis: str, index: int) -> str:
    """Make a place on an axis, counted from 1 in the whole image."""
    at = comparison.axes.index(axis)
    start = 0 if comparison.crop is None else comparison.crop[at].indices(2**62)[0]
    return f"{AXIS_NAMES[axis].removesuffix('s')} {start + index + 1}"
