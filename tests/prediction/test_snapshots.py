"""Pictures from the way of a training: when they are taken, what they are of, and that they change nothing."""

import numpy as np
import pytest
import torch

from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import clock, run
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.events import Command, Completed, Finished, Progress
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.options import Options
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import quick, scene

#: Without held-out crops there is no score, so that no run goes back to weights of before.
PLAIN = {"holdout": 0, "ensemble": False, "crop": 32}


def result_of(image, method="zs-n2n", options=None, **changes):
    configured, training = configure(METHODS[method], **changes)
    last = list(run(image, configured, training, options or Options("YX")))[-1]
    assert isinstance(last, Completed), last
    return last.result


def with_snapshots(image, count, method="zs-n2n", axes="YX", **changes):
    return result_of(image, method, Options(axes, snapshots=count), **changes)


def test_most_are_taken_early_and_the_last_one_at_the_end(noisy):
    found = with_snapshots(noisy, 4, steps=16, **PLAIN).snapshots
    assert [s.step for s in found] == [1, 4, 9, 16]
    assert all(s.image.shape == noisy.shape and s.image.dtype == np.float32 for s in found)


@pytest.mark.parametrize(
    ("count", "steps", "expected"),
    [(0, 10, []), (1, 10, [10]), (3, 10, [1, 4, 10]), (6, 4, [1, 2, 3, 4]), (50, 3, [1, 2, 3])],
)
def test_no_step_is_taken_twice_and_none_beyond_the_end(noisy, count, steps, expected):
    found = with_snapshots(noisy, count, steps=steps, **PLAIN).snapshots
    assert [s.step for s in found] == expected


def test_a_schedule_that_is_left_early_has_them_up_to_there(noisy):
    found = with_snapshots(noisy, 3, steps=100, until=9, **PLAIN).snapshots
    assert [s.step for s in found] == [1, 4, 9]


@pytest.mark.parametrize("method", ["zs-n2n", "lota-n2n", "noise2self", "noise2void", "self2self", "dip", "mash"])
def test_taking_them_does_not_change_the_run(noisy, method):
    few = quick(method, steps=12, crop=32)
    plain, taken = (with_snapshots(noisy[:32], count, method, **few) for count in (0, 3))
    assert [s.step for s in taken.snapshots] == [1, 5, 12]
    assert plain.snapshots == ()
    assert np.array_equal(plain.image, taken.image)
    assert plain.recipe.sigma == taken.recipe.sigma
    assert plain.recipe.arguments() == taken.recipe.arguments()


@pytest.mark.parametrize("method", ["zs-n2n", "lota-n2n", "noise2void", "noise2self", "dip"])
def test_each_is_what_a_run_that_ends_there_gives(noisy, method):
    """But for stochastic methods, whose result is the mean of many passes."""
    own = {"passes": 1} if "passes" in quick(method) else {}
    few = {**quick(method, steps=40, **PLAIN), **own}
    whole = with_snapshots(noisy[:48], 3, method, **few)
    for snapshot in whole.snapshots:
        stopped = result_of(noisy[:48], method, **few, until=snapshot.step)
        assert np.array_equal(snapshot.image, stopped.image), snapshot.step
    assert np.array_equal(whole.snapshots[-1].image, whole.image)


def test_the_last_one_is_of_the_last_weights_even_where_the_result_goes_back_to_others(noisy, monkeypatch):
    plain = result_of(noisy, steps=9, **PLAIN)

    def go_back(self):
        with torch.no_grad():
            for weights in self.current.parameters():
                weights.zero_()

    monkeypatch.setattr(Trainer, "restore_best", go_back)
    found = with_snapshots(noisy, 1, steps=9, **PLAIN)
    assert not np.array_equal(found.image, plain.image)
    assert np.array_equal(found.snapshots[-1].image, plain.image)


def test_they_get_better_with_the_training(noisy, truth):
    found = with_snapshots(noisy, 4, steps=200, crop=32).snapshots
    scores = [psnr(s.image, truth, 255) for s in found]
    assert scores[-1] > scores[0] + 2


