"""The command ``lotadenoise``: methods, run, noise; compare has a file of its own."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise import __version__, io
from napari_lotadenoise.api import automatic_settings, denoise
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.cli import compare, console, tables
from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.contract.method import Interleaving, configure, settings
from napari_lotadenoise.contract.params import add_arguments, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.contract.training import PRESETS, WarmTraining
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError, LotaDenoiseError, ParameterError
from napari_lotadenoise.events import Event, Progress, Started
from napari_lotadenoise.image.stack import as_dtype
from napari_lotadenoise.methods import METHODS, find
from napari_lotadenoise.noise.words import noise_lines
from napari_lotadenoise.recipe import Recipe
from napari_lotadenoise.result import Result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _parse(arguments)
        return int(options.action(options) or 0)
    except LotaDenoiseError as error:
        print(f"lotadenoise: {error}", file=sys.stderr)
        return console.WRONG
    except KeyboardInterrupt:
        print("\nlotadenoise: interrupted; nothing was written.", file=sys.stderr)
        return console.INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        sys.stdout = None
        return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse in two steps, since the options of `run` depend on its method."""
    if arguments[:1] != ["run"]:
        return _parser(AUTO, None).parse_args(arguments)
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--method", default=None)
    first.add_argument("--recipe", default=None)
    early, _ = first.parse_known_args([a for a in arguments if a not in ("-h", "--help")])
    recipe = io.read_recipe(early.recipe) if early.recipe else None
    return _parser(early.method or (recipe.method if recipe else AUTO), recipe).parse_args(arguments)


