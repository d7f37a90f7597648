"""The contract, for every method that there is."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.contract.method import Method, StepContext, StepOutput, Training, configure
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.training import PRESETS
from napari_lotadenoise.errors import MethodError, ParameterError
from napari_lotadenoise.methods import find
from napari_lotadenoise.methods.lota_n2n import LoTAN2N, cancellation_index
from napari_lotadenoise.methods.zs_n2n import pair_loss, sigma_bound
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.result import Result
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import SINGLE, UNSCALED, assert_same_bits, quick, scene

PROMISED = {
    "lota-n2n", "noise2info", "noise2self", "blind2grad", "gr2r", "zs-n2n", "noise2same", "self2self", "nlm", "median",
    "wavelet", "tv", "gaussian",
}  # fmt: skip


def test_the_methods_that_are_promised_are_there():
    assert set(METHODS) >= PROMISED
    assert next(iter(METHODS)) == "lota-n2n"


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_what_people_must_know(method):
    kind = METHODS[method]
    assert kind.id == method
    assert issubclass(kind, Method)
    for field in dataclasses.fields(kind.info):
        assert getattr(kind.info, field.name), field.name
    assert {"fast", "paper"} <= set(kind.presets) <= set(PRESETS)
    for parameter in parameters(kind):
        assert parameter.knob.doc.endswith(".")


@pytest.mark.parametrize("method", METHODS)
def test_no_parameter_has_the_name_of_an_option_of_the_run(method):
    from napari_lotadenoise.engine.loop import Options

    taken = {field.name for owner in (Options, Training) for field in dataclasses.fields(owner)}
    assert not taken & {parameter.name for parameter in parameters(METHODS[method])}


@pytest.mark.parametrize("method", SINGLE)
@pytest.mark.parametrize("ndim", [2, 3])
def test_every_map_is_declared_and_of_the_shape_it_should_have(method, ndim):
    if ndim not in METHODS[method].info.dimensions:
        pytest.skip("a method for planes only")
    configured, training = configure(METHODS[method], **quick(method, steps=10, crop=0, batch=1))
    training_images = torch.randn(1, 2, 4, 32, 32)
    trainer = Trainer(training_images if ndim == 3 else training_images[:, :, 0], configured, training, seed=0)
    found: dict[str, torch.Tensor] = {}
    for _ in range(8):  # some have stages
        trainer.step()
        found |= Predictor.of(trainer, UNSCALED).maps(
            trainer.crops.training_images, trainer.step_number, training.steps
        )
    assert set(found) == set(configured.maps)
    for name, picture in found.items():
        kind = configured.maps[name]
        assert picture.shape[2:] == trainer.crops.training_images.shape[2:]
        assert picture.shape[1] in (1, 2)
        assert torch.isfinite(picture).all()
        if kind == "mask":
            assert set(picture.unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
        if kind == "magnitude":
            assert picture.min() >= 0


@pytest.fixture
def denoised(noisy) -> Callable[[str], Result]:
    """The result of a method on the noisy image, which tests of one method share."""

    def run_once(method: str) -> Result:
        if method not in _RESULTS:
            _RESULTS[method] = denoise(noisy, method, **quick(method))
        return _RESULTS[method]

    return run_once


_RESULTS: dict[str, Result] = {}


@pytest.mark.parametrize("method", SINGLE)
def test_the_error_falls_on_simulated_noise(method, truth, noisy, denoised):
    result = denoised(method)
    before, after = psnr(noisy, truth, 255), psnr(result.image, truth, 255)
    assert after > before + 3, f"{before:.1f} dB before, {after:.1f} dB after"
    assert result.sigma == pytest.approx(20, rel=0.25)


@pytest.mark.parametrize("method", SINGLE)
def test_shape_dtype_and_input_are_kept(method, noisy):
    image = np.clip(noisy, 0, 255).astype(np.uint8)
    before = image.copy()
    result = denoise(image, method, **quick(method, steps=5))
    assert result.image.shape == image.shape
    assert result.image.dtype == np.float32
    assert np.isfinite(result.image).all()
    assert np.array_equal(image, before)
    np.testing.assert_allclose(result.residual, image - result.image, atol=1e-4)


@pytest.mark.parametrize("method", SINGLE)
def test_the_range_is_that_of_the_image(method, noisy, denoised):
    image = denoised(method).image
    margin = 0.1 * np.ptp(noisy)
    assert noisy.min() - margin < image.min() < image.max() < noisy.max() + margin
    assert image.mean() == pytest.approx(noisy.mean(), abs=2)


@pytest.mark.parametrize("method", SINGLE)
def test_a_run_can_be_stopped_at_its_first_sign_of_life(method, noisy):
    from napari_lotadenoise.engine import run
    from napari_lotadenoise.events import Command, Discarded, Finished
    from napari_lotadenoise.options import Options

    events = run(noisy, *configure(METHODS[method], **quick(method)), Options(axes="YX"))
    next(events)
    event = events.send(Command.STOP)
    while not isinstance(event, Finished):
        event = next(events)
    assert event == Discarded()


@pytest.mark.parametrize("method", SINGLE)
def test_the_intensity_scale_of_the_input_is_kept(method, noisy):
    """Intensities times 64 (a power of two, so that no rounding differs) give the result times 64."""
    low = denoise(noisy, method, **quick(method, steps=30)).image
    high = denoise(noisy * 64, method, **quick(method, steps=30)).image
    np.testing.assert_allclose(high / 64, low, rtol=1e-4)


@pytest.mark.parametrize("method", SINGLE)
def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(method, noisy):
    once, again = (denoise(noisy, method, seed=3, **quick(method, steps=20)).image for _ in range(2))
    assert_same_bits(once, again, method)
    if METHODS[method].trained:
        assert not np.array_equal(once, denoise(noisy, method, seed=4, **quick(method, steps=20)).image)


@pytest.mark.parametrize("method", SINGLE)
@pytest.mark.parametrize("shape", [(4, 4), (7, 9), (5, 64), (33, 47), (64, 5)])
def test_small_and_odd_images_work(method, shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    for preset in METHODS[method].presets:
        few = quick(method, steps=2, **({"batch": 2, "width": 6} if METHODS[method].trained else {}))
        result = denoise(image, method, preset=preset, **few)
        assert result.image.shape == shape
        assert np.isfinite(result.image).all()


@pytest.mark.parametrize("method", SINGLE)
@pytest.mark.slow
def test_volumes_gain_from_their_third_dimension_or_at_least_work(method):
    if 3 not in METHODS[method].info.dimensions:
        pytest.skip("a method for planes only")
    # Half of the method's own batch learns a volume this small as well, in half the time.
    batch = max(1, configure(METHODS[method], "fast")[1].batch // 2)
    small = {"crop_depth": 4, "batch": batch} if METHODS[method].trained else {}
    truth = scene((6, 32, 32))
    noisy = truth + np.random.default_rng(0).normal(0, 20, truth.shape).astype(np.float32)
    result = denoise(noisy, method, "ZYX", volume=True, **quick(method, crop=32, **small))
    assert result.image.shape == truth.shape
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3


@pytest.mark.parametrize("method", SINGLE)
def test_colours_are_denoised_together(method):
    truth = np.stack([scene((48, 48))] * 3, -1)
    noisy = truth + np.random.default_rng(0).normal(0, 20, truth.shape).astype(np.float32)
    result = denoise(noisy, method, "YXS", **quick(method))
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 3


@pytest.mark.parametrize("method", METHODS)
def test_hyper_parameters_out_of_bounds_are_refused(method):
    for parameter in parameters(METHODS[method]):
        if parameter.knob.ge is not None:
            with pytest.raises(ParameterError, match=parameter.name):
                METHODS[method](**{parameter.name: parameter.type(parameter.knob.ge - 1)})


def test_unknown_names_are_refused_with_what_there_is():
    with pytest.raises(MethodError, match="choose one of lota-n2n"):
        find("bm4d")
    with pytest.raises(MethodError, match="no preset 'slow'; there is fast and paper"):
        configure(LoTAN2N, "slow")
    with pytest.raises(ParameterError, match=r"no parameter colour; it has .*trace"):
        configure(LoTAN2N, colour=3)


def test_options_go_to_the_method_or_to_its_training():
    method, training = configure(LoTAN2N, "paper", trace=0.5, steps=7)
    assert (method.trace, training.steps, training.crop) == (0.5, 7, 0)


def test_the_pair_loss_bounds_the_noise_from_above():
    a, b = torch.randn(2, 1, 1, 300, 300) * 5 / 2**0.5
    perfect = pair_loss(a, b, torch.zeros_like(a), torch.zeros_like(b))
    assert sigma_bound(perfect).item() == pytest.approx(5, rel=0.02)


# ---------------------------------------------------------------- LoTA-N2N


def lota_step(method: LoTAN2N, seed: int = 0) -> tuple[StepOutput, torch.nn.Module]:
    torch.manual_seed(seed)
    crops = torch.randn(2, 1, 32, 32)
    net = method.network(1, 2)
    state = method.prepare(crops)
    method.before_step(net, state, StepContext(6, 10, torch.Generator()))
    for p in net.parameters():
        p.data.add_(0.02 * torch.randn_like(p))
    return method.step(net, crops, state, StepContext(6, 10, torch.Generator())), net


def test_the_second_stage_begins_where_it_should_with_frozen_proxies():
    method, rng = LoTAN2N(stage_one=0.5), torch.Generator()
    net = method.network(1, 2)
    state = method.prepare(torch.zeros(1, 1, 8, 8))
    method.before_step(net, state, StepContext(4, 10, rng))
    assert state.frozen is None
    method.before_step(net, state, StepContext(5, 10, rng))
    frozen = state.frozen
    assert not any(p.requires_grad for p in frozen.parameters())
    method.before_step(net, state, StepContext(6, 10, rng))
    assert state.frozen is frozen


def test_the_trace_vanishes_while_the_network_is_its_proxy():
    method = LoTAN2N()
    net, crops = method.network(1, 2), torch.randn(1, 1, 16, 16)
    state = method.prepare(crops)
    context = StepContext(9, 10, torch.Generator())
    method.before_step(net, state, context)
    assert method.step(net, crops, state, context).losses["trace"].item() == 0


def test_the_local_trace_bounds_the_global_one_and_the_map_is_what_it_averages():
    local, _ = lota_step(LoTAN2N(form="local", patch=8))
    whole, _ = lota_step(LoTAN2N(form="global", patch=8))
    assert local.losses["trace"] >= whole.losses["trace"] > 0
    assert local.maps["trace"].shape == (2, 1, 4, 4)
    assert 0 <= local.values["cancellation"] <= 1


def test_the_signed_trace_of_weight_two_is_copying_the_frozen_network():
    """methods.md 1.2: |f(a) - b|^2 + 2 t and |f(a) - p|^2 have the same gradient."""
    torch.manual_seed(1)
    method = LoTAN2N(form="signed", trace=1.0, patch=2)
    crops = torch.randn(1, 1, 16, 16)
    net = method.network(1, 2)
    state = method.prepare(crops)
    context = StepContext(9, 10, torch.Generator())
    method.before_step(net, state, context)
    for p in net.parameters():
        p.data.add_(0.05 * torch.randn_like(p))
    losses = method.step(net, crops, state, context).losses
    ours = torch.autograd.grad(losses["pair"] + losses["trace"], net.parameters())
    from napari_lotadenoise.methods.zs_n2n import denoised_pair

    _a, _b, clean_a, clean_b = denoised_pair(net, crops)
    _, _, proxy_a, proxy_b = denoised_pair(state.frozen, crops)
    copying = ((clean_a - proxy_a).square().mean() + (clean_b - proxy_b).square().mean()) / 2
    for one, other in zip(ours, torch.autograd.grad(copying, net.parameters()), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_cancellation_index_knows_both_ends():
    assert cancellation_index(torch.tensor([1.0, 2.0, 3.0])).item() == pytest.approx(0)
    assert cancellation_index(torch.tensor([1.0, -1.0])).item() == pytest.approx(1)


# ---------------------------------------------------------------- Noise2Self


def test_the_last_grid_is_never_trained():
    method = METHODS["noise2self"]()
    net, crops = method.network(1, 2), torch.randn(1, 1, 16, 16)
    validation = torch.zeros(16, 16)
    validation[3::4, 3::4] = 1
    for step in range(40):
        mask = method.step(net, crops, None, StepContext(step, 40, torch.Generator())).maps["mask"][0, 0]
        assert (mask * validation).sum() == 0


@pytest.mark.slow
def test_both_inferences_denoise_and_differ(truth, noisy):
    single, invariant = (
        denoise(noisy, "noise2self", steps=100, inference=name).image for name in ("single", "j-invariant")
    )
    assert psnr(invariant, truth, 255) > psnr(noisy, truth, 255) + 3
    assert not np.array_equal(single, invariant)


def test_training_fields_are_checked():
    with pytest.raises(ParameterError, match="schedule must be one of"):
        Training(schedule="warm")
