import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.noise import measure_noise
from napari_lotadenoise.normalisation.noise_measurement import measure_group
from napari_lotadenoise.normalisation.variance_stabilisation import Stabiliser, stabilisers_for
from tests.helpers import scene


def noisy(truth, gain, read, pedestal, seed=0):
    rng = np.random.default_rng(seed)
    return (gain * rng.poisson(truth) + pedestal + rng.normal(0, read, truth.shape)).astype(np.float32)


@pytest.mark.parametrize("photons", [2.0, 5.0, 20.0, 200.0])
@pytest.mark.parametrize(("gain", "read", "pedestal"), [(1.0, 0.0, 0.0), (3.0, 4.0, 100.0)])
def test_the_inverse_gives_the_mean_back_without_bias(photons, gain, read, pedestal):
    """What a perfect denoiser would make of stabilised noise, its mean, comes back as the true intensity."""
    copies = noisy(np.full(400_000, photons), gain, read, pedestal)
    stabiliser = Stabiliser(gain, read**2 - gain * pedestal)
    mean = stabiliser.forward(copies).mean(dtype=np.float64)
    truth = gain * photons + pedestal
    chance = 4 * np.sqrt(gain**2 * photons + read**2) / np.sqrt(copies.size)
    # The closed form is good to a hundredth of a photon; the algebraic inverse is a quarter of a photon off.
    assert abs(stabiliser.inverse(mean) - truth) < chance + 0.03 * gain
    algebraic = (mean**2 / 4 - 3 / 8) * gain + pedestal - read**2 / gain
    assert abs(algebraic - truth) > 0.2 * gain


@pytest.mark.parametrize("photons", [5.0, 50.0, 500.0])
def test_stabilised_noise_has_a_deviation_of_one(photons):
    copies = noisy(np.full(200_000, photons), 3.0, 4.0, 100.0)
    assert Stabiliser(3.0, 16.0 - 300.0).forward(copies).std() == pytest.approx(1, abs=0.05)


def test_tensors_are_transformed_as_arrays_are():
    stabiliser, values = Stabiliser(5.0, -100.0), np.linspace(-50, 500, 200)
    there = stabiliser.forward(torch.from_numpy(values))
    np.testing.assert_allclose(there.numpy(), stabiliser.forward(values))
    np.testing.assert_allclose(stabiliser.inverse(there).numpy(), stabiliser.inverse(there.numpy()))


def test_both_ways_rise_all_along_and_lose_nothing_below_the_pedestal():
    stabiliser = Stabiliser(5.0, -100.0)
    intensities = np.linspace(-200, 500, 5001)
    assert (np.diff(stabiliser.forward(intensities)) > 0).all()
    values = np.linspace(-20, 30, 5001)
    assert (np.diff(stabiliser.inverse(values)) > 0).all()
    assert stabiliser.inverse(stabiliser.forward(np.array([-150.0]))) == pytest.approx(-150, abs=0.01)


def test_auto_stabilises_photons_correlated_or_not_and_leaves_constant_noise_alone():
    from scipy import ndimage

    truth = scene((256, 256)).clip(8) / 2
    photons = noisy(truth, 4.0, 2.0, 50.0)
    (found,), words = stabilisers_for([measure_noise([photons])], "auto")
    assert found.gain == pytest.approx(4.0, rel=0.2)
    assert "gain" in words
    constant = (truth + np.random.default_rng(0).normal(0, 5, truth.shape)).astype(np.float32)
    assert stabilisers_for([measure_noise([constant])], "auto") == ((None,), "")
    ramp = np.tile(np.linspace(30, 150, 256), (256, 1))
    grains = ndimage.gaussian_filter(noisy(ramp, 4.0, 2.0, 0.0) - 4 * ramp, 0.8)
    (found,), _ = stabilisers_for([measure_noise([(4 * ramp + grains).astype(np.float32)])], "auto")
    spread = (found.forward(4 * ramp + grains) - found.forward(4 * ramp)).std(0)
    assert grains[:, -64:].std() > 1.5 * grains[:, :64].std()
    assert spread[-64:].mean() == pytest.approx(spread[:64].mean(), rel=0.1), (
        "as strong in bright parts as in dark ones"
    )
    assert stabilisers_for([], "off") == ((), "")


def test_the_switch_reaches_the_recipe_and_intensities_stay_calibrated():
    # Without detail: where a filter blurs detail, it averages roots, whose mean is too low for another reason.
    truth = np.tile(np.linspace(10, 100, 128), (128, 1))
    photons = noisy(truth, 4.0, 2.0, 50.0)
    results = {mode: denoise(photons, "tv", stabilise=mode) for mode in ("off", "on")}
    assert {mode: result.recipe.stabilise for mode, result in results.items()} == {"off": "off", "on": "on"}
    assert not np.array_equal(results["on"].image, results["off"].image)
    assert any("gain" in note for note in results["on"].recipe.notes)
    bias = results["on"].image.mean() - (4 * truth + 50).mean()
    assert abs(bias) < 0.5, "the algebraic inverse would be off by a quarter of a photon, which is 1"
    # sigma is told in intensities: the root of the mean variance
    assert results["on"].sigma == pytest.approx(np.sqrt(np.mean(16 * truth + 4)), rel=0.2)


def test_auto_is_for_methods_that_need_it_and_not_for_papers():
    photons = noisy(scene((64, 64)).clip(8) / 4, 4.0, 2.0, 50.0)
    assert denoise(photons, "nlm").recipe.stabilise == "auto"
    assert denoise(photons, "tv").recipe.stabilise == "off"
    assert denoise(photons, "nlm", preset="paper").recipe.stabilise == "off"
    assert denoise(photons, "nlm", preset="paper", stabilise="on").recipe.stabilise == "on"
    with pytest.raises(ParameterError, match="stabilise"):
        denoise(photons, "tv", stabilise="yes")


def test_colours_are_stabilised_all_or_none():
    truth = scene((160, 160)).clip(8) / 2
    grows, constant = noisy(truth, 4.0, 2.0, 50.0), 4 * truth + np.random.default_rng(1).normal(0, 12, truth.shape)
    mixed = np.stack([constant, grows, constant], -1).astype(np.float32)
    assert stabilisers_for(measure_group(Stack(mixed, Layout("YXS")), 0), "auto") == ((None,) * 3, "")
    alike = np.stack([noisy(truth, 4.0, 2.0, 50.0, seed) for seed in range(3)], -1)
    assert None not in stabilisers_for(measure_group(Stack(alike, Layout("YXS")), 0), "auto")[0]
