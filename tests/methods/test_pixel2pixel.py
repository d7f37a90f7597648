"""Pixel2Pixel: the bank against plain loops, the draw, and what is learnt from both."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods import pixel2pixel
from napari_lotadenoise.methods.pixel2pixel import Pixel2Pixel, drawn_pair
from napari_lotadenoise.ops import patches
from tests.helpers import scene


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("differences", ["squared", "absolute"])
def test_the_bank_holds_the_centres_of_the_most_similar_patches(differences):
    image, method = noise(2, 14, 17), Pixel2Pixel(patch=3, window=5, differences=differences)
    bank = method.bank(image, 3)
    assert bank.shape == (2, 3, 14, 17)
    torch.testing.assert_close(bank[:, 0], image)
    wide = patches.mirrored(image, 3)
    for y, x in [(0, 0), (7, 9), (13, 16)]:
        here, found = wide[:, y + 2 : y + 5, x + 2 : x + 5], []
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                there = wide[:, y + dy + 2 : y + dy + 5, x + dx + 2 : x + dx + 5]
                change = (here - there).abs() if differences == "absolute" else (here - there).square()
                found.append((change.sum().item(), wide[:, y + dy + 3, x + dx + 3]))
        expected = [pixel for _, pixel in sorted(found, key=lambda pair: pair[0])[:3]]
        if len({round(distance, 4) for distance, _ in found}) == len(found):  # the mirror makes copies at the corners
            torch.testing.assert_close(bank[:, :, y, x], torch.stack(expected, 1))


def test_a_pair_is_never_of_one_value_and_always_of_one_pixel():
    bank = torch.arange(4.0)[None, None, :, None, None] + 10 * torch.arange(900.0).view(1, 1, 1, 30, 30)
    bank = torch.cat([bank, bank + 0.5], 1)
    one, other = drawn_pair(bank, torch.Generator().manual_seed(0))
    assert one.shape == (1, 2, 30, 30)
    assert (one != other).all()
    torch.testing.assert_close((one / 10).floor(), (other / 10).floor())
    torch.testing.assert_close(one[:, 1], one[:, 0] + 0.5), "all channels of one draw"
    for image in (one, other):
        shares = torch.bincount((image[:, 0] % 10).flatten().long(), minlength=4) / 900
        assert shares == pytest.approx(torch.full((4,), 0.25), abs=0.05)


def test_the_loss_is_the_error_of_one_image_from_the_other():
    training_images = noise(1, 1, 32, 32)
    for differences in ("squared", "absolute"):
        method = Pixel2Pixel(differences=differences, depth=4, turns=False)
        net, state = method.network(1, 2), method.prepare(training_images)
        step_output = method.step(net, training_images, state, StepContext(0, 10, torch.Generator().manual_seed(3)))
        rng = torch.Generator().manual_seed(3)
        for _ in range(3):
            torch.randint(1, (1,), generator=rng)  # where the crop is
        torch.randint(8, (), generator=rng)  # how it is turned
        one, other = drawn_pair(state.bank, rng)
        change = net(one) - other
        expected = change.square().mean() if differences == "squared" else change.abs().mean()
        torch.testing.assert_close(step_output.losses["pair"], expected)
        torch.testing.assert_close(step_output.values["sigma"], change.square().mean().sqrt())


def test_the_depth_follows_the_noise():
    clean = torch.from_numpy(scene((64, 64)))[None, None]
    clean = (clean - clean.mean()) / clean.std()
    depths = [Pixel2Pixel().prepare(clean + s * noise(1, 1, 64, 64)).bank.shape[2] for s in (0.05, 0.5, 1.5)]
    assert depths == [2, 4, 8]
    assert Pixel2Pixel(depth=5).prepare(clean).bank.shape[2] == 5


def test_large_pools_are_represented_by_some_of_their_pixels(monkeypatch):
    monkeypatch.setattr(pixel2pixel, "PIXELS", 2 * 32 * 32)
    monkeypatch.setattr(pixel2pixel, "PART", 32)
    method = Pixel2Pixel(window=5, depth=2)
    assert method.prepare(noise(5, 1, 32, 32)).bank.shape == (2, 1, 2, 32, 32)
    assert method.prepare(noise(1, 1, 70, 90)).bank.shape == (2, 1, 2, 32, 32)


def test_dead_pixels_want_absolute_differences():
    """A fifth of the pixels is 0: squared differences learn their mean, which is too dark, absolute ones the median."""
    truth = scene((64, 64))
    dead = np.random.default_rng(0).random(truth.shape) < 0.2
    noisy = np.where(dead, 0, truth).astype(np.float32)
    absolute, squared = (
        denoise(noisy, "pixel2pixel", steps=150, ensemble=False, width=8, differences=kind).image - truth
        for kind in ("absolute", "squared")
    )
    assert np.abs(absolute).mean() < 0.6 * np.abs(squared).mean()
    assert abs(absolute.mean()) < 0.5 * abs(squared.mean())
