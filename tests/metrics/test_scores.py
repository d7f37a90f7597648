"""Scores without a truth, against the true error on simulated noise.

Each tolerance is four standard deviations of the difference between estimate and truth, from the formula beside it.
"""

import math

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.metrics import Estimate, fitted_psnr, heldout_error, masked_psnr, psnr, pure, ssim, sure, upsnr
from tests.helpers import scene

SIDE, SIGMA = 128, 20.0
PIXELS = SIDE**2
TRUTH = np.clip(scene((SIDE, SIDE)), 20, None).astype(np.float64)
SEEDS = range(6)


def noisy(seed: int, sigma: float = SIGMA) -> np.ndarray:
    return TRUTH + np.random.default_rng(1000 + seed).normal(0, sigma, TRUTH.shape)


def blur(image: np.ndarray, width: float = 1.2) -> np.ndarray:
    return ndimage.gaussian_filter(image, width)


def mse(image: np.ndarray) -> float:
    return float(np.mean((image - TRUTH) ** 2))


# ---- with a truth


def test_ssim_is_the_formula_of_its_paper():
    image, peak, side = blur(noisy(0)), 255.0, 7
    x, y = (np.lib.stride_tricks.sliding_window_view(a, (side, side)).reshape(-1, side * side) for a in (image, TRUTH))
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mx, my = x.mean(1), y.mean(1)
    shared = ((x - mx[:, None]) * (y - my[:, None])).sum(1) / (side**2 - 1)
    spread = x.var(1, ddof=1) + y.var(1, ddof=1)
    expected = np.mean((2 * mx * my + c1) * (2 * shared + c2) / ((mx**2 + my**2 + c1) * (spread + c2)))
    assert ssim(image, TRUTH, peak) == pytest.approx(expected, rel=1e-6)


def test_ssim_is_the_mean_over_planes_wherever_y_and_x_are():
    planes = np.stack([blur(noisy(0)), blur(noisy(1), 2)])
    truths = np.stack([TRUTH, TRUTH])
    expected = np.mean([ssim(plane, TRUTH, 255) for plane in planes])
    assert ssim(planes, truths, 255, "ZYX") == pytest.approx(expected)
    assert ssim(planes.transpose(1, 2, 0), truths.transpose(1, 2, 0), 255, "YXS") == pytest.approx(expected)
    assert ssim(TRUTH[:5, :5], TRUTH[:5, :5], 255) == pytest.approx(1)


def test_fitted_psnr_forgives_gain_and_offset_and_nothing_else():
    image = blur(noisy(0))
    line = np.linalg.lstsq(np.stack([image.ravel(), np.ones(PIXELS)], 1), TRUTH.ravel(), rcond=None)[0]
    expected = psnr(line[0] * image + line[1], TRUTH, 255)
    assert fitted_psnr(image, TRUTH, 255) == pytest.approx(expected)
    assert fitted_psnr(0.2 * image - 40, TRUTH, 255) == pytest.approx(expected)
    assert psnr(0.2 * image - 40, TRUTH, 255) < 10
    assert fitted_psnr(np.ones_like(TRUTH), TRUTH, 255) == pytest.approx(10 * math.log10(255**2 / TRUTH.var()))


# ---- hidden pixels


def test_the_error_at_hidden_pixels_is_the_true_one_plus_the_noise_variance():
    """Difference: mean(n^2 - s^2) - 2 mean(n e), n the noise and e the error there: variance (2 s^4 + 4 s^2 mse) / N."""
    gaps, claimed = [], []
    for seed in SEEDS:
        image, seen = noisy(seed), []

        def filtered(y, image=image, seen=seen):
            seen.append(y != image)
            return blur(y)

        found = heldout_error(filtered, image, sets=8)
        assert sum(hidden.sum() for hidden in seen) == found.pixels == PIXELS // 2
        fill = ndimage.convolve(image, np.array([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]]) / 6, mode="mirror")
        true = np.mean(np.concatenate([(blur(np.where(h, fill, image)) - TRUTH)[h] ** 2 for h in seen]))
        tolerance = 4 * math.sqrt((2 * SIGMA**4 + 4 * SIGMA**2 * true) / found.pixels)
        gaps.append(found.error - SIGMA**2 - true)
        assert abs(gaps[-1]) < tolerance
        claimed.append(found.standard_error)
    assert 0.4 * np.std(gaps) < np.mean(claimed) < tolerance


