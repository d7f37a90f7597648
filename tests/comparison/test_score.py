"""The judge: against a reference, and by Stein's estimate against the true error on simulated noise."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.comparison.noise_map import noise_map
from napari_lotadenoise.comparison.score import Scorer
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import run
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import fitted_psnr, psnr, ssim
from napari_lotadenoise.options import Options
from napari_lotadenoise.recipe import Recipe
from napari_lotadenoise.residual import examine
from napari_lotadenoise.result import Result
from tests.helpers import scene

SIDE, SIGMA = 256, 20.0
GAIN, READ = 3.0, 5.0
TRUTH = np.clip(scene((SIDE, SIDE)), 20, None).astype(np.float64)
WIDTHS = (0.5, 1.0, 2.0, 4.0)
FLAT = Layout("YX")


def normal(seed, truth=TRUTH, sigma=SIGMA):
    return (truth + np.random.default_rng(1000 + seed).normal(0, sigma, truth.shape)).astype(np.float32)


def photons(seed, truth=TRUTH):
    rng = np.random.default_rng(1000 + seed)
    return (GAIN * rng.poisson(truth / GAIN) + rng.normal(0, READ, truth.shape)).astype(np.float32)


def blurred(image, width, scorer, axes="YX", **options):
    """The result of a plain Gaussian filter, through the engine and probed."""
    method, training = configure(METHODS["gaussian"], width=width, inference="single", steps=1)
    return list(run(image, method, training, Options(axes, divergence_step=scorer.divergence_step, **options)))[
        -1
    ].result


def result_of(image, clean, divergence=None, axes="YX", method="gaussian"):
    """A result that is what it is said to be."""
    recipe = Recipe(
        method=method, parameters={}, training={}, axes=axes, device="cpu", precision="float32", image={}, seconds=1.5
    )
    return Result(clean, image, None, {}, recipe, diagnosis=examine(image, clean, axes), divergence=divergence)


# ---- without a reference


@pytest.fixture(scope="module", params=["normal", "photons"])
def trials(request):
    """For three noisy images of a kind: judge, results of four blurs and their scores, true variance, true errors."""
    simulate, variance = (normal, SIGMA**2) if request.param == "normal" else (photons, GAIN * TRUTH.mean() + READ**2)
    found = []
    for seed in range(3):
        image = simulate(seed)
        scorer = Scorer(image, FLAT)
        results = [blurred(image, width, scorer) for width in WIDTHS]
        errors = [float(np.mean((result.image - TRUTH) ** 2)) for result in results]
        found.append((scorer, results, [scorer(result) for result in results], variance, errors))
    return found


def doubt(scorer, result, variance):
    """What the estimate is off by because the variance of the noise is only measured."""
    return (2 * float(result.divergence.mean()) - 1) * ((scorer.sigma) ** 2 - variance)


def test_the_noise_is_measured(trials):
    for scorer, _, _, variance, _ in trials:
        assert scorer.independent
        assert (scorer.sigma) ** 2 == pytest.approx(variance, rel=0.1)


def test_steins_estimate_is_the_true_error(trials):
    gaps = []
    for scorer, results, scores, variance, errors in trials:
        for result, score, error in zip(results, scores, errors, strict=True):
            gap = score.risk.mean - doubt(scorer, result, variance) - error
            assert abs(gap) < 4 * score.risk.standard_error
            assert score.estimate.error == score.risk.mean
            gaps.append(gap / score.risk.standard_error)
    assert abs(np.mean(gaps)) < 1


def test_differences_between_methods_are_known_better_than_the_errors(trials):
    for scorer, results, scores, variance, errors in trials:
        for one, other in ((0, 1), (1, 2), (2, 3)):
            found = scores[one].risk - scores[other].risk
            shift = doubt(scorer, results[one], variance) - doubt(scorer, results[other], variance)
            assert abs(found.mean - shift - (errors[one] - errors[other])) < 4 * found.standard_error
            assert found.standard_error < 1.2 * max(scores[k].risk.standard_error for k in (one, other))


def test_methods_are_ranked_in_the_true_order(trials):
    for _, _, scores, _, errors in trials:
        assert np.argsort([score.risk.mean for score in scores]).tolist() == np.argsort(errors).tolist() == [1, 2, 0, 3]


def test_the_estimated_decibels_are_those_of_the_peak(trials):
    scorer, _, scores, _, _ = trials[0]
    for score in scores:
        assert score.peak == scorer.peak
        assert score.estimate.psnr == pytest.approx(10 * np.log10(scorer.peak**2 / score.risk.mean))
        assert score.estimate.low < score.estimate.psnr < score.estimate.high
        assert score.psnr is score.ssim is score.fitted_psnr is None


def test_removing_nothing_leaves_all_of_the_noise():
    image = normal(0)
    scorer = Scorer(image, FLAT)
    score = scorer(result_of(image, image, np.ones_like(image)))
    assert score.risk.mean == pytest.approx((scorer.sigma) ** 2, rel=1e-5)


def test_a_constant_is_as_wrong_as_it_is():
    image = photons(0)
    scorer = Scorer(image, FLAT)
    score = scorer(result_of(image, np.full_like(image, 100), np.zeros_like(image)))
    assert score.risk.mean == pytest.approx(np.mean((TRUTH - 100) ** 2), rel=0.03)


def test_where_noise_grows_with_the_signal_each_pixel_has_its_own():
    """A filter that spares the bright half: right with the variance of each pixel, and half as wrong with their mean."""
    truth = np.where(np.arange(SIDE) < SIDE // 2, 30.0, 200.0) + 0.02 * TRUTH
    image = photons(0, truth)
    scorer = Scorer(image, FLAT)
    dark, bright = np.arange(SIDE) < SIDE // 2, np.arange(SIDE) >= SIDE // 2
    clean, divergence = np.where(bright, image, truth).astype(np.float32), np.broadcast_to(bright, image.shape) * 1.0
    score = scorer(result_of(image, clean, divergence))
    true = float(np.mean((clean - truth) ** 2))
    assert score.risk.mean == pytest.approx(true, abs=4 * score.risk.standard_error + 0.06 * true)
    assert dark.sum() == bright.sum()
    level = np.mean((clean - image) ** 2) + (scorer.sigma) ** 2 * np.mean(2 * divergence - 1)
    assert abs(level - true) > 0.25 * true


def test_the_variance_of_photon_noise_follows_the_image():
    variance, independent = noise_map(Stack(photons(1), FLAT))
    assert independent
    assert variance.dtype == np.float32
    assert np.corrcoef(variance.ravel(), TRUTH.ravel())[0, 1] > 0.9
    np.testing.assert_allclose(
        ndimage.gaussian_filter(variance, 3), GAIN * ndimage.gaussian_filter(TRUTH, 3) + READ**2, rtol=0.25
    )


def test_noise_that_is_the_same_everywhere_has_one_variance_for_each_channel():
    image = np.stack([normal(0), np.full_like(normal(0), 7), normal(1, sigma=5)])
    for channels in ("separate", "joint"):
        variance, independent = noise_map(Stack(image, Layout("CYX", channels)))
        assert independent
        assert [np.ptp(channel) for channel in variance] == [0, 0, 0]
        assert variance[:, 0, 0] == pytest.approx([SIGMA**2, 0, 25], rel=0.1)


def test_a_volume_and_colours_are_measured_in_their_own_axes():
    volume = np.stack([normal(seed) for seed in range(5)])
    variance, _ = noise_map(Stack(volume, Layout("ZYX", volume=True)))
    assert variance.shape == volume.shape
    assert variance.mean() == pytest.approx(SIGMA**2, rel=0.1)
    colours = np.stack([normal(0, sigma=5), normal(1, sigma=10), normal(2, sigma=20)], -1)
    variance, _ = noise_map(Stack(colours, Layout("YXS")))
    assert variance[0, 0] == pytest.approx([25, 100, 400], rel=0.1)


def test_pixels_that_were_filled_are_not_counted():
    image = normal(0)
    holes = np.random.default_rng(0).random(image.shape) < 0.05
    image[holes] = np.where(np.arange(holes.sum()) % 2, np.nan, np.inf)
    scorer = Scorer(image, FLAT, fill=True)
    result = blurred(image, 1.0, scorer, fill=True)
    score = scorer(result)
    error = float(np.mean((result.image - TRUTH)[~holes] ** 2))
    assert score.risk.mean - doubt(scorer, result, SIGMA**2) == pytest.approx(error, abs=4 * score.risk.standard_error)
    assert score.risk.numbers.sum() == (~holes).sum()
    result.image[holes] = 1e6
    assert scorer(result).risk.mean == score.risk.mean


def test_correlated_noise_is_not_judged():
    noise = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(TRUTH.shape), 0.8)
    image = (TRUTH + SIGMA * noise / noise.std()).astype(np.float32)
    scorer = Scorer(image, FLAT, TRUTH)
    assert not scorer.independent
    assert scorer.divergence_step == 0, "a probe is of no use"
    score = scorer(result_of(image, image, np.ones_like(image)))
    assert score.risk is None
    assert score.estimate is None
    assert score.psnr == psnr(image, TRUTH.astype(np.float32), scorer.peak)


def test_one_channel_of_correlated_noise_is_enough():
    noise = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(TRUTH.shape), 0.8)
    image = np.stack([normal(0), TRUTH + SIGMA * noise / noise.std()]).astype(np.float32)
    assert Scorer(image[:1], Layout("CYX")).independent
    assert not Scorer(image, Layout("CYX")).independent


def test_a_method_that_does_not_look_at_the_image_again_has_no_estimate():
    image = normal(0)
    scorer = Scorer(image, FLAT)
    assert scorer(result_of(image, image, np.zeros_like(image))).risk is not None
    assert scorer(result_of(image, image, np.zeros_like(image), method="dip")).risk is None
    assert scorer(result_of(image, image)).risk is None, "nor has one that was not probed"


def test_what_the_residual_says_is_passed_on():
    image = normal(0)
    result = result_of(image, ndimage.gaussian_filter(image, 1.0))
    score = Scorer(image, FLAT)(result)
    found = result.diagnosis
    assert (score.whiteness, score.structure, score.ratio) == (found.whiteness.score, found.structure, found.ratio)
    assert (score.sentence, score.seconds) == (found.sentence, 1.5)


# ---- against a reference


@pytest.mark.parametrize("axes", ["YX", "YXS", "CYX"])
def test_scores_against_a_reference_are_those_of_the_metrics(axes):
    planes = {"YX": lambda a: a[0], "YXS": lambda a: np.moveaxis(a, 0, -1), "CYX": lambda a: a}[axes]
    truth = planes(np.stack([TRUTH, TRUTH[::-1], TRUTH.T])).astype(np.float32)
    image = planes(np.stack([normal(0), normal(1, TRUTH[::-1]), normal(2, TRUTH.T)]))
    scorer = Scorer(image, Layout(axes), truth)
    result = blurred(image, 1.0, scorer, axes)
    score = scorer(result)
    assert scorer.peak == truth.max() - truth.min()
    assert score.psnr == psnr(result.image, truth, scorer.peak)
    assert score.ssim == ssim(result.image, truth, scorer.peak, axes)
    assert score.fitted_psnr == fitted_psnr(result.image, truth, scorer.peak)
    assert (score.risk is not None) is scorer.independent, "the estimate stands beside the truth"


@pytest.mark.parametrize(
    ("gain", "same"), [(1.0, True), (0.97, True), (1.03, True), (2.0, False), (0.5, False), (1.1, False)]
)
def test_another_exposure_is_seen_through_the_noise(gain, same):
    scorer = Scorer(normal(0), FLAT, gain * TRUTH)
    assert scorer.gain == pytest.approx(1 / gain, rel=0.01)
    assert scorer.same_exposure is same


def test_a_reference_with_another_offset_has_another_exposure():
    assert not Scorer(normal(0), FLAT, TRUTH + 100).same_exposure
    assert Scorer(normal(0), FLAT, TRUTH + 1).same_exposure


def test_clipped_pixels_are_not_judged():
    """Their noise is cut off, and a result that leaves them alone would look as bad as the noise that is not there."""
    clean, noisy = np.clip(TRUTH, None, 140).astype(np.float32), np.clip(normal(0), None, 140)
    scorer = Scorer(noisy, FLAT)
    risk = scorer(result_of(noisy, clean, np.zeros_like(clean))).risk
    assert risk.numbers.sum() == (noisy < 140).sum() < noisy.size
    assert abs(risk.mean) < 0.15 * SIGMA**2


def test_the_doubt_of_the_noise_widens_the_spread():
    image = normal(0)
    scorer = Scorer(image, FLAT)
    score = scorer(blurred(image, 2.0, scorer))
    assert 0.02 * SIGMA**2 < score.doubt < 0.04 * SIGMA**2
    assert score.estimate.standard_error == pytest.approx(np.hypot(score.risk.standard_error, score.doubt))


def test_why_there_is_no_estimate_is_said():
    assert Scorer(normal(0), FLAT).caution == ""
    tiny = Scorer(normal(0)[:20, :20], FLAT)
    assert "smaller than 32 pixels" in tiny.caution
    assert not tiny.independent
    clean = np.where(np.indices(TRUTH.shape).sum(0) // 16 % 2, 10.0, 200.0)
    assert "hardly any noise" in Scorer(clean, FLAT).caution
    wide = (TRUTH + 40 * ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(TRUTH.shape), 1.0)).astype(
        np.float32
    )
    assert "is correlated" in Scorer(wide, FLAT).caution


def test_a_constant_reference_has_no_exposure():
    scorer = Scorer(normal(0), FLAT, np.full(TRUTH.shape, 100.0))
    assert scorer.same_exposure
    assert scorer.peak == 1


def test_eight_bits_have_the_peak_255_and_others_the_span():
    image = normal(0)
    bytes_ = np.clip(image, 0, 255).astype(np.uint8)
    assert Scorer(bytes_, FLAT).peak == Scorer(bytes_, FLAT, TRUTH).peak == 255
    assert Scorer(image, FLAT, TRUTH).peak == pytest.approx(TRUTH.max() - TRUTH.min(), rel=1e-6)
    assert Scorer(image.astype(np.uint16), FLAT, TRUTH).peak == pytest.approx(TRUTH.max() - TRUTH.min(), rel=1e-6)
    low, high = np.percentile(image, (0.1, 99.9))
    assert Scorer(image, FLAT).peak == pytest.approx(high - low)
    assert Scorer(bytes_, FLAT, TRUTH, peak=100).peak == 100
    image[0, 0] = 1e5
    assert Scorer(image, FLAT).peak == pytest.approx(high - low, rel=0.01), "a hot pixel is not the bulk of the image"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (TRUTH[:-1], "has the shape"),
        (TRUTH.astype(complex), "complex128; it must hold real numbers"),
        (TRUTH > 100, "bool; it must hold real numbers"),
        (np.where(TRUTH > 150, np.nan, TRUTH), "NaN or inf"),
        (np.where(TRUTH > 150, -np.inf, TRUTH), "NaN or inf"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(reference, words):
    with pytest.raises(ImageError, match=words):
        Scorer(normal(0), FLAT, reference)
