"""The command ``lotadenoise learn``: a model of one image or of several, without denoising them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_lotadenoise import api, io, model as models
from napari_lotadenoise.cli import choosing, console
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import AxesError
from napari_lotadenoise.image.views import Cropped, Joined, span
from napari_lotadenoise.recipe import Recipe

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model


def add_learn(commands: Any, method: str, recipe: Recipe | None) -> None:
    """Add the command."""
    learn = commands.add_parser(
        "learn", help="learn a model of one image or of several, to be applied", argument_default=argparse.SUPPRESS
    )
    learn.add_argument("sources", nargs="+", metavar="SOURCE", help="images with the same axes; only samples are read")
    learn.add_argument(
        "--out", type=console.path, required=True, metavar="MODEL", help="file of the model, .safetensors"
    )
    learn.add_argument("--frames", metavar="A:B:STEP", help="learn from these frames (T), or slices (Z), only")
    learn.add_argument("--roi", metavar="Y0:Y1,X0:X1", help="learn from these rows and columns only")
    console.add_series_option(learn)
    learn.add_argument("--overwrite", action="store_true", help="replace a model that is already there")
    learn.add_argument("--quiet", action="store_true", help="no progress, only errors")
    choosing.add_choice(learn, method, recipe)
    learn.set_defaults(action=_learn)


def _learn(options: argparse.Namespace) -> None:
    given, out = vars(options), options.out.expanduser()
    models.check_free(out, overwrite=given.get("overwrite", False))
    model = learnt(given, options.sources)
    model.save(out, overwrite=given.get("overwrite", False))
    if not given.get("quiet"):
        console.say(f"{out}: {plan.duration(model.recipe.seconds)}, {model.recipe.reason}", *model.recipe.notes)


def learnt(given: dict[str, Any], sources: Sequence[Any]) -> Model:
    """Learn what the options of a command say from the files of these names."""
    images = [io.open_source(source, given.get("series")) for source in sources]
    asked = choosing.asked(given).get("axes")
    axes = console.axes_of(images[0], asked)
    parts = [_part(image.data, axes, given) for image in images]
    data = parts[0] if len(parts) == 1 else Joined(parts)
    axes = axes if len(parts) == 1 else "P" + axes
    settings = choosing.wanted(given, data, axes)
    with console.progress(quiet=given.get("quiet", False)) as show:
        return api.learn(data, **settings, listener=show)


def _part(data: Any, axes: str, given: dict[str, Any]) -> Any:
    """Return the part of an image that is learnt from."""
    spans: dict[str, slice] = {}
    if "frames" in given:
        axis = next((axis for axis in "TZ" if axis in axes), None)
        if axis is None:
            raise AxesError(f"--frames needs a time axis or slices, and the axes are {axes}.")
        spans[axis] = span(given["frames"])
    if "roi" in given:
        rows, comma, columns = given["roi"].partition(",")
        if not comma:
            raise AxesError(f"--roi takes rows and columns such as 0:512,100:612, not {given['roi']!r}.")
        spans |= {"Y": span(rows), "X": span(columns)}
    return Cropped(data, [spans.get(axis, slice(None)) for axis in axes]) if spans else data
