"""Quick looks and instant previews, with a real viewer."""

import numpy as np
import pytest

from napari_lotadenoise import denoise
from napari_lotadenoise.methods.instant import Instant
from tests._qt.conftest import finish, steps

TITLE = Instant.info.title
LIVE = f"cells · {TITLE} (live)"


def names(viewer):
    return [layer.name for layer in viewer.layers]


def shown(dock, qtbot, count=1):
    """Wait for quick pictures."""
    qtbot.waitUntil(lambda: dock.quick_look.live is not None and dock.quick_look.live.count >= count, timeout=30_000)


@pytest.fixture
def view_request(open_dock, stack, qtbot):
    """A dock whose quick look shows the first slice."""
    viewer, dock = open_dock(stack)
    viewer.dims.set_current_step(0, 0)
    dock.quick_look.switch.setChecked(True)
    shown(dock, qtbot)
    yield viewer, dock
    dock.quick_look.stop()


def test_the_controls_of_a_quick_look_are_there_while_it_is_on(open_dock, stack, qtbot):
    _, dock = open_dock(stack)
    controls = (dock.quick_look.slider, dock.quick_look.apply)
    assert not any(control.isVisibleTo(dock) for control in controls)
    dock.quick_look.switch.setChecked(True)
    assert all(control.isVisibleTo(dock) for control in controls)
    dock.quick_look.stop()


def test_a_quick_look_says_what_it_is_shows_the_slice_and_changes_nothing(view_request, stack):
    viewer, _ = view_request
    before = stack.copy()
    assert names(viewer) == ["cells", LIVE]
    np.testing.assert_allclose(viewer.layers[LIVE].data, denoise(stack[0], "instant").image, atol=0.5)
    assert np.array_equal(viewer.layers["cells"].data, before)


def test_a_quick_look_follows_the_slider_of_the_viewer(view_request, stack, qtbot):
    viewer, dock = view_request
    for place in (2, 1):
        count = dock.quick_look.live.count
        viewer.dims.set_current_step(0, place)
        assert not viewer.layers[LIVE].visible, "the picture of another slice must not stand here"
        shown(dock, qtbot, count + 1)
        assert viewer.layers[LIVE].visible
        assert int(np.argmin([np.abs(viewer.layers[LIVE].data - plane).mean() for plane in stack])) == place


def test_the_noise_level_acts_at_once(view_request, stack, qtbot):
    viewer, dock = view_request
    removed = [np.std(viewer.layers[LIVE].data - stack[0])]
    for level in (0.4, 2.0):
        count = dock.quick_look.live.count
        dock.quick_look.slider.setValue(level)
        shown(dock, qtbot, count + 1)
        removed.append(np.std(viewer.layers[LIVE].data - stack[0]))
    assert removed[1] < 0.7 * removed[0] < removed[2]


def test_switching_off_takes_everything_away(view_request, qtbot):
    viewer, dock = view_request
    dock.quick_look.switch.setChecked(False)
    assert names(viewer) == ["cells"]
    qtbot.wait(200)  # a picture that was on its way must not come back
    assert names(viewer) == ["cells"]


def test_who_deletes_the_picture_switches_it_off(view_request, qtbot):
    viewer, dock = view_request
    viewer.layers.remove(LIVE)
    qtbot.waitUntil(lambda: not dock.quick_look.switch.isChecked(), timeout=10_000)
    assert names(viewer) == ["cells"]


@pytest.mark.slow
def test_large_images_are_followed_where_they_are_moved_and_zoomed_to(open_dock, qtbot):
    noisy = np.random.default_rng(0).poisson(50, (1400, 1400)).astype(np.float32)
    viewer, dock = open_dock(noisy, show=True)
    dock.quick_look.switch.setChecked(True)
    shown(dock, qtbot)
    viewer.camera.zoom = 4
    for centre in ((200, 200), (1200, 1200)):
        viewer.camera.center = (0, *centre)
        qtbot.waitUntil(lambda c=centre: abs(viewer.layers[LIVE].affine.translate[0] - c[0]) < 150, timeout=30_000)
    dock.quick_look.stop()


def test_another_layer_is_looked_at_when_it_is_chosen(view_request, stack, qtbot):
    viewer, _ = view_request
    viewer.add_image(stack[::-1].copy(), name="others")
    qtbot.waitUntil(lambda: f"others · {TITLE} (live)" in names(viewer), timeout=30_000)
    assert LIVE not in names(viewer)


def test_what_cannot_be_looked_at_is_said(open_dock, qtbot):
    _, dock = open_dock(np.zeros((16, 16), bool))
    dock.quick_look.switch.setChecked(True)
    qtbot.waitUntil(lambda: "boolean" in dock.quick_look.words.text(), timeout=30_000)
    assert "No quick look" in dock.quick_look.words.text()


def test_apply_to_all_denoises_the_layer_as_it_was_shown(view_request, stack, qtbot):
    viewer, dock = view_request
    dock.quick_look.slider.setValue(1.5)
    dock.quick_look.apply.click()
    finish(dock, qtbot)
    layer = viewer.layers[f"cells · {TITLE}"]
    recipe = layer.metadata["lotadenoise"]
    assert (recipe["method"], recipe["parameters"]["level"], recipe["pretrained"]) == ("instant", 1.5, True)
    assert np.array_equal(layer.data, denoise(stack, "instant", "ZYX", level=1.5).image)
    assert names(viewer) == ["cells", f"cells · {TITLE}"], "the quick look is over"


def test_a_run_ends_the_quick_look(view_request, qtbot):
    viewer, dock = view_request
    steps(dock, 5)
    dock.denoise()
    assert not dock.quick_look.switch.isChecked()
    finish(dock, qtbot)
    assert names(viewer) == ["cells", "cells · LoTA-N2N"]


def test_residuals_are_shown_beside_a_quick_look(view_request, stack, qtbot):
    viewer, dock = view_request
    dock.maps.boxes["residual"].setChecked(True)
    qtbot.waitUntil(lambda: "cells · residual (live)" in names(viewer), timeout=30_000)
    residual, picture = viewer.layers["cells · residual (live)"].data, viewer.layers[LIVE].data
    np.testing.assert_allclose(residual, stack[0] - picture, atol=1e-3)


def test_closing_the_dock_takes_the_quick_look_away(view_request, qtbot):
    viewer, dock = view_request
    dock.leave()
    assert names(viewer) == ["cells"]


# ---------------------------------------------------------------- the instant previews of a run


def test_the_first_picture_of_a_run_is_the_instant_one_until_the_method_is_better(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack, first=True)
    steps(dock, 100_000, schedule="constant", rate=0.003)
    dock.denoise()
    qtbot.waitUntil(lambda: dock.session is None or dock.session.live.count >= 1, timeout=60_000)
    assert names(viewer) == ["cells", LIVE]
    qtbot.waitUntil(lambda: f"preview by {TITLE}" in dock.run_bar.status.text(), timeout=10_000)
    dock.session.live.by = ""  # as after the handover
    qtbot.waitUntil(lambda: "preview by" not in dock.run_bar.status.text(), timeout=10_000)
    dock.controller.finish_now()
    finish(dock, qtbot)
    recipe = viewer.layers["cells · LoTA-N2N"].metadata["lotadenoise"]
    assert recipe["pretrained"] is False
