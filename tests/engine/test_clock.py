"""How long the rest of a run will take: told from the steps alone."""

import pytest

from napari_lotadenoise.engine import clock


@pytest.fixture
def now(monkeypatch):
    """Seconds of a clock that goes on by hand."""
    seconds = [100.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: seconds[0])
    return seconds


def test_what_comes_before_the_steps_and_the_first_of_them_do_not_count(now):
    run = clock.Clock()
    now[0] += 5  # reading, an instant preview
    run.training_begins()
    assert not run.report_due()
    now[0] += 2  # one slow step
    assert run.report_due()
    run.rate(1)
    assert run.seconds_left(99, 0) is None, "nothing is known of the other steps yet"
    now[0] += 1
    assert run.rate(11) == pytest.approx(10)
    assert run.seconds_left(89, 0) == pytest.approx(8.9)
    assert run.seconds_left(89, 2) == pytest.approx(8.9 + 2 * 0.4)


def test_the_rate_follows_slowly(now):
    run = clock.Clock()
    run.training_begins()
    for step in (10, 20, 30):
        now[0] += 1
        run.rate(step)
    now[0] += 2
    assert 1 / run.rate(40) == pytest.approx(0.8 * 0.1 + 0.2 * 0.2)


def test_where_one_step_is_all_the_tiles_tell(now):
    run = clock.Clock()
    run.training_begins()
    now[0] += 1
    run.rate(1)
    run.tiled(0.5)
    assert run.seconds_left(0, 4) == pytest.approx(2)
