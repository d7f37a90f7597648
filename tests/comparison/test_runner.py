"""One method after another: turns, orders on the way, time, and what is left when it is over."""

import gc
import tracemalloc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_lotadenoise.comparison import Candidate, Outcome, Skip, run_candidates
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.engine import clock
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.events import Command, Finished, Preview, Progress, Started, ViewRequest
from napari_lotadenoise.options import Options

LONG = Candidate("zs-n2n", {"steps": 2000, "crop": 32, "schedule": "constant", "ensemble": False})
SHORT = Candidate("zs-n2n", {"steps": 3, "crop": 32, "ensemble": False})
BLUR = Candidate("gaussian", {"width": 1.0, "inference": "single", "steps": 1})
FAILS = Candidate("noise2noise")


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch):
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)


def turns_of(image, candidates, scorer=lambda result: None, budget=0.0, **options):
    return run_candidates(image, candidates, Options("YX", **options), scorer, budget)


def play(events, order=lambda event: None):
    """All turns, answered by what `order` says to each."""
    heard, answer = [], None
    try:
        while True:
            heard.append(events.send(answer))
            answer = order(heard[-1])
    except StopIteration:
        return heard


def outcomes_of(heard):
    return [event.event for event in heard if isinstance(event.event, Outcome)]


def once(order, condition):
    """Says an order the first time that a condition holds for a turn."""
    said = []

    def answer(event):
        if not said and condition(event):
            said.append(event)
            return order
        return None

    return answer


def training(number, step):
    return lambda t: t.number == number and isinstance(t.event, Progress) and t.event.step == step


# ---- turns


def test_each_has_its_turn_and_ends_with_one_outcome(noisy):
    heard = play(turns_of(noisy, [SHORT, BLUR, SHORT]))
    assert [event.number for event in heard] == sorted(event.number for event in heard)
    for number, candidate in enumerate([SHORT, BLUR, SHORT]):
        news = [event.event for event in heard if event.number == number]
        assert isinstance(news[0], Started)
        assert [isinstance(each, Outcome) for each in news] == [False] * (len(news) - 1) + [True]
        assert news[-1].candidate is candidate
        assert news[-1].reason == "all steps done"
        assert not any(isinstance(each, Finished) for each in news)
    first, _, last = outcomes_of(heard)
    assert np.array_equal(first.result.image, last.result.image), "who ran before does not matter"


def test_nothing_runs_before_it_is_asked_for(noisy):
    read = []

    class Counted:
        shape, dtype = noisy.shape, noisy.dtype

        def __getitem__(self, index):
            read.append(index)
            return noisy[index]

    events = turns_of(Counted(), [BLUR])
    assert read == []
    events.close()


@pytest.mark.parametrize(
    "bad", [FAILS, Candidate("gaussian", {"width": -3}), Candidate("gaussian", {"no": 3}), Candidate("no-such")]
)
def test_one_that_fails_does_not_stop_the_others(noisy, bad):
    heard = play(turns_of(noisy, [BLUR, bad, SHORT]))
    fine, failed, also_fine = outcomes_of(heard)
    assert (failed.candidate, failed.result, failed.score) == (bad, None, None)
    assert failed.reason.endswith(".")
    assert fine.result is not None
    assert also_fine.result is not None


@pytest.mark.parametrize(
    "error", [ImageError("It cannot be judged."), ValueError("It cannot be judged."), ZeroDivisionError()]
)
def test_a_scorer_that_fails_does_not_stop_the_others(noisy, error):
    def scorer(result):
        if result.recipe.method == "gaussian":
            raise error
        return "fine"

    one, other = outcomes_of(play(turns_of(noisy, [BLUR, SHORT], scorer, divergence_step=2.0)))
    assert one.result.recipe.method == "gaussian"
    assert one.result.divergence is None
    assert (one.score, one.reason) == (None, f"not scored: {str(error) or 'ZeroDivisionError'}")
    assert (other.score, other.reason) == ("fine", "all steps done")


def test_the_preset_is_that_of_the_entry(noisy):
    candidate = Candidate("zs-n2n", {"steps": 2}, "paper")
    (outcome,) = outcomes_of(play(turns_of(noisy, [candidate], preset="fast")))
    assert outcome.result.recipe.preset == "paper"


