"""What is advised for which noise, and what is warned of."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise import METHODS, estimate_noise
from napari_lotadenoise.comparison import advice
from tests.helpers import scene


def reports():
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(10, 100, 256), (256, 1))
    return {
        "constant": estimate_noise(scene((256, 256)) + rng.normal(0, 15, (256, 256))),
        "photons": estimate_noise(3.0 * rng.poisson(ramp)),
        "correlated": estimate_noise(
            scene((256, 256)) + 40 * ndimage.gaussian_filter(rng.standard_normal((256, 256)), 0.9)
        ),
        "clean": estimate_noise(scene((256, 256))),
    }


REPORTS = reports()


@pytest.mark.parametrize("kind", REPORTS)
def test_what_is_recommended_exists_and_gets_no_warning_once_done_as_advised(kind):
    report = REPORTS[kind]
    for name in advice.recommended(report):
        assert advice.concerns(METHODS[name], report, stride=report.stride) == ()
    assert advice.summary(report).endswith(".")


def test_nothing_is_recommended_for_a_clean_image():
    assert advice.recommended(REPORTS["clean"]) == ()
    assert "lose detail" in advice.concerns(METHODS["tv"], REPORTS["clean"])[0]


def test_correlation_is_warned_of_unless_the_method_or_the_stride_copes():
    report = REPORTS["correlated"]
    assert report.correlated
    assert report.stride >= 2
    assert advice.concerns(METHODS["noise2self"], report) == (), "the stride is chosen by the noise"
    assert "correlated" in advice.concerns(METHODS["noise2self"], report, stride=1)[0]
    assert "correlated" in advice.concerns(METHODS["dip"], report)[0], "which has no stride"
    assert advice.concerns(METHODS["noise2self"], report, stride=report.stride) == ()
    assert advice.concerns(METHODS["noise2self"], report, structure="square") == ()
    assert advice.concerns(METHODS["mash"], report) == ()


def test_unequal_noise_is_warned_of_where_it_is_not_stabilised():
    report = REPORTS["photons"]
    assert report.signal_dependent
    assert "grows with the signal" in advice.concerns(METHODS["nlm"], report, stabilise="off")[0]
    assert advice.concerns(METHODS["nlm"], report) == ()
    assert advice.concerns(METHODS["noise2self"], report, stabilise="off") == ()


def test_the_stride_that_is_advised_makes_the_noise_independent_and_pays():
    from napari_lotadenoise import denoise
    from napari_lotadenoise.metrics import psnr

    rng = np.random.default_rng(1)
    truth = ndimage.gaussian_filter(rng.standard_normal((192, 192)), 10) * 800 + 120
    smooth = ndimage.gaussian_filter(rng.standard_normal((192, 192)), 0.8)
    noisy = (truth + 15 * smooth / smooth.std()).astype(np.float32)
    stride = estimate_noise(noisy).stride
    parts = noisy[::stride, ::stride] - truth[::stride, ::stride]
    assert abs(np.corrcoef(parts[1:].ravel(), parts[:-1].ravel())[0, 1]) < 0.15
    plain, interleaved = (denoise(noisy, "gaussian", stride=n).image for n in (1, stride))
    assert psnr(interleaved, truth, 255) > psnr(plain, truth, 255) + 2


def test_advice_for_correlated_noise_says_what_needs_a_stride_and_what_does_not():
    words = advice.summary(REPORTS["correlated"])
    assert (
        f"with a stride of {REPORTS['correlated'].stride}, which is chosen automatically, NL-Ridge, Noise2Self" in words
    )
    assert words.startswith("Suited: Instant (pre-trained), MASH")


def test_no_advice_for_a_handful_of_pixels():
    assert "too small" in advice.summary(estimate_noise(np.random.default_rng(0).normal(0, 1, (8, 8))))
