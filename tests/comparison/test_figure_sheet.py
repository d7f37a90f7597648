"""Where things stand in the figure of a comparison."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from napari_lotadenoise.comparison import Candidate
from napari_lotadenoise.comparison.figure import figure
from napari_lotadenoise.comparison.figure_sheet import wrapped
from tests.comparison.test_figure import NLM, row, words
from tests.helpers import comparison_of, scene


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (64, 64)), (5, (64, 64)), (26, (64, 64)), (6, (30, 240)), (4, (240, 60)), (3, (8, 900)), (2, (900, 8))],
)
def test_nothing_overlaps(count, shape):
    """Titles, scores, notes, pictures, colour bar: with labels too long for a column, and of one word."""
    image = scene(shape, 5)
    options = [{"width": 0.1 * n} for n in range(count)]
    options[count // 2] = {"strength": 1.0, "shrinkage": "soft", "wavelet": "haar", "levels": 3, "a" * 60: 1}
    candidates = [Candidate("wavelet", o, "paper") for o in options]
    results = [(candidate, image + 4 + n) for n, candidate in enumerate(candidates)]
    compared = comparison_of(image, results, reference=image, same_exposure=False)  # which has the longest scores
    drawn = figure(compared, scale={"X": 0.1}, unit="µm")
    FigureCanvasAgg(drawn).draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn.texts]
    boxes += [(axes.get_label(), axes.get_tightbbox()) for axes in drawn.axes if axes.get_label() == "colours"]
    boxes += [(axes.get_label(), axes.get_window_extent()) for axes in drawn.axes if axes.get_label() != "colours"]
    assert len([name for name, _ in boxes if name == "picture"]) == count + 2
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, up) < 0.5, f"{one!r} overlaps {other!r}"
    width, height = drawn.bbox.size
    for name, box in boxes:
        assert box.x0 >= 0, name
        assert box.y0 >= 0, name
        assert box.x1 <= width, name
        assert box.y1 <= height, name


def test_lines_are_broken_so_that_names_keep_their_values():
    assert wrapped("13. Median, radius 2", 1.1, 7, bold=True, parts=True) == ("13. Median,", "radius 2")
    assert wrapped("13. Median, radius 2", 1.1, 7, bold=True) == ("13. Median, radius", "2")
    assert wrapped("Median, radius 2", 3, 7, parts=True) == ("Median, radius 2",)
    assert wrapped("", 1, 7) == ("",)
    assert "".join(wrapped("a" * 99, 1, 7)) == "a" * 99
    assert wrapped("ab", 0.001, 7) == ("a", "b"), "a letter is all that is left to break"


def test_pictures_as_thin_as_lines_are_stretched_and_that_is_said():
    for shape, stretched in (((8, 900), True), ((900, 8), True), ((60, 240), False)):
        image = scene(shape)
        drawn = figure(comparison_of(image, [(NLM, image)], truth=image))
        box = row(drawn, "picture")[0].get_window_extent()
        assert 0.12 < box.height / box.width < 5.1
        assert ("stretched" in " ".join(words(drawn))) is stretched


def test_up_to_six_columns_a_figure_is_as_wide_as_a_page_and_then_of_its_shape():
    image = scene((64, 64))
    for count in (1, 3, 5, 6, 11, 18, 26):
        results = [(Candidate("gaussian", {"width": 0.1 * n}), image + n) for n in range(count)]
        width, height = figure(comparison_of(image, results, truth=image)).get_size_inches()
        if count < 6:
            assert width <= 7.21
            assert height <= 10
        else:
            assert 0.8 < height / width < 2
