"""Filters that are calibrated on the image itself, without the truth; judged here with it."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, denoise, ops
from napari_lotadenoise.contract.method import StepContext, configure
from napari_lotadenoise.methods._calibrated import GRID, Calibrated, CalibratedByHiding
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import outputs, scene

FILTERS = [name for name, kind in METHODS.items() if issubclass(kind, Calibrated)]
HIDING = [name for name in FILTERS if issubclass(METHODS[name], CalibratedByHiding)]


def calibrated(method: str, training_images: torch.Tensor, unit: float = 1.0, **options: object) -> Trainer:
    configured, training = configure(METHODS[method], crop=0, batch=1, **options)
    trainer = Trainer(training_images, configured, training, seed=0, unit=unit)
    for _ in range(training.steps):
        trainer.step()
    return trainer


@pytest.fixture(scope="module")
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    """A clean scene of mean 0 and deviation 1, and the same with white noise of deviation 0.5."""
    clean = scene((96, 96))
    clean = torch.from_numpy((clean - clean.mean()) / clean.std())[None, None]
    return clean, clean + 0.5 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def error(trainer: Trainer, value: float, pair: tuple[torch.Tensor, torch.Tensor]) -> float:
    clean, noisy = pair
    return (trainer.method.blind(noisy, value, trainer.state.sigma) - clean).square().mean().item()


def test_the_filters_are_those_that_were_meant():
    assert set(FILTERS) == {"nlm", "median", "wavelet", "tv", "gaussian"}
    assert set(FILTERS) - set(HIDING) == {"median"}


@pytest.mark.parametrize("method", FILTERS)
def test_the_value_found_is_the_best_for_the_truth(method, truth, noisy):
    """The value is chosen without the truth; by the truth no other one may be much better."""
    kind = METHODS[method]
    chosen = psnr(denoise(noisy, method).image, truth, 255)
    few = [*kind.trial_values[:: len(kind.trial_values) // 4], 8]
    others = [psnr(denoise(noisy, method, **{kind.calibrates: value}).image, truth, 255) for value in few]
    assert chosen > max(others) - 0.3


@pytest.mark.parametrize("method", FILTERS)
def test_the_loss_is_lowest_where_the_true_error_is(method, pair):
    trainer = calibrated(method, pair[1])
    curve = trainer.curve
    best = curve.values[int(np.argmin(curve.losses))]
    assert best == trainer.state.value
    errors = {value: error(trainer, value, pair) for value in curve.values}
    assert 10 * np.log10(errors[best] / min(errors.values())) < 0.3


@pytest.mark.parametrize("method", FILTERS)
def test_the_loss_is_the_true_error_and_the_noise_variance(method, pair):
    """On every pixel, as the median always and the others by the paper's preset."""
    trainer = calibrated(method, pair[1], **({"grids": 16} if method in HIDING else {}))
    assert trainer.state.loss == pytest.approx(error(trainer, trainer.state.value, pair) + 0.25, rel=0.06)


@pytest.mark.parametrize("method", FILTERS)
def test_the_curve_lists_what_was_tried(method, pair):
    kind = METHODS[method]
    curve = calibrated(method, pair[1], steps=3).curve
    assert curve.parameter == kind.calibrates
    assert curve.values == kind.trial_values[:3]
    assert len(curve.losses) == 3
    whole = calibrated(method, pair[1], steps=len(kind.trial_values) + 2)
    assert whole.curve.values == tuple(sorted(kind.trial_values))


@pytest.mark.parametrize("method", FILTERS)
def test_a_value_that_is_given_is_taken(method, pair):
    trainer = calibrated(method, pair[1], **{METHODS[method].calibrates: 2})
    assert trainer.curve.values == (2,)
    assert trainer.state.value == 2


@pytest.mark.parametrize("method", FILTERS)
def test_no_pixel_is_computed_from_itself(method, pair):
    trainer = calibrated(method, pair[1][..., :40, :40], steps=4)
    image = pair[1][..., :40, :40]
    changed = image.clone()
    changed[..., 17, 22] += 50
    one, other = (next(outputs(trainer, x)) for x in (image, changed))
    torch.testing.assert_close(one[..., 17, 22], other[..., 17, 22], rtol=0, atol=1e-4)
    assert (one[..., 17, 23] - other[..., 17, 23]).abs() > 0


@pytest.mark.parametrize("method", HIDING)
def test_a_single_pass_is_the_plain_filter(method, pair):
    trainer = calibrated(method, pair[1][..., :40, :40], steps=4, inference="single", mix=True)
    image = pair[1][..., :40, :40]
    plain = trainer.method.smooth(image[0].numpy(), trainer.state.value, trainer.state.sigma)
    torch.testing.assert_close(next(outputs(trainer, image))[0], torch.from_numpy(plain).reshape(image.shape[1:]))


@pytest.mark.parametrize("method", FILTERS)
def test_mixing_follows_its_formula_and_gains(method, pair):
    """`noise` is in intensities, of which a scaled unit holds 40 here."""
    clean, noisy = pair
    plain = next(outputs(calibrated(method, noisy, unit=40.0), noisy))
    trainer = calibrated(method, noisy, unit=40.0, mix=True, noise=20.0)
    mixed = next(outputs(trainer, noisy))
    share = 0.5**2 / trainer.state.loss
    assert 0 < share <= 1
    torch.testing.assert_close(mixed, share * plain + (1 - share) * noisy)
    assert (mixed - clean).square().mean() <= (plain - clean).square().mean()


