"""The shipped network: what it promises, and what it must not do."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import METHODS, denoise, samples
from napari_lotadenoise.contract.capabilities import Tiling
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.errors import MethodError, WeightsError
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.pretrained.one_pass import FARTHEST
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import outputs, scene


def noise(shape, sigma, seed=0):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


def flat_and_edges(shape=(192, 192)):
    """Discs on a slope, 0 to 255."""
    y, x = np.indices(shape[-2:])
    image = 40 + 60 * x / shape[-1]
    for row, column, radius, level in ((50, 60, 25, 220), (120, 130, 40, 160), (140, 40, 12, 250)):
        image = np.where(np.hypot(y - row, x - column) < radius, level, image)
    return np.broadcast_to(ndimage.gaussian_filter(image, 0.7), shape).astype(np.float32)


# ---------------------------------------------------------------- the weights


@pytest.mark.parametrize("kind", shipped.SHIPPED)
def test_the_weights_are_the_ones_that_were_shipped_and_small(kind):
    net = shipped.load(kind)
    assert not any(p.requires_grad for p in net.parameters())
    assert sum(p.numel() for p in net.parameters()) < 1.5e6
    assert all(torch.isfinite(p).all() for p in net.parameters())


@pytest.mark.parametrize("kind", shipped.SHIPPED)
def test_what_is_computed_in_place_is_what_learning_computes(kind):
    net = shipped.load(kind)
    image = torch.randn(1, net.planes, 64, 48, generator=torch.Generator().manual_seed(0))
    before = image.clone()
    with torch.inference_mode():
        found = net(image)
    assert torch.equal(image, before)
    assert torch.equal(found, net(image))


def test_weights_that_were_changed_are_refused(monkeypatch):
    wrong = shipped.SHIPPED["grey"]._replace(sha256="0" * 64)
    monkeypatch.setitem(shipped.SHIPPED, "grey", wrong)
    with pytest.raises(WeightsError, match="not the ones that were shipped"):
        denoise(scene((32, 32)), "instant")


def test_weights_that_are_missing_are_named(monkeypatch):
    monkeypatch.setitem(shipped.SHIPPED, "grey", shipped.SHIPPED["grey"]._replace(file="nowhere.safetensors"))
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors cannot be read"):
        shipped.load("grey")


def test_the_recipe_says_whether_pretrained_weights_took_part():
    image = scene((48, 48)) + noise((48, 48), 20)
    with_weights, without = denoise(image, "instant").recipe, denoise(image, "median").recipe
    assert with_weights.pretrained
    assert with_weights.weights == shipped.SHIPPED["grey"].words
    assert (without.pretrained, without.weights) == (False, "")
    volume = denoise(np.stack([image] * 3), "instant", "ZYX", volume=True).recipe
    assert volume.weights == shipped.SHIPPED["volume"].words


def test_no_other_method_takes_weights():
    assert [name for name, kind in METHODS.items() if kind().weights(2)] == ["instant"]


# ---------------------------------------------------------------- quality


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_it_beats_non_local_means_by_far_on_an_image_it_never_saw(sigma):
    truth = flat_and_edges()
    noisy = truth + noise(truth.shape, sigma)
    ours, theirs = (psnr(denoise(noisy, name).image, truth, 255) for name in ("instant", "nlm"))
    assert ours > theirs + 1


def test_a_volume_gains_from_its_neighbouring_planes():
    noisy, truth = samples.confocal()
    noisy, truth = noisy[:8, :128, :128], truth[:8, :128, :128]
    planes, volume = (denoise(noisy, "instant", "ZYX", volume=v).image for v in (False, True))
    assert psnr(volume, truth, truth.max()) > psnr(planes, truth, truth.max()) + 0.5


@pytest.mark.slow
def test_colours_gain_from_each_other():
    grey = flat_and_edges()
    truth = np.stack([grey, 0.8 * grey, 255 - 0.7 * grey], -1)
    noisy = truth + noise(truth.shape, 25)
    together = denoise(noisy, "instant", "YXS").image
    apart = np.stack([denoise(noisy[..., c], "instant").image for c in range(3)], -1)
    assert psnr(together, truth, 255) > psnr(apart, truth, 255) + 0.5


def test_photon_noise_is_found_and_removed_without_bias():
    truth = flat_and_edges()
    noisy = 3 * np.random.default_rng(0).poisson(truth / 3).astype(np.float32)
    result = denoise(noisy, "instant")
    assert psnr(result.image, truth, 255) > psnr(noisy, truth, 255) + 9
    assert result.image.mean() == pytest.approx(truth.mean(), rel=0.005)


def test_eight_views_are_at_least_as_good():
    truth = flat_and_edges()
    noisy = truth + noise(truth.shape, 25)
    one, eight = (psnr(denoise(noisy, "instant", self_ensemble=e).image, truth, 255) for e in (False, True))
    assert eight > one


def test_the_level_scales_what_is_removed():
    truth = flat_and_edges()
    noisy = truth + noise(truth.shape, 25)
    removed = [np.std(denoise(noisy, "instant", level=level).residual) for level in (0.5, 1.0, 2.0)]
    assert removed[0] < 0.8 * removed[1]
    assert removed[1] < removed[2]
    sigmas = [denoise(noisy, "instant", level=level).sigma for level in (0.5, 2.0)]
    assert sigmas == pytest.approx([25, 25], rel=0.1), "the level changes what is done, not what was measured"


# ---------------------------------------------------------------- what it must not do


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sigma", [1.0, 30.0])
def test_no_structure_is_invented_on_pure_noise(seed, sigma):
    image = 100 + noise((256, 256), sigma, seed)
    assert denoise(image, "instant").image.std() < 0.1 * image.std()


def test_no_structure_is_invented_on_pure_photon_noise():
    image = np.random.default_rng(0).poisson(20, (256, 256)).astype(np.uint16)
    assert denoise(image, "instant").image.std() < 0.1 * image.std()


@pytest.mark.parametrize("kind", ["colours", "volume"])
def test_no_structure_is_invented_on_pure_noise_in_more_dimensions(kind):
    if kind == "colours":
        image, options = noise((192, 192, 3), 20) + 120, {"axes": "YXS"}
    else:
        image, options = noise((8, 192, 192), 20) + 120, {"axes": "ZYX", "volume": True}
    assert denoise(image, "instant", **options).image.std() < 0.1 * image.std()


@pytest.mark.parametrize("planes", [2, 3, 4])
def test_no_structure_is_invented_in_thin_volumes(planes):
    image = noise((planes, 96, 96), 10) + 100
    assert denoise(image, "instant", "ZYX", volume=True).image.std() < 0.1 * image.std()


@pytest.mark.parametrize(("method", "options"), [("instant", {}), ("noise2self", {"preset": "warm"})])
def test_one_plane_is_no_volume(method, options):
    with pytest.raises(MethodError, match="needs two planes or more"):
        denoise(noise((1, 64, 64), 10), method, "ZYX", volume=True, **options)


def test_the_ends_of_a_stack_are_as_quiet_as_its_middle():
    """There planes are mirrored, and their noise comes twice: it must not pass for something that they have in common."""
    image = noise((10, 96, 96), 10) + 100
    left = np.std(denoise(image, "instant", "ZYX", volume=True).image, axis=(1, 2)) / 10
    assert left.max() < 0.05


@pytest.mark.parametrize(
    "clean", [flat_and_edges(), scene((128, 128)), np.kron([[0, 255], [255, 0]], np.ones((40, 40)))]
)
def test_a_clean_image_stays_what_it_is(clean):
    clean = clean.astype(np.float32)
    change = np.abs(denoise(clean, "instant").image - clean)
    assert np.sqrt(np.mean(change**2)) < 0.005 * np.ptp(clean)


def test_nothing_is_taken_from_a_pixel_beyond_five_deviations():
    image = 100 + noise((128, 128), 10)
    image[40:43, 40:43] += 1000  # too many side by side to be outliers
    result = denoise(image, "instant", sigma=10, noise="constant")
    assert np.abs(result.residual).max() <= FARTHEST * 10 * 1.001
    assert result.image[40:43, 40:43].min() > 1000


def test_hot_pixels_do_no_harm_to_what_is_around_them():
    truth = flat_and_edges()
    noisy = truth + noise(truth.shape, 20)
    hot = noisy.copy()
    hot[::37, ::41] = 60_000
    elsewhere = hot == noisy
    before, after = (denoise(image, "instant").image[elsewhere] for image in (noisy, hot))
    assert psnr(after, truth[elsewhere], 255) > psnr(before, truth[elsewhere], 255) - 0.5


def test_padded_borders_and_blank_planes_do_not_count_for_noise():
    truth = flat_and_edges()
    noisy = truth + noise(truth.shape, 20)
    whole = psnr(denoise(noisy, "instant").image[80:], truth[80:], 255)
    padded = noisy.copy()
    padded[:75] = 0
    assert psnr(denoise(padded, "instant").image[80:], truth[80:], 255) > whole - 0.5
    stack = np.stack([noisy, *[np.zeros_like(noisy)] * 3])
    assert psnr(denoise(stack, "instant", "ZYX").image[0, 80:], truth[80:], 255) > whole - 0.5


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_range_of_intensities_does_not_matter(scale):
    truth = flat_and_edges((96, 96))
    noisy = (truth + noise(truth.shape, 25)) * np.float32(scale)
    assert psnr(denoise(noisy, "instant").image / scale, truth, 255) > 28


def test_an_offset_does_not_matter():
    truth = flat_and_edges((96, 96))
    noisy = truth + noise(truth.shape, 25)
    shifted = denoise(noisy + 10_000, "instant", noise="constant").image - 10_000
    np.testing.assert_allclose(shifted, denoise(noisy, "instant", noise="constant").image, atol=1)  # bfloat16


def test_correlated_noise_goes_through_a_network_of_its_own():
    truth = flat_and_edges()
    size_multiple = ndimage.gaussian_filter(noise(truth.shape, 1), 0.8)
    noisy = truth + 20 * size_multiple / size_multiple.std()
    plain, apart = (denoise(noisy, "instant", stride=s) for s in (1, 3))
    assert psnr(plain.image, truth, 255) > psnr(noisy, truth, 255) + 12
    assert psnr(plain.image, truth, 255) > psnr(apart.image, truth, 255)
    assert shipped.SHIPPED["coloured"].words in plain.recipe.weights
    assert plain.sigma == pytest.approx(20, rel=0.25)


def correlated_noise(width, shape=(192, 192), seed=0):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width)
    return 20 * noise / noise.std()


@pytest.mark.parametrize("width", [0.6, 0.9, 1.2])
@pytest.mark.parametrize("method", ["instant", "auto"])
def test_no_structure_is_invented_on_pure_correlated_noise(method, width):
    assert denoise(200 + correlated_noise(width), method).image.std() < 0.1 * 20


def test_two_levels_under_correlated_noise_keep_their_step_and_their_clipped_end():
    truth = np.where(np.arange(192)[:, None] < 96, 100.0, 180.0) * np.ones((1, 192))
    image = np.minimum(truth + correlated_noise(1.0), 190)
    clean = denoise(image, "auto").image
    assert (clean - truth)[:80].std() < 0.1 * 20
    assert np.ptp(clean.mean(1)[[40, 150]]) == pytest.approx(np.ptp(image.mean(1)[[40, 150]]), abs=3)
    assert clean.max() < 190 + 0.2 * 20


def test_saturated_parts_stay_saturated():
    truth = np.clip(1.6 * flat_and_edges() - 60, 0, 255)
    noisy = np.clip(truth + noise(truth.shape, 20), 0, 255).astype(np.uint8)
    image = denoise(noisy, "instant").image
    assert psnr(image, truth, 255) > psnr(noisy, truth, 255) + 5
    assert (image[ndimage.minimum_filter(truth, 9) == 255] > 240).all()


@pytest.mark.parametrize("image", [np.eye(64, dtype=np.uint8), np.eye(4), np.eye(64, 5), 1e30 * np.eye(33)])
def test_odd_images_come_through(image):
    result = denoise(image, "instant").image
    assert result.shape == image.shape
    assert np.abs(result - image).max() <= np.ptp(image)


# ---------------------------------------------------------------- how it is computed


def test_tiles_leave_no_seam(monkeypatch):
    image = torch.from_numpy(scene((640, 80)) + noise((640, 80), 20))
    whole = denoise(image.numpy(), "instant", sigma=20, noise="constant").image
    monkeypatch.setattr(Instant, "tiling", Tiling(smallest=128, largest=128))
    tiled = denoise(image.numpy(), "instant", sigma=20, noise="constant").image
    np.testing.assert_allclose(
        tiled, whole, atol=0.2
    )  # of a deviation of 20; bfloat16 rounds where processors are fast at it


def test_half_precision_costs_next_to_nothing_even_where_there_is_little_noise():
    truth = flat_and_edges()
    noisy = torch.from_numpy(truth + noise(truth.shape, 1))[None, None]
    clean = {}
    for precision in ("float32", "bfloat16"):
        method, training = configure(Instant, precision=precision)
        trainer = Trainer(noisy / 50, method, training, 0)
        clean[precision] = next(iter(outputs(trainer, noisy / 50))) * 50
    assert psnr(clean["bfloat16"].numpy()[0, 0], truth, 255) > psnr(clean["float32"].numpy()[0, 0], truth, 255) - 0.05
