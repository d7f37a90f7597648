"""The Batch dock: files are listed, denoised, left alone where they are done, and named where they fail."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import io, learn


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        tifffile.imwrite(tmp_path / "in" / f"{name}.tif", rng.normal(100, 10, (40, 48)).astype(np.float32))
    return tmp_path


@pytest.fixture
def open_batch(make_napari_viewer, folder):
    docks = []

    def open_():
        viewer = make_napari_viewer()
        _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Batch")
        dock.source.setText(str(folder / "in"))
        dock.output.setText(str(folder / "out"))
        dock.method.setCurrentIndex(dock.method.findData("gaussian"))
        dock.show_files()
        docks.append(dock)
        return dock

    yield open_
    for dock in docks:
        dock.leave()


def states(dock):
    return [dock.table.item(row, 2).text() for row in range(dock.table.rowCount())]


def run(dock, qtbot):
    dock.start_button.click()
    qtbot.waitUntil(lambda: dock.session is None, timeout=60_000)


def test_all_files_are_denoised_and_a_second_time_left_alone(open_batch, folder, qtbot):
    dock = open_batch()
    assert "3 files." in dock.status.text()
    (folder / "in" / "b.tif").write_bytes(b"no image")
    run(dock, qtbot)
    assert sorted(path.name for path in (folder / "out").glob("*.tif")) == ["a.ome.tif", "c.ome.tif"]
    assert states(dock)[1].startswith("failed: ")
    assert "2 of 3 files are done, 1 failed." in dock.status.text()
    assert (folder / "out" / "batch.html").exists()
    assert (folder / "out" / "batch.csv").exists()
    assert dock.open_button.isEnabled()
    before = (folder / "out" / "a.ome.tif").stat().st_mtime_ns
    run(dock, qtbot)
    assert (folder / "out" / "a.ome.tif").stat().st_mtime_ns == before
    assert "There already" in states(dock)[0]


def test_a_saved_model_does_all_files_and_gives_what_it_gives_alone(open_batch, folder, qtbot):
    first = io.read(folder / "in" / "a.tif").data
    model = learn(first, "gaussian")
    model.save(folder / "m.safetensors")
    dock = open_batch()
    dock.learning.setCurrentText("no: a saved model")
    dock.start_button.click()
    assert "Name the file of the saved model" in dock.status.text()
    dock.model.setText(str(folder / "m.safetensors"))
    run(dock, qtbot)
    np.testing.assert_array_equal(io.read(folder / "out" / "a.ome.tif").data, model.predict(first))
    assert len(list((folder / "out").glob("*.tif"))) == 3


def test_a_batch_is_stopped_and_goes_on(open_batch, folder, qtbot):
    dock = open_batch()
    dock.method.setCurrentIndex(dock.method.findData("lota-n2n"))
    dock.start_button.click()
    qtbot.waitUntil(lambda: any("learning" in state for state in states(dock)), timeout=60_000)
    dock.stop_button.click()
    qtbot.waitUntil(lambda: dock.session is None, timeout=60_000)
    assert not list((folder / "out").glob("*.tif"))
    dock.method.setCurrentIndex(dock.method.findData("median"))
    run(dock, qtbot)
    assert len(list((folder / "out").glob("*.tif"))) == 3


def test_a_folder_without_images_is_said(open_batch, folder):
    dock = open_batch()
    dock.source.setText(str(folder / "nowhere"))
    dock.show_files()
    assert "stands for no image file" in dock.status.text()
    assert not dock.start_button.isEnabled()
