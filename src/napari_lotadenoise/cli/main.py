"""The command ``lotadenoise``: methods and noise; the other commands have files of their own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from napari_lotadenoise import __version__, io
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.cli import apply, batch, choosing, compare, console, learn, run, tables
from napari_lotadenoise.contract.method import configure, settings
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.methods import find
from napari_lotadenoise.noise.words import noise_lines
from napari_lotadenoise.recipe import Recipe

#: Commands that choose a method.
_CHOOSING = ("run", "learn", "batch")


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
    """Parse in two steps, since the options of some commands depend on their method."""
    choice = choosing.early(arguments) if arguments and arguments[0] in _CHOOSING else (AUTO, None)
    return _parser(*choice).parse_args(arguments)


def _parser(method: str, recipe: Recipe | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lotadenoise",
        description="Denoise an image with nothing but that image: zero-shot, self-supervised, blind.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_methods(commands)
    run.add_run(commands, method, recipe)
    learn.add_learn(commands, method, recipe)
    apply.add_apply(commands)
    batch.add_batch(commands, method, recipe)
    compare.add_compare(commands)
    _add_noise(commands)
    _add_cite(commands)
    return parser


def _add_methods(commands: Any) -> None:
    methods = commands.add_parser("methods", help="what there is, what each assumes and where it fails")
    methods.add_argument("name", nargs="?", metavar="METHOD", help="show the hyper-parameters of this method")
    methods.set_defaults(action=_show_methods)


def _add_noise(commands: Any) -> None:
    noise = commands.add_parser("noise", help="noise report of an image file")
    noise.add_argument("input", type=console.path, metavar="IN")
    console.add_series_option(noise)
    noise.add_argument("--axes", help="one letter an axis of T P C Z Y X S; default: what the file says")
    noise.add_argument("--fill", action="store_true", help="replace NaN and inf by the nearest finite value")
    noise.add_argument("--json", action="store_true", help="all numbers, for other programs")
    noise.set_defaults(action=_show_noise)


def _add_cite(commands: Any) -> None:
    cite = commands.add_parser("cite", help="how to say in a paper what a recipe did, and what to cite")
    cite.add_argument("recipe", type=console.path, metavar="RECIPE", help="the .recipe.json file of a result")
    cite.set_defaults(action=lambda options: _cite(io.read_recipe(options.recipe)))


def _cite(recipe: Recipe) -> None:
    print(recipe.methods_text(), recipe.bibtex(), sep="\n\n")


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

    picture = console.read(vars(options), options.input)
    report = estimate_noise(picture.data, console.axes_of(picture, options.axes), fill=options.fill)
    if options.json:
        told = {"suited": advice.recommended(report), "advice": advice.summary(report), "warnings": report.warnings}
        print(json.dumps({**report.numbers(), **told}, indent=2))
        return
    print(f"{report.verdict[0].upper()}{report.verdict[1:]}.")
    print(*noise_lines(report), *report.warnings, advice.summary(report), sep="\n")
