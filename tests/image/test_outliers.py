"""Outliers: found among noise of every kind, not found where there are none, repaired or kept, and nothing learnt from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise import denoise, estimate_noise
from napari_lotadenoise.image.checks import check
from napari_lotadenoise.image.isolation import find_outliers
from napari_lotadenoise.image.outliers import isolation_of, outliers, repaired
from napari_lotadenoise.image.stack import Layout
from tests.helpers import assert_same_bits, quick, scene


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def struck(image: np.ndarray, count: int, value: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image with so many pixels of one value, and where they are."""
    where = np.zeros(image.shape, dtype=bool)
    where.ravel()[rng.choice(image.size, count, replace=False)] = True
    return np.where(where, value, image), where


def found_in(image: np.ndarray) -> np.ndarray:
    return outliers(image, isolation_of([image]))


@pytest.mark.parametrize("value", [65535.0, 2.0**32 - 1, 900.0, -500.0])
@pytest.mark.parametrize("count", [1, 2, 40])
def test_struck_pixels_are_found_and_no_others(rng, value, count):
    image, where = struck(scene((256, 256)) + rng.normal(0, 20, (256, 256)), count, value, rng)
    np.testing.assert_array_equal(found_in(image), where)


def test_one_pixel_in_three_hundred_may_be_broken(rng):
    image, where = struck(scene((256, 256)) + rng.normal(0, 20, (256, 256)), 220, 4000.0, rng)
    found = found_in(image)
    assert not (found & ~where).any()
    assert found.sum() > 0.9 * where.sum()


def test_up_to_four_broken_pixels_may_touch_each_other(rng):
    image = scene((64, 64)) + rng.normal(0, 5, (64, 64))
    image[20:22, 30:32] = 9000
    np.testing.assert_array_equal(np.argwhere(found_in(image)), [[20, 30], [20, 31], [21, 30], [21, 31]])


NOISE = {
    "normal": lambda rng, clean: clean + rng.normal(0, 20, clean.shape),
    "uniform": lambda rng, clean: clean + rng.uniform(-30, 30, clean.shape),
    "speckle": lambda rng, clean: clean * rng.exponential(1, clean.shape),
    "a photon in a thousand pixels": lambda rng, clean: rng.poisson(clean / clean.mean() * 0.001).astype(float),
    "a photon in a hundred pixels": lambda rng, clean: rng.poisson(clean / clean.mean() * 0.01).astype(float),
    "a photon a pixel": lambda rng, clean: rng.poisson(clean / clean.mean()).astype(float),
    "salt and pepper": lambda rng, clean: np.where(
        rng.random(clean.shape) < 0.05, rng.choice([0, 255], clean.shape), clean
    ),
    "none": lambda rng, clean: clean,
}


@pytest.mark.parametrize("kind", NOISE)
def test_noise_has_no_outliers(rng, kind):
    found = found_in(NOISE[kind](rng, np.maximum(scene((256, 256)), 20).astype(float)))
    assert found.mean() <= (1e-4 if kind == "speckle" else 0)


@pytest.mark.parametrize("width", [0.5, 0.7, 1.0])
def test_spots_that_a_lens_has_made_are_no_outliers(rng, width):
    points = np.zeros((128, 128))
    points[rng.integers(4, 124, 25), rng.integers(4, 124, 25)] = 20000
    spots = ndimage.gaussian_filter(points, width) + rng.poisson(4, points.shape)
    assert found_in(spots).sum() <= 1


def test_outliers_are_replaced_by_the_median_of_their_neighbours(rng):
    plane = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    plane[8, 8] = 5000
    block, found = repaired(plane[None], [isolation_of([plane])])
    assert np.array_equal(np.argwhere(found), [[0, 8, 8]])
    assert np.array_equal(block[0], np.tile(np.arange(16), (16, 1)))


def test_what_is_read_does_not_depend_on_the_window(rng):
    image, _ = struck(scene((2, 96, 96)) + rng.normal(0, 5, (2, 96, 96)), 60, 4000.0, rng)
    stack = check(image, Layout("TYX"))
    whole = stack.read(0, 1)
    for rows, columns in [(slice(0, 31), slice(31, 96)), (slice(31, 33), slice(40, 41)), (slice(90, 96), slice(0, 7))]:
        np.testing.assert_array_equal(stack.read(0, 1, (rows, columns)), whole[:, rows, columns])


def test_places_are_those_of_the_array(rng):
    image = scene((3, 2, 40, 50)) + rng.normal(0, 3, (3, 2, 40, 50))
    places = [(0, 1, 7, 8), (2, 0, 30, 41)]
    for place in places:
        image[place] = 1e5
    for layout in (Layout("ZCYX"), Layout("ZCYX", "joint"), Layout("ZCYX", volume=True), Layout("TSYX")):
        found = find_outliers(check(image, layout))
        assert (found.number, sorted(found.places), found.complete) == (2, places, True)


@pytest.mark.parametrize("method", ["gaussian", "tv", "nlm", "wavelet", "median", "lota-n2n", "noise2self", "instant"])
def test_hot_pixels_spoil_nothing_around_them(rng, method):
    clean = scene((64, 64))
    noisy = clean + rng.normal(0, 10, clean.shape)
    hot, where = struck(noisy, 8, 65535.0, rng)
    error = np.sqrt(np.mean((denoise(noisy, method, **quick(method)).image - clean)[~where] ** 2))
    spoilt = denoise(hot, method, **quick(method)).image - clean
    assert np.sqrt(np.mean(spoilt**2)) < 1.1 * error + 0.5
    assert abs(spoilt.mean()) < 2


def test_outliers_are_kept_where_that_is_asked_for(rng):
    noisy, where = struck(scene((48, 48)) + rng.normal(0, 10, (48, 48)), 5, 9000.0, rng)
    kept = denoise(noisy, "gaussian", outliers="keep")
    repaired = denoise(noisy, "gaussian")
    np.testing.assert_array_equal(kept.image[where], np.float32(9000))
    np.testing.assert_array_equal(kept.image[~where], repaired.image[~where])
    assert sorted(repaired.recipe.repaired) == [tuple(place) for place in np.argwhere(where)]
    assert kept.recipe.repaired == ()
    assert (
        "5 pixels that no noise explains (hot, dead or struck by cosmic rays) were repaired" in repaired.recipe.notes[0]
    )
    assert "put back into the result" in kept.recipe.notes[0]
    assert_same_bits(kept.model.predict(noisy), kept.image, "gaussian")
    assert_same_bits(repaired.model.predict(noisy), repaired.image, "gaussian")


def test_the_report_names_outliers_and_measures_the_noise_without_them(rng):
    noisy = scene((128, 128)) + rng.normal(0, 20, (128, 128))
    hot, _ = struck(noisy, 1, 2.0**32 - 1, rng)
    plain, report = estimate_noise(noisy), estimate_noise(hot)
    assert report.sigma == pytest.approx(plain.sigma, rel=0.01)
    assert report.degree is plain.degree
    assert not report.levels.blocked
    assert report.outliers == 1
    assert plain.outliers == 0
    assert "1 outlier" in report.verdict
    assert any("No noise explains 1 pixel" in warning for warning in report.warnings)
    assert denoise(hot, "gaussian").diagnosis.structure < 0.1
