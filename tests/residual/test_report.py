"""What is said of a residual, where it is known what it holds."""

import json

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise import denoise
from napari_lotadenoise.errors import AxesError, ImageError
from napari_lotadenoise.residual import ResidualReport, examine, leak_map
from napari_lotadenoise.residual.law import variance_law
from napari_lotadenoise.residual.leakage import leakage
from tests.helpers import scene

SIDE, SIGMA = 128, 20.0


def textured(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """A smooth scene with finer structure in its left half."""
    truth = scene((side, side), seed).astype(np.float64)
    fine = ndimage.gaussian_filter(np.random.default_rng(500 + seed).standard_normal((side, side)), 1.5)
    truth[:, : side // 2] += (25 * fine / fine.std())[:, : side // 2]
    return truth


TRUTH = textured()


def noise(seed: int = 0, shape: tuple[int, ...] = (SIDE, SIDE)) -> np.ndarray:
    return np.random.default_rng(1000 + seed).normal(0, SIGMA, shape)


def biased(report: ResidualReport) -> list[str]:
    return [word for word in ("darker", "brighter") if f"The result is {word} than the image" in report.sentence]


def artefacts(report: ResidualReport) -> list[str]:
    return [name for name in ("checkerboard", "stripes", "seams") if getattr(report, name).found]


NOISY = TRUTH + noise()
ROWS, COLUMNS = np.indices(TRUTH.shape)
#: A result that is good but not perfect: some of the noise is left at low frequencies.
GOOD = TRUTH + 0.9 * ndimage.gaussian_filter(noise(), 2)


@pytest.mark.parametrize("sigma", [SIGMA, None])
def test_a_perfect_residual_is_white_and_as_strong_as_the_noise(sigma):
    for seed in range(4):
        truth = textured(seed)
        report = examine(truth + noise(seed), truth, sigma=sigma)
        assert report.sentence.startswith("The residual is white and about as strong as the noise")
        assert report.sentence.endswith("no structure shows in it.")
        # The deviation of N normal numbers varies by 1 / sqrt(2 N) = 0.0055.
        assert report.deviation == pytest.approx(SIGMA, rel=4 * 0.0055)
        assert report.ratio == pytest.approx(1, abs=0.03 if sigma else 0.2)
        assert report.structure < 0.01


def test_a_good_result_passes():
    report = examine(NOISY, GOOD, sigma=SIGMA, tile=32)
    assert "white" in report.sentence
    assert "no structure" in report.sentence
    assert not artefacts(report)


def test_removing_nothing_and_half_is_told():
    assert examine(NOISY, NOISY, sigma=SIGMA).sentence == "Nothing was removed: the result is the image itself."
    for sigma in (SIGMA, None):
        half = examine(NOISY, (NOISY + TRUTH) / 2, sigma=sigma)
        assert half.sentence.startswith("About ")
        assert "of the noise is still there" in half.sentence
        assert half.left == pytest.approx(0.75, abs=0.12)
        assert half.ratio == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize("width", [1.5, 3.0, 6.0])
def test_over_smoothing_leaks_structure_where_there_is_any(width):
    clean = ndimage.gaussian_filter(TRUTH, width) + 0.5 * ndimage.gaussian_filter(noise(), 2)
    report = examine(TRUTH + noise(), clean, sigma=SIGMA)
    assert "the result is too smooth" in report.sentence
    if width > 4:
        return  # what is left of the structure no longer looks like what was lost, and says little of where that was
    found = leak_map(TRUTH + noise(), clean)
    lost = np.abs(TRUTH - ndimage.gaussian_filter(TRUTH, width))
    assert found[:, : SIDE // 2].mean() > found[:, SIDE // 2 :].mean() + 0.05
    assert lost[found > 0.3].mean() > 1.2 * lost[np.abs(found) < 0.1].mean()


def test_more_is_found_where_more_is_lost():
    shares = []
    for width in (0.0, 0.8, 1.5):
        clean = ndimage.gaussian_filter(TRUTH, width)
        shares.append(examine(NOISY, clean, sigma=SIGMA).structure)
    assert shares[0] < 0.005
    assert shares == sorted(shares)
    assert shares[-1] > 0.05


def test_contrast_that_was_added_is_told_from_contrast_that_was_lost():
    sharp = TRUTH + 0.7 * (TRUTH - ndimage.gaussian_filter(TRUTH, 2))
    report = examine(NOISY, sharp, sigma=SIGMA)
    assert report.opposite > 0.1 > report.structure
    assert "more contrast" in report.sentence
    assert leak_map(NOISY, sharp).mean() < -0.05


@pytest.mark.parametrize("blur", [0.0, 0.7, 1.2])
def test_chance_alone_is_not_structure(blur):
    """Beyond 3.5 deviations lie 0.02 % of normal numbers; correlated noise must not change that much."""
    found = []
    for seed in range(5):
        white = ndimage.gaussian_filter(noise(seed), blur)
        leak = leakage(SIGMA * white / white.std(), textured(seed))
        found.append((leak.share, leak.opposite))
    assert np.mean(found) < 0.004


def test_noise_that_is_left_in_the_result_is_not_structure():
    """Result and residual of a plain blur of mere noise hold the same noise: they go together, all over the image."""
    flat = 100 + noise()
    clean = ndimage.gaussian_filter(flat, 1)
    raw = np.corrcoef((flat - clean).ravel(), clean.ravel())[0, 1]
    assert raw > 0.25
    leak = leakage(flat - clean, clean)
    assert abs(leak.correlation.mean()) < 0.05
    assert leak.share < 0.005


def test_correlated_noise_is_called_so_and_what_is_left_of_it_is_told():
    wide = ndimage.gaussian_filter(noise(), 0.9)
    noisy = TRUTH + SIGMA * wide / wide.std()
    blind, told = examine(noisy, TRUTH), examine(noisy, TRUTH, sigma=SIGMA)
    assert "correlated between pixels" in blind.sentence
    assert blind.ratio == pytest.approx(1, rel=0.4)
    assert "as the noise is and about as strong as the noise" in told.sentence
    left = examine(noisy, 0.7 * noisy + 0.3 * TRUTH)
    words = left.sentence
    assert left.left == pytest.approx(1 - 0.3**2, abs=0.1)
    assert words.startswith(f"About {left.left:.0%} of the noise is still there")
    assert "of the noise is still there: it is correlated over about" in words


@pytest.mark.parametrize(("gain", "read"), [(3.0, 5.0), (0.0, 20.0)])
def test_the_variance_follows_the_signal_where_it_does(gain, read):
    rng, truth = np.random.default_rng(7), np.clip(scene((256, 256)), 30, None).astype(np.float64)
    noisy = (gain * rng.poisson(truth / gain) if gain else truth) + rng.normal(0, read, truth.shape)
    law = variance_law(noisy - truth, truth)
    assert law.slope == pytest.approx(gain, abs=4 * law.slope_error)
    assert law.follows == (gain > 0)
    assert law.rank > 0.9 or not gain
    report = examine(noisy, truth, variance=lambda level: gain * level + read**2)
    assert report.ratio == pytest.approx(1, abs=0.02)
    assert "white and about as strong as the noise;" in report.sentence


# ---- artefacts


@pytest.mark.parametrize(("shift", "word"), [(-0.5, "darker"), (0.5, "brighter")])
def test_a_part_that_is_too_dark_or_too_bright_is_told_and_its_size_known(shift, word):
    clean = GOOD.copy()
    clean[:64, :64] += shift * SIGMA
    report = examine(NOISY, clean, sigma=SIGMA)
    assert biased(report) == [word]
    # The windows that lie at least half in the quarter: 49 x 49 of the 98 x 98 whose middle is judged.
    assert getattr(report.bias, word) == pytest.approx(0.25, abs=0.05)
    assert -report.bias.size == pytest.approx(shift, abs=0.15)


@pytest.mark.parametrize("clean", [TRUTH, GOOD, ndimage.gaussian_filter(NOISY, 3), NOISY, (NOISY + TRUTH) / 2])
def test_detail_that_was_lost_and_noise_that_was_left_are_no_bias(clean):
    assert biased(examine(NOISY, clean, sigma=SIGMA)) == []


@pytest.mark.parametrize("sign", [(-1) ** (ROWS + COLUMNS), (-1.0) ** COLUMNS, (-1.0) ** ROWS])
@pytest.mark.parametrize("where", ["everywhere", "in a quarter"])
def test_a_checkerboard_is_found(sign, where):
    part = np.ones(TRUTH.shape) if where == "everywhere" else (ROWS < SIDE // 2) & (COLUMNS < SIDE // 2)
    report = examine(NOISY, GOOD + 0.15 * SIGMA * sign * part, sigma=SIGMA)
    assert report.checkerboard.found
    assert "checkerboard" in report.sentence
    assert report.checkerboard.deviation == pytest.approx(0.15 * SIGMA * np.sqrt(part.mean()), rel=0.3)


def test_a_checkerboard_of_the_camera_is_not_the_denoisers():
    pattern = 0.2 * SIGMA * (-1) ** (ROWS + COLUMNS)
    report = examine(NOISY + pattern, GOOD + pattern, sigma=SIGMA)
    assert report.numbers["checkerboard"] > 3
    assert not report.checkerboard.found


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_are_found_and_those_of_the_image_are_not_the_denoisers(axis):
    lines = np.random.default_rng(5).standard_normal((SIDE, 1)) * np.ones((1, SIDE))
    lines = 0.25 * SIGMA * (lines.T if axis else lines)
    report = examine(NOISY, GOOD + lines, sigma=SIGMA)
    assert report.stripes.found
    assert "stripes" in report.sentence
    assert report.stripes.deviation == pytest.approx(np.std(lines) * np.sqrt(0.5), rel=0.4)
    assert not examine(NOISY + lines, GOOD + lines, sigma=SIGMA).stripes.found
    assert not examine(NOISY + lines, GOOD, sigma=SIGMA).stripes.found


def test_seams_of_tiles_are_found_at_the_side_of_the_tiles():
    steps = np.kron(np.random.default_rng(5).standard_normal((4, 4)), np.ones((32, 32)))
    clean = GOOD + 0.3 * SIGMA * steps
    report = examine(NOISY, clean, sigma=SIGMA, tile=32)
    assert report.seams.found
    assert "seams" in report.sentence
    assert not examine(NOISY, clean, sigma=SIGMA, tile=20).seams.found
    assert not examine(NOISY, clean, sigma=SIGMA).seams.found
    assert not examine(NOISY + steps * SIGMA, TRUTH + steps * SIGMA, sigma=SIGMA, tile=32).seams.found


def test_no_artefact_is_seen_in_what_has_none():
    """Blurs of noise and scenes of many scales, 40 of them."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        truth = ndimage.gaussian_filter(rng.standard_normal((96, 96)), rng.uniform(1, 5))
        noisy = 100 * truth / truth.std() + rng.normal(0, rng.uniform(10, 80), truth.shape)
        report = examine(noisy, ndimage.gaussian_filter(noisy, rng.uniform(0.5, 3)), tile=24)
        assert not artefacts(report), report.numbers


# ---- shapes, and what cannot be judged


def test_planes_of_any_axes_are_measured_and_mapped():
    truths = np.stack([textured(seed, 64) for seed in range(6)]).reshape(2, 3, 64, 64)
    noisy = truths + noise(0, truths.shape)
    straight = examine(noisy, truths, "TCYX", sigma=SIGMA)
    assert straight.planes == 6
    assert straight.sentence.startswith("The residual is white")
    turned = examine(noisy.transpose(3, 0, 2, 1), truths.transpose(3, 0, 2, 1), "XTYC", sigma=SIGMA)
    assert turned.numbers == pytest.approx(straight.numbers)
    clean = ndimage.gaussian_filter(truths, (0, 0, 2, 2))
    found = leak_map(noisy, clean, "TCYX")
    assert found.shape == noisy.shape
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[1, 2], leak_map(noisy[1, 2], clean[1, 2]))
    np.testing.assert_array_equal(leak_map(noisy[0].transpose(2, 1, 0), clean[0].transpose(2, 1, 0), "XYC").T, found[0])


def test_of_many_planes_sixteen_are_read():
    class Counted:
        def __init__(self, array):
            self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, []

        def __getitem__(self, index):
            self.read.append(index[0])
            return self.array[index]

    lazy = Counted(np.random.default_rng(0).normal(50, 5, (100, 32, 32)))
    report = examine(lazy, np.full((100, 32, 32), 50.0), "ZYX", sigma=5)
    assert report.planes == len(set(lazy.read)) == 16
    assert (min(lazy.read), max(lazy.read)) == (0, 99)


def test_numbers_are_ready_for_json():
    numbers = examine(NOISY, GOOD, sigma=SIGMA, tile=32).numbers
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert all(type(value) is float for value in numbers.values())


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (3, 200), (9, 9), (16, 16), (20, 31), (32, 32)])
@pytest.mark.parametrize("known", [{}, {"sigma": 10.0}, {"sigma": 0.0}, {"variance": lambda level: level, "tile": 8}])
def test_odd_inputs_get_a_sentence_and_never_a_warning(shape, known):
    """Warnings are errors here."""
    image = np.random.default_rng(0).normal(100, 10, shape)
    broken = np.where(np.arange(image.size).reshape(shape) % 5 == 0, np.nan, image)
    for noisy in (image, broken, np.full(shape, 7.0), np.zeros(shape, np.uint8)):
        for clean in (
            image,
            broken,
            np.full(shape, 100.0),
            image + 5,
            ndimage.gaussian_filter(image, 1),
            broken * np.nan,
        ):
            report, found = examine(noisy, clean, **known), leak_map(noisy, clean)
            assert report.sentence.endswith(".")
            assert "nan" not in report.sentence
            assert np.isfinite(list(report.numbers.values())).all()
            assert np.isfinite(found).all()
            assert np.abs(found).max() <= 1


def test_what_cannot_be_judged_is_said():
    small = np.random.default_rng(0).normal(100, 10, (9, 40))
    assert "too small" in examine(small, small * 0.9).sentence
    assert examine(np.full((40, 40), 3), np.full((40, 40), 3)).sentence.startswith(
        "The image is constant: there was nothing"
    )
    assert "the result is not" in examine(np.full((40, 40), 3.0), TRUTH[:40, :40]).sentence
    assert examine(TRUTH, TRUTH + 3).sentence.startswith("Nothing was removed")
    with pytest.raises(ImageError, match="must be the same"):
        examine(NOISY, NOISY[1:])
    with pytest.raises(AxesError):
        examine(NOISY, NOISY, "ZYX")
    with pytest.raises(ImageError, match="real numbers"):
        examine(NOISY * 1j, NOISY * 1j)


# ---- real noise


def real(data, name: str) -> tuple[np.ndarray, np.ndarray]:
    from skimage import io

    crop = (slice(128, 384), slice(128, 384))
    return tuple(io.imread(data / "FMD" / kind / f"{name}.png")[crop].astype(np.float64) for kind in ("raw", "gt"))


@pytest.mark.parametrize("name", ["Confocal_MICE_1", "TwoPhoton_BPAE_G_1", "TwoPhoton_BPAE_R_2"])
def test_real_photon_noise_is_white_and_goes_with_the_signal(data, name):
    noisy, truth = real(data, name)
    report = examine(noisy, truth)
    assert report.sentence.startswith("The residual is white")
    assert report.variance.follows
    assert not artefacts(report)
    smooth = examine(noisy, ndimage.gaussian_filter(truth, 4), sigma=float(np.std(noisy - truth)))
    assert "too smooth" in smooth.sentence or "some detail was lost" in smooth.sentence


@pytest.mark.parametrize("capture", [1, 3])
def test_real_wide_field_noise_is_correlated(data, capture):
    noisy, truth = real(data, f"WideField_BPAE_B_{capture}")
    report = examine(noisy, truth)
    assert "correlated between pixels" in report.sentence
    assert min(report.whiteness.y, report.whiteness.x) > 0.5
    assert not report.noise_white


def test_the_result_of_a_good_filter_passes(data):
    noisy, _ = real(data, "Confocal_MICE_1")
    report = examine(noisy, denoise(noisy.astype(np.float32), "tv", axes="YX").image)
    assert "white and about as strong" in report.sentence
    assert not artefacts(report)
