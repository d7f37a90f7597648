"""What a paper says of a run: method, version, settings, noise, and entries for every key."""

from __future__ import annotations

import re

import numpy as np
import pytest

from napari_lotadenoise import METHODS, denoise, io
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.recipe import Recipe
from tests.helpers import quick, scene


@pytest.fixture(scope="module")
def image():
    return scene((48, 48)) + np.random.default_rng(0).normal(0, 10, (48, 48)).astype(np.float32)


def test_two_sentences_name_method_version_settings_and_noise(image):
    recipe = denoise(image, "lota-n2n", steps=4, ensemble=False, seed=7).recipe
    text = recipe.methods_text()
    assert text.count(". ") == 1, "two sentences"
    assert "LoTA-N2N [lota-n2n]" in text
    assert f"napari-lotadenoise {recipe.versions['napari-lotadenoise']} [napari-lotadenoise]" in text
    assert "with nothing but the images themselves (preset fast, 4 steps, seed 7)" in text
    assert f"a deviation of {recipe.sigma:.3g}" in text


def test_what_was_learnt_elsewhere_is_said(image):
    assert "with pre-trained weights" in denoise(image, "instant").recipe.methods_text()


def test_every_key_has_an_entry_with_source_and_year(image):
    recipe = denoise(image, "gaussian").recipe
    keys = set(re.findall(r"\[([\w-]+)\]", recipe.methods_text()))
    assert set(re.findall(r"@misc\{([\w-]+),", recipe.bibtex())) == keys == {"gaussian", "napari-lotadenoise"}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_it_is_from(method):
    info = METHODS[method].info
    assert re.search(r"(?:19|20)\d\d|documentation|project", info.source + info.url) or info.url.startswith("https://")


def test_a_recipe_of_an_earlier_version_is_described_too(image, tmp_path, capsys):
    recipe = denoise(image, "median", **quick("median")).recipe
    content = recipe.to_dict()
    del content["citation"], content["repaired"]
    import json

    old = Recipe.from_json(json.dumps(content))
    assert "denoised with median [median]" in old.methods_text()
    io.write(tmp_path / "a.tif", io.Picture(image, "YX"), recipe)
    assert main(["cite", str(tmp_path / "a.recipe.json")]) == 0
    assert "@misc{median," in capsys.readouterr().out
