"""Who is best and by how much, and the table as text, CSV and JSON."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest

from napari_lotadenoise.comparison import Candidate, Comparison, Outcome
from napari_lotadenoise.comparison.columns import columns, verdict
from napari_lotadenoise.comparison.ranking import Closeness, closeness, rank
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.metrics import Blocks
from napari_lotadenoise.recipe import EndReason, Recipe
from napari_lotadenoise.result import Result

EARLY = EndReason.FINISHED_EARLY.value
NAMES = ("gaussian", "median", "nlm", "nl-ridge", "tv", "wavelet")


def blocks(error, spread=1.0):
    """An estimate of an error with a standard error of a quarter of `spread`."""
    return Blocks(256 * (error + spread * np.array([-1.0, -1, 1, 1]) * np.sqrt(3) / 4), np.full(4, 256.0))


def score_of(psnr=None, *, fitted=None, ssim=None, error=None, ratio=1.02, seconds=2.5):
    risk = None if error is None else blocks(error)
    return Score(psnr, ssim, fitted, risk, 255.0, 0.91, 0.0123, ratio, "It is fine.", seconds)


def outcome_of(name, score=None, *, failed="", reason="all steps done"):
    if failed:
        return Outcome(Candidate(name), reason=failed)
    image = np.zeros((4, 4), np.float32)
    recipe = Recipe(
        method=name, parameters={}, training={}, axes="YX", device="cpu", precision="float32", image={}, steps_done=(3,)
    )
    return Outcome(Candidate(name), Result(image, image, None, {}, recipe), score, reason)


def outcomes_of(*scores):
    return [outcome_of(name, score) for name, score in zip(NAMES, scores, strict=False)]


def comparison_of(*outcomes, reference=False, **others):
    image = np.zeros((4, 4), np.float32)
    return Comparison(image, "YX", tuple(outcomes), image if reference else None, **others)


def order(standings):
    return [(s.outcome.candidate.method, s.place, s.close) for s in standings]


# ---- who is best


def test_the_highest_psnr_comes_first():
    found = rank(outcomes_of(score_of(28.0), score_of(31.0), score_of(30.0)))
    assert order(found) == [("median", 1, False), ("nlm", 2, False), ("gaussian", 3, False)]


def test_results_within_a_tenth_of_a_decibel_are_level():
    found = rank(outcomes_of(score_of(30.0), score_of(29.91), score_of(29.89), score_of(30.05)))
    assert order(found) == [("nl-ridge", 1, True), ("gaussian", 2, True), ("median", 3, False), ("nlm", 4, False)]
    alone = rank(outcomes_of(score_of(30.0), score_of(29.89)))
    assert order(alone) == [("gaussian", 1, False), ("median", 2, False)]


def test_ties_keep_the_order_in_which_they_were_asked_for():
    assert order(rank(outcomes_of(*[score_of(30.0)] * 3))) == [(name, k + 1, True) for k, name in enumerate(NAMES[:3])]
    assert order(rank(outcomes_of(*[score_of(error=5.0)] * 3))) == [(n, k + 1, True) for k, n in enumerate(NAMES[:3])]


def test_where_exposures_differ_the_fitted_psnr_ranks():
    outcomes = outcomes_of(score_of(30.0, fitted=31.0), score_of(20.0, fitted=33.0))
    assert [name for name, *_ in order(rank(outcomes))] == ["gaussian", "median"]
    assert [name for name, *_ in order(rank(outcomes, fitted=True))] == ["median", "gaussian"]
    assert comparison_of(*outcomes, reference=True, same_exposure=False).best is outcomes[1]
    assert comparison_of(*outcomes, reference=True).best is outcomes[0]


def test_results_that_are_the_reference_itself_are_level():
    found = rank(outcomes_of(score_of(math.inf), score_of(50.0), score_of(math.inf)))
    assert order(found) == [("gaussian", 1, True), ("nlm", 2, True), ("median", 3, False)]
    assert order(rank(outcomes_of(score_of(50.0), score_of(math.inf))))[0] == ("median", 1, False)


def test_without_a_reference_the_smallest_estimated_error_comes_first():
    near = 10 * 10**0.009  # 0.09 dB
    found = rank(outcomes_of(score_of(error=20.0), score_of(error=10.0), score_of(error=near)))
    assert order(found) == [("median", 1, True), ("nlm", 2, True), ("gaussian", 3, False)]
    assert [s.close for s in rank(outcomes_of(score_of(error=10.0), score_of(error=10.4)))] == [False, False]


def test_closeness_knows_alike_pictures_from_alike_numbers():
    assert closeness(blocks(10.2), blocks(10.0), distance=0.5) is Closeness.LEVEL
    assert closeness(blocks(10.2), blocks(10.0), distance=2.0) is Closeness.UNSURE, (
        "other pictures at the same estimate"
    )
    assert closeness(blocks(10.6), blocks(10.0), distance=0.5) is Closeness.UNSURE
    assert closeness(blocks(13.0), blocks(10.0), distance=0.5) is Closeness.APART
    wide = blocks(13.0, 12.0)
    assert 2 * (wide - blocks(10.0)).standard_error > 3
    assert closeness(wide, blocks(10.0), distance=0.5) is Closeness.UNSURE
    assert closeness(blocks(-1.0), blocks(-1.0), distance=0.0) is Closeness.LEVEL
    assert closeness(blocks(-1.0), blocks(-4.0), distance=3.0) is Closeness.APART


def test_the_reference_goes_before_the_estimate():
    found = rank(outcomes_of(score_of(28.0, error=1.0), score_of(31.0, error=9.0)))
    assert order(found)[0] == ("median", 1, False)


def test_negative_estimates_are_ranked_and_what_is_near_is_level():
    """The estimate is a difference of two numbers; below zero the noise has swallowed the error."""
    found = rank(outcomes_of(score_of(error=30.0), score_of(error=-4.0), score_of(error=-1.0)))
    assert [name for name, _, _ in order(found)] == ["median", "nlm", "gaussian"]
    assert rank(outcomes_of(score_of(error=0.0), score_of(error=0.0)))[1].close


def test_what_cannot_be_ranked_comes_after_and_what_failed_comes_last():
    outcomes = [
        outcome_of("gaussian", failed="It went wrong."),
        outcome_of("median", score_of()),
        outcome_of("nlm", score_of(error=3.0)),
        outcome_of("tv", reason="not judged: who knows"),
        outcome_of("wavelet", failed="stopped"),
    ]
    found = rank(outcomes)
    assert [(name, place) for name, place, _ in order(found)] == [
        ("nlm", 1), ("median", None), ("tv", None), ("gaussian", None), ("wavelet", None),
    ]  # fmt: skip
    assert [verdict(s) for s in found] == ["best", "not ranked", "not judged: who knows", "It went wrong.", "stopped"]
    assert comparison_of(*outcomes).best is outcomes[2]


def test_where_nothing_can_be_ranked_nothing_is_best():
    assert comparison_of(outcome_of("gaussian", failed="stopped"), outcome_of("median", score_of())).best is None
    assert comparison_of().best is None
    assert comparison_of().ranked == ()


# ---- the table


def titles(**options):
    return [column.name for column in columns(**options)]


def test_the_first_score_is_what_is_ranked_by():
    assert titles(reference=True)[:5] == ["place", "method", "psnr", "psnr_fitted", "ssim"]
    assert titles(reference=True, fitted=True)[2:4] == ["psnr_fitted", "psnr"]
    assert titles(reference=False)[2:4] == ["psnr_estimated", "psnr_spread"]
    assert titles(reference=False, estimated=False)[2] == "whiteness"
    assert titles(reference=True, estimated=False) == [
        n for n in titles(reference=True) if "_estim" not in n and "spre" not in n
    ]
    assert titles(reference=True)[-1] == "verdict"


def test_each_column_says_what_it_means():
    for column in columns(reference=True):
        assert column.about.endswith(".")
        assert column.better in (-1, 0, 1)


def test_the_text_has_a_line_for_each_entry_and_columns_that_stand_below_each_other():
    found = comparison_of(
        outcome_of("gaussian", score_of(28.126, fitted=28.2, ssim=0.81234, error=101.0)),
        outcome_of("nl-ridge", score_of(31.0, fitted=31.1, ssim=0.9, error=50.0, ratio=None, seconds=12.345)),
        outcome_of("median", failed="It went wrong, badly."),
        reference=True,
    )
    lines = found.text().splitlines()
    assert len(lines) == 4
    assert lines[0].split("  ")[0] == "Place"
    best, second, last = lines[1:]
    assert best.split()[:2] == ["1", "NL-Ridge"]
    assert best.endswith("best")
    assert second.split()[:6] == ["2", "Gaussian", "blur", "28.13", "28.20", "0.812"]
    assert last.split() == ["Median", "It", "went", "wrong,", "badly."]
    assert best.index("31.00") == second.index("28.13")
    assert best.index("12.3") + 4 == second.index("2.5") + 3, "numbers stand right"
    assert "1.2%" in second


def test_the_spread_is_two_standard_errors_to_each_side():
    spread = next(column for column in columns(reference=False) if column.name == "psnr_spread")
    standing, unsure, lost = rank(outcomes_of(*(score_of(error=e) for e in (100.0, 0.3, -3.0))))[::-1]
    decibel = lambda error: 10 * math.log10(255**2 / error)  # noqa: E731
    assert spread.value(standing) == f"{decibel(100.5):.1f} to {decibel(99.5):.1f}"
    assert spread.value(unsure) == f"{decibel(0.8):.1f} to inf"
    assert spread.value(lost) == "? to inf"


def test_remarks_say_what_has_to_be_known():
    plain = comparison_of(reference=True)
    assert plain.remarks == ("The noisy input has inf dB.",), "it is the reference here"
    assert "fitted" in comparison_of(reference=True, same_exposure=False).remarks[1]
    assert "Stein" in comparison_of().remarks[0]
    (remark,) = comparison_of(independent=False).remarks
    assert "none is shown" in remark
    assert comparison_of(independent=False, caution="It is correlated.").remarks == ("It is correlated.",)
    early = outcome_of("tv", score_of(error=3.0), reason=EARLY)
    recipe = dataclasses.replace(early.result.recipe, reason=EARLY, training={"steps": 90})
    early = dataclasses.replace(early, result=dataclasses.replace(early.result, recipe=recipe))
    found = comparison_of(early)
    assert verdict(found.ranked[0]) == "best, finished early (3 of 90 steps)"
    assert "finished early" in found.remarks[0]
    assert "psnr_estimated" not in [column.name for column in comparison_of(independent=False).columns]


# ---- files


@pytest.fixture
def mixed():
    """Scores of all kinds: infinite, negative, missing, failed with a comma and quotes."""
    return comparison_of(
        outcome_of("gaussian", score_of(28.123456789012345, fitted=28.2, ssim=0.8, error=1 / 3)),
        outcome_of("nl-ridge", score_of(math.inf, fitted=math.inf, ssim=1.0, error=-2.0, ratio=None)),
        outcome_of("median", failed='It said "no", twice.'),
        reference=True,
        crop=(slice(3, 7), slice(0, 4)),
    )


def test_a_csv_holds_the_very_numbers(mixed):
    rows = list(csv.DictReader(io.StringIO(mixed.to_csv())))
    assert len(rows) == 3
    assert list(rows[0]) == [column.name for column in mixed.columns]
    for read, row in zip(rows, mixed.rows(), strict=True):
        for name, value in row.items():
            expected = "" if value is None else value
            assert (float(read[name]) if isinstance(value, float | int) else read[name]) == expected
    assert float(rows[0]["psnr"]) == math.inf
    assert float(rows[1]["psnr"]) == 28.123456789012345
    assert [row["place"] for row in rows] == ["1", "2", ""]
    assert rows[0]["ratio"] == ""
    assert rows[2]["verdict"] == 'It said "no", twice.'


def no_constants(name):
    raise AssertionError(f"{name} is not JSON")


def test_json_is_json_and_holds_the_very_numbers(mixed):
    found = json.loads(mixed.to_json(), parse_constant=no_constants)
    assert [row["psnr"] for row in found["table"]] == ["inf", 28.123456789012345, None]
    assert float(found["table"][0]["psnr"]) == math.inf
    assert [row["place"] for row in found["table"]] == [1, 2, None]
    assert found["table"][0]["psnr_estimated"] is None, "of a negative error there are no decibels"
    plain = [{n: "inf" if v == math.inf else v for n, v in row.items()} for row in mixed.rows()]
    assert found["table"] == plain


def test_json_says_what_was_compared_and_how_to_do_it_again(mixed):
    found = json.loads(mixed.to_json())
    assert (found["axes"], found["shape"], found["peak"]) == ("YX", [4, 4], 255.0)
    assert found["crop"] == [[3, 7], [0, 4]]
    assert found["remarks"] == list(mixed.remarks)
    assert sorted(found["recipes"]) == ["gaussian", "nl-ridge"]
    assert Recipe.from_json(json.dumps(found["recipes"]["nl-ridge"])) == mixed.outcomes[1].result.recipe
    assert json.loads(comparison_of().to_json())["crop"] is None


def test_what_is_not_a_number_is_null():
    outcome = outcome_of("gaussian", score_of(math.nan, ratio=math.nan))
    outcome.result.recipe.residual["slope"] = math.nan
    outcome.result.recipe.residual["limit"] = -math.inf
    found = json.loads(comparison_of(outcome, reference=True).to_json(), parse_constant=no_constants)
    assert found["table"][0]["ratio"] is None
    assert found["recipes"]["gaussian"]["residual"] == {"slope": None, "limit": "-inf"}
