"""The wrapper of BM3D, by a package of the same name that blurs; and by the real one where that is installed."""

import importlib.util
import sys
import types

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import METHODS
from napari_lotadenoise.cli import tables
from napari_lotadenoise.contract.capabilities import Requirements
from napari_lotadenoise.contract.method import StepContext, configure
from napari_lotadenoise.methods import offered
from napari_lotadenoise.methods.bm3d import BM3D
from napari_lotadenoise.methods.nl_ridge import NLRidge
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import outputs, scene

INSTALLED = importlib.util.find_spec("bm3d") is not None


@pytest.fixture
def calls(monkeypatch):
    """Calls of a package that stands in for the real one."""
    made: list[tuple[np.ndarray, float, str]] = []

    def bm3d(z: np.ndarray, sigma_psd: float, profile: str) -> np.ndarray:
        made.append((z, sigma_psd, profile))
        return np.squeeze(ndimage.gaussian_filter(z, (1, 1, 0)))

    monkeypatch.setitem(sys.modules, "bm3d", types.SimpleNamespace(bm3d=bm3d))
    return made


def filtered(training_images: torch.Tensor, **options: object) -> tuple[torch.Tensor, Trainer]:
    method, training = configure(BM3D, **options)
    trainer = Trainer(training_images, method, training, seed=0)
    trainer.step()
    return next(outputs(trainer, training_images)), trainer


def test_the_method_is_offered_where_its_package_is(calls, monkeypatch):
    assert offered(BM3D)
    assert offered(NLRidge)
    monkeypatch.delitem(sys.modules, "bm3d")
    assert offered(BM3D) == INSTALLED == ("bm3d" in METHODS)
    monkeypatch.setattr(BM3D, "requires", Requirements(package="a_package_that_nobody_has"))
    assert not offered(BM3D)


def test_tables_do_not_depend_on_what_is_installed(monkeypatch):
    before = tables.tables()
    monkeypatch.setitem(METHODS, "bm3d", BM3D)
    assert tables.tables() == before
    assert "bm3d" in tables.methods_text()


def test_the_licence_is_said():
    assert "commercial" in BM3D.info.fails


@pytest.mark.parametrize("channels", [1, 3])
def test_the_package_gets_noise_of_deviation_one_and_its_answer_comes_back(calls, channels):
    clean = torch.from_numpy(scene((64, 64)))[None, None].repeat(1, channels, 1, 1) / 40
    training_images = clean + 0.5 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    result, trainer = filtered(training_images, noise="constant", profile="refilter")
    given, sigma, profile = calls[0]
    assert (given.shape, sigma, profile) == ((64, 64, channels), 1.0, "refilter")
    removed = given - ndimage.gaussian_filter(given, (2, 2, 0))
    assert removed.std(axis=(0, 1)) == pytest.approx(np.ones(channels), abs=0.25)
    assert trainer.sigma == pytest.approx(0.5, rel=0.1)
    expected = ndimage.gaussian_filter(training_images[0].numpy(), (0, 1, 1))
    np.testing.assert_allclose(result[0].numpy(), expected, atol=1e-4)


def test_noise_that_depends_on_the_signal_is_stabilised_first(calls):
    rate = torch.linspace(10, 200, 128).expand(128, 128)
    training_images = torch.poisson(rate, generator=torch.Generator().manual_seed(0))[None, None] / 50
    filtered(training_images)
    given = calls[0][0][..., 0]
    removed = given - ndimage.gaussian_filter(given, 2)
    assert removed[:, 10:40].std() == pytest.approx(removed[:, -40:-10].std(), rel=0.15)
    assert (training_images[0, 0, :, -40:-10] - rate[:, -40:-10] / 50).std() > 1.5 * (
        training_images[0, 0, :, 10:40] - rate[:, 10:40] / 50
    ).std()


def test_a_step_says_the_noise_and_learns_nothing():
    training_images = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    method = BM3D(sigma=30.0, noise="constant")
    step_output = method.step(
        method.network(1, 2),
        training_images,
        method.prepare(training_images, unit=60.0),
        StepContext(0, 1, torch.Generator()),
    )
    assert step_output.values["sigma"].item() == pytest.approx(0.5)


@pytest.mark.skipif(not INSTALLED, reason="the optional package bm3d, for non-commercial use only, is not installed")
def test_the_real_package_denoises():
    from napari_lotadenoise import denoise

    truth = scene((96, 96))
    noisy = truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)
    result = denoise(noisy, "bm3d", sigma=20.0, noise="constant")
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 8
    colours = denoise(np.stack([noisy] * 3, -1), "bm3d", axes="YXS")
    assert colours.image.shape == (96, 96, 3)
