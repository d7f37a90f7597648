"""Palettes, inks, opacity, white at zero, several images in a file: read as what they are, written back as they were."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import io
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.errors import FileError


@pytest.fixture
def grey():
    return np.random.default_rng(0).integers(0, 200, (20, 24), dtype=np.uint8)


def test_a_palette_is_looked_up(tmp_path, grey):
    palette = np.random.default_rng(1).integers(0, 256, (3, 256), dtype=np.uint16) * 257
    tifffile.imwrite(tmp_path / "p.tif", grey, photometric="palette", colormap=palette)
    found = io.read(tmp_path / "p.tif")
    assert (found.axes, found.data.dtype) == ("YXS", np.uint8)
    np.testing.assert_array_equal(found.data, np.moveaxis((palette // 257)[:, grey], 0, -1))
    np.testing.assert_array_equal(np.asarray(io.open_source(tmp_path / "p.tif").data), found.data)


@pytest.mark.parametrize("imagej", [False, True])
def test_a_palette_that_only_tints_leaves_the_values(tmp_path, grey, imagej):
    ramp = (np.arange(256) * 257).astype(np.uint16)
    palette = np.stack([0 * ramp, ramp, 0 * ramp])
    tifffile.imwrite(tmp_path / "t.tif", grey, photometric="palette", colormap=palette, imagej=imagej)
    found = io.read(tmp_path / "t.tif")
    assert (found.axes, found.colours) == ("YX", () if imagej is None else found.colours)
    np.testing.assert_array_equal(found.data, grey)


def test_inks_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((20, 24, 4), np.uint8), photometric="separated")
    with pytest.raises(FileError, match=r"inks of a printer \(CMYK\)"):
        io.read(tmp_path / "c.tif")


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_opacity_passes_through_untouched(tmp_path, colours, name):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 255, (20, 24, colours + 1), dtype=np.uint8)
    kind = {
        "photometric": "rgb" if colours == 3 else "minisblack",
        "extrasamples": ["unassalpha"],
        "planarconfig": "contig",
    }
    tifffile.imwrite(tmp_path / "in.tif", data, metadata=None, **kind)
    found = io.read(tmp_path / "in.tif")
    assert found.axes == ("YXS" if colours == 3 else "YX")
    np.testing.assert_array_equal(found.alpha, data[..., -1])
    assert (
        main(["run", str(tmp_path / "in.tif"), str(tmp_path / name), "--method", "gaussian", "--same-dtype", "--quiet"])
        == 0
    )
    back = io.read(tmp_path / name)
    np.testing.assert_array_equal(back.alpha, data[..., -1])
    assert back.data.shape == found.data.shape
    assert (back.data != found.data).any()


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_white_at_zero_stays_white(tmp_path, grey, name):
    tifffile.imwrite(tmp_path / "in.tif", grey, photometric="miniswhite", metadata=None)
    found = io.read(tmp_path / "in.tif")
    np.testing.assert_array_equal(found.data, grey)
    io.write(tmp_path / name, dataclasses.replace(found, data=found.data + 1))
    with tifffile.TiffFile(tmp_path / name) as tif:
        assert tif.pages[0].photometric == tifffile.PHOTOMETRIC.MINISWHITE
        np.testing.assert_array_equal(tif.asarray(), grey + 1)


def test_of_several_images_the_largest_is_read_and_that_is_said(tmp_path, grey, capsys):
    path = tmp_path / "s.tif"
    with tifffile.TiffWriter(path) as tif:
        for data in (grey[:8, :8], grey, grey[:10]):
            tif.write(data, metadata=None, photometric="minisblack")
    found = io.read(path)
    np.testing.assert_array_equal(found.data, grey)
    assert found.remark == "s.tif holds 3 images; number 1 (20 x 24) is read. Choose another by its number, 0 to 2."
    np.testing.assert_array_equal(io.read(path, 2).data, grey[:10])
    np.testing.assert_array_equal(np.asarray(io.open_source(path).data), grey)
    with pytest.raises(FileError, match="holds 3 series; there is none of number 3"):
        io.read(path, 3)
    assert main(["run", str(path), str(tmp_path / "o.tif"), "--method", "gaussian", "--series", "2"]) == 0
    assert io.read(tmp_path / "o.tif").data.shape == (10, 24)
    assert main(["noise", str(path)]) == 0
    assert "number 1 (20 x 24) is read" in capsys.readouterr().err
