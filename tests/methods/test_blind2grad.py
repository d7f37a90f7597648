"""Self2Self and Blind2Grad: the reference loss, the dual mask, T-Standout, partial convolutions, the passes."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext
from napari_lotadenoise.methods.blind2grad import Blind2Grad
from napari_lotadenoise.methods.self2self import Self2Self
from napari_lotadenoise.nets import ChannelAttention, LehtinenUNet

OFF = {"dual_mask": False, "gradient_loss": False, "t_standout": False, "attention": False}
SMALL = {"width": 6, "levels": 2, "norm": "none"}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def context(step: int = 50) -> StepContext:
    return StepContext(step, 100, torch.Generator().manual_seed(step))


def network(method: Self2Self) -> LehtinenUNet:
    torch.manual_seed(0)
    return method.network(1, 2)


def test_with_all_switches_off_it_is_self2self():
    """The same masks, the same loss, to the bit; and that loss is the sum over hidden pixels of a few plain lines."""
    y = noise(2, 1, 32, 32)
    ours, theirs = Blind2Grad(**OFF, **SMALL), Self2Self(**SMALL)
    net = network(ours).eval()
    blind = ours.step(net, y, ours.prepare(y), context())
    plain = theirs.step(net, y, None, context())
    rng = torch.Generator().manual_seed(50)
    hidden = ops.bernoulli(y.shape, Self2Self().hidden, rng)
    # Both spend chance on masks of their own before the dropout, which is therefore left out here.
    u = net(y, (~hidden).float())
    assert set(blind.losses) == set(plain.losses) == {"hidden pixels"}
    ours_quiet, theirs_quiet = Blind2Grad(**OFF, **SMALL, dropout=0.0), Self2Self(**SMALL, dropout=0.0)
    for up in net.up:
        up.dropout = 0.0
    expected = ((u - y) ** 2)[hidden].mean()
    for method in (ours_quiet, theirs_quiet):
        loss = method.step(net, y, method.prepare(y), context()).losses["hidden pixels"]
        torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-7)


def test_the_gradient_loss_is_equation_three_five():
    y = noise(1, 1, 16, 16)
    method = Blind2Grad(**{**OFF, "gradient_loss": True}, **SMALL, dropout=0.0, omega=0.7, gamma=0.3)
    net = network(method).eval()
    losses = method.step(net, y, method.prepare(y), context()).losses
    hidden = ops.bernoulli(y.shape, Self2Self().hidden, torch.Generator().manual_seed(50))
    u, v = net(y, (~hidden).float()), net(y)
    difference = v - u
    down, right = torch.zeros_like(u), torch.zeros_like(u)
    down[..., :-1, :] = difference[..., 1:, :] - difference[..., :-1, :]
    right[..., :-1] = difference[..., 1:] - difference[..., :-1]
    gradient = (down**2 + right**2).sqrt()
    first = (((u - y).abs() + 0.7 * gradient) ** 2)[hidden].mean()
    second = 0.3 * ((u - y) ** 2)[hidden].mean()
    torch.testing.assert_close(losses["gradient"], first, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(losses["hidden pixels"], second, rtol=1e-4, atol=1e-6)


def test_the_dual_mask_spares_detail_and_keeps_the_share():
    image = torch.zeros(2, 1, 200, 200)
    detail = (noise(2, 1, 200, 200) > 1).float()
    masks = ops.dual_mask(image, detail, 0.25, 0.5, torch.Generator().manual_seed(0))
    assert masks.hidden.mean().item() == pytest.approx(0.25, abs=0.005)
    assert masks.hidden[detail == 1].mean().item() == pytest.approx(0.125, abs=0.01)
    assert torch.all(masks.hidden * masks.retained == 0)
    assert torch.all(masks.added <= masks.hidden)
    assert torch.all(detail[masks.added == 1] == 0)
    assert torch.all(detail[masks.retained == 1] == 1)


def test_the_weights_of_the_dual_mask_keep_the_loss_unbiased():
    rng, values = torch.Generator().manual_seed(0), noise(1, 1, 64, 64).square()
    detail = (values > 1.5).float()
    means = []
    for _ in range(300):
        masks = ops.dual_mask(values, detail, 0.25, 0.5, rng)
        weight = masks.hidden * masks.weight
        means.append((values * weight).sum() / weight.sum())
    assert torch.stack(means).mean().item() == pytest.approx(values.mean().item(), rel=0.01)


@pytest.mark.parametrize("probability", [0.25, 0.75, 1.0, 0.0])
def test_fast_coins_are_fair(probability):
    coins = ops.bernoulli((3, 100, 101), probability, torch.Generator().manual_seed(0))
    assert coins.shape == (3, 100, 101)
    assert coins.float().mean().item() == pytest.approx(probability, abs=0.01)
    by_column = coins.float().mean((0, 1))
    assert by_column.min() > probability - 0.12
    assert by_column.max() < probability + 0.12


def test_protected_pixels_lose_no_features():
    torch.manual_seed(0)
    net = LehtinenUNet(1, 2, width=6, levels=2, dropout=0.5).eval()
    y, everywhere = noise(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    rng = torch.Generator().manual_seed(0)
    dropped = net(y, rng=rng)
    protected = net(y, protected=everywhere, rng=rng)
    assert not torch.allclose(dropped, net(y))
    torch.testing.assert_close(protected, net(y))


def test_hidden_pixels_are_not_seen():
    """The first partial convolutions neither see a hidden pixel nor take it for zero."""
    torch.manual_seed(0)
    net = LehtinenUNet(1, 2, width=6, levels=2).eval()
    # The last skip is the input itself, with hidden pixels zero.
    y = noise(1, 1, 16, 16)
    visible = torch.ones_like(y)
    visible[..., 7, 9] = 0
    other = y.clone()
    other[..., 7, 9] += 100
    assert torch.equal(net(y, visible), net(other, visible))


def test_a_partial_convolution_of_a_constant_is_constant_where_anything_is_seen():
    """What is missing in a window is made up for (Liu et al. 2018, eq. 1); at the border too."""
    torch.manual_seed(0)
    step = LehtinenUNet(1, 2, width=6, levels=1).down[0]
    convolution = step.convolutions[0]
    nn.init.constant_(convolution.weight, 1 / 9)
    nn.init.zeros_(convolution.bias)
    visible = ops.bernoulli((1, 1, 20, 20), 0.7, torch.Generator().manual_seed(0)).float()
    x, seen = step._partial(convolution, 5.0 * visible, visible)
    assert seen.min() == 1
    torch.testing.assert_close(x, torch.full_like(x, 5.0))


def test_attention_weighs_by_the_running_mean_in_evaluation():
    torch.manual_seed(0)
    attention = ChannelAttention(8)
    attention.train()
    x = noise(4, 8, 16, 16) + 3
    for _ in range(60):
        attention(x)
    attention.eval()
    torch.testing.assert_close(attention.mean, x.mean((0, 2, 3)), rtol=0.02, atol=0.02)
    whole, half = attention(x), attention(x[..., :8])
    assert torch.equal(whole[..., :8], half)


def test_the_uncertainty_is_the_deviation_of_the_passes(noisy):
    result = denoise(noisy, "self2self", steps=20, passes=5)
    assert result.uncertainty.shape == noisy.shape
    assert result.uncertainty.dtype == np.float32
    assert 0 < result.uncertainty.mean() < noisy.std()
    assert denoise(noisy, "noise2self", steps=2).uncertainty is None


def test_dim_images_are_measured_by_their_own_range():
    method = Blind2Grad(follow_noise=False)
    state = method.prepare(torch.linspace(0, 2, 256).expand(1, 1, 64, 256))
    assert state.detail == pytest.approx(2 * 40 / 255, rel=0.01)
    assert state.edge == pytest.approx(2 * 25 / 255, rel=0.01)