# ---- orders


def test_the_one_that_runs_can_be_left_out(noisy):
    heard = play(turns_of(noisy, [LONG, BLUR]), once(Skip(0), training(0, 4)))
    skipped, fine = outcomes_of(heard)
    assert (skipped.result, skipped.reason) == (None, "stopped")
    assert max(t.event.step for t in heard if t.number == 0 and isinstance(t.event, Progress)) <= 5
    assert fine.result is not None


def test_one_that_is_still_to_come_can_be_left_out(noisy):
    heard = play(turns_of(noisy, [SHORT, LONG, BLUR]), once(Skip(1), training(0, 2)))
    first, skipped, last = outcomes_of(heard)
    assert (skipped.candidate, skipped.result, skipped.reason) == (LONG, None, "stopped")
    assert [event.event for event in heard if event.number == 1] == [skipped], "it has not even begun"
    assert first.result is not None
    assert last.result is not None


def test_it_can_be_left_out_between_two_turns(noisy):
    heard = play(turns_of(noisy, [SHORT, LONG]), once(Skip(1), lambda event: isinstance(event.event, Outcome)))
    assert [outcome.reason for outcome in outcomes_of(heard)] == ["all steps done", "stopped"]


@pytest.mark.parametrize("number", [0, 7, -1])
def test_leaving_out_one_that_is_over_or_is_not_there_does_nothing(noisy, number):
    heard = play(turns_of(noisy, [SHORT, SHORT]), once(Skip(number), training(1, 1)))
    assert [outcome.reason for outcome in outcomes_of(heard)] == ["all steps done"] * 2


@pytest.mark.parametrize("between", [False, True])
def test_all_can_be_stopped_and_what_is_done_stays(noisy, between):
    when = (lambda event: isinstance(event.event, Outcome)) if between else training(1, 3)
    heard = play(turns_of(noisy, [BLUR, LONG, LONG]), once(Command.STOP, when))
    done, *stopped = outcomes_of(heard)
    assert done.result is not None
    assert [(o.candidate, o.result, o.reason) for o in stopped] == [(LONG, None, "stopped")] * 2
    assert {event.number for event in heard} == {0, 1, 2}


def test_the_one_that_runs_can_be_finished_and_the_others_take_their_time(noisy):
    heard = play(turns_of(noisy, [LONG, SHORT]), once(Command.FINISH, training(0, 5)))
    early, whole = outcomes_of(heard)
    assert (early.reason, early.result.recipe.steps_done) == ("finished early", (5,))
    assert (whole.reason, whole.result.recipe.steps_done) == ("all steps done", (3,))


def test_a_run_can_be_paused_and_looked_at(noisy, monkeypatch):
    monkeypatch.setattr(clock, "PREVIEW_EVERY", 0.0)
    answers = iter([ViewRequest((0, 0), number=5), Command.PAUSE, None, None, Command.RESUME])
    heard = play(turns_of(noisy, [SHORT]), lambda event: next(answers, None))
    assert any(isinstance(t.event, Preview) and t.event.view_request.number == 5 for t in heard)
    assert any(isinstance(t.event, Progress) and t.event.phase == "paused" for t in heard)
    plain = outcomes_of(play(turns_of(noisy, [SHORT])))[0]
    assert np.array_equal(outcomes_of(heard)[0].result.image, plain.result.image)


# ---- time


class FakeTime:
    """A clock of the comparison that goes on by one second with each turn."""

    def __init__(self, monkeypatch):
        import sys

        module = sys.modules["napari_lotadenoise.comparison.runner"]
        self.now = 0.0
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def tick(self, event):
        self.now += 1


def test_who_takes_longer_than_the_budget_is_finished_early(noisy, monkeypatch):
    time = FakeTime(monkeypatch)
    heard = play(turns_of(noisy, [LONG, BLUR, LONG], budget=20.0), time.tick)
    for number in (0, 2):
        steps = max(t.event.step for t in heard if t.number == number and isinstance(t.event, Progress))
        assert 17 <= steps <= 22, "each has a budget of its own"
    assert [outcome.reason for outcome in outcomes_of(heard)] == ["finished early", "all steps done", "finished early"]
    assert all(outcome.result is not None for outcome in outcomes_of(heard))


