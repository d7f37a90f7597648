import ctypes
import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.contract.method import StepOutput, configure
from napari_lotadenoise.engine import clock, run
from napari_lotadenoise.errors import DeviceError, ParameterError, TrainingError
from napari_lotadenoise.events import Command, Discarded, Finished, Preview, Progress, Started, ViewRequest
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.options import Options
from tests.helpers import assert_same_bits, few_passes, quick, scene


def start(image, method="zs-n2n", options=None, **changes):
    configured, training = configure(METHODS[method], **changes)
    return run(image, configured, training, options or Options(axes="YX"))


@pytest.fixture
def chatty(monkeypatch):
    """Report and preview after every step, so that a test depends on steps and not on the clock."""
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(clock, "PREVIEW_EVERY", 0.0)
    monkeypatch.setattr(clock, "PREVIEW_SHARE", 1e9)


def test_the_first_event_says_what_will_be_done_and_the_last_is_finished(noisy, chatty):
    events = list(start(noisy, steps=5))
    assert isinstance(events[0], Started)
    assert events[0].plan.startswith("one image of 64 x 64, with ZS-N2N, on CPU")
    assert [isinstance(e, Finished) for e in events].count(True) == 1
    assert isinstance(events[-1], Finished)
    training = [e for e in events if isinstance(e, Progress) and e.phase == "training"]
    assert {e.step for e in training} == {1, 2, 3, 4, 5}
    assert set(training[0].losses) == {"pair", "consistency"}
    assert 20 < training[-1].sigma < 60, "after five steps the bound on the noise of 20 is still loose"
    done = [e.done for e in training]
    assert all(0 <= d <= 1 for d in done)


