import json

import numpy as np
import pytest

from napari_lotadenoise import Recipe, denoise
from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.recipe import fingerprint


@pytest.fixture(scope="module")
def result(request):
    image = np.random.default_rng(0).random((2, 24, 24)).astype(np.float32)
    return image, denoise(image, "noise2self", "CYX", channels="joint", seed=5, steps=6, grid=3, crop=16, threads=1)


def test_a_recipe_makes_the_result_again(result):
    image, first = result
    recipe = Recipe.from_json(first.recipe.to_json())
    assert np.array_equal(denoise(image, **recipe.arguments()).image, first.image)


def test_the_python_of_a_recipe_runs_and_makes_the_result_again(result):
    image, first = result
    names = {"image": image}
    exec(first.recipe.as_python(), names)
    assert np.array_equal(names["result"].image, first.image)


def test_a_recipe_says_what_happened(result):
    image, first = result
    recipe = first.recipe
    assert (recipe.method, recipe.seed, recipe.axes, recipe.channels) == ("noise2self", 5, "CYX", "joint")
    assert recipe.parameters["grid"] == 3
    assert recipe.training["steps"] == 6
    assert recipe.steps_done == (6,)
    assert recipe.reason == "all steps done"
    assert recipe.image == fingerprint(image)
    assert recipe.image["shape"] == [2, 24, 24]
    assert recipe.versions["numpy"] == np.__version__
    assert not recipe.pretrained
    assert recipe.seconds > 0


def test_the_fingerprint_knows_every_pixel():
    image = np.zeros((3, 5, 5))
    other = image.copy()
    other[2, 4, 4] = 1e-9
    assert fingerprint(image)["sha256"] != fingerprint(other)["sha256"]
    assert fingerprint(image) == fingerprint(np.asfortranarray(image))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 1}'])
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(FileError, match="no recipe"):
        Recipe.from_json(text)


def test_a_newer_format_is_refused(result):
    content = json.loads(result[1].recipe.to_json())
    content["format"] = 99
    with pytest.raises(FileError, match="format 99"):
        Recipe.from_json(json.dumps(content))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 1}' + " " * (1 << 20),
        "null",
        "[]",
        "3",
        '{"format": "new"}',
        '{"format": 1, "method": "gaussian", "steps_done": 5, "notes": []}',
        '{"format": 1, "steps_done": [], "notes": [], "repaired": 3}',
        "\x00\xff",
    ],
)
def test_a_hostile_text_is_refused_in_a_sentence(text):
    with pytest.raises(FileError, match="This is no recipe of napari-lotadenoise"):
        Recipe.from_json(text)


def test_a_recipe_can_name_nothing_but_known_methods_and_values_within_bounds(noisy):
    recipe = denoise(noisy, "gaussian").recipe
    for change in ({"method": "os.system"}, {"parameters": {"path": "/etc/passwd"}}, {"training": {"stride": 10**9}}):
        asked = Recipe.from_json(json.dumps(recipe.to_dict() | change)).arguments()
        with pytest.raises(LotaDenoiseError):
            denoise(noisy, **asked)
