"""How much each pixel follows its own noise: of filters whose kernel is known, by themselves and through the engine."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import clock, run
from napari_lotadenoise.events import Command, Discarded, Finished, Progress
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.methods.gaussian import CUT
from napari_lotadenoise.options import Options
from napari_lotadenoise.prediction import tiling
from napari_lotadenoise.prediction.divergence import DivergenceProbe
from tests.helpers import quick, scene

STEP = 2.0


def error_of_the_mean(kernel, pixels):
    """One deviation of the mean response of a filter: its variance is that of sum h_ij b_i b_j, i and j in two orders."""
    own = kernel[tuple(n // 2 for n in kernel.shape)]
    return np.sqrt(2 * (np.sum(kernel**2) - own**2) / pixels)


def kernel_of(widths, truncate=4.0):
    point = np.zeros((33,) * len(widths))
    point[(16,) * len(widths)] = 1
    return ndimage.gaussian_filter(point, widths, truncate=truncate)


def response_of(function, image, step=STEP, seed=0):
    divergence_step = DivergenceProbe(image, Layout("YX"), step, seed=seed)
    divergence_step.out[...] = function(divergence_step.stack.array)
    return divergence_step.divergence(function(image.astype(np.float32)))


def last(image, method="gaussian", options=None, **changes):
    """The last event of a run; by default of a plain Gaussian filter."""
    changes = changes if method != "gaussian" else {"inference": "single", "steps": 1, **changes}
    configured, training = configure(METHODS[method], **changes)
    return list(run(image, configured, training, options or Options("YX", divergence_step=STEP)))[-1]


@pytest.fixture(scope="module")
def large():
    return scene((128, 128)) + np.random.default_rng(1).normal(0, 20, (128, 128)).astype(np.float32)


# ---- by itself


@pytest.mark.parametrize("width", [0.4, 0.8, 1.5, 3.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_linear_filter_follows_by_the_centre_of_its_kernel(large, width, seed):
    found = response_of(lambda y: ndimage.gaussian_filter(y, width, mode="wrap"), large, seed=seed)
    kernel = kernel_of((width, width))
    assert found.dtype == np.float32
    assert found.mean() == pytest.approx(kernel[16, 16], abs=4 * error_of_the_mean(kernel, large.size))


def test_the_kernel_need_not_be_even(large):
    kernel = np.array([[0, -0.5, 0], [0.1, 0.3, 0.6], [0, 0.4, 0.1]])
    found = response_of(lambda y: ndimage.correlate(y, kernel, mode="wrap"), large)
    assert found.mean() == pytest.approx(0.3, abs=4 * error_of_the_mean(kernel, large.size))


def test_the_identity_follows_entirely_and_a_constant_not_at_all(large):
    np.testing.assert_allclose(response_of(lambda y: y, large), 1, atol=1e-4)
    np.testing.assert_allclose(response_of(lambda y: 0.25 * y + 7, large), 0.25, atol=1e-4)
    assert not response_of(lambda y: np.full_like(y, 120), large).any()


def test_each_pixel_has_a_response_of_its_own(large):
    right = np.arange(128) >= 64
    found = response_of(lambda y: np.where(right, y, 100), large)
    assert not found[:, ~right].any()
    np.testing.assert_allclose(found[:, right], 1, atol=1e-4)


def test_a_filter_that_is_not_linear_follows_by_its_slope_there(large):
    """Soft thresholding at 120: 0 inside, 1 outside, but for the few pixels that a step takes across."""
    clean = lambda y: np.sign(y - 120) * np.maximum(np.abs(y - 120) - 30, 0)  # noqa: E731
    found = response_of(clean, large, step=0.5)
    sure = np.abs(np.abs(large - 120) - 30) > 0.5
    assert sure.mean() > 0.9
    np.testing.assert_allclose(found[sure], (np.abs(large - 120) > 30)[sure], atol=1e-3)


@pytest.mark.parametrize("offset", [0, 1e4, 60_000, 1e6])
@pytest.mark.parametrize("step", [0.1, 0.3])
def test_a_large_offset_does_not_change_the_step(offset, step):
    """At a million float32 tells intensities apart by 0.06 only."""
    image = (offset + np.random.default_rng(0).normal(0, 30 * step, (64, 64))).astype(np.float32)
    assert response_of(lambda y: y, image, step).mean() == pytest.approx(1, abs=0.002)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_integers_at_their_limits_do_not_wrap(dtype):
    limits = np.iinfo(dtype)
    image = np.where(np.arange(256).reshape(16, 16) % 2, limits.max, limits.min).astype(dtype)
    np.testing.assert_allclose(response_of(lambda y: y, image), 1, atol=1e-6)
    assert image.max() == limits.max


# ---- through the engine


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_blur_follows_by_the_centre_of_its_kernel(large, width):
    inner = last(large, width=width).result.divergence[8:-8, 8:-8]
    kernel = kernel_of((width, width), CUT)
    assert inner.mean() == pytest.approx(kernel[16, 16], abs=4 * error_of_the_mean(kernel, inner.size))


def test_a_volume_is_moved_in_all_planes():
    volume = scene((10, 64, 64)) + np.random.default_rng(7).normal(0, 10, (10, 64, 64)).astype(np.float32)
    found = last(
        volume, options=Options("ZYX", volume=True, divergence_step=STEP), width=1.0, depth=0.8
    ).result.divergence
    inner, kernel = found[3:-3, 8:-8, 8:-8], kernel_of((0.8, 1.0, 1.0), CUT)
    assert inner.mean() == pytest.approx(kernel[16, 16, 16], abs=4 * error_of_the_mean(kernel, inner.size))


def test_a_filter_that_leaves_out_the_pixel_itself_does_not_follow(large):
    found = last(large, width=1.0, inference="j-invariant").result.divergence
    assert found.std() > 0.1, "its neighbours have moved it all the same"
    assert abs(found.mean()) < 4 * np.sqrt(2) * found.std() / np.sqrt(found.size)


def test_slices_share_a_run_and_have_coins_of_their_own(large):
    stack = np.stack([large, large])
    found = last(stack, options=Options("ZYX", divergence_step=STEP), width=1.0).result.divergence
    assert not np.array_equal(*found)
    kernel = kernel_of((1.0, 1.0), CUT)
    assert found.mean() == pytest.approx(kernel[16, 16], abs=4 * error_of_the_mean(kernel, found.size) + 0.01)


@pytest.mark.parametrize("channels", ["separate", "joint"])
def test_a_constant_channel_follows_nothing(large, channels):
    image = np.stack([large, np.full_like(large, 40), large[::-1] * 2])
    result = last(image, options=Options("CYX", channels, divergence_step=STEP), width=1.0).result
    kernel = kernel_of((1.0, 1.0), CUT)
    tolerance = 4 * error_of_the_mean(kernel, large.size) + 0.01
    assert np.all(result.image[1] == 40)
    if channels == "separate":  # it is copied; together it is filtered with the others
        assert not result.divergence[1].any()
    for channel in (0, 2):
        assert result.divergence[channel].mean() == pytest.approx(kernel[16, 16], abs=tolerance)


def test_a_constant_channel_with_holes_follows_nothing(large):
    image = np.stack([large, np.full_like(large, 40)])
    image[1, 5, 5:8] = np.nan
    result = last(image, options=Options("CYX", fill=True, divergence_step=STEP), width=1.0).result
    assert np.all(result.image[1] == 40)
    assert not result.divergence[1].any()


def test_holes_that_are_filled_do_not_follow_themselves(large):
    image = large.copy()
    holes = np.zeros(image.shape, bool)
    holes[::4, ::4] = True
    image[holes] = np.nan
    found = last(image, options=Options("YX", fill=True, divergence_step=STEP), width=0.3).result.divergence
    assert np.isfinite(found).all()
    assert abs(found[holes].mean()) < 4 / np.sqrt(holes.sum())
    assert found[~holes].mean() > 0.8


def test_what_is_mixed_follows_as_the_mix_does(large):
    plain, mixed = (
        last(large, options=Options("YX", divergence_step=STEP, blend=s)).result.divergence for s in (1.0, 0.25)
    )
    np.testing.assert_allclose(mixed, 0.25 * plain + 0.75, rtol=1e-6)
    assert np.all(last(large, options=Options("YX", divergence_step=STEP, blend=0)).result.divergence == 1)


@pytest.mark.parametrize("method", ["gaussian", "nl-ridge", "zs-n2n", "noise2void", "self2self", "dip", "noise2noise"])
def test_being_probed_does_not_change_a_run(noisy, method):
    image, axes = (np.stack([noisy, noisy[::-1]])[:, :32], "TYX") if method == "noise2noise" else (noisy[:32], "YX")
    few = quick(method, steps=4)
    plain, probed = (last(image, method, Options(axes, divergence_step=step), **few).result for step in (0.0, STEP))
    assert np.array_equal(plain.image, probed.image)
    assert plain.divergence is None
    assert probed.divergence.shape == image.shape
    assert np.isfinite(probed.divergence).all()
    if plain.uncertainty is not None:
        assert np.array_equal(plain.uncertainty, probed.uncertainty)
    again = last(image, method, Options(axes, divergence_step=STEP), **few).result
    assert np.array_equal(probed.divergence, again.divergence)


def test_the_time_left_knows_of_the_probe(large, monkeypatch):
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(tiling, "tile_side", lambda *_, **__: 32)
    image = np.stack([np.full_like(large, 40), large])
    method, training = configure(METHODS["gaussian"], steps=3)
    heard = [e for e in run(image, method, training, Options("CYX", divergence_step=STEP)) if isinstance(e, Progress)]
    assert sum(e.phase == "denoising" for e in heard) == 2 * 16
    told = [e for e in heard if e.seconds_left is not None]
    assert len(told) > 20
    assert all(e.seconds_left >= 0 and 0 <= e.done <= 1 for e in told)
    assert all(e.done < 1 for e in heard if e.phase == "denoising"), "there is still something to do"


def test_a_run_can_be_stopped_while_it_is_probed(large, monkeypatch):
    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    method, training = configure(METHODS["gaussian"], steps=2)
    events = run(large, method, training, Options("YX", divergence_step=STEP))
    order, denoised, heard = None, 0, None
    while not isinstance(heard, Finished):
        heard = events.send(order)
        denoised += isinstance(heard, Progress) and heard.phase == "denoising"
        order = Command.STOP if denoised == 2 else None
    assert heard == Discarded()
