"""The figure of a comparison: what its pixels, letters and boxes are, not only that there are some."""

import itertools
import re
import zlib

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from napari_lotadenoise.comparison import Candidate
from napari_lotadenoise.comparison.figure import figure, round_length, save
from napari_lotadenoise.comparison.figure_panels import panels
from napari_lotadenoise.errors import FileError, ParameterError
from tests.helpers import comparison_of, scene

NLM, MEDIAN, TV = Candidate("nlm"), Candidate("median"), Candidate("tv")


@pytest.fixture(scope="module")
def truth():
    return scene((96, 96), 3)


@pytest.fixture(scope="module")
def noisy(truth):
    return truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)


@pytest.fixture(scope="module")
def compared(truth, noisy):
    """The truth off by 4 and by 6, and a method that failed."""
    results = [(NLM, truth + 4), (MEDIAN, "too small"), (TV, truth - 6)]
    return comparison_of(noisy, results, reference=truth)


def pixels(drawn, dpi=200):
    """The figure as (rows, columns, RGB), and its axes by the name of their row."""
    drawn.set_dpi(dpi)
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def row(drawn, name):
    return [axes for axes in drawn.axes if axes.get_label() == name]


def at(seen, axes, x, y):
    """The colour at a place in axes, as shares from the left and from the top."""
    box = axes.get_position()
    height, width = seen.shape[:2]
    return seen[int((1 - box.y1 + y * box.height) * height), int((box.x0 + x * box.width) * width)]


def words(drawn):
    return [text.get_text() for text in drawn.texts]


def test_every_picture_has_the_grey_values_of_one_contrast():
    steps = (
        np.repeat(np.arange(4) * 50.0, 16)[None].repeat(64, 0).astype(np.float32)
    )  # 0, 50, 100, 150 from left to right
    compared = comparison_of(steps, [(NLM, np.full_like(steps, 75)), (TV, steps + 60)], truth=steps)
    drawn = figure(compared, inset=(slice(32, 48), slice(0, 16)))
    seen = pixels(drawn)
    for axes, expected in zip(
        row(drawn, "picture"), ((0, 85, 170, 255), (128, 128, 128, 128), (102, 187, 255, 255)), strict=True
    ):
        assert axes.images[0].get_clim() == (0, 150)
        for number, grey in enumerate(expected):
            np.testing.assert_allclose(at(seen, axes, number / 4 + 0.125, 0.1), grey, atol=1)


def test_the_contrast_is_that_of_the_reference_and_not_of_a_result_gone_wild(truth, noisy):
    calm = comparison_of(noisy, [(NLM, truth)], reference=truth)
    wild = comparison_of(noisy, [(NLM, truth), (TV, 1000 * truth)], reference=truth)
    limits = [{axes.images[0].get_clim() for axes in row(figure(c), "picture")} for c in (calm, wild)]
    assert limits[0] == limits[1]
    assert limits[0] == {tuple(np.percentile(truth, (0.2, 99.8)).tolist())}
    assert (
        row(figure(wild), "residual")[0].images[0].get_clim() == row(figure(calm), "residual")[0].images[0].get_clim()
    )


def test_what_was_removed_is_red_or_blue_around_a_centre_without_colour():
    noisy = np.full((64, 64), 100, np.float32)
    noisy[:, :16] = 90
    noisy[:, 48:] = 110
    drawn = figure(comparison_of(noisy, [(NLM, np.full_like(noisy, 100))], truth=noisy))
    seen, (axes,) = pixels(drawn), row(drawn, "residual")
    assert axes.images[0].get_clim() == (-10, 10)
    centre = at(seen, axes, 0.5, 0.5)
    assert np.ptp(centre) <= 2
    assert centre.min() > 240
    low, high = at(seen, axes, 0.1, 0.5), at(seen, axes, 0.9, 0.5)
    assert low[2] > low[0] + 50, "less than 0 is blue"
    assert high[0] > high[2] + 50, "more than 0 is red"
    assert [label.get_text() for label in row(drawn, "colours")[0].get_xticklabels()] == ["\N{MINUS SIGN}10", "0", "10"]


def test_all_residuals_share_one_symmetric_range(compared):
    limits = {axes.images[0].get_clim() for axes in row(figure(compared), "residual")}
    ((low, high),) = limits
    assert low == -high
    assert high == pytest.approx(2.8 * 20, rel=0.15), "the 99.5th percentile of the noise of deviation 20"


@pytest.mark.parametrize(("pixel", "unit", "length"), [(0.25, "µm", 5.0), (0.02, "mm", 0.5), (3.0, "nm", 50.0)])
def test_the_scale_bar_is_as_long_as_it_says(compared, pixel, unit, length):
    drawn = figure(compared, scale={"Y": pixel, "X": pixel}, unit=unit)
    seen, axes = pixels(drawn, 400), row(drawn, "picture")[0]
    assert f"{length:g} {unit}" in [text.get_text() for text in axes.texts]
    (bar,) = (patch for patch in axes.patches if patch.get_gid() == "scale bar")
    assert bar.get_width() * pixel == pytest.approx(length)
    # Seen: so many white pixels in a row, of those that the width of the picture has.
    box = bar.get_window_extent()
    line = seen[int(seen.shape[0] - (box.y0 + box.y1) / 2)]
    left = int(axes.get_window_extent().x0)
    white = [sum(1 for _ in run) for is_white, run in itertools.groupby((line[left:] == 255).all(1)) if is_white]
    assert np.isclose(white, length / pixel / 96 * axes.get_window_extent().width, atol=1.5).any()


