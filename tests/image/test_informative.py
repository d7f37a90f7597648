"""What carries no information is found, and changes neither the noise report nor what is learnt."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lotadenoise import Model, denoise, estimate_noise, learn
from napari_lotadenoise.image.informative import informative, largest_rectangle
from napari_lotadenoise.noise import Degree
from tests.helpers import quick, scene

Y, X = np.mgrid[:192, :192]


@pytest.fixture
def clean():
    return np.maximum(scene((192, 192)), 30).astype(float)


@pytest.fixture
def noisy(clean):
    return clean + np.random.default_rng(1).normal(0, 20, clean.shape)


PADDED = {
    "half": X < 96,
    "three quarters": (Y < 96) & (X < 96),
    "frame": (abs(Y - 96) < 60) & (abs(X - 96) < 60),
    "circle": np.hypot(Y - 96, X - 96) < 90,
    "rotated": (abs(Y - 96 + 0.4 * (X - 96)) < 80) & (abs(X - 96 - 0.4 * (Y - 96)) < 80),
}


@pytest.mark.parametrize("value", [0.0, 65535.0, 120.0])
@pytest.mark.parametrize("kind", PADDED)
def test_padding_changes_nothing_in_the_report(noisy, kind, value):
    report = estimate_noise(np.where(PADDED[kind], noisy, value))
    assert report.sigma == pytest.approx(20, rel=0.12)
    assert report.degree is Degree.INDEPENDENT
    assert not report.signal_dependent
    assert report.saturated == 0


def test_dead_lines_change_nothing_in_the_report(noisy):
    plain = estimate_noise(noisy)
    noisy[50], noisy[51], noisy[:, 20] = 0, 0, 4095
    report = estimate_noise(noisy)
    assert report.sigma == pytest.approx(plain.sigma, rel=0.03)
    assert report.degree is plain.degree
    rows, columns = informative([noisy[None]])
    assert sorted(set(range(192)) - set(rows)) == [50, 51]
    assert sorted(set(range(192)) - set(columns)) == [20]


@pytest.mark.parametrize("photons", [0.001, 0.01, 0.1, 1.0])
def test_dark_images_of_few_photons_are_no_padding(clean, photons):
    image = np.random.default_rng(2).poisson(clean / clean.mean() * photons).astype(float)
    assert informative([image[None]]) is None


def test_noise_and_pictures_are_taken_whole(clean, noisy):
    assert informative([noisy[None]]) is None
    assert informative([clean[None]]) is None
    assert informative([np.zeros((1, 40, 40))]) is None


@pytest.mark.parametrize("method", ["gaussian", "tv", "nlm", "wavelet", "nl-ridge", "lota-n2n"])
def test_a_quarter_of_zeros_costs_nothing_where_there_are_none(clean, noisy, method):
    padded = noisy[:96, :96].copy()
    padded[:, 72:] = 0
    part = (slice(4, 92), slice(4, 64))
    alone = denoise(noisy[:96, :72], method, **quick(method)).image
    found = denoise(padded, method, **quick(method)).image
    error, alone_error = (np.sqrt(np.mean((image[part] - clean[part]) ** 2)) for image in (found, alone))
    assert error < 1.05 * alone_error + 0.3


def test_masked_pixels_are_not_learnt_and_stay_masked(clean, noisy):
    mask = (X > 130) | (Y < 20)
    image = np.ma.masked_array(np.where(mask, 1e6, noisy), mask)
    report = estimate_noise(image)
    assert report.sigma == pytest.approx(20, rel=0.1)
    result = denoise(image, "gaussian")
    assert isinstance(result.image, np.ma.MaskedArray)
    np.testing.assert_array_equal(result.image.mask, mask)
    assert np.sqrt(np.mean((result.image - clean) ** 2)) < 8
    model = learn(image, "gaussian")
    assert isinstance(model, Model)
    np.testing.assert_array_equal(model.predict(image).filled(0), result.image.filled(0))


def test_a_border_of_nan_is_no_measurement(noisy):
    plain = estimate_noise(noisy[40:150, 30:160])
    noisy[:40], noisy[150:], noisy[:, :30], noisy[:, 160:] = [np.nan] * 4
    report = estimate_noise(noisy, fill=True)
    assert report.sigma == pytest.approx(plain.sigma, rel=0.02)
    assert report.degree is Degree.INDEPENDENT


def test_the_largest_rectangle_is_that_of_a_search_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = rng.random((7, 9)) < 0.7
        areas = (
            (b - a) * (d - c)
            for a in range(7) for b in range(a + 1, 8) for c in range(9) for d in range(c + 1, 10) if mask[a:b, c:d].all()
        )  # fmt: skip
        rows, columns = largest_rectangle(mask)
        assert mask[rows, columns].all()
        assert mask[rows, columns].size == max(areas)
