"""NL-Ridge and what it shares with others: patches against plain loops, the closed form against a solve, and true errors."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise
from napari_lotadenoise.methods.nl_ridge import NLRidge, Step, combination
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.ops import patches
from tests.helpers import scene


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def stripes() -> np.ndarray:
    """A picture that repeats itself and has sharp borders, where a blur must fail."""
    y, x = np.mgrid[:96, :96]
    return np.where((x + y // 3) // 7 % 2 == 0, 60.0, 180.0).astype(np.float32)


# ---------------------------------------------------------------- patches


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("step", [1, 3])
def test_distances_are_those_of_plain_loops(absolute, step):
    image, side, reach = noise(2, 20, 23), 4, 3
    rows, columns = range(3, 14, step), range(4, 17, step)
    found = patches.distances(image, rows, columns, side, reach, absolute=absolute)
    assert found.shape == (len(rows), len(columns), 7, 7)
    for i, j, dy, dx in [(0, 0, 0, 0), (1, 2, 6, 3), (2, 0, 3, 3), (1, 1, 2, 5)]:
        y, x = rows[i], columns[j]
        change = image[:, y : y + 4, x : x + 4] - image[:, y + dy - 3 : y + dy + 1, x + dx - 3 : x + dx + 1]
        expected = change.abs().sum() if absolute else change.square().sum()
        torch.testing.assert_close(found[i, j, dy, dx], expected, rtol=1e-5, atol=1e-5)


def test_the_most_similar_patch_is_the_copy_of_it():
    image = noise(1, 40, 40)
    image[:, 14:19, 9:14] = image[:, 10:15, 15:20]
    places = patches.similar(image, range(10, 11), range(15, 16), 5, 8, 3)[0, 0]
    assert set(places[:2].tolist()) == {10 * 40 + 15, 14 * 40 + 9}


def test_blocks_of_rows_part_the_grid(monkeypatch):
    monkeypatch.setattr(patches, "HELD", 1)
    rows = range(5, 60, 4)
    blocks = list(patches.row_blocks(rows, range(5, 38, 4), 3, 5))
    assert len(blocks) == 5
    assert [row for block in blocks for row in block] == list(rows)


@pytest.mark.parametrize("taper", [0.0, 2.0])
def test_a_mosaic_of_untouched_patches_is_the_image(taper):
    image = noise(2, 18, 21)
    places = torch.tensor([[y * 21 + x for x in range(2, 15)] for y in range(3, 12)])
    mosaic = patches.Mosaic(torch.zeros_like(image), 5, taper)
    mosaic.put(patches.take(image, places, 5), torch.rand(2, *places.shape) + 0.1, places)
    result = mosaic.image()
    torch.testing.assert_close(result[:, 3:16, 2:19], image[:, 3:16, 2:19])
    assert not result[:, :3].any()


def test_a_mosaic_weighs_its_patches():
    mosaic, places = patches.Mosaic(torch.zeros(1, 6, 6), 3), torch.tensor([7, 7])
    mosaic.put(torch.stack([torch.full((9,), 1.0), torch.full((9,), 4.0)])[None], torch.tensor([[1.0, 2.0]]), places)
    assert mosaic.image()[0, 2, 2].item() == pytest.approx(3)


@pytest.mark.parametrize("shape", [(1, 2), (4, 4), (7, 30)])
def test_mirrored_is_the_padding_of_numpy(shape):
    image = noise(1, *shape)
    expected = np.pad(image.numpy(), ((0, 0), (9, 9), (9, 9)), mode="reflect")
    assert np.array_equal(patches.mirrored(image, 9).numpy(), expected)


# ---------------------------------------------------------------- the closed form


@pytest.mark.parametrize("extra", [0.0, 0.05])
def test_the_weights_solve_the_ridge_problem(extra):
    """The T of least tr(T Q T') - 2 tr(T (Q - (1 + a) E)) whose rows add up to 1, by its normal equations in numpy."""
    group, energy = noise(6, 25).double(), 12.0
    ours = combination(group, energy, extra).numpy()
    gram = (group @ group.T).numpy()
    q = gram + (extra or 1.0) * energy * np.eye(6) + 1e-6 * np.trace(gram) * np.eye(6)
    wanted = q - (1 + extra) * energy * np.eye(6)
    system = np.block([[q, np.ones((6, 1))], [np.ones((1, 6)), np.zeros((1, 1))]])
    expected = np.linalg.solve(system, np.vstack([wanted.T, np.ones((1, 6))]))[:6].T
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    np.testing.assert_allclose(ours.sum(1), 1, atol=1e-6)


def test_identical_patches_are_averaged():
    """Twenty noisy copies of a strong patch become their mean: the noise falls to 1 / sqrt(20)."""
    clean = 5 * noise(49, seed=1)
    group = clean + noise(20, 49)
    result = combination(clean.expand(20, 49), 49.0) @ group
    torch.testing.assert_close(result, group.mean(0).expand(20, 49), atol=0.05, rtol=0)
    assert (result - clean).std() == pytest.approx(20**-0.5, rel=0.2)


def test_without_noise_nothing_changes():
    group = noise(8, 49)
    torch.testing.assert_close(combination(group, 1e-6, 0.05), torch.eye(8), atol=1e-3, rtol=0)


# ---------------------------------------------------------------- whole images


def test_a_known_sigma_beats_every_blur(stripes):
    noisy = stripes + np.random.default_rng(0).normal(0, 25, stripes.shape)
    clean, blurred = denoise(noisy, "nl-ridge", sigma=25.0), denoise(noisy, "gaussian")
    assert psnr(clean.image, stripes, 255) > psnr(blurred.image, stripes, 255) + 6
    assert clean.sigma == pytest.approx(25, rel=0.2)
    constant = denoise(noisy, "nl-ridge", sigma=25.0, noise="constant")
    assert constant.sigma == pytest.approx(25, rel=1e-4)


def test_the_blind_estimate_is_as_good_as_the_known_sigma(truth, noisy):
    blind, known = (denoise(noisy, "nl-ridge", noise="constant", sigma=sigma).image for sigma in (0.0, 20.0))
    assert psnr(blind, truth, 255) > psnr(known, truth, 255) - 0.5


def test_a_wrong_sigma_matters(truth, noisy):
    right, weak, strong = (denoise(noisy, "nl-ridge", noise="constant", sigma=s).image for s in (20.0, 7.0, 90.0))
    assert psnr(right, truth, 255) > psnr(weak, truth, 255) + 1
    assert psnr(right, truth, 255) > psnr(strong, truth, 255) + 1


def test_noise_that_depends_on_the_signal_is_taken_for_what_it_is():
    truth = 10 + 3 * (scene((128, 128)) - 20).clip(0)
    noisy = 6.0 * np.random.default_rng(0).poisson(truth / 6.0) + np.random.default_rng(1).normal(0, 5, truth.shape)
    dependent, constant = (denoise(noisy, "nl-ridge", noise=noise).image for noise in ("signal-dependent", "constant"))
    peak = float(truth.max())
    assert psnr(dependent, truth, peak) > psnr(constant, truth, peak) + 0.3
    assert dependent.mean() == pytest.approx(truth.mean(), rel=0.01)


@pytest.mark.slow
def test_colours_gain_from_each_other(stripes):
    truth = np.stack([stripes, 0.6 * stripes + 40, 220 - 0.5 * stripes], -1)
    noisy = truth + np.random.default_rng(0).normal(0, 30, truth.shape)
    together = denoise(noisy, "nl-ridge", axes="YXS", sigma=30.0, noise="constant").image
    alone = np.stack([denoise(noisy[..., c], "nl-ridge", sigma=30.0, noise="constant").image for c in range(3)], -1)
    assert psnr(together, truth, 255) > psnr(alone, truth, 255) + 1


def test_the_patches_follow_the_noise():
    training_images = torch.from_numpy(scene((64, 64)))[None, None]
    training_images = (training_images - training_images.mean()) / training_images.std()
    chosen = [
        NLRidge(noise="constant").prepare(training_images + s * noise(*training_images.shape)).steps
        for s in (0.1, 0.5, 1.5)
    ]
    assert chosen == [(Step(7, 18), Step(7, 55)), (Step(9, 18), Step(9, 90)), (Step(11, 20), Step(9, 120))]
    given = NLRidge(patch=5, group=30, window=9).prepare(training_images)
    assert given.steps == (Step(5, 18), Step(5, 30))
