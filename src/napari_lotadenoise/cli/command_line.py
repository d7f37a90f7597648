"""The command line that repeats a run on a file."""

from __future__ import annotations

import shlex

from napari_lotadenoise.cli.choosing import schedule_of
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.methods import find
from napari_lotadenoise.recipe import Recipe


def command_line(recipe: Recipe, source: str = "IN.tif", output: str = "OUT.tif") -> str:
    """Return the command that repeats the run of a recipe, for a shell.

    A run that was finished early is repeated as if it had not been.

    Parameters
    ----------
    recipe : Recipe
    source, output : str
        Names of the files.
    """
    method = find(recipe.method)
    switches = {option.name for option in parameters(RunOptions) if option.type is bool}
    known = {parameter.name for owner in (RunOptions, method, schedule_of(method)) for parameter in parameters(owner)}
    parts = ["lotadenoise", "run", source, output]
    for name, value in recipe.arguments().items():
        flag = name.replace("_", "-")
        if value is None or name not in {*known, "method", "preset"}:
            continue
        parts += [f"--{flag}" if value else f"--no-{flag}"] if name in switches else [f"--{flag}", str(value)]
    return shlex.join(parts)