def test_mixing_never_takes_more_than_the_filtered_image(pair):
    noisy = pair[1]
    plain, mixed = (next(outputs(calibrated("gaussian", noisy, mix=mix, noise=10.0), noisy)) for mix in (False, True))
    torch.testing.assert_close(mixed, plain)


def test_mixing_estimates_the_noise_where_it_is_not_told(pair):
    assert calibrated("gaussian", pair[1], steps=1, mix=True).state.variance == pytest.approx(0.25, rel=0.25)


def test_noise_on_an_even_background_is_measured():
    """The median of the wavelet estimate is 0 where more than half of the pixels are the same."""
    image = np.zeros((64, 64), np.float32)
    image[:, 40:] = 100 + np.random.default_rng(0).normal(0, 10, (64, 24))
    for method in FILTERS:
        assert np.isfinite(denoise(image, method).image).all()


@pytest.mark.parametrize("shape", [(1, 1, 24, 24), (1, 1, 7, 24, 24)])
def test_grids_part_the_pixels_and_are_alike_wherever_a_tile_begins(shape):
    image = torch.zeros(shape)
    numbers = ops.grid_labels(image, GRID)
    assert numbers.shape[-2:] == shape[-2:]
    assert torch.equal(numbers.unique(), torch.arange(GRID**2))
    together = [numbers == n for n in numbers[..., 4:8, 4:8].unique()]
    counts = torch.stack([mask.float().mean() for mask in together])
    torch.testing.assert_close(counts, torch.full_like(counts, 1 / GRID**2))
    moved = ops.grid_labels(torch.zeros((*shape[:-2], shape[-2] + 3, shape[-1] + 1)), GRID)[..., 3:, 1:]
    for n in range(GRID**2):
        assert len(moved[numbers == n].unique()) == 1


def test_hidden_pixels_of_a_volume_keep_apart():
    z, y, x = (ops.grid_labels(torch.zeros(1, 1, 6, 12, 12), GRID) == 5).nonzero().T
    distances = (z[:, None] - z) ** 2 + (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    assert distances[distances > 0].min() == 6


@pytest.mark.parametrize("shape", ["disk", "ball"])
def test_the_median_donut_is_a_median_without_bias(shape):
    """Of an even number of pixels; the upper of the two in the middle would be too bright."""
    noise = np.random.default_rng(0).standard_normal((1, 6, 96, 96)).astype(np.float32)
    median = METHODS["median"](shape=shape)
    for radius in (1, 2, 3):
        assert median.smooth(noise, radius, 1.0).mean() == pytest.approx(0, abs=0.02)
    plane = noise[0, :1]
    around = plane[0, [3, 5, 4, 4], [7, 7, 6, 8]]
    assert median.smooth(plane, 1, 1.0)[0, 4, 7] == pytest.approx(np.median(around))


@pytest.mark.parametrize("wavelet", ["haar", "db2", "sym4"])
@pytest.mark.parametrize("shape", [(1, 21, 30), (2, 5, 17, 20)])
def test_the_wavelet_transform_gives_back_what_it_got(wavelet, shape):
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for shrinkage in ("soft", "hard"):
        method = METHODS["wavelet"](wavelet=wavelet, shrinkage=shrinkage)
        np.testing.assert_allclose(method.smooth(image, 0.0, 1.0), image, atol=1e-5)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize("shrinkage", ["soft", "hard"])
def test_the_wavelet_shrinkage_is_that_of_the_stationary_transform(wavelet, shrinkage):
    import pywt

    image = np.random.default_rng(0).standard_normal((96, 96)).astype(np.float32)
    coarse, *levels = pywt.swtn(image, wavelet, 2, trim_approx=True)
    levels = [{name: pywt.threshold(detail, 0.8, shrinkage) for name, detail in level.items()} for level in levels]
    theirs = pywt.iswtn([coarse, *levels], wavelet)
    ours = METHODS["wavelet"](wavelet=wavelet, shrinkage=shrinkage, levels=2).smooth(image[None], 0.8, 1.0)[0]
    np.testing.assert_allclose(ours[24:-24, 24:-24], theirs[24:-24, 24:-24], atol=1e-5)


def test_a_step_is_not_judged_twice(pair, monkeypatch):
    trainer = calibrated("gaussian", pair[1])
    monkeypatch.setattr(METHODS["gaussian"], "smooth", None)
    step_output = trainer.method.step(trainer.net, pair[1], trainer.state, StepContext(3, 10, torch.Generator()))
    assert step_output.losses["hidden pixels"].item() == pytest.approx(trainer.curve.losses[3])


def test_the_result_tells_what_was_calibrated():
    image = scene((32, 32)) + np.random.default_rng(0).normal(0, 10, (32, 32)).astype(np.float32)
    result = denoise(image, "gaussian")
    assert result.curve.values == tuple(sorted(METHODS["gaussian"].trial_values))
    assert result.recipe.notes == (f"Calibrated: width {result.curve.best:g}.",)
    assert not denoise(image, "gaussian", width=1.0).recipe.notes
