"""Who takes part in a comparison: names, settings, sweeps, and what is refused."""

import dataclasses
import re

import numpy as np
import pytest

from napari_lotadenoise.comparison import Candidate, sweep
from napari_lotadenoise.comparison.candidate import BESIDE, candidates_for, possible, suggested
from napari_lotadenoise.errors import LotaDenoiseError, MethodError, ParameterError
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.noise import NoiseCorrelation, estimate_noise
from tests.helpers import scene


@pytest.fixture(scope="module")
def report():
    noise = np.random.default_rng(7).normal(0, 20, (128, 128))
    return estimate_noise(scene((128, 128)) + noise.astype(np.float32))


@pytest.mark.parametrize(
    ("candidate", "label", "key"),
    [
        (Candidate("lota-n2n"), "LoTA-N2N", "lota-n2n"),
        (Candidate("lota-n2n", {"trace": 0.3}), "LoTA-N2N, trace 0.3", "lota-n2n-trace-0.3"),
        (Candidate("zs-n2n", {}, "paper"), "ZS-N2N, paper", "zs-n2n-paper"),
        (
            Candidate("zs-n2n", {"steps": 1000, "rate": 1e-4, "augment": False}, "paper"),
            "ZS-N2N, paper, steps 1000, rate 0.0001, augment False",
            "zs-n2n-paper-steps-1000-rate-0.0001-augment-False",
        ),
        (Candidate("gaussian", {"width": 2.0}), "Gaussian blur, width 2", "gaussian-width-2"),
        (
            Candidate("gaussian", {"inference": "single"}),
            "Gaussian blur, inference single",
            "gaussian-inference-single",
        ),
    ],
)
def test_entries_have_names_for_people_and_for_files(candidate, label, key):
    assert candidate.label == label
    assert candidate.key == key


def test_keys_of_all_methods_are_names_of_files_and_no_two_are_the_same():
    candidates = candidates_for([*METHODS, *(Candidate(name, preset="paper") for name in METHODS)])
    keys = [candidate.key for candidate in candidates]
    assert len(set(keys)) == 2 * len(METHODS)
    assert all(re.fullmatch(r"[a-z0-9.-]+", key) for key in keys)
    assert "/" not in Candidate("gaussian", {"inference": "a/b c"}).key
    assert " " not in Candidate("gaussian", {"inference": "a/b c"}).key


def test_an_entry_sets_up_its_method_and_training():
    method, training = Candidate("lota-n2n", {"trace": 0.3, "steps": 7}).configured()
    assert (method.id, method.trace, training.steps) == ("lota-n2n", 0.3, 7)
    assert Candidate("lota-n2n", preset="paper").configured()[1] == METHODS["lota-n2n"].preset("paper").schedule()
    flat, deep = (Candidate("zs-n2n").configured(volume=volume)[1] for volume in (False, True))
    assert flat != deep
    assert deep == METHODS["zs-n2n"].preset("fast").schedule(volume=True)


def test_names_become_entries_and_entries_stay():
    mine = Candidate("gaussian", {"width": 1.5})
    assert candidates_for(["median", mine], "paper") == (Candidate("median", {}, "paper"), mine)


@pytest.mark.parametrize(
    ("methods", "kind", "words"),
    [
        ([], ParameterError, "Nothing to compare"),
        (["median", "median"], ParameterError, "Median takes part twice"),
        (
            [Candidate("lota-n2n", {"trace": 0.3}), Candidate("lota-n2n", {"trace": 0.30})],
            ParameterError,
            "trace 0.3 takes part twice",
        ),
        (["no-such"], MethodError, "no-such"),
        ([Candidate("median", preset="slow")], MethodError, "no preset 'slow'"),
        ([Candidate("median", {"trace": 1.0})], ParameterError, "has no parameter trace"),
        ([Candidate("gaussian", {"width": -1})], ParameterError, "width must be a number from 0 to 50, not -1"),
        ([Candidate("gaussian", {"width": "wide"})], ParameterError, "width must be a number, not 'wide'"),
    ],
)
def test_what_cannot_take_part_is_refused_in_one_sentence(methods, kind, words):
    with pytest.raises(kind, match=words) as caught:
        candidates_for(methods)
    assert isinstance(caught.value, LotaDenoiseError)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_same_method_may_take_part_with_other_settings():
    assert (
        len(candidates_for(["gaussian", Candidate("gaussian", {"width": 1.0}), Candidate("gaussian", {}, "paper")]))
        == 3
    )