def test_channels_and_slices_are_all_there(noisy):
    image = np.stack([[noisy, noisy[::-1]], [noisy[:, ::-1] * 3, noisy.T * 3]])[..., :32, :48]
    few = {"steps": 9, **PLAIN}
    found = with_snapshots(image, 3, axes="CZYX", **few)
    for snapshot in found.snapshots:
        assert np.array_equal(
            snapshot.image, result_of(image, "zs-n2n", Options("CZYX"), **few, until=snapshot.step).image
        )
    alone = with_snapshots(image[1], 3, axes="ZYX", **few)
    assert np.array_equal(found.snapshots[1].image[1], alone.snapshots[1].image), (
        "each channel has a network of its own"
    )


def test_volumes_and_colours_have_them_in_their_own_axes():
    rng = np.random.default_rng(7)
    colours = scene((32, 40, 3)) + rng.normal(0, 10, (32, 40, 3)).astype(np.float32)
    found = with_snapshots(colours, 2, axes="YXS", steps=4, **PLAIN)
    assert [s.image.shape for s in found.snapshots] == [(32, 40, 3)] * 2
    assert np.array_equal(found.snapshots[-1].image, found.image)
    volume = scene((4, 24, 32)) + rng.normal(0, 10, (4, 24, 32)).astype(np.float32)
    found = result_of(volume, "zs-n2n", Options("ZYX", volume=True, snapshots=2), steps=4, **PLAIN)
    assert np.array_equal(found.snapshots[-1].image, found.image)


def test_a_constant_channel_is_in_them_as_it_is(noisy):
    image = np.stack([np.full_like(noisy, 7), noisy])
    found = with_snapshots(image, 2, axes="CYX", steps=4, **PLAIN).snapshots
    assert [s.step for s in found] == [1, 4]
    assert all(np.all(s.image[0] == 7) for s in found)
    assert all(s.image[1].std() > 1 for s in found)


def test_a_channel_that_was_done_before_stands_as_it_ended(noisy, monkeypatch):
    trainers = []

    def exhausted(self):
        if not any(self is other for other in trainers):
            trainers.append(self)
        return self is trainers[0] and self.step_number == 5

    monkeypatch.setattr(Trainer, "exhausted", exhausted)
    image = np.stack([noisy, noisy[::-1]])
    found = result_of(image, "zs-n2n", Options("CYX", snapshots=3, blend=0.5), steps=16, **PLAIN)
    assert found.recipe.steps_done == (5, 16)
    assert [s.step for s in found.snapshots] == [2, 7, 16]
    early, later, last = (s.image for s in found.snapshots)
    assert not np.array_equal(early[0], later[0])
    assert np.array_equal(later[0], last[0])
    np.testing.assert_allclose((last[0] + noisy) / 2, found.image[0], rtol=1e-6, atol=1e-4)


def test_a_run_that_is_finished_early_has_those_it_came_by(noisy, monkeypatch):
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    method, training = configure(METHODS["zs-n2n"], steps=100, **PLAIN)
    events, order, heard = run(noisy, method, training, Options("YX", snapshots=10)), None, None
    while not isinstance(heard, Finished):
        heard = events.send(order)
        order = Command.FINISH if isinstance(heard, Progress) and heard.step == 9 else None
    assert [s.step for s in heard.result.snapshots] == [1, 4, 9]


def test_filters_that_learn_nothing_have_none(noisy):
    for method in ("gaussian", "median", "nl-ridge"):
        assert with_snapshots(noisy[:32, :32], 3, method).snapshots == ()


@pytest.mark.parametrize("count", [-1, 1.5, "3", None])
def test_a_number_of_them_that_cannot_be_is_refused(noisy, count):
    with pytest.raises(ParameterError, match="snapshots must be a whole number"):
        raise list(run(noisy, *configure(METHODS["zs-n2n"]), Options("YX", snapshots=count)))[-1].error
