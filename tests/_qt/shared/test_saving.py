"""napari's own Save keeps calibration and recipe."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lotadenoise import denoise, io
from napari_lotadenoise._qt.shared.layers import Source, add_result
from napari_lotadenoise.io.calibration import Calibration
from tests.helpers import scene


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_a_result_is_saved_with_its_calibration_and_recipe(make_napari_viewer, tmp_path, name):
    viewer = make_napari_viewer()
    data = scene((3, 32, 40)) + np.random.default_rng(0).normal(0, 5, (3, 32, 40)).astype(np.float32)
    layer = viewer.add_image(data, scale=(2, 0.5, 0.25), units=("s", "um", "um"), axis_labels=("t", "y", "x"))
    result = denoise(data, "gaussian", "TYX")
    shown, _ = add_result(viewer, Source(layer), result, "Gaussian")
    assert shown.save(str(tmp_path / name), plugin="napari-lotadenoise")
    back = io.read(tmp_path / name)
    np.testing.assert_array_equal(back.data, result.image)
    assert back.axes == "TYX"
    assert back.calibration == Calibration({"T": 2, "Y": 0.5, "X": 0.25}, {"T": "s", "Y": "µm", "X": "µm"})
    assert io.read_recipe(io.recipe_path(tmp_path / name)).method == "gaussian"


def test_a_layer_that_no_run_has_made_is_saved_too(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer()
    layer = viewer.add_image(np.zeros((2, 3, 16, 16), np.uint16), axis_labels=("c", "z", "y", "x"))
    assert layer.save(str(tmp_path / "b.tif"), plugin="napari-lotadenoise")
    back = io.read(tmp_path / "b.tif")
    assert set(back.axes) == set("CZYX")
    assert back.calibration == Calibration()
    assert not io.recipe_path(tmp_path / "b.tif").exists()
