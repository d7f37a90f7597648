"""Images are opened without being read, and what cannot be opened is said in a sentence."""

import importlib.util

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import io
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.foreign import open_foreign


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 1000, (4, 40, 30)).astype(np.uint16)


def test_an_uncompressed_tiff_is_mapped_and_a_compressed_one_read_by_pages(image, tmp_path):
    metadata = {"axes": "ZYX", "spacing": 0.5, "unit": "um"}
    tifffile.imwrite(tmp_path / "plain.tif", image, imagej=True, resolution=(4, 4), metadata=metadata)
    tifffile.imwrite(tmp_path / "packed.ome.tif", image, ome=True, compression="zlib", metadata={"axes": "ZYX"})
    plain, packed = (io.open_source(tmp_path / name) for name in ("plain.tif", "packed.ome.tif"))
    assert isinstance(plain.data, np.memmap)
    assert not isinstance(packed.data, np.ndarray)
    for found in (plain, packed):
        assert found.axes == "ZYX"
        assert np.array_equal(found.data[1:3, 5], image[1:3, 5])
    assert plain.calibration.sizes == pytest.approx({"Z": 0.5, "Y": 0.25, "X": 0.25})
    assert set(plain.calibration.units.values()) == {"µm"}


def test_a_npy_file_is_mapped_and_never_unpickled(image, tmp_path):
    np.save(tmp_path / "a.npy", image)
    assert isinstance(io.open_source(tmp_path / "a.npy").data, np.memmap)
    np.save(tmp_path / "evil.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="cannot be read as an array of numpy"):
        io.open_source(tmp_path / "evil.npy")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.tif", "There is no file"),
        ("none.npy", "There is no file"),
        (".", "is a folder"),
        ("none.zarr", "There is no file"),
    ],
)
def test_what_is_not_there_is_said(name, words, tmp_path):
    with pytest.raises(FileError, match=words):
        io.open_source(tmp_path / name)


def test_a_truncated_tiff_is_refused(image, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(FileError, match="cannot be read as TIFF"):
        io.open_source(path)


def test_a_series_that_is_not_there_is_said(image, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", image)
    with pytest.raises(FileError, match="holds 1 series; there is none of number 3"):
        io.open_source(tmp_path / "a.tif", series=3)


@pytest.mark.skipif(importlib.util.find_spec("bioio") is not None, reason="bioio is installed, which may read them")
@pytest.mark.parametrize(("name", "package"), [("a.czi", "bioio-czi"), ("a.ND2", "bioio-nd2"), ("a.lif", "bioio-lif")])
def test_a_format_of_a_microscope_names_the_package_that_reads_it(name, package, tmp_path):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(FileError, match=f"pip install bioio {package}"):
        io.open_source(tmp_path / name)


def test_a_file_is_opened_through_bioio(image, tmp_path):
    pytest.importorskip("bioio_tifffile", reason="bioio and its reader of TIFF are not installed")
    metadata = {"axes": "ZYX", "spacing": 0.5, "unit": "um"}
    tifffile.imwrite(tmp_path / "a.tif", image, imagej=True, resolution=(4, 4), metadata=metadata)
    found = open_foreign(tmp_path / "a.tif")
    assert found.axes == "ZYX"
    assert np.array_equal(np.asarray(found.data[2]), image[2])
