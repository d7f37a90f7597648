"""The command ``lotadenoise compare``: several methods on one image, into a folder."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.cli import console
from napari_lotadenoise.contract.params import add_arguments, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.contract.training import PRESETS
from napari_lotadenoise.errors import FileError, ParameterError
from napari_lotadenoise.events import Progress
from napari_lotadenoise.image.stack import AXIS_NAMES, layout_for
from napari_lotadenoise.options import Options
from napari_lotadenoise.recipe import EndReason

if TYPE_CHECKING:
    from napari_lotadenoise.comparison import Candidate, Comparison, ComparisonPlan, Outcome


def add_compare(commands: Any) -> None:
    """Add the command to the others."""
    compare = commands.add_parser(
        "compare", help="denoise an image with several methods and rank them", argument_default=argparse.SUPPRESS
    )
    compare.add_argument("input", type=console.path, metavar="IN", help="TIFF, PNG, JPEG or BMP")
    compare.add_argument(
        "--methods",
        metavar="LIST",
        help="ids between commas, auto among them; suggested (default): what suits the noise; all",
    )
    compare.add_argument(
        "--sweep",
        action="append",
        metavar="METHOD:PARAMETER=V1,V2,...",
        help="one method at several values of a parameter; may be given more than once, with --methods or alone",
    )
    compare.add_argument(
        "--out", type=console.path, required=True, metavar="DIR", help="folder for results, scores and figure"
    )
    compare.add_argument(
        "--reference",
        type=console.path,
        metavar="GT",
        help="clean image, or average of many captures, to score against",
    )
    compare.add_argument(
        "--crop", type=int, metavar="SIDE", help="compare on a part of so many pixels, picked by its detail"
    )
    compare.add_argument("--budget", type=float, metavar="SECONDS", help="end each training after this time")
    compare.add_argument("--peak", type=float, help="largest intensity of the scale, for PSNR; default: 255 for 8 bits")
    compare.add_argument(
        "--preset", choices=PRESETS, help="fast (default), paper as published, or warm: begins with pre-trained weights"
    )
    add_arguments(compare.add_argument_group("options of every run"), RunOptions, switches=True)
    console.add_series_option(compare)
    compare.add_argument("--overwrite", action="store_true", help="replace files of the same names in the folder")
    compare.add_argument("--quiet", action="store_true", help="no progress, only the table and errors")
    compare.set_defaults(action=run)


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; returns the exit code."""
    from napari_lotadenoise.comparison import folder

    given = vars(options)
    loud = not given.get("quiet", False)
    folder.check_folder(options.out, overwrite=given.get("overwrite", False))
    for path in (options.input, given.get("reference", options.input)):
        if path.resolve().parent == options.out.resolve():
            raise FileError(f"{path} is itself in {options.out}, where it might be replaced; choose another folder.")
    planned, picture = _planned(given)
    if loud:
        print(f"Comparing {_counted(len(planned.candidates), 'method')} on {_where(planned)}.", file=sys.stderr)
    outcomes, interrupted = _outcomes(planned, given.get("budget", 0.0), loud=loud)
    comparison = planned.finish(outcomes)
    done = sum(outcome.result is not None for outcome in outcomes)
    if interrupted and not done:
        raise KeyboardInterrupt
    try:
        if done:
            return _written(comparison, given, picture, interrupted=interrupted)
    finally:  # also where the folder could not be written
        print(folder.report(comparison), end="")
    print("lotadenoise: no method has a result; nothing was written.", file=sys.stderr)
    return console.WRONG


def _written(comparison: Comparison, given: dict[str, Any], picture: io.Picture, *, interrupted: bool) -> int:
    """Write the folder and say what is in it; returns the exit code."""
    from napari_lotadenoise.comparison import folder

    out = given["out"]
    results = _counted(sum(outcome.result is not None for outcome in comparison.outcomes), "result")
    if interrupted:
        print(f"lotadenoise: interrupted; writing what there is to {out}.", file=sys.stderr)
    try:
        folder.write(
            comparison, out, scale=picture.scale, unit=picture.unit, calibration=picture.calibration,
            overwrite=given.get("overwrite", False),
        )  # fmt: skip
    except KeyboardInterrupt:
        print(f"\nlotadenoise: interrupted; {out} lacks files, those that are there are whole.", file=sys.stderr)
        return console.INTERRUPTED
    if interrupted or not given.get("quiet", False):
        print(f"{out}: {results} of {len(comparison.outcomes)}, scores and figure.", file=sys.stderr)
    return console.INTERRUPTED if interrupted else 0


