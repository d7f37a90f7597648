"""Folds, settings and preferences are what they were; a damaged file is none."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from napari_lotadenoise import METHODS
from napari_lotadenoise._qt.denoise.dock import DenoiseWidget
from napari_lotadenoise._qt.shared import memory, preferences
from napari_lotadenoise._qt.shared.fold import Fold
from napari_lotadenoise._qt.shared.preferences import Preferences
from napari_lotadenoise.compute.devices import DEVICES
from napari_lotadenoise.contract.training import PRESETS
from tests.helpers import ROOT


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv(memory.FOLDER, str(tmp_path))
    return tmp_path / "docks.json"


def test_a_fold_stays_as_it_was_left(state, qtbot):
    first = Fold("Models")
    qtbot.addWidget(first)
    assert not first.isExpanded()
    first.expand(animate=False)
    second = Fold("Models")
    qtbot.addWidget(second)
    assert second.isExpanded()


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"folds": 3}', "\0"])
def test_a_damaged_file_is_none(state, content):
    state.write_text(content)
    assert memory.recall("folds", "Models", default=False) is False
    memory.remember("folds", "Models", value=True)
    assert memory.recall("folds", "Models") is True


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(memory.FOLDER, str(tmp_path / "file" / "below"))
    memory.remember("folds", "Models", value=True)
    assert memory.recall("folds", "Models") is None


def test_the_settings_of_a_method_come_back_when_it_is_chosen_again(state, open_dock):
    _, dock = open_dock(np.zeros((16, 16)) + np.arange(16))
    preset_steps = dock.settings.form["steps"].value
    dock.settings.form["steps"].value = 77
    dock.settings.remember()
    dock.settings.choose("noise2self")
    assert dock.settings.form["steps"].value != 77
    dock.settings.choose("lota-n2n")
    assert dock.settings.form["steps"].value == 77
    dock.settings.reset.click()
    assert dock.settings.form["steps"].value == preset_steps
    dock.settings.choose("noise2self")
    dock.settings.choose("lota-n2n")
    assert dock.settings.form["steps"].value == preset_steps


def test_the_dock_begins_with_what_the_user_prefers(open_dock, monkeypatch, make_napari_viewer):
    wanted = Preferences(method="noise2self", preset="paper", device="cpu", threads=3, prior=False, output="same")
    monkeypatch.setattr("napari_lotadenoise._qt.denoise.settings.preferences", lambda: wanted)
    dock = DenoiseWidget(make_napari_viewer())
    options = dock.settings.run_options()
    assert dock.settings.method_class.id == "noise2self"
    assert (options["preset"], options["device"], options["threads"], options["prior"]) == ("paper", "cpu", 3, False)
    assert dock.settings.same_dtype.isChecked()
    dock.leave()


def test_the_page_of_the_preferences_offers_what_there_is():
    manifest = yaml.safe_load((ROOT / "napari.yaml").read_text(encoding="utf-8"))
    page = manifest["contributions"]["configurations"]["denoise"]["properties"]
    assert set(page["method"]["enum"]) == {"auto", *METHODS} - {"bm3d"}
    assert set(page["preset"]["enum"]) == set(PRESETS)
    assert set(page["device"]["enum"]) == set(DEVICES)
    assert set(page["previews"]["enum"]) == set(preferences.PREVIEWS)
    assert {name: told["default"] for name, told in page.items()} == vars(Preferences())


def test_napari_reads_the_page():
    settings = pytest.importorskip("napari.settings")
    if not hasattr(settings, "get_plugin_settings"):
        pytest.skip("napari before 0.9 has no page for plugins")
    assert preferences.preferences() == Preferences()