def test_without_a_pixel_size_there_is_no_scale_bar(compared):
    for scale, unit in ((None, "µm"), ({"Z": 1.0}, "µm"), ({"X": 0.5, "Y": 0.5}, "")):
        drawn = figure(compared, scale=scale, unit=unit)
        assert not any(patch.get_gid() == "scale bar" for axes in drawn.axes for patch in axes.patches)
    assert "Pixels are drawn square and are not" in " ".join(
        words(figure(compared, scale={"X": 0.5, "Y": 0.8}, unit="µm"))
    )


def test_the_scale_bar_makes_room_for_the_frame(compared):
    for part, left in (((slice(60, 96), slice(60, 96)), True), ((slice(0, 36), slice(60, 96)), False)):
        axes = row(figure(compared, scale={"X": 0.25}, unit="µm", inset=part), "picture")[0]
        (bar,) = (patch for patch in axes.patches if patch.get_gid() == "scale bar")
        assert (bar.get_x() < 48) is left


def test_lengths_are_round():
    for most, expected in ((37, 20), (50, 50), (0.3, 0.2), (0.0999, 0.05), (1, 1), (9.99, 5), (1234, 1000)):
        assert round_length(most) == expected


def test_the_enlarged_part_is_the_same_place_pixel_by_pixel(compared, noisy, truth):
    part = slice(10, 40), slice(50, 80)
    drawn = figure(compared, inset=part)
    for axes, whole in zip(row(drawn, "inset"), (noisy, truth, truth + 4, truth - 6), strict=True):
        np.testing.assert_allclose(axes.images[0].get_array(), whole[part], rtol=1e-6)
    for axes in row(drawn, "picture"):
        (frame,) = axes.patches
        assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (49.5, 9.5, 30, 30)


def test_the_enlarged_part_is_where_the_detail_is(truth):
    plain = np.full((96, 96), 50, np.float32)
    plain[60:80, 16:40] += truth[60:80, 16:40]
    noisy = plain + np.random.default_rng(0).normal(0, 5, plain.shape).astype(np.float32)
    rows, columns = panels(comparison_of(noisy, [(NLM, plain)], truth=plain)).inset
    assert rows.start <= 62
    assert rows.stop >= 78
    assert columns.start <= 20
    assert columns.stop >= 36


def test_small_pictures_have_no_enlarged_part(truth):
    small = truth[:40, :40]
    drawn = figure(comparison_of(small, [(NLM, small)], truth=small))
    assert row(drawn, "inset") == []
    assert len(row(drawn, "picture")) == 2


@pytest.mark.parametrize(
    "part", [(slice(0, 97), slice(0, 10)), (slice(5, 5), slice(0, 10)), (slice(-3, 5), slice(0, 9))]
)
def test_a_part_outside_the_picture_is_refused(compared, part):
    with pytest.raises(ParameterError, match="is not within the 96 x 96 pixels"):
        figure(compared, inset=part)


def test_titles_say_place_method_and_score(compared):
    found = panels(compared).columns
    assert [panel.title for panel in found] == ["Noisy input", "Reference", "1. Non-local means", "2. Total variation"]
    assert [panel.score.split(" dB")[0] for panel in found] == ["PSNR 22.1", "", "PSNR 36.1", "PSNR 32.6"]
    said = " ".join(words(figure(compared)))
    assert "2. Total variation" in said
    assert "PSNR 36.1 dB, SSIM" in said
    assert "in order of PSNR against the reference" in said
    assert "No result: Median." in said
    assert "≈" not in said


def test_only_so_many_are_shown(compared):
    assert [panel.title for panel in panels(compared, best=1).columns][2:] == ["1. Non-local means"]
    with pytest.raises(ParameterError, match="best must be a number of results"):
        figure(compared, best=0)


def test_what_is_level_with_the_best_is_marked_and_explained(truth, noisy):
    level = comparison_of(noisy, [(NLM, truth + 4), (TV, truth - 4.01), (MEDIAN, truth + 9)], reference=truth)
    titles = [panel.title for panel in panels(level).columns[2:]]
    assert titles == ["1. Non-local means ≈", "2. Total variation ≈", "3. Median"]
    assert "≈: too close to the best one to call." in " ".join(words(figure(level)))


def test_estimates_are_said_where_there_are_some(truth, noisy):
    estimated = comparison_of(noisy, [(NLM, truth + 4)], truth=truth)
    assert panels(estimated).columns[1].score == "est. 36.1 dB"
    assert "Without a reference, methods are ranked by Stein's estimate" in " ".join(words(figure(estimated)))
    unknown = comparison_of(noisy, [(NLM, truth + 4)])
    assert panels(unknown).columns[1].score == ""
    correlated = comparison_of(
        noisy, [(NLM, truth + 4)], truth=truth, independent=False, caution="It is correlated between pixels."
    )
    assert panels(correlated).columns[1].score == ""
    assert "correlated between pixels" in " ".join(words(figure(correlated)))


