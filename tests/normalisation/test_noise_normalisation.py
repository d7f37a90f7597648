"""Noise of deviation 1, whatever it was."""

import pytest
import torch

from napari_lotadenoise.noise import VarianceFit
from napari_lotadenoise.normalisation.noise_normalisation import NoiseNormaliser, grey_levels, noise_of


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_whitening_is_undone():
    training_images = 3 * noise(1, 3, 40, 40)
    white = NoiseNormaliser(training_images, [VarianceFit(0.0, v) for v in (0.5, 1.0, 2.0)])
    torch.testing.assert_close(
        white.inverse(white.forward(training_images[0])), training_images[0], rtol=1e-4, atol=1e-4
    )


def test_white_noise_of_three_deviations_is_white_of_deviation_one_in_every_component():
    content = noise(1, 1, 64, 64).expand(1, 3, 64, 64) * 10
    deviations = torch.tensor([0.3, 1.0, 2.0]).view(1, 3, 1, 1)
    white = NoiseNormaliser(content, [VarianceFit(0.0, float(d) ** 2) for d in deviations.flatten()])
    seen = white.forward((deviations * noise(1, 3, 64, 64, seed=1))[0]).flatten(1)
    torch.testing.assert_close(torch.cov(seen), torch.eye(3), atol=0.06, rtol=0)
    components = white.forward(content[0])
    assert components[0].std() > 100 * components[1:].std(), "what the channels share is in the first component"


def test_a_known_sigma_is_that_of_the_image_in_every_channel():
    """Channels of spans 10 and 40: noise of 5 in both is 0.5 and 0.125 in scaled units, `unit` is the mean span."""
    training_images = noise(1, 2, 128, 128) * torch.tensor([0.5, 0.125]).view(1, 2, 1, 1)
    for dependent in (False, True):
        fits = noise_of(training_images, unit=25.0, sigma=5.0, dependent=dependent)
        assert [fit.variance(0.0) ** 0.5 for fit in fits] == pytest.approx([0.5, 0.125], rel=0.1)
    assert noise_of(training_images[:, :1], unit=10.0, sigma=4.0)[0].offset == pytest.approx(0.16)


def test_grey_levels_are_those_of_an_image_from_0_to_255():
    truth = torch.linspace(0, 255, 256).expand(1, 1, 256, 256)
    noisy = truth + 25 * noise(1, 1, 256, 256)
    assert grey_levels(noisy, 25.0) == pytest.approx(25, rel=0.1)
    assert grey_levels(noisy / 50 - 3, 0.5) == pytest.approx(25, rel=0.1)
