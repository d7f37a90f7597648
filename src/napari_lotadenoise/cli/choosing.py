"""Choice of a method and its settings on a command line, which several commands offer alike."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from napari_lotadenoise import io
from napari_lotadenoise.api import automatic_settings
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.contract.method import Interleaving, Method
from napari_lotadenoise.contract.params import add_arguments, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.contract.training import PRESETS, WarmTraining
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.methods import METHODS, find
from napari_lotadenoise.recipe import Recipe


def early(arguments: Sequence[str]) -> tuple[str, Recipe | None]:
    """Return the method that some arguments choose, and the recipe: what else there is to choose depends on them."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--method", default=None)
    first.add_argument("--recipe", default=None)
    told, _ = first.parse_known_args([a for a in arguments if a not in ("-h", "--help")])
    recipe = io.read_recipe(told.recipe) if told.recipe else None
    return told.method or (recipe.method if recipe else AUTO), recipe


def add_choice(command: argparse.ArgumentParser, method: str, recipe: Recipe | None) -> None:
    """Give a command the options of method, preset, recipe and run, and those of the method that was chosen."""
    command.add_argument(
        "--method",
        choices=[AUTO, *METHODS],
        help="default: auto, which chooses method and settings by the noise and says why",
        metavar="METHOD",
    )
    command.add_argument(
        "--preset", choices=PRESETS, help="fast (default), paper as published, or warm: begins with pre-trained weights"
    )
    command.add_argument("--recipe", help="repeat the run of this .recipe.json file; other options change it")
    defaults = recipe.arguments() if recipe else {}
    add_arguments(command.add_argument_group("options of the run"), RunOptions, defaults, switches=True)
    if method == AUTO:  # which has no hyper-parameters
        return
    chosen = find(method)
    defaults = {**dataclasses.asdict(chosen.preset("fast").training), **defaults}
    add_arguments(command.add_argument_group(f"hyper-parameters of {chosen.info.title}"), chosen, defaults)
    schedule = schedule_of(chosen)
    title = "training" if chosen.trained else "correlated noise"
    add_arguments(command.add_argument_group(title), schedule, defaults)


def schedule_of(method: type[Method]) -> type:
    """Return what of the training of a method there is to choose: of filters, the stride alone."""
    return type(method.preset("fast").training) if method.trained else Interleaving


def wanted(given: dict[str, Any], data: Any, axes: str) -> dict[str, Any]:
    """Return the arguments of `denoise` for an image: those of the recipe, changed by what was given; auto is resolved."""
    settings = asked(given)
    settings["axes"] = axes
    if settings["method"] == AUTO:
        open_ones = {name: value for name, value in settings.items() if name not in ("method", "preset", "axes")}
        chosen, found = automatic_settings(data, settings.get("preset", "fast"), axes, open_ones)
        settings |= {**found, "method": chosen}
    return settings


def asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `denoise` as they were given, with nothing of an image.

    Raises
    ------
    ParameterError
        Where the recipe is that of another method.
    """
    recipe = io.read_recipe(given["recipe"]) if "recipe" in given else None
    method = given.get("method") or (recipe.method if recipe else AUTO)
    if recipe is not None and method != recipe.method:
        raise ParameterError(f"The recipe is one of {recipe.method}; leave --method out, or the recipe.")
    owners = (RunOptions,) if method == AUTO else (RunOptions, find(method), WarmTraining)
    names = {p.name for owner in owners for p in parameters(owner)}
    settings = {"method": method, **(recipe.arguments() if recipe else {})}
    return settings | {name: value for name, value in given.items() if name in names | {"method", "preset"}}