def test_progress_reports_the_mean_since_the_last_report(noisy, monkeypatch):
    """Losses of every step, averaged by hand, equal the losses of one report over all steps."""
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    each = [e.losses["pair"] for e in start(noisy, steps=8) if isinstance(e, Progress) and e.losses]
    monkeypatch.setattr(clock, "REPORT_EVERY", 1e9)
    once = [e.losses["pair"] for e in start(noisy, steps=8) if isinstance(e, Progress) and e.losses]
    assert len(once) == 1
    assert once[0] == pytest.approx(np.mean(each[:8]), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_watching_does_not_change_the_result(method, noisy, chatty):
    """Previews and maps of every step, against none: the same bits."""
    frames = METHODS[method].requires.repeats
    image, axes = (np.stack([noisy, noisy[::-1]]), "TYX") if frames else (noisy, "YX")
    view_request = ViewRequest((0,) * len(axes), maps=True)
    few = few_passes(quick(method, steps=12))
    watched = list(start(image, method, Options(axes=axes, view_request=view_request), **few))
    unwatched = list(start(image, method, Options(axes=axes), **few))
    assert sum(isinstance(e, Preview) for e in watched) >= 3
    assert not any(isinstance(e, Preview) for e in unwatched)
    assert_same_bits(watched[-1].result.image, unwatched[-1].result.image, method)


def test_the_preview_becomes_the_result(noisy, chatty):
    events = list(start(noisy, options=Options(axes="YX", view_request=ViewRequest((0, 0), number=7)), steps=10))
    last = [e for e in events if isinstance(e, Preview)][-1]
    assert last.view_request.number == 7
    assert last.step == 10
    # The preview may be in bfloat16, so that it is off by some hundredths of the noise of 20.
    np.testing.assert_allclose(last.image, events[-1].result.image, atol=1.0)
    assert np.abs(last.image - events[-1].result.image).mean() < 0.1


def test_a_preview_follows_the_slice_and_the_window(chatty):
    stack = np.stack([scene((40, 48), seed) for seed in range(3)])
    stack += np.random.default_rng(0).normal(0, 10, stack.shape).astype(np.float32)
    events = start(stack, options=Options(axes="ZYX", view_request=ViewRequest((0, 0, 0))), steps=30)
    shown = []
    order = None
    try:
        while True:
            event = events.send(order)
            order = None
            if isinstance(event, Preview):
                shown.append(event)
                if len(shown) == 3:
                    order = ViewRequest((2, 0, 0), (slice(8, 24), slice(10, 40)), 1, maps=True)
    except StopIteration:
        pass
    assert shown[0].index == (0, slice(0, 40), slice(0, 48))
    later = shown[-1]
    assert later.index == (2, slice(8, 24), slice(10, 40))
    assert later.image.shape == (16, 30)
    np.testing.assert_allclose(later.image + later.maps["residual"], stack[2, 8:24, 10:40], atol=1e-2)


def test_the_channel_that_is_looked_at_is_learnt_first_and_can_be_looked_at_again(chatty):
    rng = np.random.default_rng(0)
    image = np.stack([scene((32, 32), s) + rng.normal(0, 10, (32, 32)) for s in range(3)]).astype(np.float32)
    options = Options(axes="CYX", view_request=ViewRequest((1, 0, 0)))
    heard = list(start(image, options=options, steps=8))
    groups = [e.group for e in heard if isinstance(e, Progress)]
    assert groups[0] == 1
    shown = [e for e in heard if isinstance(e, Preview)]
    result = heard[-1].result
    assert all(e.index[0] == 1 for e in shown)
    assert np.array_equal(shown[-1].image, result.image[1]), "the finished channel is still shown"
    assert np.array_equal(result.image, denoise(image, "zs-n2n", "CYX", steps=8).image), "the order changes nothing"


def test_maps_have_the_size_of_the_preview(noisy, chatty):
    view_request = Options(axes="YX", view_request=ViewRequest((0, 0), maps=True))
    masks = [e.maps["mask"] for e in start(noisy, "noise2self", view_request, steps=4) if isinstance(e, Preview)]
    assert masks[0].shape == noisy.shape
    assert masks[0].mean() == pytest.approx(1 / 16)
    traces = [
        e.maps["trace"]
        for e in start(noisy, "lota-n2n", view_request, steps=10)
        if isinstance(e, Preview) and "trace" in e.maps
    ]
    assert traces[-1].shape == noisy.shape


def send_at(events, step, command):
    """Send a command once a step is reached; return all events."""
    heard, order = [], None
    try:
        while True:
            event = events.send(order)
            heard.append(event)
            order = command if isinstance(event, Progress) and event.step == step else None
    except StopIteration:
        return heard


def test_finish_now_applies_what_is_learnt(noisy, truth, chatty):
    heard = send_at(start(noisy, steps=100_000, schedule="constant"), 80, Command.FINISH)
    result = heard[-1].result
    assert heard[-1].reason == "finished early"
    assert result.recipe.steps_done == (80,)
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3


def test_finish_now_leaves_no_channel_unlearnt(noisy, truth, chatty):
    image = np.stack([noisy, noisy[::-1] * 3])
    heard = send_at(start(image, options=Options(axes="CYX"), steps=100_000, schedule="constant"), 60, Command.FINISH)
    result = heard[-1].result
    assert heard[-1].reason == "finished early"
    assert result.recipe.steps_done == (60, 60)
    for channel, clean, peak in ((0, truth, 255), (1, truth[::-1] * 3, 765)):
        assert psnr(result.image[channel], clean, peak) > psnr(image[channel], clean, peak) + 3


def test_stop_gives_nothing(noisy, chatty):
    heard = send_at(start(noisy, steps=100_000), 5, Command.STOP)
    assert heard[-1] == Discarded()


def test_pause_and_resume_end_like_an_uninterrupted_run(noisy, chatty):
    events, heard, order, naps = start(noisy, steps=20), [], None, 0
    try:
        while True:
            event = events.send(order)
            heard.append(event)
            order = None
            if isinstance(event, Progress) and event.phase == "paused":
                naps += 1
                order = Command.RESUME if naps == 3 else None
            elif isinstance(event, Progress) and event.step == 7 and naps == 0:
                order = Command.PAUSE
    except StopIteration:
        pass
    assert naps == 3
    uninterrupted = list(start(noisy, steps=20))[-1].result.image
    assert np.array_equal(heard[-1].result.image, uninterrupted)


def test_a_paused_run_can_be_stopped(noisy, chatty):
    events, order = start(noisy, steps=1000), None
    last = None
    try:
        while True:
            last = events.send(order)
            if isinstance(last, Progress):
                order = Command.STOP if last.phase == "paused" else Command.PAUSE
    except StopIteration:
        pass
    assert last.reason == "discarded"


def test_errors_come_in_the_last_event_and_from_denoise():
    image = np.full((9, 9), np.nan, np.float32)
    events = list(start(image))
    assert len(events) == 1
    assert "NaN" in str(events[0].error)
    with pytest.raises(type(events[0].error), match="NaN"):
        denoise(image)


def test_cuda_is_refused_where_there_is_none_with_the_reason(noisy):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(DeviceError, match="CUDA was asked for, but this torch"):
        denoise(noisy, device="cuda")
    with pytest.raises(DeviceError, match="There is no device 'tpu'"):
        denoise(noisy, device="tpu")


@pytest.mark.parametrize(
    "options", [{"threads": 0}, {"threads": -3}, {"seed": -1}, {"seed": 1.5}, {"seed": None}, {"seed": 10**30}]
)
def test_seeds_and_threads_that_cannot_be_are_refused(noisy, options):
    with pytest.raises(ParameterError, match=f"{next(iter(options))} must be a whole number"):
        denoise(noisy, **options)


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
@pytest.mark.parametrize("method", ["lota-n2n", "noise2self"])
def test_volumes_of_few_planes_work(method, planes):
    stack = scene((planes, 32, 32)) + np.random.default_rng(0).normal(0, 10, (planes, 32, 32)).astype(np.float32)
    result = denoise(stack, method, "ZYX", volume=True, steps=5)
    assert np.isfinite(result.image).all()


def test_a_loss_that_is_not_finite_ends_the_run(noisy, monkeypatch):
    kind = METHODS["zs-n2n"]
    monkeypatch.setattr(
        kind,
        "step",
        lambda *_: StepOutput(
            {"pair": torch.tensor(float("nan"), requires_grad=True) * sum(p.sum() for p in _[1].parameters())}
        ),
    )
    with pytest.raises(TrainingError, match="not a finite number"):
        denoise(noisy, "zs-n2n", steps=3)


def test_torch_is_left_as_it_was(noisy):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    denoise(noisy, "lota-n2n", steps=3, threads=threads + 1)
    assert torch.equal(torch.rand(3), expected), "the user's random numbers must not move"
    assert torch.get_num_threads() == threads


def test_the_settings_hold_inside_the_run_only():
    before = torch.get_num_threads()
    with process_settings.applied(before + 2):
        assert torch.get_num_threads() == before + 2
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), process_settings.applied(before + 2):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_all_hands_are_those_of_one_thread_and_for_a_moment(monkeypatch):
    monkeypatch.setattr(process_settings, "processors", lambda: before + 3)
    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(torch.get_num_threads).result() == before
        with process_settings.all_cores():
            assert torch.get_num_threads() == before + 3
            assert other.submit(torch.get_num_threads).result() == before
        with pytest.raises(ZeroDivisionError), process_settings.all_cores(before + 1):
            raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_the_allocator_is_told_and_told_back(monkeypatch):
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("no glibc")
    told = []

    class Libc:
        mallopt = staticmethod(lambda what, value: told.append((what, value)))
        malloc_trim = staticmethod(lambda pad: told.append(("trim", pad)))

    monkeypatch.setattr(process_settings.ctypes, "CDLL", lambda _: Libc)
    with process_settings.applied(1):
        assert told == [(-3, 32 << 20), (-1, 2**31 - 1)]
    assert told[2:] == [(-3, 128 * 1024), (-1, 128 * 1024), ("trim", 0)]


