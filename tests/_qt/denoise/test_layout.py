"""What matters of the docks is seen on a laptop's screen without scrolling, in every state; docks share their place and layer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRect
from qtpy.QtWidgets import QApplication, QDockWidget, QScrollArea

from napari_lotadenoise._qt.denoise.controller import RunState

#: A laptop's screen without the bars of its desktop and the title of the window.
LAPTOP = (1366, 768 - 60)


def place_of(widget, dock) -> QRect:
    return QRect(widget.mapTo(dock, QPoint(0, 0)), widget.size())


def assert_in_sight(dock, *widgets) -> None:
    QApplication.processEvents()
    outer = next(area for area in dock.findChildren(QScrollArea) if area.parent() is dock)
    for widget in widgets:
        assert widget.isVisible()
        place = place_of(widget, dock)
        assert 0 <= place.top() <= place.bottom() <= outer.height(), f"{widget} lies at {place} of {outer.height()}"
        assert 0 <= place.left() <= place.right() <= outer.viewport().width()


def settled(viewer, qtbot) -> None:
    viewer.window.resize(*LAPTOP)
    qtbot.wait(50)
    assert viewer.window._qt_window.height() <= LAPTOP[1]
    assert viewer.window._qt_window.width() <= LAPTOP[0]


@pytest.mark.parametrize(("shape", "labels"), [((64, 64), None), ((2, 2, 3, 48, 48), ("t", "c", "z", "y", "x"))])
@pytest.mark.parametrize("method", ["auto", "lota-n2n"])
def test_all_that_matters_is_in_sight_before_during_and_after_a_run(open_dock, qtbot, shape, labels, method):
    data = np.random.default_rng(0).normal(100, 10, shape).astype(np.float32)
    viewer, dock = open_dock(data, show=True, method=method, **({"axis_labels": labels} if labels else {}))
    qtbot.waitUntil(lambda: dock.noise_line.report is not None, timeout=30_000)
    settled(viewer, qtbot)
    always = [dock.layers, dock.noise_line, dock.settings.method, dock.settings.idea, dock.sentence, dock.plot]
    axes = [dock.axes] if labels else []
    assert dock.axes.isVisible() == bool(labels)
    assert_in_sight(dock, *always, *axes, dock.run_bar.denoise_button, dock.quick_look.instant_preview)
    bar = dock.run_bar
    dock.controller._enter(RunState.RUNNING)
    assert_in_sight(
        dock, *always, *axes, bar.finish_now_button, bar.pause_button, bar.discard_button, bar.progress_bar, bar.status
    )
    dock.controller._enter(RunState.IDLE)
    bar.say("A very long sentence. " * 40)
    assert_in_sight(dock, *always, *axes, bar.denoise_button)
    assert dock.plot.height() >= 100


def test_what_is_hidden_of_the_noise_and_the_method_is_a_click_away(open_dock, qtbot):
    _, dock = open_dock(np.random.default_rng(0).normal(100, 10, (64, 64)), show=True)
    qtbot.waitUntil(lambda: dock.noise_line.report is not None, timeout=30_000)
    assert not dock.noise_line.details.isVisible()
    dock.noise_line.more.click()
    assert dock.noise_line.details.isVisible()
    assert dock.noise_line.report.verdict in dock.noise_line.details.text()
    assert not dock.settings.about.isVisible()
    dock.settings.info.click()
    assert dock.settings.about.isVisible()
    assert dock.settings.method_class.info.fails in dock.settings.about.text()


def test_docks_opened_one_after_the_other_are_tabs_and_share_layer_and_axes(open_dock, qtbot):
    viewer, dock = open_dock(np.zeros((3, 16, 16)) + np.arange(16), show=True)
    viewer.add_image(np.zeros((4, 16, 17)) + np.arange(17), name="other")
    frames = {}
    for name in ("Noise", "Compare"):
        frame, opened = viewer.window.add_plugin_dock_widget("napari-lotadenoise", name)
        frames[name] = (frame, opened)
    window = viewer.window._qt_window
    denoise = next(frame for frame in window.findChildren(QDockWidget) if dock in frame.findChildren(type(dock)))
    qtbot.waitUntil(lambda: len(window.tabifiedDockWidgets(denoise)) == 2, timeout=5000)
    noise = frames["Noise"][1]
    viewer.layers.selection.active = viewer.layers["cells"]
    assert dock.layer.name == noise.layer.name == "cells"
    noise.axes.set_layout("TYX")
    assert dock.axes.letters == "TYX"
    dock.layers.choose(viewer.layers["other"])
    assert noise.layer.name == "other"


def test_every_control_has_a_name_and_a_tip(open_dock):
    from qtpy.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QListWidget, QScrollBar

    viewer, dock = open_dock(np.zeros((2, 2, 3, 16, 16)) + np.arange(16))
    _, noise = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Noise")
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QListWidget)
    nameless = []
    for control in (one for root in (dock, noise) for kind in kinds for one in root.findChildren(kind)):
        inner = isinstance(control, QScrollBar) or isinstance(control.parent(), QAbstractSpinBox)
        name = control.accessibleName() or getattr(control, "text", str)()
        parent = control.parent()
        name = name or (parent.accessibleName() if parent is not None else "")
        if not inner and not str(name) and not control.objectName().startswith("qt_"):
            nameless.append(f"{type(control).__name__} in {type(parent).__name__}")
    assert not nameless
