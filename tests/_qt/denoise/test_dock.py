"""The dock with a real viewer: what a user does, and what must not happen."""

import json
import subprocess
import sys

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.contract.method import Training, configure
from napari_lotadenoise.events import Progress
from tests._qt.conftest import finish, steps
from tests.helpers import scene


def click(dock, qtbot):
    qtbot.mouseClick(dock.run_bar.denoise_button, Qt.MouseButton.LeftButton)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def running(dock, qtbot, previews=1):
    """Wait until a run shows its first previews."""
    qtbot.waitUntil(lambda: dock.session is None or dock.session.live.count >= previews, timeout=60_000)
    assert dock.session is not None, dock.run_bar.status.text()


# ---------------------------------------------------------------- before a run


def test_opening_the_dock_imports_no_torch():
    code = (
        "import sys, napari\n"
        "v = napari.Viewer(show=False)\n"
        "_, dock = v.window.add_plugin_dock_widget('napari-lotadenoise', 'Denoise')\n"
        "import numpy as np; v.add_image(np.zeros((3, 9, 9)))\n"
        "assert dock.sentence.text().startswith('3 z-slices of 9 x 9')\n"
        "print('torch' in sys.modules); v.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "False"


def test_every_method_is_offered_with_its_idea_assumptions_and_source(open_dock, stack):
    _, dock = open_dock(stack)
    for method in METHODS.values():
        dock.settings.choose(method.id)
        about = dock.settings.about.text()
        for words in (method.info.idea, method.info.assumes, method.info.fails, method.info.url):
            assert words in about
        assert method.info.title in dock.sentence.text()


def test_the_form_gives_the_defaults_of_every_preset_back(open_dock, stack):
    _, dock = open_dock(stack)
    for kind in METHODS.values():
        dock.settings.choose(kind.id)
        for preset in kind.presets:
            dock.settings.preset.setCurrentText(preset)
            order = dock.request()
            assert (order.method, order.training) == configure(kind, preset)
    assert isinstance(order.training, Training)


def test_the_sentence_follows_every_choice(open_dock):
    _, dock = open_dock(np.random.default_rng(0).random((2, 3, 16, 17)))
    assert dock.sentence.text().startswith("2 time points x 3 z-slices of 16 x 17, with LoTA-N2N, on CPU")
    dock.axes.set_layout("CZYX")
    assert "3 z-slices of 16 x 17, 2 channels separately" in dock.sentence.text()
    dock.axes.set_layout("CZYX", "joint", volume=True)
    assert "one volume of 3 x 16 x 17, 2 channels together" in dock.sentence.text()
    dock.axes.set_layout("ZZYX")
    assert "Two axes are both z-slices" in dock.sentence.text()


@pytest.mark.parametrize(
    ("options", "axes"),
    [
        ({}, "ZYX"),
        ({"axis_labels": ("t", "y", "x")}, "TYX"),
        ({"axis_labels": ("channel", "y", "x")}, "CYX"),
        ({"units": ("s", "um", "um")}, "TYX"),
        ({"units": ("um", "um", "um")}, "ZYX"),
    ],
)
def test_axes_are_proposed_from_what_the_layer_says(open_dock, stack, options, axes):
    _, dock = open_dock(stack, **options)
    assert dock.request().options.axes == axes


def test_colour_layers_are_understood(open_dock):
    _, dock = open_dock(np.zeros((16, 17, 3), np.uint8), rgb=True)
    assert dock.request().options.axes == "YXS"
    assert "one image of 16 x 17, 3 colours together" in dock.sentence.text()


def test_other_layers_are_refused_with_a_sentence(open_dock, qtbot):
    viewer, dock = open_dock()
    assert "Open an image" in dock.sentence.text()
    viewer.add_labels(np.zeros((9, 9), int), name="cells")
    assert "'cells' is a Labels layer" in dock.sentence.text()
    click(dock, qtbot)
    assert dock.session is None
    assert "Cannot denoise: 'cells' is a Labels layer" in dock.run_bar.status.text()


def test_the_dock_follows_the_active_image_layer_and_its_name(open_dock, stack):
    viewer, dock = open_dock(stack)
    other = viewer.add_image(stack[0], name="other")
    assert dock.layer.name == "other"
    viewer.layers.selection.active = viewer.layers["cells"]
    assert dock.layer.name == "cells"
    other.name = "renamed"
    assert [dock.layers.itemText(i) for i in range(dock.layers.count())] == ["cells", "renamed"]
    viewer.layers.remove("cells")
    assert dock.layer.name == "renamed"


def test_every_control_has_a_name_for_screen_readers(open_dock, stack):
    _, dock = open_dock(stack)
    for kind in (QAbstractButton, QComboBox, QAbstractSpinBox):
        for widget in dock.findChildren(kind):
            if widget.isVisibleTo(dock) and widget.objectName() != "qt_toolbar_ext_button":
                assert widget.accessibleName() or getattr(widget, "text", str)(), widget


# ---------------------------------------------------------------- a run


def test_a_click_gives_what_python_gives_calibrated_and_with_its_recipe(open_dock, stack, qtbot):
    geometry = {
        "scale": (2.0, 0.3, 0.3), "translate": (1.0, 5.0, -3.0), "rotate": 20.0, "units": ("um", "um", "um"),
        "axis_labels": ("z", "y", "x"), "colormap": "green", "contrast_limits": (50, 220), "gamma": 0.8,
    }  # fmt: skip
    viewer, dock = open_dock(stack, **geometry)
    source = viewer.layers["cells"]
    units = viewer.dims.axis_labels, source.units
    before = stack.copy()
    steps(dock, 12)
    dock.settings.options["seed"].value = 4
    click(dock, qtbot)
    finish(dock, qtbot)
    layer = viewer.layers["cells · LoTA-N2N"]
    expected = denoise(before, "lota-n2n", "ZYX", seed=4, steps=12, crop=32, holdout=0)
    assert np.array_equal(layer.data, expected.image)
    assert layer.data.dtype == np.float32
    assert np.array_equal(source.data, before)
    corners = np.array([(0, 0, 0), (0, 47, 0), (2, 0, 63), (2, 47, 63)])
    for corner in corners:
        np.testing.assert_allclose(layer.data_to_world(corner), source.data_to_world(corner))
    assert (layer.units, layer.axis_labels) == (source.units, source.axis_labels)
    assert (viewer.dims.axis_labels, source.units) == units
    assert layer.colormap.name == "green"
    assert tuple(layer.contrast_limits) == (50, 220)
    assert layer.gamma == 0.8
    recipe = layer.metadata["lotadenoise"]
    assert json.loads(json.dumps(recipe)) == recipe
    assert (recipe["method"], recipe["seed"], recipe["axes"]) == ("lota-n2n", 4, "ZYX")
    assert names(viewer) == ["cells", "cells · LoTA-N2N"]
    assert "cells · LoTA-N2N" in dock.run_bar.status.text()
    assert dock.layer.name == "cells", "the result does not take the place of its source"


@pytest.mark.parametrize(
    ("shape", "axes", "rgb"),
    [((32, 40), "YX", False), ((3, 32, 40), "TYX", False), ((2, 32, 40), "CYX", False), ((2, 3, 32, 40), "CZYX", False),
     ((32, 40, 3), "YXS", True)],
)  # fmt: skip
def test_layers_of_all_kinds_give_what_python_gives(open_dock, qtbot, shape, axes, rgb):
    clean = scene(shape[:-1] if rgb else shape)
    clean = np.stack([clean] * 3, -1) if rgb else clean
    data = np.clip(clean + np.random.default_rng(0).normal(0, 15, shape), 0, 255).astype(np.uint8)
    viewer, dock = open_dock(data, rgb=rgb)
    if not rgb and len(axes) > 2:
        dock.axes.set_layout(axes)
    steps(dock, 6)
    click(dock, qtbot)
    finish(dock, qtbot)
    result = denoise(data, "lota-n2n", axes, steps=6, crop=32, holdout=0)
    shown = viewer.layers["cells · LoTA-N2N"].data
    assert np.array_equal(shown, result.astype(np.uint8)[0] if rgb else result.image)


def test_a_second_result_gets_a_name_of_its_own(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 3)
    for _ in range(2):
        click(dock, qtbot)
        finish(dock, qtbot)
    assert names(viewer) == ["cells", "cells · LoTA-N2N", "cells · LoTA-N2N [1]"]


def test_loss_and_sigma_stream_into_the_plots(open_dock, stack, qtbot, monkeypatch):
    from napari_lotadenoise.engine import clock

    monkeypatch.setattr(clock, "REPORT_EVERY", 0.0)
    _, dock = open_dock(stack)
    steps(dock, 60)
    click(dock, qtbot)
    finish(dock, qtbot)
    pair, trace, sigma = (dock.plot.values(name) for name in ("pair", "trace", "sigma"))
    assert len(pair) == len(sigma) >= 60
    assert np.mean(pair[-10:]) < np.mean(pair[:10])
    at = dock.plot.steps("pair")
    assert at == sorted(at), "no news is shown twice"
    assert 25 <= len(trace) <= 32, "the trace belongs to the second stage"
    assert 12 < sigma[-1] < 40


def test_the_three_exits(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    assert not dock.run_bar.denoise_button.isVisibleTo(dock)
    assert "cells · preview (live)" in names(viewer)
    qtbot.mouseClick(dock.run_bar.pause_button, Qt.MouseButton.LeftButton)
    assert dock.run_bar.pause_button.text() == "Resume"
    qtbot.waitUntil(lambda: dock.run_bar.status.text().startswith("paused"), timeout=5000)
    qtbot.mouseClick(dock.run_bar.pause_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.run_bar.status.text().startswith("training"), timeout=5000)
    qtbot.mouseClick(dock.run_bar.finish_now_button, Qt.MouseButton.LeftButton)
    finish(dock, qtbot, 10_000)
    assert names(viewer) == ["cells", "cells · LoTA-N2N"]
    assert "finished early" in dock.run_bar.status.text()

    click(dock, qtbot)
    running(dock, qtbot)
    worker = dock.session.worker
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        qtbot.mouseClick(dock.run_bar.discard_button, Qt.MouseButton.LeftButton)
        assert dock.session is None
        assert names(viewer) == ["cells", "cells · LoTA-N2N"], "live layers go at once"
    assert "Discarded" in dock.run_bar.status.text()
    assert not process_settings._before, "the settings of the process are put back"
    assert dock.run_bar.denoise_button.isVisibleTo(dock)


def test_the_preview_follows_the_slider(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    viewer.dims.set_current_step(0, 0)
    steps(dock, 100_000, schedule="constant", rate=0.003)
    click(dock, qtbot)
    running(dock, qtbot, previews=8)

    def closest():
        shown = viewer.layers["cells · preview (live)"].data
        return int(np.argmin([np.abs(shown - plane).mean() for plane in stack]))

    assert closest() == 0
    for place in (2, 1):
        viewer.dims.set_current_step(0, place)
        assert not viewer.layers["cells · preview (live)"].visible, "the picture of another slice must not stand here"
        qtbot.waitUntil(lambda: viewer.layers["cells · preview (live)"].visible, timeout=10_000)
        assert closest() == place


@pytest.mark.parametrize("channels", ["separate", "joint"])
def test_the_preview_shows_the_channel_of_the_slider(open_dock, stack, qtbot, channels):
    viewer, dock = open_dock(stack)
    dock.axes.set_layout("CYX", channels)
    viewer.dims.set_current_step(0, 2)
    steps(dock, 100_000, schedule="constant", rate=0.003)
    click(dock, qtbot)
    running(dock, qtbot, previews=8)
    shown = viewer.layers["cells · preview (live)"].data
    assert int(np.argmin([np.abs(shown - plane).mean() for plane in stack])) == 2


def test_the_schedule_follows_the_3d_box_and_keeps_what_was_typed(open_dock, stack):
    _, dock = open_dock(stack)
    flat, solid = (METHODS["lota-n2n"].preset("fast").schedule(volume=volume) for volume in (False, True))
    assert flat.steps != solid.steps
    dock.settings.form["trace"].value = 2.0
    dock.axes.set_layout("ZYX", volume=True)
    assert (dock.settings.form["steps"].value, dock.settings.form["batch"].value) == (solid.steps, solid.batch)
    assert dock.settings.form["trace"].value == 2.0
    dock.axes.set_layout("ZYX", volume=False)
    assert (dock.settings.form["steps"].value, dock.settings.form["batch"].value) == (flat.steps, flat.batch)


def test_the_boxes_are_those_of_the_method(open_dock, stack):
    _, dock = open_dock(stack)
    assert list(dock.maps.boxes) == ["residual", "pair a", "pair b", "proxy a", "trace"]
    dock.maps.boxes["residual"].setChecked(True)
    dock.settings.method.setCurrentText("Blind2Grad-style")
    assert list(dock.maps.boxes) == ["residual", "uncertainty", "mask", "detail", "protected", "gradient difference"]
    assert dock.maps.wanted() == {"residual"}
    dock.settings.method.setCurrentText("Gaussian blur")
    assert list(dock.maps.boxes) == ["residual"]


def test_a_calibration_shows_its_curve(open_dock, stack, qtbot):
    _, dock = open_dock(stack)
    dock.settings.method.setCurrentText("Gaussian blur")
    click(dock, qtbot)
    finish(dock, qtbot)
    assert not dock.plot.calibration.isHidden()
    curve = dock.plot.steps("calibration"), dock.plot.values("calibration")
    assert len(curve[0]) == len(METHODS["gaussian"].trial_values)
    best = curve[0][int(np.argmin(curve[1]))]
    assert f"best at {best:g}" in dock.plot.calibration.plotItem.titleLabel.text
    dock.settings.method.setCurrentText("LoTA-N2N")
    steps(dock, 3)
    click(dock, qtbot)
    finish(dock, qtbot)
    assert dock.plot.calibration.isHidden()


def test_a_stochastic_method_shows_its_running_mean_and_leaves_its_uncertainty(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    dock.settings.method.setCurrentText("Self2Self")
    steps(dock, 100_000)
    dock.settings.form["passes"].value = 3
    dock.maps.boxes["uncertainty"].setChecked(True)
    dock.maps.boxes["mask"].setChecked(True)
    click(dock, qtbot)
    qtbot.waitUntil(lambda: "cells · uncertainty (live)" in names(viewer), timeout=60_000)
    running(dock, qtbot, previews=4)
    assert viewer.layers["cells · uncertainty (live)"].data.min() >= 0
    dock.controller.finish_now()
    finish(dock, qtbot)
    assert names(viewer) == ["cells", "cells · Self2Self uncertainty", "cells · Self2Self"]
    layer = viewer.layers["cells · Self2Self uncertainty"]
    assert not layer.visible
    assert layer.data.shape == stack.shape
    assert layer.data.min() >= 0
    assert layer.data.max() > 0


def test_the_colours_of_a_mask_tell_its_codes_apart():
    from napari_lotadenoise._qt.denoise.live_preview import _MASK

    shown = _MASK.map(np.array([0, 1, 2, 3]) / 3)
    assert shown[0, 3] == 0
    assert len({tuple(np.round(colour, 2)) for colour in shown}) == 4


def test_mask_and_residual_come_and_go_while_running(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    dock.settings.method.setCurrentText("Noise2Self")
    steps(dock, 100_000)
    dock.maps.boxes["mask"].setChecked(True)
    click(dock, qtbot)
    qtbot.waitUntil(lambda: "cells · mask (live)" in names(viewer), timeout=60_000)
    mask = viewer.layers["cells · mask (live)"].data
    assert set(np.unique(mask)) == {0, 1}
    assert mask.mean() == pytest.approx(1 / 16)
    assert "cells · residual (live)" not in names(viewer)
    dock.maps.boxes["residual"].setChecked(True)
    qtbot.waitUntil(lambda: "cells · residual (live)" in names(viewer), timeout=10_000)
    low, high = viewer.layers["cells · residual (live)"].contrast_limits
    assert low == -high
    dock.maps.boxes["mask"].setChecked(False)
    assert "cells · mask (live)" not in names(viewer)
    dock.controller.finish_now()
    finish(dock, qtbot)
    leaks = "cells · Noise2Self structure in residual"
    assert names(viewer) == ["cells", "cells · Noise2Self residual", leaks, "cells · Noise2Self"]
    assert not viewer.layers[leaks].visible
    assert viewer.layers[leaks].data.shape == stack.shape
    assert np.abs(viewer.layers[leaks].data).max() <= 1
    residual = viewer.layers["cells · Noise2Self residual"]
    np.testing.assert_allclose(residual.data + viewer.layers["cells · Noise2Self"].data, stack, atol=1e-3)
    assert residual.contrast_limits[0] == -residual.contrast_limits[1]


def test_a_run_does_not_change_what_is_selected(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    assert viewer.layers.selection.active == viewer.layers["cells"]


# ---------------------------------------------------------------- what goes wrong


def test_nan_is_named_and_filling_is_offered(open_dock, stack, qtbot):
    stack[0, 3, 3] = np.nan
    viewer, dock = open_dock(stack)
    steps(dock, 3)
    click(dock, qtbot)
    finish(dock, qtbot)
    assert "The image holds 1 NaN" in dock.run_bar.status.text()
    assert dock.run_bar.fill_button.isVisibleTo(dock)
    qtbot.mouseClick(dock.run_bar.fill_button, Qt.MouseButton.LeftButton)
    finish(dock, qtbot)
    assert np.isfinite(viewer.layers["cells · LoTA-N2N"].data).all()
    assert not dock.run_bar.fill_button.isVisibleTo(dock)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.full((9, 9), 3.0), "constant"),
        (np.random.default_rng(0).random((3, 9)), "3 x 9 pixels"),
        (np.random.default_rng(0).random((9, 9)) > 0.5, "boolean"),
    ],
)
def test_bad_images_are_refused_in_the_dock(open_dock, qtbot, data, says):
    viewer, dock = open_dock(data)
    click(dock, qtbot)
    finish(dock, qtbot)
    assert says in dock.run_bar.status.text()
    assert names(viewer) == ["cells"]
    assert dock.run_bar.denoise_button.isVisibleTo(dock)


def test_cuda_is_refused_with_the_reason_where_there_is_none(open_dock, stack, qtbot):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    _, dock = open_dock(stack)
    dock.settings.options["device"].value = "cuda"
    click(dock, qtbot)
    finish(dock, qtbot)
    assert "CUDA was asked for, but this torch" in dock.run_bar.status.text()


def test_pressing_twice_starts_one_run(open_dock, stack, qtbot):
    _, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    first = dock.session
    dock.denoise()
    click(dock, qtbot)
    assert dock.session is first


def test_a_layer_may_be_renamed_or_deleted_while_it_is_denoised(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    viewer.layers["cells"].name = "other"
    count = dock.session.live.count
    qtbot.waitUntil(lambda: dock.session.live.count > count, timeout=10_000)
    viewer.layers.remove("other")
    count = dock.session.live.count
    qtbot.waitUntil(lambda: dock.session.live.count > count, timeout=10_000)
    dock.controller.finish_now()
    finish(dock, qtbot)
    assert names(viewer) == ["cells · LoTA-N2N"]


def test_a_live_layer_may_be_deleted(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    viewer.layers.remove("cells · preview (live)")
    count = dock.session.live.count
    qtbot.waitUntil(lambda: dock.session.live.count > count + 1, timeout=10_000)
    assert names(viewer) == ["cells"]


def test_closing_the_dock_ends_the_run_and_leaves_nothing(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    worker = dock.session.worker
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        viewer.window.remove_dock_widget(dock)
    assert dock.session is None
    assert names(viewer) == ["cells"]
    viewer.add_image(stack)  # nothing that is left listens and fails
    viewer.theme = "light"


def test_closing_the_viewer_ends_the_run(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    session = dock.session
    with qtbot.waitSignal(session.worker.finished, timeout=10_000):
        viewer.close()
    assert not process_settings._before, "the settings of the process are put back"


def test_two_docks_do_not_know_of_each_other(open_dock, stack, qtbot):
    viewer, first = open_dock(stack)
    second = type(first)(viewer)
    viewer.window.add_dock_widget(second, name="second")
    second.settings.method.setCurrentText("ZS-N2N")
    steps(first, 40)
    steps(second, 30)
    assert first.settings.form["steps"].value == 40
    click(first, qtbot)
    second.denoise()
    finish(first, qtbot)
    finish(second, qtbot)
    assert {"cells · LoTA-N2N", "cells · ZS-N2N"} <= set(names(viewer))
    for title, method, count in (("LoTA-N2N", "lota-n2n", 40), ("ZS-N2N", "zs-n2n", 30)):
        expected = denoise(stack, method, "ZYX", steps=count, crop=32, holdout=0).image
        assert np.array_equal(viewer.layers[f"cells · {title}"].data, expected)


def test_colours_follow_the_theme(open_dock, stack):
    from napari.utils.theme import get_theme

    viewer, dock = open_dock(stack)
    dock.plot.add((Progress("training", 1, 2, losses={"pair": 0.5}),))
    for theme in ("light", "dark"):
        viewer.theme = theme
        text = get_theme(theme).text.as_hex()
        assert dock.plot.losses.getAxis("left").textPen().color().name() == _long(text)
        assert text in dock.settings.about.text()
        (_, label), *_ = dock.plot.losses.plotItem.legend.items
        assert label.opts["color"] == text
        assert dock.plot.losses.backgroundBrush().color().name() == _long(get_theme(theme).background.as_hex())


def _long(colour: str) -> str:
    return "#" + "".join(2 * c for c in colour[1:]) if len(colour) == 4 else colour


def test_the_menu_opens_the_dock(make_napari_viewer, stack):
    from napari_lotadenoise._qt.menu import open_denoise

    viewer = make_napari_viewer()
    viewer.add_image(stack)
    open_denoise()
    assert any("Denoise" in name for name in viewer.window.dock_widgets)


# ---------------------------------------------------------------- pixels


@pytest.mark.slow
def test_preview_and_result_are_really_seen(open_dock, qtbot):
    """The canvas gets smoother with the preview and with the result, and stays as bright."""
    truth = np.kron(np.array([[60.0, 180.0], [180.0, 60.0]]), np.ones((48, 48))).astype(np.float32)
    noisy = truth + np.random.default_rng(0).normal(0, 25, truth.shape).astype(np.float32)
    viewer, dock = open_dock(noisy, show=True, contrast_limits=(0, 255))
    viewer.window.resize(1000, 700)
    viewer.reset_view()

    def view_request():
        picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
        rows, columns = np.nonzero(picture > 20)
        middle = picture[
            rows.min() + 20 : (rows.min() + rows.max()) // 2 - 20,
            columns.min() + 20 : (columns.min() + columns.max()) // 2 - 20,
        ]
        return middle.mean(), middle.std()

    qtbot.wait(200)
    brightness, roughness = view_request()
    steps(dock, 100_000, schedule="constant", rate=0.003)
    click(dock, qtbot)
    qtbot.waitUntil(lambda: dock.session is not None and len(dock.plot.values("pair")) > 40, timeout=60_000)
    running(dock, qtbot, previews=5)
    qtbot.wait(100)
    preview_brightness, preview_roughness = view_request()
    assert preview_roughness < 0.6 * roughness
    dock.controller.finish_now()
    finish(dock, qtbot)
    qtbot.wait(100)
    final_brightness, final_roughness = view_request()
    assert final_roughness < 0.6 * roughness
    assert preview_brightness == pytest.approx(brightness, abs=8)
    assert final_brightness == pytest.approx(brightness, abs=8)


def test_a_turned_and_scaled_preview_lies_on_its_source(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack, scale=(2, 0.5, 0.25), translate=(0, 10, 20), rotate=30)
    source = viewer.layers["cells"]
    steps(dock, 100_000)
    click(dock, qtbot)
    running(dock, qtbot)
    preview = viewer.layers["cells · preview (live)"]
    assert isinstance(preview, Image)
    for row, column in ((0, 0), (47, 0), (10, 63)):
        np.testing.assert_allclose(preview.data_to_world((row, column)), source.data_to_world((0, row, column))[-2:])