def test_channels_apart_do_not_know_of_each_other():
    rng = np.random.default_rng(0)
    image = np.stack([scene((32, 32), s) + rng.normal(0, 10, (32, 32)) for s in range(2)]).astype(np.float32)
    other = image.copy()
    other[1] = other[1][::-1] * 3
    one, two = (denoise(x, "lota-n2n", "CYX", steps=10).image for x in (image, other))
    assert np.array_equal(one[0], two[0])
    joint = denoise(image, "lota-n2n", "CYX", channels="joint", steps=10).image
    assert not np.array_equal(joint[0], one[0])


def test_a_constant_channel_is_copied_and_said():
    image = np.stack([scene((32, 32)) + np.random.default_rng(0).normal(0, 5, (32, 32)), np.full((32, 32), 3.0)])
    result = denoise(image, "lota-n2n", "CYX", steps=5)
    assert np.all(result.image[1] == 3)
    assert result.recipe.notes == ("Channel 1 is constant and was copied as it is.",)


def test_nan_is_filled_where_that_is_wanted(truth, noisy):
    image = noisy.copy()
    image[10:12, 20:23] = np.nan
    result = denoise(image, "lota-n2n", fill=True, steps=150)
    assert np.isfinite(result.image).all()
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3
    assert result.recipe.notes[0].startswith("6 pixels")


