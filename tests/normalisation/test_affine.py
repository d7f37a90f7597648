import numpy as np
import pytest

from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.normalisation.affine import affine, measure
from napari_lotadenoise.normalisation.variance_stabilisation import Stabiliser


def test_scale_is_undone_exactly_enough_and_ignores_hot_pixels():
    rng = np.random.default_rng(0)
    image = rng.normal(1000, 50, (200, 200)).astype(np.float32)
    image[3, 3] = 65535
    stack = Stack(image, Layout("YX"))
    scale = measure(stack, 0, "deviation")
    assert scale.span[0] == pytest.approx(50, rel=0.05)
    np.testing.assert_allclose(scale.inverse(scale.forward(stack.read(0, 0)))[0], image, rtol=1e-5)
    low, span = affine(image, "range")
    assert (image > low + span).mean() < 0.002


def test_scale_of_a_sparse_image_takes_all_values():
    beads = np.zeros((64, 64), np.float32)
    beads[5, 5] = 9
    assert measure(Stack(beads, Layout("YX")), 0, "range").span[0] == 9


def test_a_stabilised_scale_is_undone_up_to_the_bias_of_the_mean():
    """The inverse is one for means: of single noisy values it gives back a quarter of a photon more (u + 1/4 for large u)."""
    rng = np.random.default_rng(0)
    image = (7 * rng.poisson(np.linspace(20, 200, 128 * 128).reshape(128, 128))).astype(np.float32)
    scale = measure(Stack(image, Layout("YX")), 0, "deviation", (Stabiliser(7.0, 0.0),))
    back = scale.inverse(scale.forward(image[None]))[0]
    assert np.abs(back - image - 7 / 4).max() < 0.3


def test_deviations_are_stretched_by_the_local_noise_and_the_unit_is_its_root_mean_square():
    rng = np.random.default_rng(0)
    truth = np.repeat([50.0, 800.0], 4000).reshape(2, 4000).astype(np.float32)
    image = (2 * rng.poisson(truth / 2)).astype(np.float32)
    scale = measure(Stack(image, Layout("YX")), 0, "deviation", (Stabiliser(2.0, 0.0),))
    noise = np.full((1, *truth.shape), 1 / scale.span[0], np.float32)  # one stabilised unit
    stretched = scale.stretch(noise, scale.forward(truth[None]))[0]
    np.testing.assert_allclose(stretched, np.sqrt(2 * truth), rtol=0.02)
    assert scale.unit / scale.span[0] == pytest.approx(np.sqrt(np.mean(2 * truth)), rel=0.02)


def test_channels_are_stabilised_one_by_one():
    image = np.random.default_rng(0).poisson(100, (2, 64, 64)).astype(np.float32)
    scale = measure(Stack(image, Layout("CYX", "joint")), 0, "range", (None, Stabiliser(1.0, 0.0)))
    plain = measure(Stack(image, Layout("CYX", "joint")), 0, "range")
    seen, before = scale.forward(image), plain.forward(image)
    np.testing.assert_allclose(seen[0], before[0], rtol=1e-5)
    assert not np.allclose(seen[1], before[1], atol=1e-3)
