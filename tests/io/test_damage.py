"""Damaged, cut, lying and hostile files: the pixels, or one sentence; never an error of the insides."""

from __future__ import annotations

import contextlib
import os
import struct

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import io
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.tiff import read

KINDS = {
    "plain": {}, "imagej": {"imagej": True}, "ome": {"ome": True}, "tiled": {"tile": (16, 16)},
    "lzw": {"compression": "lzw"}, "zstd": {"compression": "zstd"}, "jpeg": {"compression": "jpeg"},
    "deflate": {"compression": "zlib"},
}  # fmt: skip


@pytest.fixture
def data():
    return np.random.default_rng(0).integers(0, 255, (3, 40, 48), dtype=np.uint8)


def read_or_refused(path):
    """The pixels of a file, or None where it is refused, in one line; any other error fails the test."""
    with contextlib.suppress(FileError):
        return read(path).data
    with pytest.raises(FileError, match=r"\A[^\n]+\Z"):
        read(path)
    return None


def written(path, data, kind):
    if "compression" in KINDS[kind]:
        pytest.importorskip("imagecodecs")
    tifffile.imwrite(path, data, **({"photometric": "minisblack"} | KINDS[kind]))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read(tmp_path, data, kind):
    found = read(written(tmp_path / "a.tif", data, kind)).data
    assert found.shape == data.shape
    assert np.abs(found.astype(float) - data).mean() < (40 if kind == "jpeg" else 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_cut_files_are_refused_in_a_sentence(tmp_path, data, kind):
    whole = written(tmp_path / "a.tif", data, kind).read_bytes()
    for length in range(0, len(whole), 509):
        (tmp_path / "cut.tif").write_bytes(whole[:length])
        found = read_or_refused(tmp_path / "cut.tif")
        assert found is None or np.array_equal(found, read(tmp_path / "a.tif").data)


@pytest.mark.parametrize("kind", ["plain", "imagej", "ome", "tiled"])
def test_flipped_bits_never_show_the_insides(tmp_path, data, kind):
    whole = bytearray(written(tmp_path / "a.tif", data[:1, :16, :16], kind).read_bytes())
    rng = np.random.default_rng(1)
    for _ in range(120):
        broken = whole.copy()
        place = int(rng.integers(0, min(len(whole), 900)))
        broken[place] ^= 1 << int(rng.integers(0, 8))
        (tmp_path / "b.tif").write_bytes(broken)
        read_or_refused(tmp_path / "b.tif")


def test_a_damaged_private_tag_leaves_the_pixels(tmp_path, data):
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, data[0], extratags=[(65001, "s", 0, "somebody's own and long enough to be elsewhere", True)])
    content = bytearray(path.read_bytes())
    at = content.find(struct.pack("<H", 65001))
    content[at + 2 : at + 4] = struct.pack("<H", 99)
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path).data, data[0])


def test_a_header_that_claims_a_trillion_pixels_takes_no_memory(tmp_path):
    path = tmp_path / "bomb.tif"
    entries = [(256, 4, 1, 10**6), (257, 4, 1, 10**6), (258, 3, 1, 16), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8),
               (277, 3, 1, 1), (278, 4, 1, 10**6), (279, 4, 1, 4)]  # fmt: skip
    directory = (
        struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0" * 4
    )
    path.write_bytes(b"II*\0" + struct.pack("<I", 16) + b"\0" * 8 + directory)
    with pytest.raises(FileError, match=r"GB of pixels|cannot be read"):
        read(path)


def test_a_set_of_files_without_the_others_is_said(tmp_path, data):
    path = tmp_path / "one.ome.tif"
    tifffile.imwrite(path, data, ome=True, metadata={"axes": "ZYX"}, photometric="minisblack")
    content = path.read_bytes()
    assert b"TiffData" in content
    (tmp_path / "moved.ome.tif").write_bytes(content)
    assert read(tmp_path / "moved.ome.tif").data.shape == data.shape


@pytest.mark.skipif(os.name == "nt", reason="names are other bytes there")
def test_names_of_every_kind(tmp_path, data, monkeypatch):
    tifffile.imwrite(tmp_path / "in.tif", data[0])
    monkeypatch.setenv("HOME", str(tmp_path))
    few = ["--method", "gaussian", "--quiet"]
    assert main(["run", "~/in.tif", "~/größe 1.tif", *few]) == 0
    assert (tmp_path / "größe 1.tif").exists()
    assert main(["run", str(tmp_path / "in.tif"), str(tmp_path / ("x" * 300 + ".tif")), *few]) == 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-in.tif").write_bytes((tmp_path / "in.tif").read_bytes())
    assert main(["run", *few, "--", "-in.tif", "-out.tif"]) == 0
    assert (tmp_path / "-out.tif").exists()
    (tmp_path / "link.tif").symlink_to(tmp_path / "in.tif")
    assert main(["run", "link.tif", "from link.tif", *few]) == 0
    np.testing.assert_array_equal(io.read("from link.tif").data, io.read("größe 1.tif").data)