def test_what_fills_a_hidden_pixel_has_a_known_error():
    """The identity returns the mean of eight neighbours: s^2 (1 + (4 + 4 / 4) / 36) on an even image."""
    noise = np.random.default_rng(0).normal(50, 10, (256, 256))
    found = heldout_error(lambda y: y, noise, sets=16)
    assert found.pixels == noise.size
    assert found.error == pytest.approx(100 * (1 + 5 / 36), abs=4 * found.standard_error)
    assert found.standard_error == pytest.approx(100 * math.sqrt(2 / noise.size), rel=0.5)


def test_colours_and_slices_are_hidden_together_and_integers_are_taken():
    image = np.random.default_rng(0).poisson(40, (3, 40, 36)).astype(np.uint16)
    seen = []
    one = heldout_error(lambda y: seen.append(y) or blur(y, (0, 1, 1)), image, axes="CYX")
    changed = np.abs(seen[0] - image) > 0
    assert changed.any(0).sum() <= 90
    turned = heldout_error(lambda y: blur(y, (1, 1, 0)), image.transpose(1, 2, 0), axes="YXS")
    assert turned.error == pytest.approx(one.error)


def test_a_masked_psnr_says_where_it_knows_nothing():
    found = masked_psnr(425.0, SIGMA, 255.0)
    assert found.psnr == pytest.approx(10 * math.log10(255**2 / 25))
    lost = masked_psnr(395.0, SIGMA, 255.0, sigma_error=0.5)
    assert lost.psnr is None
    assert lost.high == math.inf
    assert lost.low == pytest.approx(10 * math.log10(255**2 / (-5 + 2 * 2 * 20 * 0.5)))
    assert str(lost).startswith("at least 32.7 dB")
    assert not lost.certain
    assert "weaker" in str(masked_psnr(300.0, SIGMA, 255.0))
    assert str(Estimate(25.0, 2.0, 255.0)) == "34.2 dB (33.5 to 34.9)"


# ---- Stein


def stein_tolerance(error: float, variance: float, kernel_power: float) -> float:
    """Four deviations of mean(n^2 - v) - 2 mean(n e) + 2 v (probe): of a linear filter with the squared weights' sum p.

    Variances over N: 2 v^2; 4 v error, and of n (H n) about its mean 4 v^2 p more; of the probe 8 v^2 p.
    """
    return 4 * math.sqrt((2 * variance**2 + 4 * variance * error + 12 * variance**2 * kernel_power) / PIXELS)


def kernel_power(width: float) -> float:
    point = np.zeros((65, 65))
    point[32, 32] = 1
    return float(np.sum(blur(point, width) ** 2))


@pytest.mark.parametrize("width", [0.5, 1.2, 3.0])
def test_sure_is_the_true_error_of_a_linear_filter(width):
    gaps = []
    for seed in SEEDS:
        image = noisy(seed)
        true = mse(blur(image, width))
        found = sure(lambda y: blur(y, width), image, SIGMA, 255, seed=seed)
        tolerance = stein_tolerance(true, SIGMA**2, kernel_power(width))
        gaps.append(found.error - true)
        assert abs(gaps[-1]) < tolerance
    assert abs(np.mean(gaps)) < tolerance / math.sqrt(len(SEEDS))
    assert found.psnr == pytest.approx(psnr(blur(image, width), TRUTH, 255), abs=2)


def test_sure_holds_for_filters_that_are_not_linear_and_ranks_them():
    from skimage.restoration import denoise_tv_chambolle

    image = noisy(0).astype(np.float32)
    strengths = (2.0, 8.0, 30.0, 90.0)
    filters = [lambda y, w=w: denoise_tv_chambolle(y, weight=w, eps=1e-5, max_num_iter=200) for w in strengths]
    true = [mse(f(image)) for f in filters]
    found = [sure(f, image, SIGMA, 255, probes=2).error for f in filters]
    for one, other in zip(found, true, strict=True):
        assert one == pytest.approx(other, abs=stein_tolerance(other, SIGMA**2, 0.5))
    assert np.argmin(found) == np.argmin(true)


def test_sure_knows_that_removing_nothing_leaves_all_the_noise():
    found = sure(lambda y: y, noisy(0), SIGMA, 255)
    assert found.error == pytest.approx(SIGMA**2)


def test_sure_is_deceived_by_a_function_that_has_learnt_the_noise():
    """It remembers the very image: the residual is 0, and frozen as it is it does not follow the probe."""
    image = noisy(0)
    found = sure(lambda y: image, image, SIGMA, 255)
    assert found.error == pytest.approx(-(SIGMA**2))
    assert found.psnr is None
    assert mse(image) == pytest.approx(SIGMA**2, rel=0.1)