def _parser(method: str, recipe: Recipe | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lotadenoise",
        description="Denoise an image with nothing but that image: zero-shot, self-supervised, blind.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_methods(commands)
    _add_run(commands, method, recipe)
    compare.add_compare(commands)
    _add_noise(commands)
    return parser


def _add_methods(commands: Any) -> None:
    methods = commands.add_parser("methods", help="what there is, what each assumes and where it fails")
    methods.add_argument("name", nargs="?", metavar="METHOD", help="show the hyper-parameters of this method")
    methods.set_defaults(action=_show_methods)


def _add_noise(commands: Any) -> None:
    noise = commands.add_parser("noise", help="noise report of an image file")
    noise.add_argument("input", type=Path, metavar="IN")
    noise.add_argument("--axes", help="one letter an axis of T P C Z Y X S; default: what the file says")
    noise.add_argument("--fill", action="store_true", help="replace NaN and inf by the nearest finite value")
    noise.add_argument("--json", action="store_true", help="all numbers, for other programs")
    noise.set_defaults(action=_show_noise)


def _add_run(commands: Any, method: str, recipe: Recipe | None) -> None:
    run = commands.add_parser("run", help="denoise an image file", argument_default=argparse.SUPPRESS)
    run.add_argument("input", type=Path, metavar="IN", help="TIFF, ImageJ TIFF, OME-TIFF; PNG, JPEG or BMP")
    run.add_argument("output", type=Path, metavar="OUT", help=".tif (ImageJ) or .ome.tif; the recipe is kept beside it")
    run.add_argument(
        "--method",
        choices=[AUTO, *METHODS],
        help="default: auto, which chooses method and settings by the noise and says why",
        metavar="METHOD",
    )
    run.add_argument(
        "--preset", choices=PRESETS, help="fast (default), paper as published, or warm: begins with pre-trained weights"
    )
    run.add_argument("--recipe", help="repeat the run of this .recipe.json file; other options change it")
    run.add_argument("--residual", type=Path, metavar="FILE", help="also write noisy minus denoised")
    run.add_argument(
        "--uncertainty",
        type=Path,
        metavar="FILE",
        help="also write the deviation of the passes (stochastic methods only)",
    )
    run.add_argument(
        "--same-dtype", action="store_true", help="write the input's data type, rounded and clipped; default float32"
    )
    run.add_argument("--overwrite", action="store_true", help="replace files that are already there")
    run.add_argument("--quiet", action="store_true", help="no progress, only errors")
    defaults = recipe.arguments() if recipe else {}
    add_arguments(run.add_argument_group("options of the run"), RunOptions, defaults, switches=True)
    run.set_defaults(action=_run)
    if method == AUTO:  # which has no hyper-parameters
        return
    chosen = find(method)
    defaults = {**dataclasses.asdict(chosen.preset("fast").training), **defaults}
    add_arguments(run.add_argument_group(f"hyper-parameters of {chosen.info.title}"), chosen, defaults)
    schedule = type(chosen.preset("fast").training) if chosen.trained else Interleaving
    add_arguments(run.add_argument_group("training" if chosen.trained else "correlated noise"), schedule, defaults)


def _show_methods(options: argparse.Namespace) -> None:
    if options.name is None:
        print(tables.methods_text())
        return
    method = find(options.name)
    print(tables.method_text(method), "\n")
    for owner in settings(*configure(method)):
        for p in parameters(type(owner)):
            print(f"  --{p.name.replace('_', '-'):14} {getattr(owner, p.name)!s:10} {p.bounds:32} {p.knob.doc}")


def _show_noise(options: argparse.Namespace) -> None:
    from napari_lotadenoise.comparison import advice
    from napari_lotadenoise.noise import estimate_noise

    picture = io.read(options.input)
    report = estimate_noise(picture.data, console.axes_of(picture, options.axes), fill=options.fill)
    if options.json:
        told = {"suited": advice.recommended(report), "advice": advice.summary(report), "warnings": report.warnings}
        print(json.dumps({**report.numbers(), **told}, indent=2))
        return
    print(f"{report.verdict[0].upper()}{report.verdict[1:]}.")
    print(*noise_lines(report), *report.warnings, advice.summary(report), sep="\n")


def _run(options: argparse.Namespace) -> None:
    given = vars(options)
    overwrite = given.get("overwrite", False)
    targets = [options.output, *(given[name] for name in ("residual", "uncertainty") if name in given)]
    for path in targets:
        io.check_writable(path, overwrite=overwrite)
        if path.resolve() in (options.input.resolve(), *(t.resolve() for t in targets if t is not path)):
            raise FileError(f"{path} would replace the input or another output of this run; choose another name.")
    recipe = io.recipe_path(options.output)
    if recipe.exists() and not overwrite:
        raise FileError(f"{recipe} is the recipe of another result; choose another name or allow --overwrite.")
    picture = io.read(options.input)
    wanted = _wanted(given, picture)
    method = find(wanted["method"])
    if "uncertainty" in given and not passes_of(method()):
        raise ParameterError(
            f"{method.info.title} makes no stochastic passes to be uncertain of; leave --uncertainty out."
        )
    if not given.get("quiet") and "reason" not in wanted:  # auto has done what the warnings advise
        wanted |= _warn(picture.data, wanted)
    result = _denoise(picture.data, wanted, quiet=given.get("quiet", False))
    image, clipped = as_dtype(result.image, picture.data.dtype) if given.get("same_dtype") else (result.image, 0)
    axes = result.recipe.axes
    io.write(options.output, io.Picture(image, axes, picture.scale, picture.unit), result.recipe, overwrite=overwrite)
    for name in ("residual", "uncertainty"):
        if name in given:
            extra = io.Picture(getattr(result, name), axes, picture.scale, picture.unit)
            io.write(given[name], extra, overwrite=overwrite)
    if not given.get("quiet"):
        sigma = f", {result.sigma_words}" if result.sigma_words else ""
        clips = f", {clipped} pixels clipped to {picture.data.dtype}" if clipped else ""
        print(
            f"{options.output}: {plan.duration(result.recipe.seconds)}, {result.recipe.reason}{sigma}{clips}",
            *result.recipe.notes,
            result.recipe.verdict,
            sep="\n",
            file=sys.stderr,
        )


def _warn(image: np.ndarray, wanted: dict[str, Any]) -> dict[str, Any]:
    """Say what of the noise speaks against the method, and return what the estimated time depends on.

    Nothing is forbidden, and what is wrong with the image is said later.
    """
    from napari_lotadenoise.comparison import advice
    from napari_lotadenoise.noise import estimate_noise

    method = find(wanted["method"])
    choice = {name: wanted[name] for name in ("stabilise", "stride", "structure") if name in wanted}
    try:
        report = estimate_noise(image, wanted["axes"], fill=True)
    except LotaDenoiseError:
        return {}
    found = advice.concerns(method, report, **choice)
    print(*(f"careful: {concern}" for concern in found), sep="\n", end="\n" if found else "", file=sys.stderr)
    return {"predictable": report.noise_correlation.predictable}


def _wanted(given: dict[str, Any], picture: io.Picture) -> dict[str, Any]:
    """Return the arguments of `denoise`: those of the recipe, changed by what was given; auto is resolved."""
    recipe = io.read_recipe(given["recipe"]) if "recipe" in given else None
    method = given.get("method") or (recipe.method if recipe else AUTO)
    if recipe is not None and method != recipe.method:
        raise ParameterError(f"The recipe is one of {recipe.method}; leave --method out, or the recipe.")
    owners = (RunOptions,) if method == AUTO else (RunOptions, find(method), WarmTraining)
    names = {p.name for owner in owners for p in parameters(owner)}
    wanted = {"method": method, **(recipe.arguments() if recipe else {})}
    wanted |= {name: value for name, value in given.items() if name in names | {"method", "preset"}}
    wanted["axes"] = console.axes_of(picture, given.get("axes") or wanted.get("axes"))
    if method == AUTO:
        asked = {name: value for name, value in wanted.items() if name not in ("method", "preset", "axes")}
        chosen, settings = automatic_settings(picture.data, wanted.get("preset", "fast"), wanted["axes"], asked)
        wanted |= {**settings, "method": chosen}
    return wanted


def _denoise(image: np.ndarray, wanted: dict[str, Any], *, quiet: bool) -> Result:
    """Denoise, and show the progress."""
    line = console.ProgressLine()

    def show(event: Event) -> None:
        if isinstance(event, Started):
            print(event.plan, file=sys.stderr)
        elif isinstance(event, Progress):
            line.show(event)

    try:
        return denoise(image, **wanted, listener=None if quiet else show)
    finally:
        line.clear()