@pytest.mark.parametrize("budget", [0.0, 1000.0])
def test_who_is_in_time_or_has_no_budget_is_not_hurried(noisy, monkeypatch, budget):
    time = FakeTime(monkeypatch)
    (outcome,) = outcomes_of(play(turns_of(noisy, [SHORT], budget=budget), time.tick))
    assert outcome.reason == "all steps done"


def test_a_pause_is_not_counted(noisy, monkeypatch):
    """Whoever pauses to look does not want the run to go on by itself, and be cut short."""
    time, naps = FakeTime(monkeypatch), []

    def answer(event):
        napping = isinstance(event.event, Progress) and event.event.phase == "paused"
        time.now += 100 if napping else 1
        naps.extend([event] * napping)
        if napping:
            return Command.RESUME if len(naps) == 4 else None
        return Command.PAUSE if not naps and training(0, 5)(event) else None

    heard = play(turns_of(noisy, [LONG], budget=20.0), answer)
    assert len(naps) == 4
    assert 15 <= outcomes_of(heard)[0].result.recipe.steps_done[0] <= 22


def test_orders_go_before_the_budget(noisy, monkeypatch):
    time = FakeTime(monkeypatch)

    def answer(event):
        time.tick(event)
        return Skip(0) if time.now > 10 else None

    (outcome,) = outcomes_of(play(turns_of(noisy, [LONG], budget=10.0), answer))
    assert (outcome.result, outcome.reason) == (None, "stopped")


# ---- what is left


@pytest.mark.parametrize("event", [1, 3, 8])
def test_closing_it_leaves_nothing_running(noisy, event):
    threads, before = torch.get_num_threads(), len(process_settings._before)
    events = turns_of(noisy, [LONG, BLUR], threads=threads + 2)
    heard = [next(events) for _ in range(event)]
    assert all(each.number == 0 for each in heard)
    assert torch.get_num_threads() == threads + 2
    events.close()
    assert torch.get_num_threads() == threads
    assert len(process_settings._before) == before
    with pytest.raises(StopIteration):
        next(events)


def test_threads_are_put_back_after_each_that_fails(noisy):
    threads = torch.get_num_threads()
    events = turns_of(noisy, [FAILS, BLUR, FAILS], threads=threads + 1)
    seen = [(isinstance(event.event, Outcome), torch.get_num_threads() - threads) for event in events]
    assert all(extra == 0 for is_outcome, extra in seen if is_outcome)
    assert any(extra == 1 for _, extra in seen)


def test_what_is_judged_is_whole_and_what_is_kept_is_the_image_alone(noisy):
    seen = []

    def scorer(result):
        assert result.divergence.shape == result.image.shape == noisy.shape
        seen.append([weakref.ref(a) for a in (result.image, result.divergence, result.uncertainty) if a is not None])
        return "score"

    passes = Candidate("self2self", {"steps": 2, "passes": 2, "width": 8, "crop": 32})
    kept = outcomes_of(play(turns_of(noisy, [BLUR, passes], scorer, divergence_step=2.0)))
    gc.collect()
    assert [outcome.score for outcome in kept] == ["score"] * 2
    assert [(o.result.divergence, o.result.uncertainty) for o in kept] == [(None, None)] * 2
    assert [len(refs) for refs in seen] == [2, 3]
    for image, *maps in seen:
        assert image() is not None
        assert all(each() is None for each in maps)
    assert all(outcome.result.noisy is noisy for outcome in kept)


def test_an_outcome_keeps_one_array_of_the_size_of_the_image():
    image = np.random.default_rng(0).normal(100, 20, (256, 256)).astype(np.float32)
    events = turns_of(image, [BLUR] * 4, divergence_step=2.0)
    kept, sizes = [], []
    tracemalloc.start()
    try:
        for event in events:
            if isinstance(event.event, Outcome):
                kept.append(event.event)
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    growth = np.diff(sizes) / image.nbytes
    assert len(growth) == 3
    assert np.all(growth < 1.2)
    assert np.all(growth > 0.9)
