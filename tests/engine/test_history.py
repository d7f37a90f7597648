"""What a run reports on its way, as columns of one length."""

import math

from napari_lotadenoise.engine.history import History


def test_what_a_row_lacks_is_not_a_number():
    history = History()
    history.add({"step": 1, "sigma": None, "pair": 0.5})
    history.add({"step": 2, "sigma": 20.0})
    history.add({"step": 3, "score": 0.25})
    columns = history.columns
    assert set(columns) == {"step", "sigma", "pair", "score"}
    assert columns["step"] == [1, 2, 3]
    assert columns["pair"][0] == 0.5
    assert columns["sigma"][1] == 20.0
    assert columns["score"][2] == 0.25
    missing = [
        columns[n][k] for n, k in (("sigma", 0), ("sigma", 2), ("pair", 1), ("pair", 2), ("score", 0), ("score", 1))
    ]
    assert all(math.isnan(value) for value in missing)


def test_two_histories_know_nothing_of_each_other():
    one, other = History(), History()
    one.add({"step": 1, "loss": 2.0})
    assert other.columns == {"step": []}