@pytest.mark.parametrize(("gain", "read_noise", "offset"), [(2.0, 0.0, 0.0), (4.0, 6.0, 100.0), (30.0, 0.0, 0.0)])
def test_pure_is_the_true_error_under_photon_noise(gain, read_noise, offset):
    """The last camera counts four photons a pixel."""
    gaps = []
    for seed in SEEDS:
        rng = np.random.default_rng(1000 + seed)
        image = gain * rng.poisson(TRUTH / gain) + offset + rng.normal(0, read_noise, TRUTH.shape)
        true = float(np.mean((blur(image) - offset - TRUTH) ** 2))
        found = pure(blur, image, gain, read_noise, 255, offset=offset, seed=seed)
        variance = gain * TRUTH.mean() + read_noise**2
        # Fourth moments: of the signal's spread, and of few photons (their mean is TRUTH / gain).
        extra = math.sqrt(1 + TRUTH.var() / TRUTH.mean() ** 2 + gain / TRUTH.mean())
        tolerance = stein_tolerance(true, variance, kernel_power(1.2)) * extra
        gaps.append(found.error - true)
        assert abs(gaps[-1]) < tolerance
    assert abs(np.mean(gaps)) < tolerance / math.sqrt(len(SEEDS))


def test_where_noise_depends_on_the_signal_pure_is_right_and_sure_is_not():
    """A filter that spares the bright part, where the noise is."""
    truth = np.where(np.arange(SIDE) < SIDE // 2, 5.0, 200.0) * np.ones((SIDE, SIDE))
    image = np.random.default_rng(0).poisson(truth).astype(float)
    spared = lambda y: np.where(truth > 100, y, blur(y))  # noqa: E731
    true = float(np.mean((spared(image) - truth) ** 2))
    found, wrong = pure(spared, image, 1.0, 0.0, 255), sure(spared, image, math.sqrt(truth.mean()), 255)
    tolerance = stein_tolerance(true, truth.mean(), 0.5) * 2
    assert abs(found.error - true) < tolerance
    assert abs(wrong.error - true) > 1.5 * tolerance


# ---- repeats


@pytest.mark.parametrize("correlated", [False, True])
def test_the_error_from_three_captures_is_the_true_one(correlated):
    """Of photon noise of variance v, which may be correlated: mean(n_a^2 - (n_b - n_c)^2 / 2) - 2 mean(n_a e).

    Variance over N: 2 v^2 + 2 v^2, times the sum of the squared correlations, and 4 v mse, times their sum.
    """
    lag = np.zeros((65, 65))
    lag[32, 32] = 1
    lag = blur(lag, 0.7 * math.sqrt(2)) * 4 * math.pi * 0.7**2 if correlated else lag

    def capture(seed):
        noise = np.random.default_rng(1000 + seed).standard_normal(TRUTH.shape)
        noise = blur(noise, 0.7) / math.sqrt(kernel_power(0.7)) if correlated else noise
        return TRUTH + np.sqrt(3 * TRUTH) * noise

    gaps = []
    for seed in SEEDS:
        a, b, c = (capture(10 * seed + k) for k in range(3))
        image = blur(b)
        true, variance = mse(image), 3 * math.sqrt(np.mean(TRUTH**2))
        tolerance = 4 * math.sqrt((4 * variance**2 * np.sum(lag**2) + 4 * variance * true * lag.sum()) / PIXELS)
        found = upsnr(a, b, c, image, 255)
        gaps.append(found.error - true)
        assert abs(gaps[-1]) < tolerance
    assert abs(np.mean(gaps)) < tolerance / math.sqrt(len(SEEDS))


def test_a_result_that_has_seen_the_judge_looks_too_good():
    a, b, c = noisy(1), noisy(2), noisy(3)
    assert upsnr(a, b, c, blur(a), 255).error < mse(blur(a)) - 0.1 * SIGMA**2


def test_the_standard_error_is_not_smaller_than_the_spread():
    errors, claimed = [], []
    for seed in range(24):
        a, b, c = (noisy(100 * seed + k) for k in range(3))
        found = upsnr(a, b, c, blur(b), 255)
        errors.append(found.error - mse(blur(b)))
        claimed.append(found.standard_error)
    assert 0.75 * np.std(errors) < np.mean(claimed) < 2 * np.std(errors)
