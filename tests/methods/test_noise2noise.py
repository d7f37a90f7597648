"""Noise2Noise: pairs of neighbours in time, what it gains from them, and when it refuses."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import denoise
from napari_lotadenoise.contract.method import StepContext, configure
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods.noise2noise import Noise2Noise
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.normalisation.affine import measure
from napari_lotadenoise.training.crops import load_training_images
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import quick, scene

QUICK = quick("noise2noise")


def frames(truth: np.ndarray, count: int = 2, width: float = 0.0, seed: int = 1) -> np.ndarray:
    """Frames of one scene with noise of deviation 20, blurred to make neighbours share it."""
    noise = np.random.default_rng(seed).standard_normal((count, *truth.shape))
    noise = ndimage.gaussian_filter(noise, (0, *[width] * truth.ndim)) if width else noise
    return (truth + 20 * noise / noise.std()).astype(np.float32)


def supervised(noisy: np.ndarray, truth: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """What the same network makes of the same images where it is shown the truth."""
    offset, span = noisy.mean(), noisy.std()
    target = torch.from_numpy((truth - offset) / span).float()[None]
    with monkeypatch.context() as patch:
        patch.setattr(
            Noise2Noise,
            "arrange_samples",
            lambda _, training_images: torch.cat([training_images, target.expand(training_images.shape)], 1),
        )
        patch.setattr(
            "napari_lotadenoise.methods.noise2noise.pair_error",
            lambda net, pairs: (net(pairs[:, :1]) - pairs[:, 1:]).square().mean(),
        )
        return denoise(noisy, "noise2noise", "TYX", **QUICK).image


def test_frames_are_stacked_with_their_successors():
    training_images = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 1, 8, 8)
    pairs = Noise2Noise().arrange_samples(training_images)
    assert pairs[:, :, 0, 0].tolist() == [[0, 1], [1, 2], [2, 3]]


def test_the_loss_is_the_error_of_each_frame_from_the_other():
    method, training_images = Noise2Noise(), torch.randn(3, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    net, pairs = method.network(2, 2).eval(), method.arrange_samples(training_images)
    loss = method.step(net, pairs, None, StepContext(0, 10, torch.Generator())).losses["pair"]
    there, back = (
        (net(training_images[a]) - training_images[b]).square().mean() for a, b in (([0, 1], [1, 2]), ([1, 2], [0, 1]))
    )
    torch.testing.assert_close(loss, (there + back) / 2, rtol=1e-4, atol=1e-6)


def test_crops_are_cut_from_both_frames_alike():
    training_images = torch.randn(1, 1, 32, 48).expand(5, 1, 32, 48).contiguous()
    method, training = configure(Noise2Noise, crop=16, batch=3)
    crops = Trainer(training_images, method, training, seed=0).crops.draw()
    assert crops.shape == (3, 2, 16, 16)
    assert torch.equal(crops[:, 0], crops[:, 1])


@pytest.mark.parametrize("width", [0.0, 1.0])
def test_two_frames_are_nearly_as_good_as_the_truth_even_where_pixels_share_their_noise(width, monkeypatch):
    truth = scene((96, 96))
    noisy = frames(truth, width=width)
    clean = denoise(noisy, "noise2noise", "TYX", **QUICK)
    before, after, best = (
        psnr(image, truth, 255) for image in (noisy, clean.image, supervised(noisy, truth, monkeypatch))
    )
    assert after > before + (6 if width == 0 else 3)
    assert after > best - 1.5
    assert clean.sigma == pytest.approx(20, rel=0.25)


def test_correlated_noise_goes_that_a_blind_spot_keeps():
    truth = scene((96, 96))
    noisy = frames(truth, width=1.0)
    ours = denoise(noisy, "noise2noise", "TYX", **QUICK).image
    blind = denoise(noisy, "noise2self", "TYX", stride=1, **quick("noise2self")).image
    assert psnr(ours, truth, 255) > psnr(blind, truth, 255) + 3


@pytest.mark.slow
def test_volumes_and_colours_and_channels_in_time_work():
    truth = scene((4, 32, 32))
    volume = denoise(frames(truth, 3), "noise2noise", "TZYX", volume=True, **QUICK).image
    assert psnr(volume, truth, 255) > psnr(frames(truth, 3), truth, 255) + 3
    colour = np.stack([scene((32, 32))] * 3, -1)
    noisy = frames(colour, 2)
    assert psnr(denoise(noisy, "noise2noise", "TYXS", **QUICK).image, colour, 255) > psnr(noisy, colour, 255) + 3
    channels = np.stack([noisy[..., 0], 100 + 2 * noisy[..., 1]])
    result = denoise(channels, "noise2noise", "CTYX", **QUICK)
    assert result.image.shape == channels.shape
    assert psnr(result.image[0], colour[..., 0], 255) > psnr(channels[0], colour[..., 0], 255) + 3


@pytest.mark.parametrize("shape", [(2, 4, 4), (3, 7, 9), (2, 5, 64), (4, 33, 47)])
def test_small_and_odd_frames_work_and_repeat_themselves(shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    for preset in Noise2Noise.presets:
        few = quick("noise2noise", steps=2, batch=2, width=6)
        once, again = (denoise(image, "noise2noise", "TYX", preset=preset, **few).image for _ in range(2))
        assert once.shape == shape
        assert np.isfinite(once).all()
        assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("shape", "axes", "words"),
    [
        ((16, 16), "YX", r"needs a time axis \(T\) with two or more frames of one scene"),
        ((3, 16, 16), "ZYX", r"needs a time axis \(T\)"),
        ((3, 16, 16), "PYX", r"needs a time axis \(T\)"),
        ((1, 16, 16), "TYX", "two or more frames"),
        ((3, 2, 16, 16), "TZYX", "z-slices beside time make it unclear.*or Z as a volume"),
        ((2, 3, 16, 16), "PTYX", "positions beside time make it unclear which that is; denoise positions one by one"),
    ],
)
def test_images_without_clear_neighbours_in_time_are_refused_in_words(shape, axes, words):
    image = np.random.default_rng(0).random(shape)
    with pytest.raises(ImageError, match=words):
        denoise(image, "noise2noise", axes, **QUICK)


def test_long_series_are_thinned_to_frames_that_are_neighbours(monkeypatch):
    series = np.arange(20.0)[:, None, None] + np.random.default_rng(0).random((20, 8, 8))
    stack = Stack(series, Layout("TYX"))
    scale = measure(stack, 0, "deviation")
    monkeypatch.setattr("napari_lotadenoise.training.crops.TRAINING_VOXELS", 6 * 64)
    for neighbours, chosen in ((True, range(7, 13)), (False, (0, 4, 8, 11, 15, 19))):
        training_images = load_training_images(stack, 0, scale, torch.device("cpu"), neighbours=neighbours)
        times = [int(scale.inverse(frame.numpy()).mean()) for frame in training_images]
        assert times == list(chosen)