def test_the_stop_rule_ends_a_run_that_gets_no_better(noisy):
    big = np.tile(noisy, (4, 4))
    result = denoise(big, "zs-n2n", steps=3000, rate=3e-2, crop=32, patience=2, schedule="constant")
    assert result.recipe.reason == "the held-out score got no better"
    assert result.recipe.steps_done[0] < 3000


def test_held_out_crops_are_never_trained_on():
    from napari_lotadenoise.contract.method import Training
    from napari_lotadenoise.training.crops import Crops

    training_images = torch.arange(2 * 128 * 128, dtype=torch.float32).reshape(2, 1, 128, 128)
    crops = Crops(training_images, Training(crop=16, holdout=4, batch=4), 2, torch.Generator().manual_seed(0))
    held = set(crops.validation().flatten().tolist())
    assert len(held) == 4 * 16 * 16
    seen = set()
    for _ in range(100):
        seen |= set(crops.draw().flatten().tolist())
    assert not held & seen
    assert len(seen) > 0.8 * (training_images.numel() - len(held))


def test_crops_are_turned_in_all_eight_ways():
    from napari_lotadenoise.contract.method import Training
    from napari_lotadenoise.training.crops import Crops

    training_images = torch.arange(16.0).reshape(1, 1, 4, 4)
    crops = Crops(training_images, Training(crop=4, holdout=0, batch=1), 1, torch.Generator().manual_seed(0))
    assert len({tuple(crops.draw().flatten().tolist()) for _ in range(200)}) == 8


def test_large_groups_are_represented_by_some_samples(monkeypatch):
    from napari_lotadenoise.image.stack import Layout, Stack
    from napari_lotadenoise.normalisation import affine
    from napari_lotadenoise.training import crops

    stack = Stack(np.random.default_rng(0).random((10, 16, 16)), Layout("ZYX"))
    monkeypatch.setattr(crops, "TRAINING_VOXELS", 3 * 16 * 16)
    training_images = crops.load_training_images(stack, 0, affine.measure(stack, 0, "range"), torch.device("cpu"))
    assert training_images.shape == (3, 1, 16, 16)


class Lazy:
    """An array that only knows how to be indexed, and counts how much is read at once."""

    def __init__(self, array):
        self.array, self.largest = array, 0
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        part = self.array[index]
        self.largest = max(self.largest, part.size)
        return part

    def __len__(self):
        return len(self.array)


def test_an_array_that_can_only_be_indexed_is_never_read_whole():
    stack = np.stack([scene((32, 32), s) for s in range(4)])
    stack += np.random.default_rng(0).normal(0, 10, stack.shape).astype(np.float32)
    lazy = Lazy(stack)
    image = list(run(lazy, *configure(METHODS["zs-n2n"], steps=5), Options(axes="ZYX")))[-1].result.image
    assert lazy.largest <= 32 * 32
    assert np.array_equal(image, denoise(stack, "zs-n2n", "ZYX", steps=5).image)


@pytest.mark.parametrize(("score", "kept"), [(0.9, 8), (1.005, 8), (1.02, 7)])
def test_the_last_weights_are_kept_unless_they_score_clearly_worse(noisy, monkeypatch, score, kept):
    """Weights of 7 have scored 1.0, those of 8, the last, score `score`."""
    from napari_lotadenoise.training.trainer import Trainer

    scores = iter([1.0, score])
    monkeypatch.setattr(METHODS["zs-n2n"], "score", lambda *_: torch.tensor(next(scores)))
    method, training = configure(METHODS["zs-n2n"], steps=50, crop=16)
    trainer = Trainer(torch.from_numpy(noisy)[None, None], method, training, seed=0)
    weight = next(trainer.current.parameters())
    for value in (7.0, 8.0):
        weight.data.fill_(value)
        trainer._take_score()
    trainer.restore_best()
    assert weight.flatten()[0].item() == kept


@pytest.mark.slow
def test_a_sigma_that_is_only_a_bound_is_called_one():
    truth = scene((96, 96))
    noisy = truth + np.random.default_rng(0).normal(0, 15, truth.shape).astype(np.float32)
    early, late = (denoise(noisy, "noise2self", steps=steps, threads=1) for steps in (3, 300))
    assert re.fullmatch(r"sigma at most [\d.]+ \(the noise measures 1[3-7][\d.]*\)", early.sigma_words)
    assert late.sigma_words == f"sigma {late.sigma:.4g}"
    assert dataclasses.replace(late, sigma=None).sigma_words == ""
