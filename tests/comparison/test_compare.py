"""Several methods on one image: the image that they get, who is compared, and that nothing but the image decides."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_lotadenoise import Recipe, compare, denoise, estimate_noise
from napari_lotadenoise.comparison import Candidate, CandidateEvent, Outcome, plan_comparison
from napari_lotadenoise.comparison.crop import choose_crop
from napari_lotadenoise.errors import (
    AxesError,
    ImageError,
    LotaDenoiseError,
    MethodError,
    NotFiniteError,
    ParameterError,
)
from napari_lotadenoise.events import Finished, Progress, Started
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.options import Options
from tests.helpers import scene

#: A network and a filter, both quick.
NETWORK = Candidate("zs-n2n", {"steps": 5, "crop": 32, "ensemble": False})
BLUR = Candidate("gaussian", {"width": 1.0, "inference": "single", "steps": 1})
BOTH = (NETWORK, BLUR)


def images(found):
    return [outcome.result.image for outcome in found.outcomes]


# ---- what is compared


def test_each_result_is_that_of_denoise(noisy):
    found = compare(noisy, BOTH, seed=3, threads=1)
    for candidate, outcome in zip(BOTH, found.outcomes, strict=True):
        alone = denoise(noisy, candidate.method, seed=3, threads=1, **candidate.options)
        assert np.array_equal(outcome.result.image, alone.image)
        assert outcome.result.recipe.arguments() == alone.recipe.arguments()
        assert np.array_equal(denoise(noisy, **outcome.result.recipe.arguments()).image, alone.image)


def test_methods_never_see_the_reference(noisy, truth):
    without, with_it = compare(noisy, BOTH), compare(noisy, BOTH, reference=truth)
    wrong = compare(noisy, BOTH, reference=truth[::-1] * 3 + 50)
    for one, two, three in zip(images(without), images(with_it), images(wrong), strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)
    assert without.outcomes[0].score.psnr is None
    assert with_it.outcomes[0].score.psnr == psnr(images(with_it)[0], truth, with_it.peak)


def test_the_image_and_the_reference_are_not_changed_and_not_shared(noisy, truth):
    image, reference = noisy.copy(), truth.copy()
    found = compare(image, [BLUR], reference=reference)
    before = found.image.copy()
    image[:], reference[:] = 0, 0
    assert np.array_equal(found.image, before)
    assert np.array_equal(found.reference, truth)


def test_lists_of_numbers_are_images_too(noisy, truth):
    small, clean = noisy[:32, :32], truth[:32, :32]
    found = compare(small.tolist(), [BLUR], reference=clean.tolist(), crop=(slice(0, 24), slice(4, 32)))
    np.testing.assert_allclose(found.reference, clean[:24, 4:])
    assert found.best.score.psnr > 20


def test_options_reach_every_run(noisy):
    image = np.stack([noisy, noisy[::-1]])
    image[0, 3, 3] = np.nan
    found = compare(image, BOTH, "CYX", channels="joint", fill=True, seed=9, preset="paper", snapshots=2)
    for outcome in found.outcomes:
        recipe = outcome.result.recipe
        assert (recipe.axes, recipe.channels, recipe.fill, recipe.seed, recipe.threads) == (
            "CYX",
            "joint",
            True,
            9,
            1,
        )
    assert [len(o.result.snapshots) for o in found.outcomes] == [2, 0]


def test_volumes_get_the_schedule_of_volumes():
    volume = scene((4, 24, 24)) + np.random.default_rng(7).normal(0, 9, (4, 24, 24)).astype(np.float32)
    (outcome,) = compare(volume, [Candidate("zs-n2n", {"steps": 2})], "zyx", volume=True).outcomes
    assert outcome.result.recipe.volume
    assert (
        outcome.result.recipe.training["crop_depth"]
        == METHODS["zs-n2n"].preset("fast").schedule(volume=True).crop_depth
    )


def test_the_whole_of_it(noisy, truth):
    """Ranked as the truth ranks, said in text and files."""
    candidates = [Candidate("gaussian", {"width": w, "inference": "single", "steps": 1}) for w in (0.3, 1.2, 5.0)]
    found = compare(noisy, candidates, reference=truth)
    errors = [np.mean((image - truth) ** 2) for image in images(found)]
    assert [s.outcome for s in found.ranked] == [found.outcomes[i] for i in np.argsort(errors)]
    assert found.best.candidate.options["width"] == 1.2
    assert found.same_exposure
    assert found.text().count("\n") == 4
    assert len(json.loads(found.to_json())["recipes"]) == 3
    judged = compare(noisy, candidates)
    assert judged.best.candidate == found.best.candidate, "without the truth it is the same"


# ---- who takes part


def named(image, methods, axes="YX"):
    return [candidate.method for candidate in plan_comparison(image, methods, Options(axes)).candidates]


def test_the_suggested_ones_suit_the_noise_and_plain_filters_stand_beside(noisy):
    from napari_lotadenoise.comparison.advice import recommended

    large = np.tile(noisy, (2, 2))
    found = named(large, "suggested")
    assert found[: len(recommended(estimate_noise(large)))] == list(recommended(estimate_noise(large)))
    assert {"nlm", "gaussian"} <= set(found)


def test_all_are_all_that_can_be_applied(noisy):
    assert named(noisy, "all") == [name for name, kind in METHODS.items() if not kind.requires.repeats]
    frames = np.stack([noisy, noisy[::-1]])
    assert set(named(frames, "all", "TYX")) == set(METHODS)
    assert set(named(frames[:1], "all", "TYX")) == set(named(noisy, "all"))


def test_a_single_name_is_one_method_and_names_take_the_preset(noisy):
    assert named(noisy, "median") == ["median"]
    (candidate,) = plan_comparison(noisy, ["zs-n2n"], Options("YX", preset="paper")).candidates
    assert candidate.preset == "paper"


# ---- the part


@pytest.mark.parametrize(
    "crop", [(slice(8, 40), slice(16, 60)), (slice(-32, None), slice(None, 40)), (slice(0, 999),) * 2]
)
def test_a_given_part_is_as_if_it_had_been_cut_out_before(noisy, truth, crop):
    part, alone = compare(noisy, BOTH, reference=truth, crop=crop), compare(noisy[crop], BOTH, reference=truth[crop])
    for one, two in zip(part.outcomes, alone.outcomes, strict=True):
        assert np.array_equal(one.result.image, two.result.image)
        assert one.score.psnr == two.score.psnr
        # The noise of a part is measured on the whole image, which has more pixels to tell.
        assert one.score.risk.mean == pytest.approx(two.score.risk.mean, abs=0.15 * 20**2)
    assert np.array_equal(part.image, noisy[crop])
    assert np.array_equal(part.reference, truth[crop])
    assert np.array_equal(noisy[part.crop], noisy[crop])
    assert all(0 <= edge <= 64 for edges in json.loads(part.to_json())["crop"] for edge in edges)


def test_a_picked_part_is_the_same_every_time():
    image = scene((96, 100)) + np.random.default_rng(7).normal(0, 20, (96, 100)).astype(np.float32)
    expected = choose_crop(Stack(image, Layout("YX")), 48)
    for _ in range(2):
        found = compare(image, [BLUR], crop=48)
        assert found.crop == expected
        assert found.image.shape == (48, 48)
    assert compare(image, [BLUR]).crop is None


def test_frames_are_kept_only_for_methods_that_learn_from_them():
    rng = np.random.default_rng(7)
    image = (scene((64, 64)) + rng.normal(0, 20, (3, 64, 64))).astype(np.float32)
    pair = Candidate("noise2noise", {"steps": 2, "crop": 32})
    assert plan_comparison(image, [BLUR], Options("TYX"), crop=32).image.shape == (1, 32, 32)
    planned = plan_comparison(image, [BLUR, pair], Options("TYX"), crop=32)
    assert planned.image.shape == (3, 32, 32)
    assert all(outcome.result is not None for outcome in compare(image, [BLUR, pair], "TYX", crop=32).outcomes)


def test_only_the_part_is_read(noisy):
    class Lazy:
        shape, dtype, ndim = (1, 64, 64), noisy.dtype, 3
        read = []

        def __getitem__(self, index):
            self.read.append(index)
            return noisy[None][index]

    reference = Lazy()
    compare(noisy[None], [BLUR], "ZYX", reference=reference, crop=(slice(0, 1), slice(0, 32), slice(0, 32)))
    assert [noisy[None][index].size for index in reference.read] == [32 * 32]


# ---- what it tells


def test_the_listener_hears_every_turn_in_order(noisy):
    heard = []
    found = compare(noisy, BOTH, listener=heard.append)
    assert all(isinstance(event, CandidateEvent) for event in heard)
    assert [event.number for event in heard] == sorted(event.number for event in heard)
    for number in (0, 1):
        news = [event.event for event in heard if event.number == number]
        assert isinstance(news[0], Started)
        assert any(isinstance(each, Progress) for each in news)
        assert not any(isinstance(each, Finished) for each in news), "the outcome stands for it"
        assert [each for each in news if isinstance(each, Outcome)] == [found.outcomes[number]]
        assert news[-1] is found.outcomes[number]


def test_a_listener_that_raises_leaves_nothing_running(noisy):
    threads = torch.get_num_threads()

    def raise_on_progress(event):
        if isinstance(event.event, Progress):
            assert torch.get_num_threads() == threads + 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        compare(noisy, BOTH, threads=threads + 1, listener=raise_on_progress)
    assert caught.tb is not None, "which holds on to all that was going on"
    assert torch.get_num_threads() == threads


def test_one_that_cannot_work_does_not_stop_the_others(noisy, truth):
    found = compare(noisy, ["noise2noise", BLUR], reference=truth)
    failed, fine = found.outcomes
    assert (failed.result, failed.score) == (None, None)
    assert "two or more frames" in failed.reason
    assert fine.score.psnr > 20
    assert found.best is fine
    assert failed.reason in found.text()
    assert list(json.loads(found.to_json())["recipes"]) == [BLUR.key]


def test_time_is_that_of_the_method_without_the_probe(noisy, monkeypatch):
    from napari_lotadenoise.engine import loop

    clock = type("Clock", (loop.Clock,), {"elapsed": property(lambda self: float(next(ticks)))})
    ticks = iter(range(1000))
    monkeypatch.setattr(loop, "Clock", clock)
    plain = compare(noisy, [BLUR], reference=None).outcomes[0].score.seconds
    used = next(ticks)
    assert 0 < plain < used - 1


# ---- what is refused


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (
            {"reference": np.zeros((64, 63))},
            ParameterError,
            r"reference has the shape \(64, 63\) and the image \(64, 64\)",
        ),
        ({"reference": np.full((64, 64), np.nan)}, ImageError, "reference holds NaN"),
        ({"reference": np.zeros((64, 64), complex)}, ImageError, "must hold real numbers"),
        ({"budget": -1}, ParameterError, "budget must be a number of seconds, 0 or more, not -1"),
        ({"budget": np.nan}, ParameterError, "budget must be"),
        ({"peak": 0}, ParameterError, "peak must be above 0, not 0"),
        ({"peak": -255.0}, ParameterError, "peak must be above 0"),
        ({"peak": np.nan}, ParameterError, "peak must be above 0"),
        ({"crop": 5}, ParameterError, "side of a crop must be 16 pixels or more, not 5"),
        ({"crop": -64}, ParameterError, "16 pixels or more, not -64"),
        ({"crop": 48.0}, ParameterError, "a side in pixels or a tuple of 2 slices, one an axis, not 48.0"),
        ({"crop": (slice(0, 32),)}, ParameterError, "a tuple of 2 slices"),
        ({"crop": (0, slice(0, 32))}, ParameterError, "a tuple of 2 slices"),
        ({"crop": (slice(0, 32), slice(70, 90))}, ParameterError, r"a part of the image \(64, 64\) without gaps"),
        ({"crop": (slice(0, 64, 2), slice(0, 64))}, ParameterError, "without gaps"),
        ({"crop": (slice(0, 2), slice(0, 2))}, ImageError, "2 x 2 pixels"),
        ({"methods": []}, ParameterError, "Nothing to compare: name at least one method"),
        ({"methods": ["gaussian", "median", "gaussian"]}, ParameterError, "takes part twice"),
        ({"methods": ["gauss"]}, MethodError, "gauss"),
        ({"methods": [Candidate("gaussian", {"sharpness": 3})]}, ParameterError, "has no parameter sharpness"),
        ({"preset": "slow"}, MethodError, "has no preset 'slow'"),
        ({"axes": "ZYX"}, AxesError, "name 3 dimensions, the image has 2"),
        ({"axes": "XX"}, AxesError, "twice"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(noisy, arguments, kind, words):
    arguments = {"methods": [BLUR, "median"], "axes": "YX", **arguments}
    heard = []
    with pytest.raises(kind, match=words) as caught:
        compare(noisy, **arguments, listener=heard.append)
    assert isinstance(caught.value, LotaDenoiseError)
    assert "\n" not in str(caught.value)
    assert heard == [], "before anything runs"


def test_images_that_cannot_be_denoised_are_refused_before_anything_runs(noisy):
    holes = noisy.copy()
    holes[0, 0] = np.nan
    with pytest.raises(NotFiniteError, match="1 NaN"):
        compare(holes, [BLUR])
    with pytest.raises(AxesError, match="say what they are"):
        compare(noisy[None], [BLUR])
    flat = noisy.copy()
    flat[:32] = 7
    with pytest.raises(ImageError, match="constant"):
        compare(flat, [BLUR], crop=(slice(0, 32), slice(0, 64)))


def test_comparing_is_imported_without_torch_and_without_matplotlib():
    code = (
        "import sys\nfrom napari_lotadenoise import compare\n"
        "print([m for m in ('torch', 'matplotlib', 'napari', 'qtpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_recipes_of_a_comparison_are_recipes(noisy):
    told = json.loads(compare(noisy, [NETWORK]).to_json())
    recipe = Recipe.from_json(json.dumps(told["recipes"][NETWORK.key]))
    assert recipe.method == "zs-n2n"
    assert recipe.training["steps"] == 5


def test_auto_takes_part_and_gives_what_it_gives_alone(noisy):
    from napari_lotadenoise import denoise

    image = noisy[:64, :64]
    comparison = compare(image, ["auto", "median"], threads=1)
    first = next(outcome for outcome in comparison.outcomes if outcome.candidate.chosen)
    assert first.candidate.label.startswith("Auto: ")
    alone = denoise(image, threads=1)
    assert np.array_equal(first.result.image, alone.image)
    assert first.result.recipe.notes[0] == alone.recipe.notes[0]
    assert [outcome.candidate.key for outcome in comparison.outcomes] == ["auto-instant", "median"]
