"""A model that is applied by the engine: events, commands, recipe."""

import numpy as np
import pytest

from napari_lotadenoise import engine, learn
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.events import Command, Completed, Discarded, Failed, Progress, Started
from napari_lotadenoise.options import Options


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).poisson(50, (4, 60, 50)).astype(np.uint16)


@pytest.fixture(scope="module")
def model(image):
    return learn(image, "zs-n2n", axes="ZYX", steps=3, threads=1)


def test_the_events_end_with_the_pixels_of_the_model_and_a_recipe_that_says_so(model, image):
    started, *between, completed = engine.apply(image, model)
    assert isinstance(started, Started)
    assert "ZS-N2N" in started.plan
    assert started.notes == ()
    assert all(isinstance(event, Progress) for event in between)
    assert between[-1].done == 1
    assert isinstance(completed, Completed)
    assert np.array_equal(completed.result.image, model.predict(image))
    recipe = completed.result.recipe
    assert recipe.notes[-1].startswith("Applied the model ")
    assert recipe.verdict
    assert recipe.image == model.recipe.image


def test_it_can_be_stopped_and_paused(model, image):
    events = engine.apply(image, model)
    next(events)
    next(events)
    paused = events.send(Command.PAUSE)
    assert isinstance(next(events), Progress)
    assert events.send(Command.RESUME).step >= paused.step
    last = events.send(Command.STOP)
    while not isinstance(last, Discarded):
        last = next(events)


def test_what_does_not_fit_is_an_error_of_its_own(model, image):
    (failed,) = engine.apply(np.stack([image, image]), model, Options(axes="CZYX"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ImageError)
