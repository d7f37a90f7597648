"""The controller of the Denoise dock, without a window: what is allowed when, and what is said."""

import pytest

from napari_lotadenoise._qt.denoise.controller import DenoiseController, RunState
from napari_lotadenoise.errors import LotaDenoiseError, NotFiniteError
from napari_lotadenoise.events import Started


class Run:
    """Stands in for a run; notes what it is told."""

    def __init__(self, request):
        self.request, self.told = request, []

    def __getattr__(self, name):
        return lambda: self.told.append(name)


@pytest.fixture
def controller():
    made = DenoiseController(Run)
    made.states, made.words = [], []
    made.state_changed.connect(made.states.append)
    made.said.connect(lambda words, offer: made.words.append((words, offer)))
    return made


def test_a_run_goes_from_planning_to_running_to_idle(controller):
    assert controller.denoise(lambda: "request")
    controller.on_started(Started("one image of 64 x 64.", "CPU"))
    controller.on_ended(None, "cells: 4 s.")
    assert controller.states == [RunState.PLANNING, RunState.RUNNING, RunState.IDLE]
    assert [words for words, _ in controller.words] == ["Starting ...", "one image of 64 x 64.", "cells: 4 s."]
    assert controller.session is None


def test_a_second_run_does_not_start_while_one_is_going_on(controller):
    controller.denoise(lambda: "first")
    assert not controller.denoise(lambda: pytest.fail("the choices should not be read"))
    assert controller.session.request == "first"


@pytest.mark.parametrize(("error", "offer"), [(LotaDenoiseError("no layer"), False), (NotFiniteError("NaN"), True)])
def test_choices_that_do_not_fit_are_a_sentence_and_no_run(controller, error, offer):
    def refuse():
        raise error

    assert not controller.denoise(refuse)
    assert controller.words == [(f"Cannot denoise: {error}", offer)]
    assert controller.states == []


def test_pausing_twice_resumes(controller):
    controller.denoise(lambda: "request")
    controller.toggle_pause()
    assert controller.state is RunState.PAUSED
    controller.toggle_pause()
    assert controller.state is RunState.RUNNING
    assert controller.session.told == ["pause", "resume"]


def test_a_run_is_finished_once_and_cannot_be_paused_then(controller):
    controller.denoise(lambda: "request")
    controller.finish_now()
    controller.finish_now()
    controller.toggle_pause()
    assert controller.session.told == ["finish_now"]
    assert controller.state is RunState.FINISHING


def test_nothing_is_told_to_a_run_that_is_not_there(controller):
    for command in (controller.finish_now, controller.toggle_pause, controller.discard):
        command()
    assert (controller.states, controller.words) == ([], [])


def test_a_run_that_fails_says_why_and_offers_to_fill(controller):
    controller.denoise(lambda: "request")
    controller.on_ended(NotFiniteError("The image contains NaN."), "")
    assert controller.words[-1] == ("Cannot denoise: The image contains NaN.", True)
    assert controller.state is RunState.IDLE
