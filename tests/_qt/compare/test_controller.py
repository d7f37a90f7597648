"""The controller of the Compare dock, without a window: which candidate is meant, what is allowed when."""

import pytest

from napari_lotadenoise._qt.compare.controller import CompareController, CompareState


class Recorder:
    """Stands in for a session or an applier; notes what it is told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *arguments: self.told.append((name, *arguments))


@pytest.fixture
def controller():
    made = CompareController(clock=lambda: made.now)
    made.now, made.states, made.words = 0.0, [], []
    made.state_changed.connect(made.states.append)
    made.said.connect(made.words.append)
    return made


def test_a_comparison_goes_from_planning_to_running_to_idle(controller):
    controller.compare(Recorder, range(2))
    controller.on_started(0, "Median")
    controller.on_started(1, "LoTA-N2N")
    controller.on_ended("Best: LoTA-N2N.")
    assert controller.states == [CompareState.PLANNING, CompareState.RUNNING, CompareState.IDLE]
    assert controller.words == ["Measuring the noise ...", "1 of 2: Median", "2 of 2: LoTA-N2N", "Best: LoTA-N2N."]


def test_nothing_starts_while_something_runs(controller):
    controller.compare(Recorder, range(2))
    session = controller.session
    controller.compare(lambda: pytest.fail("a second session"), range(2))
    controller.apply(lambda: pytest.fail("runs on layers"))
    assert controller.session is session


@pytest.mark.parametrize(
    ("chosen", "done", "skipped"),
    [(2, (), 2), (0, (0,), 1), (None, (0,), 1), (7, (0,), 1)],
    ids=["the chosen one", "chosen but done", "none chosen", "of another comparison"],
)
def test_stopping_one_stops_the_chosen_one_or_the_one_at_work(controller, chosen, done, skipped):
    controller.compare(Recorder, range(3))
    controller.on_started(1, "second")
    controller.stop_one(chosen, done)
    assert controller.session.told == [("skip", skipped)]


def test_a_candidate_that_runs_again_keeps_its_number(controller):
    controller.compare(Recorder, [4])
    assert controller.number(0) == 4
    controller.on_started(0, "again")
    controller.stop_one(None, ())
    assert controller.session.told == [("skip", 0)]


def test_the_time_limit_runs_from_the_start_of_the_candidate(controller):
    controller.compare(Recorder, range(1))
    controller.now = 5.0
    controller.on_started(0, "Median")
    controller.now = 12.0
    assert controller.seconds_left(10.0) == 3.0
    assert controller.seconds_left(2.0) == 0.0
    assert controller.seconds_left(0.0) is None


def test_stopping_all_stops_the_session_or_the_runs_on_layers(controller):
    controller.compare(Recorder, range(1))
    controller.stop_all()
    assert controller.session.told == [("stop",)]
    assert controller.state is CompareState.STOPPING
    controller.on_ended("")
    controller.apply(Recorder)
    applier = controller.applier
    controller.stop_all()
    assert applier.told == [("start",), ("discard",)]
    controller.on_applied()
    assert controller.state is CompareState.IDLE


def test_leaving_ends_whatever_runs(controller):
    controller.compare(Recorder, range(1))
    session = controller.session
    controller.leave()
    assert session.told == [("leave",)]
    assert (controller.session, controller.state) == (None, CompareState.IDLE)
