"""The command ``lotadenoise run``: denoise an image file."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.api import denoise
from napari_lotadenoise.cli import apply, choosing, console
from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError, LotaDenoiseError, ParameterError
from napari_lotadenoise.image.stack import as_dtype
from napari_lotadenoise.methods import find
from napari_lotadenoise.recipe import Recipe
from napari_lotadenoise.result import Result


def add_run(commands: Any, method: str, recipe: Recipe | None) -> None:
    """Add the command."""
    run = commands.add_parser("run", help="denoise an image file", argument_default=argparse.SUPPRESS)
    run.add_argument(
        "input", type=console.path, metavar="IN", help="TIFF, ImageJ TIFF, OME-TIFF, OME-Zarr, .npy; PNG, JPEG or BMP"
    )
    run.add_argument(
        "output", type=console.path, metavar="OUT",
        help=".tif (ImageJ), .ome.tif, or .zarr (OME-Zarr, block by block); the recipe is kept beside or in it",
    )  # fmt: skip
    run.add_argument("--residual", type=console.path, metavar="FILE", help="also write noisy minus denoised")
    run.add_argument(
        "--uncertainty",
        type=console.path,
        metavar="FILE",
        help="also write the deviation of the passes (stochastic methods only)",
    )
    console.add_output_options(run)
    apply.add_block_options(run)
    choosing.add_choice(run, method, recipe)
    run.set_defaults(action=_run)


def _run(options: argparse.Namespace) -> None:
    given = vars(options)
    if apply.in_blocks(options.input, options.output):
        _run_in_blocks(given)
    else:
        _run_in_memory(options)


def _run_in_blocks(given: dict[str, Any]) -> None:
    """Learn from samples of an image that is not read whole, then apply what was learnt block by block."""
    for name in ("residual", "uncertainty"):
        if name in given:
            raise ParameterError(
                f"--{name} needs the whole image in memory; leave it out, or choose a .tif of its size."
            )
    apply.learn_and_apply(given, given["input"], given["output"])


def _run_in_memory(options: argparse.Namespace) -> None:
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
    picture = console.read(given, options.input)
    axes = console.axes_of(picture, given.get("axes") or choosing.asked(given).get("axes"))
    dtype = picture.data.dtype if given.get("same_dtype") else np.dtype(np.float32)
    for path in targets:
        io.check_format(path, axes, dtype if path == options.output else np.float32, picture.data.size * dtype.itemsize)
    wanted = choosing.wanted(given, picture.data, axes)
    method = find(wanted["method"])
    if "uncertainty" in given and not passes_of(method()):
        raise ParameterError(
            f"{method.info.title} makes no stochastic passes to be uncertain of; leave --uncertainty out."
        )
    if not given.get("quiet") and "reason" not in wanted:  # auto has done what the warnings advise
        wanted |= _warn(picture.data, wanted)
    result = _denoise(picture.data, wanted, quiet=given.get("quiet", False))
    image, clipped = as_dtype(result.image, dtype)
    written = dataclasses.replace(picture, data=image, axes=result.recipe.axes)
    io.write(options.output, written, result.recipe, overwrite=overwrite)
    for name in ("residual", "uncertainty"):
        if name in given:
            extra = dataclasses.replace(written, data=getattr(result, name), alpha=None, min_is_white=False)
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


def _denoise(image: np.ndarray, wanted: dict[str, Any], *, quiet: bool) -> Result:
    """Denoise, and show the progress."""
    with console.progress(quiet=quiet) as show:
        return denoise(image, **wanted, listener=show)
