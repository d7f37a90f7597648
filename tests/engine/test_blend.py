"""How much of the denoised image is in the result, and that the rest is the noisy one."""

import numpy as np
import pytest

from napari_lotadenoise import Recipe, denoise
from napari_lotadenoise.errors import ParameterError


@pytest.fixture(scope="module")
def few():
    return {"method": "zs-n2n", "steps": 5, "crop": 32}


@pytest.mark.parametrize("blend", [0, 0.25, 0.7, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_the_result_is_the_weighted_mean(noisy, few, blend, dtype):
    image = np.clip(noisy, 0, None).astype(dtype)
    denoised, mixed = (denoise(image, blend=s, **few) for s in (1, blend))
    expected = blend * denoised.image.astype(np.float64) + (1 - blend) * image
    np.testing.assert_allclose(mixed.image, expected, rtol=3e-7)
    assert mixed.image.dtype == np.float32
    np.testing.assert_allclose(mixed.residual, blend * denoised.residual, atol=1e-4)


def test_the_ends_are_exact(noisy, few):
    assert np.array_equal(denoise(noisy, blend=0, **few).image, noisy)
    assert np.array_equal(denoise(noisy, blend=1.0, **few).image, denoise(noisy, **few).image)


def test_axes_stay_where_they_are(noisy, few):
    image = np.stack([noisy, noisy[::-1], noisy.T], -1)[:32]
    denoised, mixed = (denoise(image, axes="YXS", blend=s, **few).image for s in (1, 0.5))
    np.testing.assert_allclose(mixed, (denoised + image) / 2, rtol=1e-5)


def test_the_recipe_knows_it_and_repeats_it(noisy, few):
    result = denoise(noisy, blend=0.3, **few)
    recipe = Recipe.from_json(result.recipe.to_json())
    assert recipe.blend == 0.3
    assert "blend=0.3" in recipe.as_python()
    assert np.array_equal(denoise(noisy, **recipe.arguments()).image, result.image)
    assert denoise(noisy, **few).recipe.blend == 1


def test_what_is_said_of_the_noise_is_that_of_the_method(noisy, few):
    """A residual that was weakened on purpose would be called too weak."""
    whole, half = (denoise(noisy, blend=s, **few) for s in (1, 0.5))
    assert half.sigma == whole.sigma
    assert half.recipe.verdict == whole.recipe.verdict
    assert half.diagnosis.numbers == whole.diagnosis.numbers


@pytest.mark.parametrize("blend", [0, 0.5, 1])
def test_what_was_not_finite_is_that_of_the_denoised_image(noisy, few, blend):
    image = noisy.copy()
    image[3, 4:8] = [np.nan, np.inf, -np.inf, np.nan]
    denoised, mixed = (denoise(image, fill=True, blend=s, **few).image for s in (1, blend))
    holes = ~np.isfinite(image)
    assert np.array_equal(mixed[holes], denoised[holes])
    expected = blend * denoised[~holes] + (1 - blend) * image[~holes]
    np.testing.assert_allclose(mixed[~holes], expected, rtol=1e-5)


@pytest.mark.parametrize("blend", [-0.01, 1.01, np.nan, np.inf, "0.5", None])
def test_a_blend_that_cannot_be_is_refused(noisy, blend):
    with pytest.raises(ParameterError, match="blend must be a number"):
        denoise(noisy, blend=blend)
