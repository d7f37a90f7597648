"""The part of an image that methods are compared on: what is in it, and what is kept of each axis."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_lotadenoise.comparison.crop import DEPTH, choose_crop, crop_at
from napari_lotadenoise.image.stack import Layout, Stack
from tests.helpers import scene

EMPTY, TEXTURE, BRIGHT = range(3)


def stack_of(image, axes="YX", channels="separate", volume=False, fill=False):
    return Stack(image, Layout(axes, channels, volume), fill=fill)


def mosaic(labels, side=64, seed=0):
    """An image of square parts that are empty, textured or plain and bright, with noise; and what each pixel belongs to."""
    rng = np.random.default_rng(seed)
    where = np.kron(np.array(labels), np.ones((side, side), int))
    texture = ndimage.gaussian_filter(rng.standard_normal(where.shape), 3.0)
    texture = 110 + 40 * texture / texture.std()
    image = np.choose(where, [np.full(where.shape, 20.0), texture, np.full(where.shape, 200.0)])
    return (image + rng.normal(0, 5, where.shape)).astype(np.float32), where


def sizes(crop):
    return tuple(part.stop - part.start for part in crop)


# ---- what is in it


@pytest.mark.parametrize("labels", sorted(set(itertools.permutations([EMPTY, EMPTY, TEXTURE, BRIGHT]))))
@pytest.mark.parametrize("side", [48, 64, 100])
def test_it_holds_both_detail_and_background(labels, side):
    image, where = mosaic(np.reshape(labels, (2, 2)))
    crop = choose_crop(stack_of(image), side)
    shares = np.bincount(where[crop].ravel(), minlength=3) / where[crop].size
    assert sizes(crop) == (side, side)
    assert shares[TEXTURE] >= 0.4, "the edges of what is plain are no detail to judge by"
    assert shares[EMPTY] + shares[BRIGHT] >= 0.05


def test_a_half_of_texture_one_of_nothing_and_one_of_light():
    image, where = mosaic([[EMPTY, EMPTY, TEXTURE, TEXTURE], [BRIGHT, BRIGHT, TEXTURE, TEXTURE]])
    shares = np.bincount(where[choose_crop(stack_of(image), 96)].ravel(), minlength=3) / 96**2
    assert shares[TEXTURE] > 0.4
    assert shares[EMPTY] > 0.02
    assert shares[BRIGHT] > 0.02


def test_few_small_things_on_an_empty_ground_are_found():
    rng = np.random.default_rng(0)
    image = rng.normal(10, 3, (256, 256)).astype(np.float32)
    spots = np.zeros_like(image)
    spots[160:220, 40:100] = rng.random((60, 60)) > 0.98
    image += 400 * ndimage.gaussian_filter(spots, 2.0)
    crop = choose_crop(stack_of(image), 64)
    assert spots[crop].sum() > 0.7 * spots.sum()


@pytest.mark.parametrize("turned", [False, True])
def test_where_no_window_is_dark_and_bright_it_is_not_a_corner_of_nothing(turned):
    """Light that falls off across the image, and one thing in the middle of it."""
    rng = np.random.default_rng(0)
    image = np.linspace(0, 256, 512) + rng.normal(0, 3, (256, 512))
    thing = np.zeros(image.shape, bool)
    thing[100:140, 230:280] = True
    image[thing] += 200 * ndimage.gaussian_filter(rng.standard_normal((40, 50)), 2.0).ravel()
    crop = choose_crop(stack_of((image.T if turned else image).astype(np.float32)), 64)
    assert (thing.T if turned else thing)[crop].sum() > 0.7 * thing.sum()


def test_noise_alone_gives_some_window():
    crop = choose_crop(stack_of(np.random.default_rng(0).normal(0, 1, (100, 90)).astype(np.float32)), 32)
    assert sizes(crop) == (32, 32)


def test_holes_do_not_draw_it():
    image, _ = mosaic([[EMPTY, EMPTY], [TEXTURE, TEXTURE]])
    expected = choose_crop(stack_of(image), 64)
    image[5:7, 5:7] = np.nan
    assert choose_crop(stack_of(image, fill=True), 64) == expected


# ---- where it is


@pytest.mark.parametrize("shape", [(97, 131), (64, 200), (200, 65), (50, 50), (7, 300), (33, 4)])
@pytest.mark.parametrize("side", [16, 33, 64, 1000, 0])
def test_it_lies_inside_and_is_as_large_as_it_can_be(shape, side):
    crop = choose_crop(stack_of(scene(shape)), side)
    assert sizes(crop) == tuple(min(n, side or n) for n in shape)
    assert all(0 <= part.start < part.stop <= n for part, n in zip(crop, shape, strict=True))


def test_what_the_far_edge_holds_is_reached():
    """The last window begins where no block does."""
    image = np.random.default_rng(0).normal(10, 1, (101, 101)).astype(np.float32)
    image[-30:, -30:] += 100 * scene((30, 30))[:30, :30] / 120
    crop = choose_crop(stack_of(image), 50)
    assert all(part.stop >= 98 for part in crop)


def test_the_same_image_gives_the_same_crop_in_any_order_of_axes():
    image, _ = mosaic([[EMPTY, TEXTURE, BRIGHT]])
    rows, columns = choose_crop(stack_of(image), 64)
    assert choose_crop(stack_of(image), 64) == (rows, columns)
    turned = choose_crop(stack_of(np.ascontiguousarray(image.T), "XY"), 64)
    assert turned == (columns, rows)


# ---- the other axes


def test_all_axes_are_kept():
    image = np.zeros((3, 2, 4, 5, 64, 80), np.float32) + scene((64, 80))
    crop = choose_crop(stack_of(image, "TPCZYX"), 32)
    assert image[crop].shape == (1, 1, 4, 1, 32, 32)
    assert image[choose_crop(stack_of(image, "TPCZYX"), 32, frames=True)].shape == (3, 1, 4, 1, 32, 32)
    assert image[choose_crop(stack_of(image, "TPCZYX", volume=True), 32)].shape == (1, 1, 4, 5, 32, 32)


@pytest.mark.parametrize("channels", ["separate", "joint"])
def test_channels_and_colours_are_kept(channels):
    picture = np.stack([scene((64, 70), s) for s in range(3)], -1)
    assert sizes(choose_crop(stack_of(picture, "YXS"), 32)) == (32, 32, 3)
    image = np.moveaxis(picture, -1, 0)
    assert sizes(choose_crop(stack_of(image, "CYX", channels), 32)) == (3, 32, 32)


@pytest.mark.parametrize("planes", [1, 5, DEPTH, DEPTH + 1, 40])
def test_a_volume_keeps_the_planes_in_its_middle(planes):
    volume = np.zeros((planes, 40, 40), np.float32) + scene((40, 40))
    depth = choose_crop(stack_of(volume, "ZYX", volume=True), 32)[0]
    assert depth.stop - depth.start == min(planes, 16)
    assert abs((depth.start + depth.stop) / 2 - planes / 2) <= 0.5


def test_the_liveliest_slice_of_a_stack_is_taken():
    stack = np.stack([120 + (scene((64, 64)) - 120) * share for share in (0.1, 0.2, 1.0, 0.3, 0.1)]).astype(np.float32)
    assert choose_crop(stack_of(stack, "ZYX"), 32)[0] == slice(2, 3)
    assert choose_crop(stack_of(stack[::-1][1:], "TYX"), 32)[0] == slice(1, 2)
    assert choose_crop(stack_of(stack, "TYX"), 32, frames=True)[0] == slice(0, 5)


def test_a_point_says_which_slice_and_its_own_window_is_taken():
    one, other = (mosaic([labels])[0] for labels in ([TEXTURE, EMPTY, EMPTY, EMPTY], [EMPTY, EMPTY, EMPTY, TEXTURE]))
    stack = np.stack([one, other])
    for number in (0, 1):
        crop = choose_crop(stack_of(stack, "ZYX"), 48, (number, 0, 0))
        assert crop[0] == slice(number, number + 1)
        assert crop[1:] == choose_crop(stack_of(stack[number]), 48)
    assert (
        choose_crop(stack_of(stack, "ZYX"), 48, (0, 0, 0))[2] != choose_crop(stack_of(stack, "ZYX"), 48, (1, 0, 0))[2]
    )


def test_a_point_in_a_volume_says_which_planes():
    volume = np.zeros((50, 40, 40), np.float32) + scene((40, 40))
    stack = stack_of(volume, "ZYX", volume=True)
    depths = [choose_crop(stack, 32, (at, 0, 0))[0] for at in (0, 20, 49)]
    assert depths == [slice(0, 16), slice(12, 28), slice(34, 50)]


def test_given_rows_and_columns_are_taken_as_they_are():
    crop = crop_at(Layout("TCYXS"), (9, 2, 50, 60, 3), (4, 1, 0, 0, 0), slice(3, 20), slice(5, 30))
    assert crop == (slice(4, 5), slice(0, 2), slice(3, 20), slice(5, 30), slice(0, 3))
    crop = crop_at(Layout("XYT"), (60, 50, 9), (0, 0, 4), slice(3, 20), slice(5, 30), frames=True)
    assert crop == (slice(5, 30), slice(3, 20), slice(0, 9))