# ---- sweeps


def test_a_sweep_is_one_method_at_several_values():
    found = sweep("gaussian", "width", [0.5, 1, 2.5])
    assert [candidate.configured()[0].width for candidate in found] == [0.5, 1, 2.5]
    assert [candidate.label for candidate in found] == [f"Gaussian blur, width {w}" for w in ("0.5", "1", "2.5")]


@pytest.mark.parametrize(
    ("method", "parameter", "texts", "values"),
    [
        ("gaussian", "width", ["0.5", " 2 "], [0.5, 2.0]),
        ("zs-n2n", "steps", ["100", "200"], [100, 200]),
        ("zs-n2n", "augment", ["yes", "false"], [True, False]),
        ("noise2noise", "architecture", ["unet", "lehtinen"], ["unet", "lehtinen"]),
        ("zs-n2n", "halve-every", ["10"], [10]),
        ("gaussian", "stride", ["1", "2"], [1, 2]),
    ],
)
def test_texts_are_converted_to_the_type_of_the_parameter(method, parameter, texts, values):
    found = sweep(method, parameter, texts)
    name = parameter.replace("-", "_")
    assert [candidate.options for candidate in found] == [{name: value} for value in values]
    assert [type(candidate.options[name]) for candidate in found] == [type(value) for value in values]


def test_a_sweep_of_a_preset_starts_from_it():
    (candidate,) = sweep("zs-n2n", "rate", [1e-3], "paper")
    expected = dataclasses.replace(METHODS["zs-n2n"].preset("paper").schedule(), rate=1e-3)
    assert candidate.configured()[1] == expected


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("no-such", "width", [1]), MethodError, "no-such"),
        (("gaussian", "trace", [1]), ParameterError, "Gaussian blur has no parameter trace; it has .*width"),
        (("gaussian", "steps", [1]), ParameterError, "has no parameter steps"),
        (("gaussian", "width", []), ParameterError, "Say at which values of width to compare Gaussian blur"),
        (("gaussian", "width", ["wide"]), ParameterError, "width must be a number, not 'wide'"),
        (("gaussian", "width", [99]), ParameterError, "width must be a number from 0 to 50, not 99"),
        (("gaussian", "width", ["99"]), ParameterError, "width must be a number from 0 to 50, not 99"),
        (("zs-n2n", "steps", [1.5]), ParameterError, "steps must be a whole number, not 1.5"),
        (("gaussian", "width", [1.0, "1"]), ParameterError, "takes part twice"),
        (("gaussian", "width", [1.0], "slow"), MethodError, "no preset 'slow'"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_sentence(arguments, kind, words):
    with pytest.raises(kind, match=words) as caught:
        sweep(*arguments)
    assert isinstance(caught.value, LotaDenoiseError)
    assert str(caught.value).endswith(".")


# ---- by default


def test_what_suits_comes_first_and_plain_filters_stand_beside_once(report):
    from napari_lotadenoise.comparison.advice import recommended

    values = np.full((6, 6), 0.0)
    values[:2, :2] = 0.6
    values[0, 0] = 1
    correlated = dataclasses.replace(report, noise_correlation=NoiseCorrelation(values))
    for other in (report, correlated, dataclasses.replace(correlated, repeats=report.fit)):
        found = suggested(other)
        assert len(set(found)) == len(found)
        assert found[: len(recommended(other))] == recommended(other)
        assert set(BESIDE) <= set(found) <= set(METHODS)
    assert "noise2noise" in found
    assert "noise2noise" not in suggested(correlated)


def test_where_there_is_hardly_any_noise_something_is_suggested_all_the_same(monkeypatch, report):
    from napari_lotadenoise.comparison import advice

    monkeypatch.setattr(advice, "recommended", lambda report: ())
    assert suggested(report) == ("nl-ridge", "lota-n2n", "noise2self", "nlm", "gaussian")


def test_all_methods_but_those_that_need_what_is_not_there():
    assert set(possible(repeats=True)) == set(METHODS)
    assert (
        set(METHODS) - set(possible(repeats=False))
        == {n for n, kind in METHODS.items() if kind.requires.repeats}
        != set()
    )
