"""What was learnt is saved, opened and applied to other layers, in the dock."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_lotadenoise import Model, denoise
from tests._qt.denoise.test_dock import click, names


@pytest.fixture
def learnt(open_dock, stack, qtbot):
    viewer, dock = open_dock(stack)
    dock.settings.choose("zs-n2n", "fast", steps=10)
    click(dock, qtbot)
    ended(dock, qtbot)
    return viewer, dock


def ended(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.controller.state.busy, timeout=60_000)


def test_there_is_nothing_to_save_before_a_run(open_dock, stack):
    _, dock = open_dock(stack)
    assert not dock.model_bar.save_button.isEnabled()
    assert not dock.model_bar.apply_button.isEnabled()
    assert dock.model_bar.open_button.isEnabled()


def test_a_saved_model_gives_the_pixels_of_the_run(learnt, stack, tmp_path):
    viewer, dock = learnt
    dock.model_bar.save(str(tmp_path / "cells"))
    assert "cells.safetensors" in dock.run_bar.status.text()
    clean = Model.load(tmp_path / "cells.safetensors").predict(np.asarray(viewer.layers[0].data))
    assert np.array_equal(clean, viewer.layers[-1].data)


def test_a_model_is_applied_to_all_selected_layers_without_learning(learnt, stack, qtbot):
    viewer, dock = learnt
    model = dock.model_bar._model
    others = [viewer.add_image(np.asarray(stack)[::-1].copy(), name=name) for name in ("one", "two")]
    viewer.layers.selection = set(others)
    qtbot.mouseClick(dock.model_bar.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(viewer.layers) == 6 and not dock.controller.state.busy, timeout=60_000)
    assert names(viewer)[-2:] == ["one · ZS-N2N", "two · ZS-N2N"]
    assert np.array_equal(viewer.layers[-1].data, model.predict(others[0].data))
    assert "Applied the model" in viewer.layers[-1].metadata["lotadenoise"]["notes"][-1]


def test_an_image_that_is_different_is_told(learnt, stack, qtbot, tmp_path):
    viewer, dock = learnt
    dock.model_bar.save(str(tmp_path / "m"))
    bright = viewer.add_image(np.asarray(stack).astype(np.float32) * 100, name="bright")
    viewer.layers.selection = {bright}
    dock.apply_model(tmp_path / "m.safetensors")
    ended(dock, qtbot)
    assert "Careful: noise of deviation" in dock.run_bar.status.text()


def test_a_file_that_is_no_model_is_a_sentence(learnt, qtbot, tmp_path):
    _, dock = learnt
    (tmp_path / "notes.safetensors").write_text("no model")
    dock.apply_model(tmp_path / "notes.safetensors")
    assert "is no model of napari-lotadenoise" in dock.run_bar.status.text()


def test_discarding_ends_the_queue(learnt, stack, qtbot):
    viewer, dock = learnt
    others = [viewer.add_image(np.asarray(stack).copy(), name=name) for name in ("one", "two")]
    viewer.layers.selection = set(others)
    before = len(viewer.layers)
    dock.apply_model(dock.model_bar._model)
    dock.discard()
    ended(dock, qtbot)
    qtbot.wait(300)
    assert len(viewer.layers) == before


def test_the_result_of_a_run_and_of_its_model_are_the_same_as_in_python(learnt, stack):
    viewer, _ = learnt
    layer = viewer.layers[-1]
    recipe = layer.metadata["lotadenoise"]
    wanted = denoise(np.asarray(stack), "zs-n2n", axes=recipe["axes"], steps=10, threads=recipe["threads"])
    assert np.array_equal(layer.data, wanted.image)
