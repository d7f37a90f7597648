"""Runs that end before their schedule does: because they were told at the start, or on the way."""

import numpy as np
import pytest

from napari_lotadenoise import Recipe, denoise
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import clock, run
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.events import Command, Completed, Finished, Progress, Started
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.options import Options
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import quick

FEW = {"crop": 32, "ensemble": False}


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch):
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)


def finished_at(image, step, method="zs-n2n", axes="YX", group=0, **changes):
    """The result of a run that is told to finish at a step of a group (0: at its very start), and was."""
    configured, training = configure(METHODS[method], **changes)
    events, order, heard = run(image, configured, training, Options(axes)), None, None
    while not isinstance(heard, Finished):
        heard = events.send(order)
        begun = isinstance(heard, Started) and step == 0
        there = isinstance(heard, Progress) and heard.phase == "training" and heard.group == group
        order = Command.FINISH if begun or (there and heard.step == step + group * training.planned) else None
    assert isinstance(heard, Completed), heard
    assert heard.result.recipe.reason == "finished early"
    return heard.result


def repeated(image, result):
    """What the recipe of a result makes of the image, by way of its JSON."""
    return denoise(image, **Recipe.from_json(result.recipe.to_json()).arguments())


@pytest.mark.parametrize("schedule", ["one-cycle", "halving", "constant"])
def test_until_stops_there(noisy, schedule):
    result = denoise(noisy, "zs-n2n", steps=40, until=7, schedule=schedule, **FEW)
    assert result.recipe.steps_done == (7,)
    assert result.recipe.reason == "all steps done"
    assert result.recipe.training["steps"] == 40
    assert result.history["step"][-1] == 7


def test_until_keeps_the_schedule_of_the_whole(noisy):
    """The rate is still at its peak where a schedule of so few steps has brought it to nothing."""
    long, short = (
        denoise(noisy, "zs-n2n", **FEW, **steps).image for steps in ({"steps": 40, "until": 10}, {"steps": 10})
    )
    assert np.abs(long - short).max() > 1
    same = [
        denoise(noisy, "zs-n2n", schedule="constant", **FEW, **s).image
        for s in ({"steps": 40, "until": 10}, {"steps": 10})
    ]
    assert np.array_equal(*same), "with a constant rate there is no difference"


def test_until_0_or_beyond_the_end_changes_nothing(noisy):
    plain, never, beyond = (denoise(noisy, "zs-n2n", steps=6, until=until, **FEW) for until in (6, 0, 1000))
    assert plain.recipe.steps_done == never.recipe.steps_done == beyond.recipe.steps_done == (6,)
    assert np.array_equal(plain.image, never.image)
    assert np.array_equal(plain.image, beyond.image)


def test_progress_is_counted_in_the_steps_that_will_be_taken(noisy):
    heard = []
    image = np.stack([noisy, noisy[::-1]])
    denoise(image, "zs-n2n", "CYX", steps=1000, until=5, listener=heard.append, **FEW)
    training = [e for e in heard if isinstance(e, Progress) and e.phase == "training"]
    assert {e.of for e in training} == {10}
    assert sorted({e.step for e in training}) == list(range(1, 11))


@pytest.mark.parametrize("until", [-1, 2.5, "7", None])
def test_a_step_that_cannot_be_is_refused(noisy, until):
    with pytest.raises(ParameterError, match="until must be"):
        denoise(noisy, "zs-n2n", until=until)


@pytest.mark.parametrize("method", ["zs-n2n", "lota-n2n", "noise2self", "noise2void", "self2self", "gaussian"])
def test_the_recipe_of_a_run_that_was_finished_early_repeats_it_bit_for_bit(noisy, method):
    image, few = noisy[:48], quick(method, **({"steps": 400} if method != "gaussian" else {}))
    result = finished_at(image, 4, method, **few)
    assert result.recipe.steps_done == (4,)
    again = repeated(image, result)
    assert np.array_equal(again.image, result.image)
    assert again.recipe.steps_done == (4,)
    assert not np.array_equal(denoise(image, method, **few, until=5).image, result.image)


def test_the_last_scoring_is_repeated_too(noisy):
    """Weights are scored at every 25th step and at the end of the schedule, not where it is left."""
    image = np.tile(noisy, (2, 2))
    result = finished_at(image, 53, steps=300, rate=0.05, schedule="constant", crop=16)
    assert np.array_equal(repeated(image, result).image, result.image)


def test_the_python_of_such_a_recipe_repeats_it(noisy):
    result = finished_at(noisy, 3, steps=50, **FEW)
    assert "until=3" in result.recipe.as_python()
    names = {"image": noisy}
    exec(result.recipe.as_python(), names)
    assert np.array_equal(names["result"].image, result.image)


def test_who_finishes_at_the_start_gets_one_step_and_it_is_repeated(noisy):
    result = finished_at(noisy, 0, steps=50, **FEW)
    assert result.recipe.steps_done == (1,)
    assert np.array_equal(repeated(noisy, result).image, result.image)


def test_who_finishes_at_the_start_gets_one_step_after_a_constant_channel_too(noisy):
    image = np.stack([np.full_like(noisy, 5), noisy])
    result = finished_at(image, 0, axes="CYX", steps=50, **FEW)
    assert result.recipe.steps_done == (0, 1)
    assert np.array_equal(repeated(image, result).image, result.image)


def test_channels_that_come_later_get_as_many_steps_and_all_are_repeated(noisy):
    image = np.stack([noisy, noisy[::-1] * 2])
    result = finished_at(image, 6, axes="CYX", steps=50, **FEW)
    assert result.recipe.steps_done == (6, 6)
    assert np.array_equal(repeated(image, result).image, result.image)


def test_a_later_channel_that_gets_no_better_does_not_hide_that_it_was_finished(noisy, monkeypatch):
    trainers = []

    def exhausted(self):
        if not any(self is other for other in trainers):
            trainers.append(self)
        return len(trainers) % 2 == 0 and self.step_number == 4

    monkeypatch.setattr(Trainer, "exhausted", exhausted)
    image = np.stack([noisy, noisy[::-1] * 2])
    result = finished_at(image, 6, axes="CYX", steps=50, **FEW)
    assert result.recipe.steps_done == (6, 4)
    again = repeated(image, result)
    assert again.recipe.steps_done == (6, 4)
    assert np.array_equal(again.image, result.image)


def test_the_recipe_of_a_whole_run_stops_nowhere(noisy):
    result = denoise(noisy, "zs-n2n", steps=3, **FEW)
    assert result.recipe.arguments()["until"] == 0
    assert np.array_equal(repeated(noisy, result).image, result.image)
