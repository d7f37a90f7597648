"""OME-Zarr: what is written is read again, by this package and by zarr alone."""

import json

import numpy as np
import pytest
import zarr

from napari_lotadenoise import io
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.ome_zarr import ZarrStore


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 60_000, (2, 3, 600, 514)).astype(np.uint16)


def stored(path, image, axes, calibration=Calibration(), block=None):  # noqa: B008 - frozen
    store = ZarrStore.create(path, image.shape, image.dtype, axes, block or image.shape)
    store.write(tuple(slice(0, n) for n in image.shape), image)
    list(store.add_pyramid())
    store.describe("image", calibration)
    return store


def test_pixels_sizes_units_places_names_and_colours_come_back(image, tmp_path):
    calibration = Calibration(
        {"Z": 300.0, "Y": 0.1, "X": 0.1},
        {"Z": "nm", "Y": "µm", "X": "µm"},
        {"Y": 5.0},
        ("DAPI", "GFP"),
        ("0000FF", "00FF00"),
    )
    stored(tmp_path / "a.zarr", image, "CZYX", calibration)
    found = io.open_source(tmp_path / "a.zarr")
    assert np.array_equal(found.data[...], image)
    assert found.axes == "CZYX"
    assert found.calibration == calibration


def test_the_metadata_are_those_of_the_specification(image, tmp_path):
    stored(tmp_path / "a.zarr", image, "TZYX", Calibration({"T": 5.0, "Z": 2.0}, {"T": "min", "Z": "µm"}))
    content = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    assert content["version"] == "0.5"
    (scales,) = content["multiscales"]
    assert scales["axes"] == [
        {"name": "t", "type": "time", "unit": "minute"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space"},
        {"name": "x", "type": "space"},
    ]
    factors = [level["coordinateTransformations"][0]["scale"] for level in scales["datasets"]]
    assert factors == [[5, 2, 1, 1], [5, 2, 2, 2], [5, 2, 4, 4]]
    group = zarr.open_group(tmp_path / "a.zarr")
    assert [group[level["path"]].shape for level in scales["datasets"]] == [
        (2, 3, 600, 514), (2, 3, 300, 257), (2, 3, 150, 129),
    ]  # fmt: skip


def test_a_level_is_the_mean_of_the_one_before(tmp_path):
    image = np.random.default_rng(0).normal(size=(600, 300)).astype(np.float32)
    stored(tmp_path / "a.zarr", image, "YX")
    coarse = zarr.open_group(tmp_path / "a.zarr")["1"][:]
    np.testing.assert_allclose(coarse, image.reshape(300, 2, 150, 2).mean((1, 3)), rtol=1e-4, atol=1e-6)


def test_a_pyramid_that_was_stopped_goes_on(tmp_path):
    image = np.random.default_rng(0).normal(size=(1200, 700)).astype(np.float32)
    whole = stored(tmp_path / "whole.zarr", image, "YX")
    store = ZarrStore.create(tmp_path / "a.zarr", image.shape, image.dtype, "YX", image.shape)
    store.write((slice(None), slice(None)), image)
    steps = store.add_pyramid()
    next(steps)
    steps.close()
    list(ZarrStore(tmp_path / "a.zarr").add_pyramid())
    for level in ("1", "2"):
        assert np.array_equal(zarr.open_group(tmp_path / "a.zarr")[level][:], whole.group[level][:])


def test_a_block_is_a_file(tmp_path):
    store = ZarrStore.create(tmp_path / "a.zarr", (4, 500, 300), np.float32, "ZYX", (1, 256, 300))
    store.write((slice(2, 3), slice(256, 500), slice(0, 300)), np.ones((1, 244, 300), np.float32))
    files = [path for path in (tmp_path / "a.zarr" / "0" / "c").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "a.zarr" / "0" / "c").as_posix() for path in files] == ["2/1/0"]


def test_axes_in_another_order_and_colours_find_their_place(tmp_path):
    image = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)
    store = stored(tmp_path / "a.zarr", image, "YXS")
    assert np.array_equal(store.source_array[...], image)
    assert np.array_equal(store.source_array[3:9, 2], image[3:9, 2])
    assert io.open_source(tmp_path / "a.zarr").axes == "CYX"


@pytest.mark.parametrize("axes", ["TPCZYX", "PCYX", "PYXS", "CYXS"])
def test_axes_without_a_place_are_refused(axes):
    with pytest.raises(FileError, match="OME-TIFF"):
        io.check_axes(axes)


def test_version_0_4_is_read(tmp_path):
    group = zarr.open_group(tmp_path / "old.zarr", mode="w", zarr_format=2)
    data = np.arange(2 * 8 * 9, dtype=np.int16).reshape(2, 8, 9)
    group.create_array("s0", data=data, chunks=(1, 4, 4))
    group.attrs["multiscales"] = [{
        "version": "0.4",
        "axes": [{"name": "c", "type": "channel"}, {"name": "y", "type": "space", "unit": "nanometer"},
                 {"name": "x", "type": "space", "unit": "nanometer"}],
        "datasets": [{"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": [1, 65, 65]}]}],
        "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2]}],
    }]  # fmt: skip
    found = io.open_source(tmp_path / "old.zarr")
    assert found.axes == "CYX"
    assert found.calibration.sizes == {"Y": 130.0, "X": 130.0}
    assert found.calibration.units == {"Y": "nm", "X": "nm"}
    assert np.array_equal(found.data[1, 2:5], data[1, 2:5])


def test_what_is_no_image_is_refused(tmp_path):
    zarr.open_group(tmp_path / "empty.zarr", mode="w")
    with pytest.raises(FileError, match="holds no image"):
        io.open_source(tmp_path / "empty.zarr")
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("{")
    with pytest.raises(FileError, match="cannot be read as zarr"):
        io.open_source(tmp_path / "broken.zarr")
    with pytest.raises(FileError, match="is a folder"):
        io.open_source(tmp_path)
