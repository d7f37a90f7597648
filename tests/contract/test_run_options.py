"""Run options are declared once: Python, command, form and recipe know each of them."""

import dataclasses
import inspect
import json

import numpy as np
import pytest

from napari_lotadenoise import Recipe, compare, denoise
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.contract.training import WarmTraining
from napari_lotadenoise.errors import FileError, ParameterError
from napari_lotadenoise.image.stack import Layout

OPTIONS = parameters(RunOptions)


@pytest.mark.parametrize("function", [denoise, compare])
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_python_has_every_option_with_its_default_and_sentence(function, option):
    found = inspect.signature(function).parameters[option.name]
    assert found.default == option.default
    assert option.name in function.__doc__
    assert option.knob.doc.split()[0] in function.__doc__


@pytest.mark.parametrize("command", ["run", "compare"])
def test_the_command_has_every_option(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert all(f"--{option.name}" in text for option in OPTIONS)


def test_the_recipe_has_every_option_and_gives_it_back(noisy):
    recipe = denoise(noisy, "gaussian", "YX", blend=0.5, seed=7, threads=1).recipe
    names = {option.name for option in OPTIONS}
    assert names <= {field.name for field in dataclasses.fields(Recipe)}
    assert names - {"device"} <= set(recipe.arguments())
    assert (recipe.blend, recipe.seed, recipe.axes, recipe.threads) == (0.5, 7, "YX", 1)


def test_no_option_has_the_name_of_a_setting_of_the_training():
    assert not {option.name for option in OPTIONS} & {field.name for field in dataclasses.fields(WarmTraining)}


@pytest.mark.parametrize(("old", "new"), [("apart", "separate"), ("together", "joint")])
def test_the_old_words_for_channels_go_on_working(old, new, noisy, tmp_path):
    assert RunOptions(channels=old).channels == new
    assert Layout("CYX", old) == Layout("CYX", new)
    recipe = denoise(np.stack([noisy, noisy]), "gaussian", "CYX", channels=old, threads=1).recipe
    assert recipe.channels == new
    of_before = {**json.loads(recipe.to_json()), "channels": old}
    assert Recipe.from_json(json.dumps(of_before)) == recipe


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": "mixed"},
        {"seed": -1},
        {"threads": 0},
        {"blend": 2.0},
        {"stabilise": "maybe"},
        {"volume": "yes"},
        {"fill": 1},
    ],
    ids=str,
)
def test_wrong_values_are_refused_by_name(wrong, noisy):
    name = next(iter(wrong))
    with pytest.raises(ParameterError, match=f"{name} must be"):
        denoise(noisy, "gaussian", "YX", **wrong)
    recipe = denoise(noisy[:16, :16], "gaussian", "YX", threads=1).recipe
    with pytest.raises(FileError, match=f"{name} must be"):
        Recipe.from_json(json.dumps({**json.loads(recipe.to_json()), **wrong}))
