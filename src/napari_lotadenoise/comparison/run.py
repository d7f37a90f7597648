"""`compare`: several methods on one image, without a GUI."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.automatic import AUTO, choose
from napari_lotadenoise.comparison.candidate import Candidate, candidates_for, possible, suggested
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.crop import Crop, choose_crop
from napari_lotadenoise.comparison.runner import CandidateEvent, Outcome, run_candidates
from napari_lotadenoise.comparison.score import Scorer
from napari_lotadenoise.compute import devices
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.image.arrays import array_of, is_masked
from napari_lotadenoise.image.checks import check
from napari_lotadenoise.image.stack import Layout, Stack, layout_for
from napari_lotadenoise.noise import estimate_noise
from napari_lotadenoise.options import Options, takes_run_options

#: Smallest side of a crop, pixels.
_SMALLEST = 16


@dataclass(frozen=True)
class ComparisonPlan:
    """What is compared on what: worked out before anything runs, the same for Python, command and dock.

    Attributes
    ----------
    image : ndarray
        The part that is compared on, copied.
    candidates : tuple of Candidate
    options : Options
        Of every run.
    scorer : Scorer
    crop : tuple of slice or None
        Where the part is in the whole image; None where it is the whole.
    reference : ndarray or None
        The part of the reference.
    """

    image: np.ndarray
    candidates: tuple[Candidate, ...]
    options: Options
    scorer: Scorer
    crop: Crop | None
    reference: np.ndarray | None

    @property
    def axes(self) -> str:
        """Return the axes of the image, one letter each."""
        return self.options.axes or ""

    def finish(self, outcomes: Iterable[Outcome]) -> Comparison:
        """Put outcomes together."""
        return Comparison(
            self.image, self.axes, tuple(outcomes), self.reference, self.scorer.peak, self.scorer.same_exposure,
            self.scorer.independent, self.crop, self.scorer.caution,
        )  # fmt: skip


def plan_comparison(
    image: Any,
    methods: Iterable[str | Candidate] | str,
    options: Options,
    *,
    reference: Any = None,
    crop: Crop | int = 0,
    peak: float | None = None,
) -> ComparisonPlan:
    """Work out a comparison; parameters as for `compare`.

    Raises
    ------
    LotaDenoiseError
        Where the image, the reference or a setting is not what it should be.
    """
    if is_masked(image):
        options = dataclasses.replace(options, fill=True)
    image, reference = array_of(image), None if reference is None else array_of(reference)
    layout = layout_for(tuple(image.shape), options.axes, options.channels, options.volume)
    stack = check(image, layout, fill=options.fill)
    if reference is not None and tuple(reference.shape) != tuple(image.shape):
        raise ParameterError(
            f"The reference has the shape {tuple(reference.shape)} and the image {tuple(image.shape)}; "
            "they must be the same."
        )
    devices.choose(options.device)
    if peak is not None and not peak > 0:
        raise ParameterError(f"peak must be above 0, not {peak!r}.")
    named = _named(methods, image, layout.axes, fill=options.fill)
    entries = [_chosen(one, image, layout, options) for one in named]
    candidates = candidates_for(entries, options.preset or "fast")
    frames = any(candidate.method_class.requires.repeats for candidate in candidates)
    where = _where(crop, stack, frames=frames)
    part = np.array(image if where is None else image[where])
    if where is not None:
        check(part, layout, fill=options.fill)
    truth = None if reference is None else np.array(reference if where is None else reference[where])
    scorer = Scorer(part, layout, truth, peak, fill=options.fill, whole=None if where is None else image)
    chosen = dataclasses.replace(options, axes=layout.axes, divergence_step=scorer.divergence_step)
    return ComparisonPlan(part, candidates, chosen, scorer, where, truth)


@takes_run_options("axes")
def compare(
    image: Any,
    methods: Iterable[str | Candidate] | str = "suggested",
    axes: str | None = None,
    *,
    reference: Any = None,
    crop: Crop | int = 0,
    budget: float = 0.0,
    peak: float | None = None,
    preset: str = "fast",
    snapshots: int = 0,
    listener: Callable[[CandidateEvent], None] | None = None,
    **run_options: Any,
) -> Comparison:
    """Compare methods on an image, one after another; the failure of one does not touch the others.

    Parameters
    ----------
    image : array
        As for `denoise`.
    methods : sequence of str or Candidate, or "suggested" or "all"
        Ids of `METHODS`, or "auto" for what Auto chooses; a `Candidate` has settings of its own, `sweep` makes several of them.
        By default those that suit the noise of the image, and two plain filters beside.
    axes : str
        One letter an axis, as for `denoise`.
    reference : array, optional
        A clean image or an average of many captures, of the image's shape and intensities; methods never see it.
    crop : int or tuple of slice
        Side in pixels of a part with detail and background that is picked, or the part itself, one slice an axis; 0 is the
        whole image.
    budget : float
        Seconds after which the training of a method is finished early; 0 for no limit.
    peak : float, optional
        Largest intensity of the scale, for PSNR; default: 255 for 8-bit images, else the span of the reference or, without
        one, of the bulk of the image.
    preset : "fast", "paper" or "warm"
        As for `denoise`; candidates may have presets of their own.
    snapshots : int
        How many pictures from the way of each training are kept.
    listener : callable, optional
        Called with every `CandidateEvent`.
    {run_options}

    Returns
    -------
    Comparison
        ``outcomes`` with results and scores, ``ranked``, ``text()``, ``to_csv()``, ``to_json()``.

    Raises
    ------
    LotaDenoiseError
        Where nothing can be compared at all; what goes wrong in one method is in its outcome.
    """
    if not budget >= 0:
        raise ParameterError(f"budget must be a number of seconds, 0 or more, not {budget!r}.")
    unknown = sorted(set(run_options) - {option.name for option in parameters(RunOptions)})
    if unknown:
        raise ParameterError(
            f"There is no run option {', '.join(unknown)}; settings of a method belong to its candidate."
        )
    options = Options(axes, **run_options, preset=preset, snapshots=snapshots)
    planned = plan_comparison(image, methods, options, reference=reference, crop=crop, peak=peak)
    outcomes = []
    for event in run_candidates(planned.image, planned.candidates, planned.options, planned.scorer, budget):
        if listener is not None:
            listener(event)
        if isinstance(event.event, Outcome):
            outcomes.append(event.event)
    return planned.finish(outcomes)


def _named(methods: Iterable[str | Candidate] | str, image: Any, axes: str, *, fill: bool) -> Iterable[str | Candidate]:
    """Return the methods of the words "all" and "suggested"; a single id is one method."""
    if not isinstance(methods, str):
        return methods
    repeats = Layout(axes).size("T", tuple(image.shape)) > 1
    if methods == "all":
        return possible(repeats=repeats)
    return suggested(estimate_noise(image, axes, fill=fill)) if methods == "suggested" else (methods,)


def _chosen(entry: str | Candidate, image: Any, layout: Layout, options: Options) -> str | Candidate:
    """Return what Auto chooses for its name; all else stays what it is."""
    if entry != AUTO:
        return entry
    return Candidate.of(choose(image, layout, prior=options.prior, fill=options.fill))


def _where(crop: Crop | int, stack: Stack, *, frames: bool) -> Crop | None:
    """Return the part that is asked for, None for the whole."""
    if isinstance(crop, int):
        if crop and crop < _SMALLEST:
            raise ParameterError(f"The side of a crop must be {_SMALLEST} pixels or more, not {crop}.")
        return choose_crop(stack, crop, frames=frames) if crop else None
    shape = tuple(stack.array.shape)
    if not isinstance(crop, tuple) or [type(part) for part in crop] != [slice] * len(shape):
        raise ParameterError(
            f"crop must be a side in pixels or a tuple of {len(shape)} slices, one an axis, not {crop!r}."
        )
    ranges = [range(n)[part] for n, part in zip(shape, crop, strict=True)]
    if any(not found or found.step != 1 for found in ranges):
        raise ParameterError(f"crop must be a part of the image {shape} without gaps, not {crop!r}.")
    return tuple(slice(found.start, found.stop) for found in ranges)