def _planned(given: dict[str, Any]) -> tuple[ComparisonPlan, io.Picture]:
    """Read the files and work out what is compared."""
    from napari_lotadenoise.comparison import plan_comparison

    if not given.get("budget", 0.0) >= 0:
        raise ParameterError(f"budget must be a number of seconds, 0 or more, not {given['budget']!r}.")
    swept = _swept(given.get("sweep", ()), given.get("preset", "fast"))
    picture = console.read(given, given["input"])
    axes = console.axes_of(picture, given.get("axes"))
    reference = None if "reference" not in given else _reference(io.read(given["reference"]), axes)
    names = {option.name for option in parameters(RunOptions)} | {"preset"}
    options = Options(**{name: value for name, value in given.items() if name in names} | {"axes": axes})
    candidates: list[str | Candidate] = [
        *_named(given.get("methods", "" if swept else "suggested"), picture.data, options),
        *swept,
    ]
    planned = plan_comparison(
        picture.data, candidates, options, reference=reference, crop=given.get("crop", 0), peak=given.get("peak")
    )
    return planned, picture


def _swept(told: list[str] | tuple[()], preset: str) -> list[Candidate]:
    """Parse candidates of ``METHOD:PARAMETER=V1,V2,...``."""
    from napari_lotadenoise.comparison import sweep

    found: list[Candidate] = []
    for text in told:
        method, colon, rest = text.partition(":")
        parameter, equals, values = rest.partition("=")
        if not (colon and equals and method and parameter):
            raise ParameterError(f"--sweep {text} is not METHOD:PARAMETER=V1,V2,...; write, say, nlm:strength=0.5,1,2.")
        found += sweep(
            method.strip(), parameter.strip(), [value for value in values.split(",") if value.strip()], preset
        )
    return found


def _named(methods: str, image: np.ndarray, options: Options) -> list[str]:
    """Return the ids of methods; "suggested" and "all" stand for those that they mean, each comes once."""
    from napari_lotadenoise.comparison.candidate import possible, suggested
    from napari_lotadenoise.noise import estimate_noise

    found: list[str] = []
    for name in (part.strip() for part in methods.split(",") if part.strip()):
        layout = layout_for(image.shape, options.axes, options.channels, options.volume)
        if name == "all":
            frames = layout.size("T", image.shape)
            found += possible(repeats=frames > 1)
        elif name == "suggested":
            found += suggested(estimate_noise(image, layout.axes, fill=options.fill))
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def _reference(picture: io.Picture, axes: str) -> np.ndarray:
    """Return the reference with its axes in the order of the image's; whether it fits is checked later."""
    known = picture.axes
    if known != axes and sorted(known) == sorted(axes):
        return picture.data.transpose([known.index(axis) for axis in axes])
    return picture.data


def _outcomes(planned: ComparisonPlan, budget: float, *, loud: bool) -> tuple[list[Outcome], bool]:
    """Run all entries; returns what came out, and whether the user has interrupted it."""
    from napari_lotadenoise.comparison import Outcome, run_candidates

    outcomes: list[Outcome] = []
    scores, line = planned.finish(()), console.ProgressLine()
    events = run_candidates(planned.image, planned.candidates, planned.options, planned.scorer, budget)
    try:
        with contextlib.closing(events):
            for event in events:
                candidate = planned.candidates[event.number]
                before = f"{event.number + 1}/{len(planned.candidates)}  {candidate.label}: "
                if isinstance(event.event, Outcome):
                    outcomes.append(event.event)
                    if loud:
                        line.clear()
                        print(before + ", ".join(_told(event.event, scores)), file=sys.stderr)
                elif isinstance(event.event, Progress) and loud:
                    line.show(event.event, before)
    except KeyboardInterrupt:
        line.clear()
        missing = planned.candidates[len(outcomes) :]
        return [*outcomes, *(Outcome(candidate, reason="interrupted") for candidate in missing)], True
    return outcomes, False


def _told(outcome: Outcome, scores: Comparison) -> Iterator[str]:
    """Describe the outcome of a candidate: seconds and score, or what went wrong."""
    if outcome.result is None:
        yield outcome.reason
        return
    yield f"{outcome.result.recipe.seconds:.1f} s"
    if outcome.score is None or outcome.reason == EndReason.FINISHED_EARLY.value:
        yield outcome.reason
    score = scores.headline(outcome)
    if score:
        yield score


def _where(planned: ComparisonPlan) -> str:
    """Return the part of the image that is compared on, in words."""
    axes = planned.options.axes or ""
    if planned.crop is None:
        return f"the whole image ({' x '.join(map(str, planned.image.shape))}, {axes})"
    places = [
        f"{AXIS_NAMES[axis]} {part.start} to {part.stop - 1}"
        if axis in "YX" or size > 1
        else f"{AXIS_NAMES[axis].removesuffix('s')} {part.start}"
        for axis, part, size in zip(axes, planned.crop, planned.image.shape, strict=True)
        if axis != "S"
    ]
    return f"{', '.join(places)} (counted from 0)"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
