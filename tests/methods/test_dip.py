"""Deep Image Prior: its network, its two rules of when to stop, and one image in one piece."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise, nets
from napari_lotadenoise.contract.method import StepContext, StepOutput, configure
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods.dip import DIP
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.normalisation.affine import measure
from napari_lotadenoise.prediction import tiling
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import quick, scene


def test_the_published_network_has_the_published_size():
    """Worked out from the layout of the paper's appendix: 5 levels of 128, skips of 4, 32 channels in, 3 out."""

    def conv(w_in: int, w_out: int, side: int) -> int:
        return w_in * w_out * side**2 + w_out + 2 * w_out  # with bias, and the normalisation after it

    count = 0
    for w_in in (32, 128, 128, 128, 128):
        count += conv(w_in, 4, 1) + conv(w_in, 128, 3) + conv(128, 128, 3)
        count += 2 * 132 + conv(132, 128, 3) + conv(128, 128, 1)
    net = nets.SkipNet(32, 3, 2)
    assert sum(p.numel() for p in net.parameters()) == count + 128 * 3 + 3
    assert net(torch.rand(1, 32, 64, 32)).shape == (1, 3, 64, 32)


def test_its_normalisation_is_that_of_the_image_in_training_and_after():
    x = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    norm = nets.skip.ImageNorm(4)
    expected = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    for mode in (norm.train(), norm.eval()):
        torch.testing.assert_close(mode(x), expected, rtol=1e-4, atol=1e-5)
    assert norm(torch.rand(1, 4, 1, 1)).abs().max() < 1e-4


def test_the_loss_is_the_difference_from_the_image():
    method, y = DIP(jitter=0.1), torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    net, state = method.network(1, 2), method.prepare(y)
    loss = method.step(net, y, state, StepContext(0, 10, torch.Generator().manual_seed(5))).losses["fit"]
    jitter = torch.randn(state.input.shape, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(loss, ((net(state.input + 0.1 * jitter) - y) ** 2).mean(), rtol=1e-4, atol=1e-6)
    assert 0 <= state.input.min() < state.input.max() <= 0.1


def fed(method: DIP, outputs: list[torch.Tensor], fit: float = 1.0):
    state = method.prepare(torch.randn(1, 1, 16, 16))
    state.noise = 0.5
    alarms = []
    for number, output in enumerate(outputs, 1):
        method.after_step(StepOutput({"fit": torch.tensor(fit)}, {"output": output}), state)
        if number % 25 == 0:
            alarms.append(method.stop_reason(state))
    return state, alarms


def test_the_running_variance_is_that_of_the_outputs():
    rng = torch.Generator().manual_seed(0)
    outputs = [2 + 0.3 * torch.randn(1, 1, 64, 64, generator=rng) for _ in range(600)]
    state, _ = fed(DIP(memory=0.99, stop="never"), outputs)
    assert state.variance.item() == pytest.approx(0.09, rel=0.1)
    assert state.mean.mean().item() == pytest.approx(2, abs=0.01)


def test_the_steadiest_mean_is_kept_and_training_ends_some_time_after_it():
    rng = torch.Generator().manual_seed(0)
    spread = [*np.linspace(1, 0.1, 200), *np.linspace(0.1, 1, 300)]
    outputs = [s * torch.randn(1, 1, 32, 32, generator=rng) for s in spread]
    state, alarms = fed(DIP(stop="steadiness", wait=150, memory=0.9), outputs)
    first = next(number for number, stop_reason in enumerate(alarms, 1) if stop_reason)
    assert state.at == pytest.approx(205, abs=25)
    assert first * 25 == state.at + 150
    assert f"outputs were steadiest at step {state.at}" in alarms[first - 1]
    assert state.kept is not state.mean
    assert not any(fed(DIP(stop="never"), outputs)[1])


def test_it_ends_where_the_misfit_is_that_of_the_noise():
    outputs = [torch.zeros(1, 1, 16, 16)] * 25
    assert "as much as the noise" in fed(DIP(), outputs, fit=0.49)[1][0]
    assert not fed(DIP(), outputs, fit=0.51)[1][0]


@pytest.mark.slow
def test_it_stops_before_the_noise_is_learnt_and_says_so_without_alarm():
    truth = scene((96, 96))
    noisy = truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)
    stopped, late = (denoise(noisy, "dip", steps=500, stop=rule) for rule in ("noise level", "never"))
    assert stopped.recipe.steps_done[0] < 500 == late.recipe.steps_done[0]
    assert stopped.recipe.reason.startswith("ended by its stopping rule")
    assert psnr(stopped.image, truth, 255) > psnr(noisy, truth, 255) + 5
    assert psnr(stopped.image, truth, 255) > psnr(late.image, truth, 255) + 1
    assert stopped.sigma == pytest.approx(20, rel=0.25)


def test_the_result_is_one_piece_however_large_and_parts_of_it_are_previewed():
    image = np.random.default_rng(0).random((40, 70)).astype(np.float32)
    stack = Stack(image, Layout("YX"))
    scale = measure(stack, 0, "deviation")
    method, training = configure(DIP, **quick("dip", steps=3))
    assert tiling.cut(stack, method.tiling, method.cost) == [stack.full]
    training_images = torch.from_numpy(scale.forward(stack.read(0, 0)))[None]
    trainer = Trainer(training_images, method, training, 0)
    for _ in range(3):
        trainer.step()
    predictor = Predictor.of(trainer, scale)
    part = (slice(10, 20), slice(33, 70))
    tile = tiling.read_tile(stack, predictor.geometry, scale, predictor.device, 0, 0, part)
    assert torch.equal(tile.image, trainer.crops.training_images)
    np.testing.assert_allclose(scale.inverse(tile.image[tile.place].numpy())[0], image[10:20, 33:70], atol=1e-6)
    assert predictor.preview(tile.image).shape == tile.image.shape


def test_crops_flips_and_ensembles_do_not_touch_it():
    image = scene((40, 40)) + np.random.default_rng(1).normal(0, 20, (40, 40)).astype(np.float32)
    plain = denoise(image, "dip", **quick("dip", steps=30))
    bent = denoise(image, "dip", **quick("dip", steps=30, crop=16, augment=True, ensemble=True, batch=3, holdout=4))
    assert np.array_equal(plain.image, bent.image)


def test_several_images_are_refused_in_words():
    image = np.random.default_rng(0).random((3, 16, 16))
    with pytest.raises(ImageError, match="one image at a time, and there are 3"):
        denoise(image, "dip", "TYX", **quick("dip"))
