"""Previews lie where their pixels are, or are hidden with a word: other orders of axes, 3-D, other data, coarser levels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lotadenoise._qt.denoise.live_preview import LivePreview
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise.events import Preview


@pytest.fixture
def live(make_napari_viewer):
    made = []

    def make(data, **options):
        viewer = make_napari_viewer()
        layer = viewer.add_image(data, **options)
        asked = []
        preview = LivePreview(viewer, Source(layer), asked.append, frozenset(), {})
        made.append(preview)
        return viewer, layer, preview, asked

    yield make
    for preview in made:
        preview.close()


def picture(preview: LivePreview, shape) -> Preview:
    index = (*preview.view_request.point[:-2], slice(0, shape[0]), slice(0, shape[1]))
    return Preview(preview.view_request, 1, index, np.ones(shape, np.float32))


def test_previews_are_hidden_where_the_view_shows_other_axes_and_come_back(live):
    viewer, _, preview, _ = live(np.random.default_rng(0).random((5, 16, 17)))
    preview.show(picture(preview, (16, 17)))
    shown = viewer.layers[-1]
    assert shown.visible
    viewer.dims.order = (1, 0, 2)  # z and x
    assert not shown.visible
    assert preview.why_hidden == "the view shows other axes than y and x"
    preview.show(picture(preview, (16, 17)))
    assert not shown.visible
    viewer.dims.order = (0, 2, 1)  # y and x, transposed: the layer turns with its source
    assert preview.why_hidden == ""
    preview.show(picture(preview, (16, 17)))
    assert shown.visible
    viewer.dims.ndisplay = 3
    assert not shown.visible
    viewer.dims.ndisplay = 2
    viewer.dims.order = (0, 1, 2)
    preview.show(picture(preview, (16, 17)))
    assert shown.visible


def test_a_layer_that_gets_other_data_hides_its_previews_and_asks_for_nothing(live):
    viewer, layer, preview, asked = live(np.random.default_rng(0).random((5, 16, 17)))
    preview.show(picture(preview, (16, 17)))
    before = preview.view_request
    layer.data = np.random.default_rng(0).random((9, 9))
    preview.follow()
    assert not viewer.layers[-1].visible
    assert preview.why_hidden == "the layer has other data now"
    assert preview.view_request == before
    assert not asked


def test_what_is_in_view_of_a_coarser_level_is_told_in_full_resolution(live):
    full = np.random.default_rng(0).random((2048, 2048)).astype(np.float32)
    _, layer, preview, _ = live([full, full[::4, ::4]], multiscale=True)
    layer._data_level = 1
    layer.corner_pixels = np.array([[0, 0], [511, 511]])
    preview.follow()
    rows, columns = preview.view_request.window
    assert (rows.start, columns.start) == (0, 0)
    assert rows.stop >= 2044


def test_a_run_whose_layer_gets_other_data_ends_and_the_dock_asks_for_its_axes(open_dock, qtbot):
    viewer, dock = open_dock(np.random.default_rng(0).normal(100, 10, (3, 32, 32)).astype(np.float32))
    dock.settings.form["steps"].value = 200
    dock.denoise()
    qtbot.waitUntil(lambda: dock.session is not None and dock.session.live.count > 0, timeout=60_000)
    viewer.layers["cells"].data = np.random.default_rng(1).normal(100, 10, (2, 2, 3, 24, 24)).astype(np.float32)
    assert len(dock.axes.letters) == 5
    qtbot.waitUntil(lambda: not dock.controller.state.busy, timeout=60_000)
    result = viewer.layers[dock.run_list.runs[0].result]
    assert result.data.shape == (3, 32, 32)
    assert not [layer for layer in viewer.layers if "(live)" in layer.name]
    viewer.layers["cells"].data = np.random.default_rng(1).normal(100, 10, (24, 24)).astype(np.float32)
    assert dock.axes.letters == "YX"
    assert not dock.axes.isVisible()
