"""`compare`: several methods on one image, without a GUI."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.comparison.candidate import Entry, entries_for, possible, suggested
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.crop import Crop, choose_crop
from napari_lotadenoise.comparison.runner import Outcome, Turn, contest
from napari_lotadenoise.comparison.score import Judge
from napari_lotadenoise.compute import devices
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.image.checks import check
from napari_lotadenoise.image.stack import Stack, layout_for
from napari_lotadenoise.noise import estimate_noise
from napari_lotadenoise.options import Options, check_whole

#: Smallest side of a crop, pixels.
_SMALLEST = 16


@dataclass(frozen=True)
class Plan:
    """What is compared on what: worked out before anything runs, the same for Python, command and dock.

    Attributes
    ----------
    image : ndarray
        The part that is compared on, copied.
    entries : tuple of Entry
    options : Options
        Of every run.
    judge : Judge
    crop : tuple of slice or None
        Where the part is in the whole image; None where it is the whole.
    reference : ndarray or None
        The part of the reference.
    """

    image: np.ndarray
    entries: tuple[Entry, ...]
    options: Options
    judge: Judge
    crop: Crop | None
    reference: np.ndarray | None

    def finish(self, outcomes: Iterable[Outcome]) -> Comparison:
        """Put outcomes together."""
        assert self.options.axes is not None
        return Comparison(
            self.image, self.options.axes, tuple(outcomes), self.reference, self.judge.peak, self.judge.same_exposure,
            self.judge.independent, self.crop, self.judge.caution,
        )  # fmt: skip


def plan(
    image: Any,
    methods: Iterable[str | Entry] | str,
    options: Options,
    *,
    reference: Any = None,
    crop: Crop | int = 0,
    peak: float | None = None,
) -> Plan:
    """Work out a comparison; parameters as for `compare`.

    Raises
    ------
    LotaDenoiseError
        Where the image, the reference or a setting is not what it should be.
    """
    image, reference = _array(image), None if reference is None else _array(reference)
    layout = layout_for(tuple(image.shape), options.axes, options.channels, options.volume)
    stack = check(image, layout, fill=options.fill)
    if reference is not None and tuple(reference.shape) != tuple(image.shape):
        raise ParameterError(
            f"The reference has the shape {tuple(reference.shape)} and the image {tuple(image.shape)}; "
            "they must be the same."
        )
    devices.choose(options.device)
    if options.threads is not None:
        check_whole(threads=options.threads, seed=options.seed)
    if peak is not None and not peak > 0:
        raise ParameterError(f"peak must be above 0, not {peak!r}.")
    entries = entries_for(_named(methods, image, layout.axes, fill=options.fill), options.preset or "fast")
    frames = any(entry.kind.needs_repeats for entry in entries)
    where = _where(crop, stack, frames=frames)
    part = np.array(image if where is None else image[where])
    if where is not None:
        check(part, layout, fill=options.fill)
    truth = None if reference is None else np.array(reference if where is None else reference[where])
    judge = Judge(part, layout, truth, peak, fill=options.fill, whole=None if where is None else image)
    chosen = dataclasses.replace(options, axes=layout.axes, probe=judge.probe)
    return Plan(part, entries, chosen, judge, where, truth)


def compare(
    image: Any,
    methods: Iterable[str | Entry] | str = "suggested",
    axes: str | None = None,
    *,
    reference: Any = None,
    crop: Crop | int = 0,
    budget: float = 0.0,
    peak: float | None = None,
    channels: str = "apart",
    volume: bool = False,
    preset: str = "fast",
    device: str = "auto",
    seed: int = 0,
    threads: int | None = None,
    fill: bool = False,
    snapshots: int = 0,
    listener: Callable[[Turn], None] | None = None,
) -> Comparison:
    """Compare methods on an image, one after another; the failure of one does not touch the others.

    Parameters
    ----------
    image : array
        As for `denoise`.
    methods : sequence of str or Entry, or "suggested" or "all"
        Ids of `METHODS`; an `Entry` has settings of its own, `sweep` makes several of them. By default those that suit the
        noise of the image, and two plain filters beside.
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
    channels, volume, preset, device, seed, threads, fill
        As for `denoise`.
    snapshots : int
        How many pictures from the way of each training are kept.
    listener : callable, optional
        Called with every `Turn`.

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
    options = Options(axes, channels, volume, device, seed, threads, fill, preset, snapshots=snapshots)
    planned = plan(image, methods, options, reference=reference, crop=crop, peak=peak)
    outcomes = []
    for turn in contest(planned.image, planned.entries, planned.options, planned.judge, budget):
        if listener is not None:
            listener(turn)
        if isinstance(turn.news, Outcome):
            outcomes.append(turn.news)
    return planned.finish(outcomes)


def _named(methods: Iterable[str | Entry] | str, image: Any, axes: str, *, fill: bool) -> Iterable[str | Entry]:
    """The methods of the words "all" and "suggested"; a single id is one method."""
    if not isinstance(methods, str):
        return methods
    repeats = "T" in axes and image.shape[axes.index("T")] > 1
    if methods == "all":
        return possible(repeats=repeats)
    return suggested(estimate_noise(image, axes, fill=fill)) if methods == "suggested" else (methods,)


def _array(image: Any) -> Any:
    return image if hasattr(image, "dtype") and hasattr(image, "shape") else np.asarray(image)


def _where(crop: Crop | int, stack: Stack, *, frames: bool) -> Crop | None:
    """The part that is asked for, None for the whole."""
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
