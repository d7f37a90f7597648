import itertools

import numpy as np
import pytest

from napari_lotadenoise.errors import AxesError, ImageError, MethodError, NotFiniteError
from napari_lotadenoise.image.checks import check
from napari_lotadenoise.image.stack import Layout, Stack, as_dtype, filled, layout_for, read_with_halo, reflected, tiles

SIZES = {"T": 2, "P": 2, "C": 3, "Z": 4, "Y": 6, "X": 7, "S": 3}
LAYOUTS = [
    Layout(axes, channels, volume)
    for axes in (
        "YX",
        "XY",
        "ZYX",
        "YXZ",
        "TYX",
        "CYX",
        "YXC",
        "YXS",
        "CZYX",
        "ZCYX",
        "TCZYX",
        "ZYXS",
        "CYXS",
        "PTCZYX",
    )
    for channels, volume in itertools.product(("separate", "joint"), (False, True))
    if "Z" in axes or not volume
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_what_is_read_and_written_back_is_the_image(layout):
    array = np.random.default_rng(0).random([SIZES[a] for a in layout.axes]).astype(np.float32)
    stack = Stack(array, layout)
    out = np.full_like(array, np.nan)
    for group, sample in itertools.product(range(stack.groups), range(stack.samples)):
        block = stack.read(group, sample)
        assert block.shape == (stack.channels, *stack.spatial)
        stack.write(out, group, sample, stack.full, block)
    assert np.array_equal(out, array)


def test_blocks_have_the_meaning_of_their_axes():
    array = np.arange(2 * 3 * 4 * 6 * 7).reshape(2, 3, 4, 6, 7)
    apart = Stack(array, Layout("TCZYX"))
    assert (apart.groups, apart.samples, apart.channels) == (3, 8, 1)
    assert np.array_equal(apart.read(1, 5)[0], array[1, 1, 1])
    volume = Stack(array, Layout("TCZYX", "joint", volume=True))
    assert (volume.groups, volume.samples, volume.channels) == (1, 2, 3)
    assert np.array_equal(volume.read(0, 1), array[1])


def test_a_point_is_found_in_its_group_and_sample():
    stack = Stack(np.zeros((2, 3, 4, 6, 7)), Layout("TCZYX"))
    assert stack.locate((1, 2, 3, 0, 0)) == (2, 7)


@pytest.mark.parametrize(
    ("axes", "says"),
    [("ZYQ", "'Q'"), ("YYX", "twice"), ("ZX", "lack Y or X"), ("", "lack Y or X")],
)
def test_impossible_axes_are_refused(axes, says):
    with pytest.raises(AxesError, match=says):
        Layout(axes)


def test_axes_are_never_guessed_for_more_than_two_dimensions():
    assert layout_for((5, 5), None).axes == "YX"
    for shape in ((), (5,)):
        with pytest.raises(AxesError, match="two or more dimensions"):
            layout_for(shape, None)
    with pytest.raises(AxesError, match="say what they are"):
        layout_for((3, 5, 5), None)
    with pytest.raises(AxesError, match="name 2 dimensions, the image has 3"):
        layout_for((3, 5, 5), "YX")
    with pytest.raises(AxesError, match="needs a Z axis"):
        layout_for((3, 5, 5), "TYX", volume=True)


@pytest.mark.parametrize(
    ("array", "error", "says"),
    [
        (np.zeros((0, 5)), ImageError, "empty"),
        (np.ones((9, 9), complex), ImageError, "complex"),
        (np.ones((9, 9), bool), ImageError, "boolean"),
        (np.full((9, 9), "a"), ImageError, "real numbers"),
        (np.full((9, 9), 7.0), ImageError, r"constant \(every pixel is 7\)"),
        (np.random.default_rng(0).random((3, 9)), ImageError, "3 x 9 pixels"),
        (np.where(np.eye(9) > 0, np.nan, 1.0), NotFiniteError, "holds 9 NaN;"),
        (np.where(np.eye(9) > 0, -np.inf, 1.0), NotFiniteError, "holds 9 inf;"),
        (np.full((9, 9), np.nan), NotFiniteError, "81 NaN"),
        (np.uint32(4_000_000_000) + np.arange(81, dtype=np.uint32).reshape(9, 9), ImageError, "subtract an offset"),
        (1e300 * np.random.default_rng(0).random((9, 9)), ImageError, "divide it first"),
    ],
)
def test_images_that_cannot_be_denoised_are_refused_with_a_reason(array, error, says):
    with pytest.raises(error, match=says):
        check(array, Layout("YX"))


def test_a_method_without_volumes_refuses_them():
    with pytest.raises(MethodError, match="2 dimensions, not in 3; let it go"):
        check(np.random.default_rng(0).random((4, 9, 9)), Layout("ZYX", volume=True), (2,))


def test_filling_takes_the_nearest_finite_value():
    block = np.array([[[1.0, np.nan, 3.0], [1.0, 1.0, np.inf]]])
    out, count = filled(block)
    assert count == 2
    assert out[0, 0, 1] in (1.0, 3.0)
    assert out[0, 1, 2] == 3.0 or out[0, 1, 2] == 1.0
    assert np.isnan(block[0, 0, 1]), "the input must stay as it is"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_reflection_is_that_of_numpy(size):
    before, after = 5, 9
    expected = np.pad(np.arange(size), (before, after), mode="reflect")
    assert np.array_equal(reflected(size, -before, size + after), expected)


def test_a_window_with_its_halo_is_the_padded_image():
    image = np.random.default_rng(0).random((1, 6, 7)).astype(np.float32)
    stack = Stack(image[0], Layout("YX"))
    expected = np.pad(image[0], 4, mode="reflect")
    got = read_with_halo(stack, 0, 0, (slice(0, 6), slice(0, 7)), [(4, 4), (4, 4)])
    assert np.array_equal(got[0], expected)


def test_tiles_cover_every_pixel_once():
    count = np.zeros((5, 70, 33), int)
    for window in tiles(count.shape, 32, 2):
        count[window] += 1
    assert np.all(count == 1)


def test_integer_results_are_rounded_and_what_is_clipped_is_counted():
    image, clipped = as_dtype(np.array([-3.0, 0.6, 255.4, 300.0]), np.uint8)
    assert image.tolist() == [0, 1, 255, 255]
    assert clipped == 2


class Counted:
    """A lazy array that counts the values that are read."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, 0

    def __getitem__(self, index):
        block = self.array[index]
        self.read += block.size
        return block


def test_of_a_large_array_that_is_not_in_memory_a_sample_is_checked(monkeypatch):
    from napari_lotadenoise.errors import NotFiniteError
    from napari_lotadenoise.image import checks, isolation

    monkeypatch.setattr(checks, "SAMPLED", 1 << 20)
    monkeypatch.setattr(isolation, "VOXELS", 1 << 19)
    lazy = Counted(np.random.default_rng(0).normal(size=(20, 600, 600)).astype(np.float32))
    stack = checks.check(lazy, Layout("ZYX"))
    assert 0 < lazy.read <= (1 << 20) + (1 << 19), "values, and from when a pixel is an outlier"
    lazy.array[7, 3, 3] = np.nan
    with pytest.raises(NotFiniteError, match="holds NaN or inf"):
        stack.read(0, 7)
    assert np.isfinite(stack.read(0, 8)).all()
    assert np.isfinite(checks.check(lazy, Layout("ZYX"), fill=True).read(0, 7)).all()
