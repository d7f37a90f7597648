"""Past runs: again, as Python, as a command, as a recipe; keys and commands; curves that stay and go into files."""

from __future__ import annotations

import csv
import shlex

import numpy as np
import tifffile
from qtpy.QtGui import QShortcut
from qtpy.QtWidgets import QApplication

from napari_lotadenoise import denoise, io
from napari_lotadenoise._qt import menu
from napari_lotadenoise._qt.denoise.shortcuts import KEYS
from napari_lotadenoise._qt.shared.plot import LivePlot
from napari_lotadenoise.cli.command_line import command_line
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.events import Progress


def run_once(dock, qtbot) -> None:
    dock.denoise()
    qtbot.waitUntil(lambda: not dock.controller.state.busy, timeout=60_000)


def test_a_past_run_is_done_again_and_taken_away(open_dock, qtbot, tmp_path, monkeypatch):
    image = np.random.default_rng(0).normal(100, 10, (32, 40)).astype(np.float32)
    viewer, dock = open_dock(image, method="gaussian")
    assert not any(button.isEnabled() for button in dock.run_list.buttons)
    run_once(dock, qtbot)
    again, as_python, as_command, _, paper = dock.run_list.buttons
    assert dock.run_list.list.item(0).text().startswith("cells: Gaussian")
    result = viewer.layers[dock.run_list.runs[0].result].data
    as_python.click()
    names = {"image": image}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["result"].image, result)
    as_command.click()
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("IN.tif", image)
    words = shlex.split(QApplication.clipboard().text())
    assert words[:2] == ["lotadenoise", "run"]
    assert main([*words[1:], "--quiet"]) == 0
    np.testing.assert_array_equal(io.read("OUT.tif").data, result)
    paper.click()
    assert "Images were denoised with Gaussian" in QApplication.clipboard().text()
    dock.run_list.save(str(tmp_path / "mine"))
    assert io.read_recipe(tmp_path / "mine.recipe.json") == type(dock.run_list.runs[0].recipe).from_json(
        dock.run_list.runs[0].recipe.to_json()
    )
    again.click()
    qtbot.waitUntil(lambda: len(dock.run_list.runs) == 2, timeout=60_000)
    viewer.layers.remove("cells")
    again.click()
    assert "'cells' is not there any more" in dock.run_bar.status.text()


def test_a_trained_run_is_repeated_by_its_command(tmp_path, monkeypatch):
    image = np.random.default_rng(0).normal(100, 10, (32, 40)).astype(np.float32)
    result = denoise(image, "lota-n2n", steps=4, ensemble=False, fill=True)
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("a b.tif", image)
    words = shlex.split(command_line(result.recipe, "a b.tif", "c d.tif"))
    assert main([*words[1:], "--quiet"]) == 0
    np.testing.assert_array_equal(io.read("c d.tif").data, result.image)


def test_results_may_have_the_type_of_the_layer(open_dock, qtbot):
    image = np.random.default_rng(0).normal(100, 10, (32, 40)).astype(np.uint8)
    viewer, dock = open_dock(image, method="gaussian")
    dock.settings.same_dtype.setChecked(True)
    run_once(dock, qtbot)
    assert viewer.layers[dock.run_list.runs[0].result].data.dtype == np.uint8


def test_keys_and_the_command_palette_do_what_the_buttons_do(open_dock, qtbot, monkeypatch):
    viewer, dock = open_dock(np.random.default_rng(0).normal(100, 10, (32, 40)), method="gaussian")
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    assert {one.objectName() for one in dock.findChildren(QShortcut)} >= set(KEYS)
    menu.denoise_now()
    qtbot.waitUntil(lambda: not dock.controller.state.busy and bool(dock.run_list.runs), timeout=60_000)
    layer = viewer.layers[dock.run_list.runs[0].result]
    menu.flicker()
    assert not layer.visible
    menu.flicker()
    assert layer.visible
    menu.quick_look()
    assert dock.quick_look.switch.isChecked()
    menu.quick_look()
    assert not dock.quick_look.switch.isChecked()
    menu.finish()
    menu.discard()
    assert not dock.controller.state.busy


def test_curves_of_earlier_runs_stay_in_grey_and_the_present_ones_go_into_files(qtbot, tmp_path):
    plot = LivePlot()
    qtbot.addWidget(plot)
    for run in range(5):
        plot.clear()
        plot.add(
            tuple(Progress("training", step, 9, losses={"pair": 0.1 * step}, sigma=5.0 + run) for step in (1, 2, 3))
        )
    assert plot.past() == 3
    assert len(plot.sigma.listDataItems()) == 4
    plot.to_csv(tmp_path / "c.csv")
    rows = list(csv.DictReader((tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["value"]) for row in rows if row["curve"] == "sigma"] == [9.0, 9.0, 9.0]
    assert [int(row["step"]) for row in rows if row["curve"] == "pair"] == [1, 2, 3]
    plot.to_png(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