def test_of_another_exposure_the_reference_has_a_contrast_of_its_own(truth, noisy):
    found = comparison_of(noisy, [(NLM, truth)], reference=0.5 * truth, same_exposure=False)
    shown = panels(found)
    assert shown.columns[1].residual is None
    assert shown.columns[1].limits[1] == pytest.approx(np.percentile(truth, 99.8) / 2)
    assert {panel.limits for panel in (shown.columns[0], shown.columns[2])} == {
        tuple(np.percentile(noisy, (0.2, 99.8)))
    }
    assert shown.columns[2].score.startswith("fitted PSNR")
    assert "but the reference, which has its own" in " ".join(words(figure(found)))


def test_of_a_stack_the_middle_plane_is_shown_and_said(truth):
    stack = np.stack([np.stack([truth + 10 * z + 100 * c for z in range(5)]) for c in range(3)])
    whole = comparison_of(stack, [(NLM, stack - 1)], "CZYX", truth=stack)
    np.testing.assert_allclose(panels(whole).columns[0].picture, stack[1, 2])
    np.testing.assert_allclose(panels(whole).columns[1].residual, 1, atol=1e-4)
    assert "Shown is channel 2, z-slice 3 (counted from 1)." in panels(whole).notes
    assert "Scores are those of all planes compared." in panels(whole).notes
    where = (slice(0, 3), slice(7, 8), slice(0, 96), slice(0, 96))
    part = comparison_of(stack[:, 3:4], [(NLM, stack[:, 3:4])], "CZYX", truth=stack[:, 3:4], crop=where)
    assert "Shown is channel 2, z-slice 8 (counted from 1)." in panels(part).notes


@pytest.mark.parametrize("axes", ["YXS", "SYX"])
def test_colours_are_shown_as_colours(axes):
    image = np.zeros((64, 64, 3), np.float32)
    image[:, :32] = (200, 100, 0)
    image[:, 32:] = (0, 50, 200)
    result = image + np.float32([3, 0, 0])
    turned = [np.moveaxis(a, 2, 0) if axes == "SYX" else a for a in (image, result)]
    compared = comparison_of(turned[0], [(NLM, turned[1])], axes, truth=turned[0])
    drawn = figure(compared)
    seen, axes_ = pixels(drawn), row(drawn, "picture")[0]
    np.testing.assert_allclose(at(seen, axes_, 0.1, 0.05), (255, 127, 0), atol=1)
    np.testing.assert_allclose(at(seen, axes_, 0.9, 0.05), (0, 64, 255), atol=1)
    np.testing.assert_allclose(row(drawn, "residual")[0].images[0].get_array(), -1, atol=1e-4)
    assert "Residuals are means over the colours." in panels(compared).notes


def test_missing_pixels_do_no_harm(truth, noisy):
    holed = noisy.copy()
    holed[3, 4], holed[5, 6] = np.nan, np.inf
    found = comparison_of(holed, [(NLM, truth)], reference=truth)
    drawn = figure(found)
    pixels(drawn, 60)
    assert np.isfinite(row(drawn, "residual")[1].images[0].get_clim()).all()
    assert panels(found).columns[0].score == "", "no score of an image that is not finite"


def text_of(pdf):
    """All lines of letters in a PDF file, from the operators that show text."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        for shown in re.findall(rb"\[([^\]]*(?:\\\][^\]]*)*)\]\s*TJ|(\((?:\\.|[^\\)])*\))\s*Tj", content):
            pieces = re.findall(rb"\(((?:\\.|[^\\)])*)\)", b"".join(shown), re.DOTALL)
            found.append(b"".join(pieces).replace(b"\0", b"").replace(b"\\", b"").decode("latin-1"))
    return found


def test_a_pdf_holds_its_letters_as_text_in_fonts_that_can_be_edited(compared, tmp_path):
    save(figure(compared), tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content
    lines = text_of(content)
    assert {"1. Non-local means", "2. Total variation", "Reference"} <= set(lines)
    assert any(line.startswith("PSNR 36.1 dB, SSIM") for line in lines)
    save(figure(compared), tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == content, "the same comparison gives the same file"


def test_a_png_has_the_resolution_of_print_and_the_style_of_nobody(compared, tmp_path):
    from PIL import Image

    drawn = figure(compared)
    save(drawn, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == tuple(int(side * 300) for side in drawn.get_size_inches())
        assert image.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
    with matplotlib.rc_context(
        {"font.size": 30, "figure.facecolor": "black", "image.cmap": "jet", "text.color": "red"}
    ):
        before = dict(matplotlib.rcParams)
        save(figure(compared), tmp_path / "b.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_figure_that_cannot_be_written_says_so_and_leaves_nothing(compared, tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        save(figure(compared), tmp_path / "no" / "a.png")
    assert list(tmp_path.iterdir()) == []
