"""Pair samplers against pixels that can be counted, and the methods that are made of them against their formulas."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods.neighbor2neighbor import Neighbor2Neighbor
from napari_lotadenoise.methods.noise2detail import Noise2Detail, join, parts
from napari_lotadenoise.methods.noise2fast import Noise2Fast
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.ops import pair_samplers
from tests.helpers import scene


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=rng(seed))


def numbered(*shape: int) -> torch.Tensor:
    return torch.arange(float(np.prod(shape))).reshape(shape)


# ---------------------------------------------------------------- Neighbor2Neighbor


@pytest.mark.parametrize("shape", [(2, 1, 40, 60), (1, 3, 8, 12), (1, 2, 3, 8, 12)])
def test_each_cell_gives_two_pixels_that_share_an_edge(shape):
    image = numbered(*shape)
    a, b = pair_samplers.sampled(image, pair_samplers.neighbour_places(image, rng()))
    assert a.shape == b.shape == (*shape[:-2], shape[-2] // 2, shape[-1] // 2)
    columns = shape[-1]
    corner = image[..., ::2, ::2]
    for half in (a, b):
        inside = half - corner
        assert set(inside.unique().tolist()) <= {0.0, 1.0, columns, columns + 1}
    # The lesser of two distances in the plane: 1 along a row, one row along a column, never both.
    assert set((a - b).abs().unique().tolist()) <= {1.0, columns}
    assert torch.equal((a - corner)[:, :1].expand_as(a), a - corner)


def test_all_eight_ordered_pairs_are_equally_likely():
    places = pair_samplers.neighbour_places(torch.zeros(1, 1, 400, 400), rng())
    counts = torch.bincount((4 * places.first + places.second).flatten(), minlength=16)
    assert counts.tolist() == pytest.approx(
        [0, 5000, 5000, 0, 5000, 0, 0, 5000, 5000, 0, 0, 5000, 0, 5000, 5000, 0], abs=350
    )


def test_the_loss_of_neighbor2neighbor_is_the_printed_one_without_a_gradient_through_the_full_image():
    method, y = Neighbor2Neighbor(regulariser=2.0, width=4), noise(2, 1, 16, 16)
    net = method.network(1, 2)
    losses = method.step(net, y, None, StepContext(3, 4, rng(7))).losses
    places = pair_samplers.neighbour_places(y, rng(7))
    (g1, g2), clean = pair_samplers.sampled(y, places), net(y).detach()
    full1, full2 = pair_samplers.sampled(clean, places)
    pair = ((net(g1) - g2) ** 2).mean()
    regulariser = ((net(g1) - g2 - (full1 - full2)) ** 2).mean()
    torch.testing.assert_close(losses["pair"], pair)
    torch.testing.assert_close(losses["regulariser"], 2.0 * 0.75 * regulariser)
    weights = list(net.parameters())
    ours = torch.autograd.grad(sum(losses.values()), weights)
    for one, other in zip(ours, torch.autograd.grad(pair + 1.5 * regulariser, weights), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_regulariser_takes_off_what_the_halves_differ_in():
    """A network that knows the clean image leaves the noise alone in its place, whatever the slope of the image."""
    ramp = torch.linspace(0, 40, 64).expand(1, 1, 64, 64)
    y = ramp + noise(1, 1, 64, 64)

    class Oracle(torch.nn.Module):
        def forward(self, x):
            return ramp if x.shape == ramp.shape else clean_a

    places = pair_samplers.neighbour_places(y, rng(1))
    clean_a, _ = pair_samplers.sampled(ramp, places)
    losses = Neighbor2Neighbor(regulariser=1.0).step(Oracle(), y, None, StepContext(1, 1, rng(1))).losses
    assert losses["regulariser"].item() == pytest.approx(1, rel=0.1)
    assert losses["pair"].item() > 1.15


# ---------------------------------------------------------------- Noise2Fast


def test_a_checkerboard_is_squeezed_as_in_the_paper():
    image = numbered(4, 6)[None, None]
    a, b = pair_samplers.checkerboard(image, -2)
    assert a[0, 0].tolist() == [[6, 1, 8, 3, 10, 5], [18, 13, 20, 15, 22, 17]]
    assert b[0, 0].tolist() == [[0, 7, 2, 9, 4, 11], [12, 19, 14, 21, 16, 23]]
    a, b = pair_samplers.checkerboard(image, -1)
    assert a[0, 0].tolist() == [[1, 3, 5], [6, 8, 10], [13, 15, 17], [18, 20, 22]]
    assert b[0, 0].tolist() == [[0, 2, 4], [7, 9, 11], [12, 14, 16], [19, 21, 23]]


def test_both_axes_part_the_same_checkerboard():
    image = noise(1, 2, 3, 8, 12)
    for one, other in zip(pair_samplers.checkerboard(image, -2), pair_samplers.checkerboard(image, -1), strict=True):
        assert torch.equal(one.flatten(-2).sort(-1).values, other.flatten(-2).sort(-1).values)


def test_all_four_directions_are_learnt_about_equally_often():
    image = numbered(1, 1, 8, 8)
    seen: list[tuple[tuple[int, ...], float]] = []

    class Listener(torch.nn.Module):
        def forward(self, x):
            seen.append((tuple(x.shape[-2:]), x.flatten()[0].item()))
            return x

    chance, method = rng(), Noise2Fast()
    state = method.prepare(image)
    for step in range(400):
        method.step(Listener(), image, state, StepContext(step, 400, chance))
    kinds = [((4, 8), 8.0), ((4, 8), 0.0), ((8, 4), 1.0), ((8, 4), 0.0)]
    assert [seen.count(kind) for kind in kinds] == pytest.approx([100] * 4, abs=30)


@pytest.mark.parametrize("loss", ["bce", "squared"])
def test_the_loss_of_noise2fast_is_cross_entropy_between_the_extremes_of_the_image_or_squared_error(loss):
    method, y = Noise2Fast(loss=loss, width=4), 3 * noise(1, 1, 16, 16)
    net = method.network(1, 2)
    step_output = method.step(net, y, method.prepare(y), StepContext(0, 10, rng(2)))
    a, b = step_output.maps["pair a"], step_output.maps["pair b"]
    low, high = y.min(), y.max()
    expected = []
    for source, target in ((a, b), (b, a)):
        if loss == "bce":
            p, v = torch.sigmoid(net(source)), (target - low) / (high - low)
            expected.append(-(v * p.log() + (1 - v) * (1 - p).log()).mean().item())
        else:
            expected.append(F.mse_loss(net(source), target).item())
    assert min(abs(step_output.losses["pair"].item() - value) for value in expected) < 1e-5
    clean = method.predict(net, y, method.prepare(y))
    assert loss == "squared" or low <= clean.min() <= clean.max() <= high


def test_noise2fast_is_judged_by_all_four_pairs_or_by_the_distance_from_the_image():
    y = noise(1, 1, 16, 16)
    net = Noise2Fast(width=4).network(1, 2)
    apart, near = (Noise2Fast(judge=name).score(net, y, None).item() for name in ("pairs", "image"))
    assert near == pytest.approx((net(y) - y).square().mean().item(), rel=1e-5)
    halves = [pair_samplers.checkerboard(y, axis) for axis in (-2, -1)]
    errors = [(net(u) - v).square().mean().item() for a, b in halves for u, v in ((a, b), (b, a))]
    assert apart == pytest.approx(np.mean(errors), rel=1e-5)


def test_the_paper_stops_when_its_output_comes_no_nearer_to_the_image(noisy, truth):
    result = denoise(noisy, "noise2fast", preset="paper", width=8, rate=4e-3, steps=2000)
    assert result.recipe.reason == "the held-out score got no better"
    assert result.recipe.steps_done[0] < 2000
    scores = np.array(result.history["score"])
    assert np.nanargmin(scores) < len(scores) - 1
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3


# ---------------------------------------------------------------- Noise2Detail


@pytest.mark.parametrize("shape", [(2, 3, 8, 12), (1, 2, 3, 8, 8)])
@pytest.mark.parametrize("k", [2, 4])
def test_an_image_that_is_taken_apart_is_put_together_again(shape, k):
    image = noise(*shape)
    taken = parts(image, k)
    assert torch.equal(taken[: shape[0]], image[..., ::k, ::k])
    assert torch.equal(taken[shape[0] : 2 * shape[0]], image[..., ::k, 1::k])
    assert torch.equal(join(taken, k), image)


def test_the_second_stage_is_a_mean_over_three_scales():
    """For a network that takes 3 x 3 means, denoising in parts is the mean over pixels k apart."""

    class Noise(torch.nn.Module):
        def forward(self, x):
            return x - F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    y = noise(1, 1, 32, 32)
    state = Noise2Detail().prepare(y)
    smooth = Noise2Detail().smooth(Noise(), y, state)
    expected = torch.zeros(1, 1, 32, 32)
    near = torch.ones(1, 1, 3, 3) / 9
    for k in (1, 2, 4):
        far = F.conv2d(y, near, dilation=k, padding=k)
        expected += (far if k == 1 else F.conv2d(far, near, padding=1)) / 3
    torch.testing.assert_close(smooth[..., 6:-6, 6:-6], expected[..., 6:-6, 6:-6])


def test_the_second_stage_stays_within_the_range_of_the_image():
    class Louder(torch.nn.Module):
        def forward(self, x):
            return -x

    y = noise(1, 1, 16, 16)
    assert Noise2Detail().smooth(Louder(), y, Noise2Detail().prepare(y)).abs().max() <= y.abs().max()


def test_the_third_stage_learns_the_noisy_halves_from_the_smooth_ones():
    method, y = Noise2Detail(width=4, stage_one=0.5), noise(1, 1, 16, 16)
    net = method.network(1, 2)
    state = method.prepare(y)
    first = [p.clone() for p in net.parameters()]
    method.before_step(net, state, StepContext(0, 10, rng()))
    for p in net.parameters():
        p.data.add_(0.1)
    before = method.step(net, y, state, StepContext(4, 10, rng()))
    a, b = ops.diagonal_pair(y)
    expected = (((a - net(a)) - b).square().mean() + ((b - net(b)) - a).square().mean()) / 2
    torch.testing.assert_close(before.losses["pair"], expected)
    method.before_step(net, state, StepContext(5, 10, rng()))
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), first, strict=True))
    after = method.step(net, y, state, StepContext(5, 10, rng()))
    s = method.smooth(state.frozen, y, state)
    s1, s2 = ops.diagonal_pair(s)
    full1, full2 = ops.diagonal_pair(net(s))
    torch.testing.assert_close(after.losses["pair"], (F.mse_loss(net(s1), b) + F.mse_loss(net(s2), a)) / 2)
    torch.testing.assert_close(
        after.losses["consistency"], (F.mse_loss(net(s1), full1) + F.mse_loss(net(s2), full2)) / 2
    )
    torch.testing.assert_close(method.predict(net, y, state), s)
    for _ in range(50):
        method.after_step(after, state)
    torch.testing.assert_close(method.predict(net, y, state), net(s))


@pytest.mark.parametrize("method", ["noise2void", "neighbor2neighbor", "noise2fast", "noise2detail"])
def test_white_noise_is_taken_off_better_than_by_a_gaussian(method):
    """A scene with edges, where a filter that is the same everywhere has to choose between noise and blur."""
    clean = np.where(scene((64, 64), seed=3) > 120, 170, 80).astype(np.float32)
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape).astype(np.float32)
    plain = psnr(denoise(noisy, "gaussian").image, clean, 255)
    ours = psnr(denoise(noisy, method, steps=200, batch=1, ensemble=False).image, clean, 255)
    assert ours > plain + 1
