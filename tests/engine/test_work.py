"""What is counted, by known ratios; that it is right in seconds is measured by benchmarks/times.py."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise.api import resolve
from napari_lotadenoise.compute import speed_cache, speed_probes, speeds as calibration
from napari_lotadenoise.compute.speeds import Speeds
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import plan, run, timing
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.events import Command, Completed
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.noise import estimate_noise
from napari_lotadenoise.normalisation.affine import measure
from napari_lotadenoise.prediction import tiling
from napari_lotadenoise.prediction.tiling import TileGeometry
from napari_lotadenoise.pretrained import warm_start

REFERENCE = Speeds()


def work(method="noise2self", shape=(512, 512), axes="YX", preset="fast", volume=False, predictable=None, **changes):
    configured, training = configure(METHODS[method], preset, volume=volume, **changes)
    return Work.of(shape, Layout(axes, "separate", volume), configured, training, predictable=predictable)


@pytest.mark.parametrize("method", METHODS)
def test_the_footprint_is_that_of_the_network(method):
    kind = METHODS[method]
    if kind.tiling.whole:
        pytest.skip("learns images in one piece")
    for preset in kind.presets:
        configured, _ = configure(kind, preset)
        footprint = configured.footprint
        for ndim in kind.info.dimensions:
            net = configured.network(1, ndim)
            assert (footprint.halo, footprint.multiple, footprint.border) == (
                configured.halo(net),
                net.multiple,
                net.border,
            )
            assert ndim == 2 or footprint.depth_halo == net.depth_halo


@pytest.mark.parametrize("method", [name for name, kind in METHODS.items() if "warm" in kind.presets])
def test_a_warm_start_is_cut_like_the_shipped_network(method):
    configured, training = configure(METHODS[method], "warm")
    found = Work.of((1500, 1500), Layout("YX"), configured, training)
    wanted = tiling.tile_side(*warm_start.tiling_of(configured, training))
    net = shipped.load("grey")
    geometry = dataclasses.replace(TileGeometry.of(net), size_multiple=net.multiple)
    assert wanted < 1500
    assert found.read == tiling.pixels_read((1500, 1500), *warm_start.tiling_of(configured, training), geometry)


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_network_takes_longer(method):
    kind = METHODS[method]
    usual = configure(kind)[0]
    if not kind.trained:
        assert usual.footprint.work == 0
        return
    wide = configure(kind, width=2 * usual.width)[0]
    assert wide.expected_cost.step > 2 * usual.expected_cost.step
    assert usual.expected_cost == usual.cost


@pytest.mark.parametrize("shape", [(300, 70), (600, 513), (20, 90, 170)])
@pytest.mark.parametrize("border", [None, 8])
def test_pixels_read_are_those_of_the_tiles(shape, border):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    stack = Stack(image, Layout("ZYX"[-len(shape) :], volume=len(shape) == 3))
    geometry = TileGeometry(halo=11, depth_halo=3, size_multiple=8, border=border)
    method, scale = METHODS["noise2self"], measure(stack, 0, "deviation")
    windows = tiling.cut(stack, method.tiling, method.cost)
    tiles = [tiling.read_tile(stack, geometry, scale, torch.device("cpu"), 0, 0, window) for window in windows]
    assert tiling.pixels_read(shape, method.tiling, method.cost, geometry) == sum(tile.image.numel() for tile in tiles)


def test_twice_the_steps_batch_and_groups_take_twice_as_long():
    once = work(steps=100, batch=2).training_seconds(REFERENCE)
    assert work(steps=200, batch=2).training_seconds(REFERENCE) == pytest.approx(2 * once)
    assert work(shape=(2, 512, 512), axes="CYX", steps=100, batch=2).training_seconds(REFERENCE) == pytest.approx(
        2 * once
    )
    assert work(steps=400, until=200, batch=2).training_seconds(REFERENCE) == pytest.approx(2 * once)
    assert once < work(steps=100, batch=4).training_seconds(REFERENCE) < 2 * once  # a part of a step is always the same


def test_twice_the_pixels_take_about_twice_as_long_beyond_the_overhead():
    one, two = work(shape=(1024, 1024)), work(shape=(2048, 1024))
    assert two.prediction_seconds(REFERENCE) == pytest.approx(2 * one.prediction_seconds(REFERENCE))
    assert two.training_seconds(REFERENCE) == one.training_seconds(REFERENCE)  # crops are as large
    frames = work(shape=(2, 1024, 1024), axes="TYX")
    assert frames.prediction_seconds(REFERENCE) == pytest.approx(2 * one.prediction_seconds(REFERENCE))
    full = work("lota-n2n", preset="paper", shape=(2048, 1024)).training_seconds(REFERENCE)
    assert full == pytest.approx(
        2 * work("lota-n2n", preset="paper", shape=(1024, 1024)).training_seconds(REFERENCE), rel=0.05
    )


def test_a_small_image_is_read_with_its_surroundings():
    assert work(shape=(64, 64)).read == (64 + 2 * 32) ** 2


def test_passes_ensembles_and_inference_multiply_the_prediction():
    def prediction(method, **changes):
        return work(method, **changes).prediction_seconds(REFERENCE)

    assert prediction("self2self", passes=32) == pytest.approx(2 * prediction("self2self", passes=16))
    assert prediction("noise2self", ensemble=True) == pytest.approx(8 * prediction("noise2self", ensemble=False))
    assert prediction("noise2self", inference="j-invariant") == pytest.approx(16 * prediction("noise2self"))
    assert prediction("instant", self_ensemble=True) == pytest.approx(8 * prediction("instant"))
    assert prediction("tv", inference="j-invariant") == pytest.approx(16 * prediction("tv", inference="single"))
    # A mean over flips is not taken of a network that learns the image in one piece.
    assert prediction("dip", ensemble=True) == prediction("dip")


def test_colours_cost_filters_more_and_networks_no_more():
    def prediction(method, axes, shape):
        return work(method, shape, axes).prediction_seconds(REFERENCE)

    for method, times in (("gaussian", 3), ("instant", 3), ("noise2self", 1)):
        colours = prediction(method, "YXS", (256, 256, 3))
        assert colours == pytest.approx(times * prediction(method, "YX", (256, 256)))


def test_a_given_value_is_judged_once():
    assert work("gaussian", width=2.0).training_seconds(REFERENCE) < work("gaussian").training_seconds(REFERENCE) / 5


def test_exact_arithmetic_takes_longer_where_the_machine_has_a_faster_one():
    assert work(precision="float32").training_seconds(REFERENCE) > work(precision="auto").training_seconds(REFERENCE)
    plain = Speeds(exact=1.0, mixed=1 / 1.6)  # no bfloat16: "auto" is float32
    assert work(precision="float32").training_seconds(plain) == pytest.approx(
        work(precision="auto").training_seconds(plain), rel=0.25
    )


def test_a_faster_machine_and_its_correction_count():
    for method in ("noise2self", "gaussian", "instant"):
        once = work(method).seconds(REFERENCE)
        assert work(method).seconds(Speeds(2.0, 2.0, 2.0)) == pytest.approx(once / 2)
        assert work(method).seconds(Speeds(correction=3.0)) == pytest.approx(3 * once)


def test_being_watched_takes_at_most_a_third_longer():
    quiet, watched = (work().seconds(REFERENCE, watched=watched) for watched in (False, True))
    assert quiet < watched < 4 / 3 * quiet
    assert work("gaussian").seconds(REFERENCE, watched=True) == work("gaussian").seconds(REFERENCE)


def test_more_predictions_count():
    one, three = (work().seconds(REFERENCE, predictions=count) for count in (1, 3))
    assert three - one == pytest.approx(2 * work().prediction_seconds(REFERENCE))


def test_a_stride_that_is_not_chosen_yet_counts_as_one():
    assert work(stride=0) == dataclasses.replace(work(stride=1), training=work(stride=0).training)
    assert work(stride=2).read > work(stride=1).read  # the surroundings are twice as wide


def test_slightly_correlated_noise_takes_two_passes_of_the_shipped_networks_and_is_measured_more_closely():
    def prediction(predictable, method="instant"):
        return work(method, predictable=predictable).prediction_seconds(REFERENCE)

    assert prediction(0.02) == pytest.approx(2 * prediction(0.0))
    assert prediction(0.5) == prediction(0.0) < prediction(None) < prediction(0.02)
    assert prediction(0.02, "noise2self") == prediction(0.0, "noise2self")
    white, correlated = (work(predictable=share).overhead_seconds(REFERENCE) for share in (0.0, 0.5))
    assert white < correlated < white + 0.5


def test_the_measured_noise_decides_the_stride_that_is_counted():
    configured, training = configure(METHODS["noise2self"])
    report = estimate_noise(ndimage.gaussian_filter(np.random.default_rng(0).normal(100, 9, (256, 256)), 1.0))
    assert report.stride > 1
    strided = dataclasses.replace(training, stride=report.stride)
    shape, layout = (256, 256), Layout("YX")
    for given in (training, strided):
        assert plan.seconds_for(shape, layout, configured, given, report=report) == plan.seconds_for(
            shape, layout, configured, strided, report=report
        )
    assert plan.seconds_for(shape, layout, configured, training) < plan.seconds_for(shape, layout, configured, strided)


def test_volumes_take_longer_than_their_slices():
    volume = work(shape=(16, 128, 128), axes="ZYX", volume=True)
    slices = work(shape=(16, 128, 128), axes="ZYX")
    assert volume.prediction_seconds(REFERENCE) > slices.prediction_seconds(REFERENCE)


def test_the_plan_imports_no_torch_and_counts_its_import():
    code = (
        "import sys\n"
        "from napari_lotadenoise.engine import plan\n"
        "from napari_lotadenoise.contract.method import configure\n"
        "from napari_lotadenoise.image.stack import Layout\n"
        "from napari_lotadenoise.methods import METHODS\n"
        "for kind in METHODS.values():\n"
        "    for preset in kind.presets:\n"
        "        before = plan.seconds_for((64, 64), Layout('YX'), *configure(kind, preset))\n"
        "print('torch' in sys.modules)\n"
        "import torch\n"
        "print(before > plan.seconds_for((64, 64), Layout('YX'), *configure(kind, preset)) + 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"], done.stderr


# ---------------------------------------------------------------- a run, and how it corrects the speeds


@pytest.fixture
def speeds(tmp_path, monkeypatch):
    """A machine that is so slow that every run is long enough to correct it; returns the ratios that it is corrected by."""
    monkeypatch.setenv(speed_cache.FOLDER, str(tmp_path))
    monkeypatch.setattr(speed_cache, "_entries", {})
    monkeypatch.setattr(speed_probes, "measure", lambda *_: {"exact": 1e-3, "mixed": 1e-3, "numpy": 1e-3})
    ratios = []
    monkeypatch.setattr(
        calibration, "correct", lambda device, threads, ratio: ratios.append((str(device), threads, ratio))
    )
    return ratios


def events(noisy, send=None, **changes):
    method, training, options = resolve("zs-n2n", axes="YX", threads=1, steps=20, crop=16, **changes)
    steps, found = run(noisy, method, training, options), []
    event = next(steps)
    try:
        while True:
            found.append(event)
            event = steps.send(send(event) if send else None)
    except StopIteration:
        return found


def test_the_sentence_says_the_time_by_the_cached_speeds(noisy, speeds):
    method, training, options = resolve("zs-n2n", axes="YX", threads=1, steps=20, crop=16)
    expected = work("zs-n2n", noisy.shape, steps=20, crop=16, predictable=0.0).seconds(Speeds(1e-3, 1e-3, 1e-3))
    assert f"about {plan.duration(expected)}" in events(noisy)[0].plan
    assert plan.seconds_for(noisy.shape, Layout("YX"), method, training, options) == expected


def test_the_reason_of_a_choice_comes_first_with_the_time(noisy):
    assert plan.chosen("Instant, since it is", 2.4) == "Instant, since it is; 2 s"
    words = events(noisy, reason="ZS-N2N, since it is")[0].plan
    assert re.fullmatch(r"ZS-N2N, since it is; \d+ s\. One image of 64 x 64, .*, about \d+ s\.", words)


def test_a_whole_run_corrects_the_speeds(noisy, speeds):
    assert isinstance(events(noisy)[-1], Completed)
    [(device, threads, ratio)] = speeds
    assert (device, threads) == ("cpu", 1)
    assert 0 < ratio < 1  # it is no slow machine


def test_a_run_that_was_paused_or_finished_early_corrects_nothing(noisy, speeds, monkeypatch):
    from napari_lotadenoise.engine import clock

    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    commands = iter([None, Command.PAUSE, Command.RESUME])
    events(noisy, lambda _: next(commands, None))
    commands = iter([None, Command.FINISH])
    events(noisy, lambda _: next(commands, None))
    assert speeds == []


def test_a_short_run_corrects_nothing(noisy, speeds, monkeypatch):
    monkeypatch.setattr(timing, "LONG_ENOUGH", 1e9)
    events(noisy)
    assert speeds == []


def test_the_time_of_a_listener_does_not_count():
    from napari_lotadenoise.engine.clock import Clock

    clock = Clock()
    clock.start -= 10
    clock.listened(7)
    assert clock.working == pytest.approx(3, abs=0.5)


def test_the_correction_changes_no_result(noisy, speeds):
    first, second = (events(noisy)[-1].result.image for _ in range(2))
    np.testing.assert_array_equal(first, second)
