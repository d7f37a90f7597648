"""How the shipped weights are made: what the network is shown, and that a training can be trusted and resumed."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_lotadenoise.nets import InstantNet, shipped

FOLDER = Path(__file__).resolve().parents[2] / "pretraining"


@pytest.fixture(scope="module", autouse=True)
def _importable():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


def kinds():
    sys.path.insert(0, str(FOLDER))
    try:
        import patterns
    finally:
        sys.path.remove(str(FOLDER))
    return list(dict.fromkeys(patterns.KINDS))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("shape", [(48, 64), (6, 48, 64)])
def test_drawings_are_images_from_0_to_1_and_repeat_with_their_seed(kind, shape):
    images = [kind(np.random.default_rng(seed), shape) for seed in (1, 1, 2)]
    assert images[0].shape == shape
    assert 0 <= images[0].min() <= images[0].max() <= 1
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_noise_has_the_deviation_1_whatever_its_kind(monkeypatch):
    import noise

    clean = torch.rand(24, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.5
    for photons, weakest_light in ((0.0, 3.0), (1.0, 100.0)):  # few photons have less noise than 1 behind any transform
        monkeypatch.setattr(noise, "PHOTONS", photons)
        monkeypatch.setattr(noise, "DIMMEST", weakest_light)
        noisy, target = noise.noisy_pairs(clean, np.random.default_rng(0), torch.Generator().manual_seed(0))
        assert (noisy - target).std((1, 2, 3)).numpy() == pytest.approx(np.ones(24), abs=0.06)
        assert float((noisy - target).mean()) == pytest.approx(0, abs=0.01)


def test_correlated_noise_has_the_deviation_1_and_the_correlation_of_its_kernel():
    import noise

    drawn = noise.correlated(
        torch.randn(4, 256, 256, generator=torch.Generator().manual_seed(0)), torch.full((3, 3), 0.1)
    )
    # Autocorrelation of a kernel of 1 and 0.1 between neighbours: (2 x 0.1 + 4 x 0.01) / (1 + 8 x 0.01).
    inner = drawn[:, 1:-1, 1:-1]
    assert float(inner.std()) == pytest.approx(1, abs=0.01)
    assert float((inner[..., 1:] * inner[..., :-1]).mean()) == pytest.approx(0.24 / 1.08, abs=0.01)


def test_the_network_learns_what_it_will_see_at_the_ends_of_a_stack():
    from noise import seen_at_ends

    from napari_lotadenoise.pretrained.one_pass import noise_in

    seen = []

    class Watching:
        planes = 5

        def __call__(self, window):
            seen.append(window[0, :, 0, 0].int().tolist())
            return window[:, 2:3]

    stack = torch.arange(9.0).view(1, 1, 9, 1, 1).expand(1, 1, 9, 16, 16).contiguous()
    noise_in(stack, Watching())
    for middle in (0, 1, 7, 8):
        around = torch.tensor([float(z) for z in range(middle - 2, middle + 3)])  # planes that would be there
        drawn = seen_at_ends(around.view(1, 5, 1, 1).expand(200, 5, 1, 1), np.random.default_rng(0), share=1.0)
        assert seen[middle] in drawn[..., 0, 0].int().tolist()
    plain = torch.randn(50, 5, 2, 2)
    assert torch.equal(seen_at_ends(plain, np.random.default_rng(0), share=0.0), plain)
    some = seen_at_ends(plain, np.random.default_rng(0), share=0.5)
    assert torch.equal(some[:, 2], plain[:, 2])
    assert 10 < sum(not torch.equal(a, b) for a, b in zip(some, plain, strict=True)) < 40


def test_a_network_goes_on_from_one_of_its_kind():
    import train

    torch.manual_seed(0)
    first, second = InstantNet(5), InstantNet(5)
    train.begin_from(second, first.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_target_of_photon_noise_is_what_the_inverse_takes_to_the_mean():
    import noise

    crop = torch.full((1, 200, 200), 0.4)
    noisy, target = noise._photons(crop, np.random.default_rng(3), torch.Generator().manual_seed(0))
    assert target.unique().numel() == 1
    assert float(noisy.mean()) == pytest.approx(float(target[0, 0, 0]), abs=0.02)


@pytest.mark.parametrize("kind", ["grey", "volume"])
def test_crops_are_drawn_for_every_kind_of_network(kind, monkeypatch):
    import crops
    import train

    for name, value in {"SCENES": 8, "SIDE": 64, "VOLUMES": 8, "DEPTH": 6, "WIDTH": 64}.items():
        monkeypatch.setattr(crops, name, value)
    planes = train.PLANES[kind]
    batch = crops.draw(crops.source_for(kind, planes, [], 0), np.random.default_rng(0), 12, 48)
    assert batch.shape == (12, planes, 48, 48)
    assert 0 <= batch.min() <= batch.max() <= 1


def test_crops_larger_than_some_photographs_come_from_the_others(monkeypatch):
    import crops
    import photographs

    monkeypatch.setattr(crops, "SCENES", 8)
    small = min(min(photo.shape[:2]) for photo in photographs.bundled())
    batch = crops.draw(crops.source_for("grey", 1, [], 0), np.random.default_rng(0), 40, small + 1)
    assert batch.shape[-2:] == (small + 1, small + 1)


def test_no_photograph_is_both_trained_on_and_held_out():
    import photographs

    assert not set(photographs.HELD_OUT) & set(photographs.BUNDLED)


def test_the_network_for_volumes_begins_as_the_grey_one():
    import train

    grey = shipped.load("grey")
    net = InstantNet(train.PLANES["volume"])
    train.begin_from(net, grey.state_dict())
    around = torch.randn(1, 5, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(net(around), grey(around[:, 2:3]))


def test_a_training_that_was_interrupted_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    import crops
    import train

    for name in ("SCENES", "SIDE"):
        monkeypatch.setattr(crops, name, {"SCENES": 8, "SIDE": 64}[name])
    source = crops.source_for("grey", 1, [], 0)

    def run(folder):
        told = argparse.Namespace(
            kind="grey",
            folder=tmp_path / folder,
            begin_from=None,
            seed=0,
            correlated=0.15,
            steps=4,
            batch=4,
            side=16,
            rate=1e-3,
        )
        found = train.Run(told, torch.device("cpu"))
        found.resume()
        return found

    whole, first = run("whole"), run("parts")
    for _ in range(4):
        whole.learn(source)
    for _ in range(2):
        first.learn(source)
    first.save()
    second = run("parts")
    assert second.step == 2
    for _ in range(2):
        second.learn(source)
    for one, other in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_loss_falls(tmp_path, monkeypatch):
    import crops
    import train

    for name, value in {"SCENES": 8, "SIDE": 64}.items():
        monkeypatch.setattr(crops, name, value)
    told = argparse.Namespace(
        kind="grey", folder=tmp_path, begin_from=None, seed=0, correlated=0.15, steps=40, batch=8, side=32, rate=1e-3
    )
    run = train.Run(told, torch.device("cpu"))
    source = crops.source_for("grey", 1, [], 0)
    for _ in range(40):
        run.learn(source)
    assert np.mean(run.losses[-8:]) < 0.8 * np.mean(run.losses[:8])


@pytest.mark.parametrize("shape", [(32, 288), (288, 32), (48, 48)])
def test_orthogonal_steps_have_singular_values_about_1(shape):
    import muon

    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(muon.orthogonal(matrix))
    assert values.min() > 0.6
    assert values.max() < 1.25
