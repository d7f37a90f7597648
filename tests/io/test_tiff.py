import json
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_lotadenoise import denoise, io
from napari_lotadenoise.errors import FileError

SCALE = {"Z": 0.5, "Y": 0.125, "X": 0.25}


def array(*shape, dtype=np.float32):
    return (100 * np.random.default_rng(0).random(shape)).astype(dtype)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.tiff", "A.OME.TIFF"])
@pytest.mark.parametrize(
    ("axes", "shape", "dtype"),
    [
        ("YX", (9, 11), np.uint8),
        ("ZYX", (3, 9, 11), np.uint16),
        ("CZYX", (2, 3, 9, 11), np.float32),
        ("TCZYX", (2, 2, 3, 9, 11), np.float32),
        ("YXS", (9, 11, 3), np.uint8),
        ("YXS", (9, 11, 3), np.float32),
    ],
)
def test_what_is_written_is_read_back_with_voxel_size_and_unit(tmp_path, name, axes, shape, dtype):
    scale = {a: s for a, s in SCALE.items() if a in axes}
    data = array(*shape, dtype=dtype)
    io.write(tmp_path / name, io.Picture(data, axes, scale, "µm"))
    back = io.read(tmp_path / name)
    moved = data.transpose([axes.index(a) for a in back.axes])
    assert back.data.dtype == dtype
    assert np.array_equal(back.data, moved)
    assert set(back.axes) == set(axes)
    assert back.unit == "µm"
    assert dict(back.scale) == pytest.approx(scale, rel=1e-5)


def test_a_file_without_calibration_gets_none(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", array(9, 11))
    back = io.read(tmp_path / "plain.tif")
    assert (back.axes, dict(back.scale), back.unit) == ("YX", {}, "")


def test_axes_that_a_file_does_not_know_are_not_guessed(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", array(5, 9, 11))
    assert io.read(tmp_path / "plain.tif").known_axes is None


def test_planes_that_are_marked_as_colours_are_asked_about(tmp_path):
    tifffile.imwrite(tmp_path / "z.tif", array(4, 9, 11, dtype=np.uint16), photometric="rgb", planarconfig="separate")
    assert io.read(tmp_path / "z.tif").known_axes is None
    io.write(tmp_path / "rgb.tif", io.Picture(array(9, 11, 3, dtype=np.uint8), "YXS"))
    assert io.read(tmp_path / "rgb.tif").known_axes == "YXS"


def test_resolution_in_inches_and_centimetres_becomes_micrometres(tmp_path):
    for unit, expected in (("INCH", 25_400 / 300), ("CENTIMETER", 10_000 / 300)):
        tifffile.imwrite(tmp_path / "r.tif", array(9, 11), resolution=(300, 300), resolutionunit=unit, metadata=None)
        assert io.read(tmp_path / "r.tif").scale["X"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m", "\\u00b5m", "Microns"])
def test_micrometres_are_known_in_every_spelling_of_imagej(tmp_path, unit):
    metadata = {"axes": "YX", "unit": unit}
    tifffile.imwrite(tmp_path / "u.tif", array(9, 11), imagej=True, resolution=(2, 2), metadata=metadata)
    assert io.read(tmp_path / "u.tif").unit == "µm"


@pytest.mark.parametrize("content", [b"", b"no tiff at all", b"II*\0\x08\0\0\0"])
def test_files_that_are_no_tiff_are_refused(tmp_path, content):
    (tmp_path / "bad.tif").write_bytes(content)
    with pytest.raises(FileError, match=r"bad.tif cannot be read as TIFF"):
        io.read(tmp_path / "bad.tif")


@pytest.mark.parametrize("name", ["t.tif", "t.ome.tif"])
def test_a_truncated_file_is_refused(tmp_path, name):
    io.write(tmp_path / name, io.Picture(array(4, 64, 64), "ZYX"))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="truncated"):
        io.read(tmp_path / name)


def test_a_missing_file_is_said():
    with pytest.raises(FileError, match=r"There is no file nowhere.tif"):
        io.read("nowhere.tif")


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "a.tif"
    io.write(path, io.Picture(array(9, 11), "YX"))
    before = path.read_bytes()
    with pytest.raises(FileError, match="already there"):
        io.write(path, io.Picture(array(5, 5), "YX"))
    assert path.read_bytes() == before
    io.write(path, io.Picture(array(5, 5), "YX"), overwrite=True)
    assert io.read(path).data.shape == (5, 5)
    assert os.listdir(tmp_path) == ["a.tif"], "no part of a file is left behind"


def test_places_that_cannot_be_written_are_said(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        io.check_writable(tmp_path / "no" / "a.tif")
    with pytest.raises(FileError, match="must end in"):
        io.check_writable(tmp_path / "a.png")
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(FileError, match="cannot be written"):
        io.check_writable(tmp_path / "folder.tif", overwrite=True)


def test_a_failing_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    io.write(path, io.Picture(array(9, 11), "YX"))
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(FileError, match="No space left"):
        io.write(path, io.Picture(array(9, 11), "YX"), overwrite=True)
    assert path.read_bytes() == before
    (kept,) = set(os.listdir(tmp_path)) - {"a.tif"}
    assert np.array_equal(np.load(tmp_path / kept), array(9, 11)), "and keeps the pixels elsewhere"


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_the_recipe_is_in_the_file_and_beside_it(tmp_path, noisy, name):
    result = denoise(noisy, "lota-n2n", steps=3)
    io.write(tmp_path / name, io.Picture(result.image, "YX"), result.recipe)
    assert io.read_recipe(io.recipe_path(tmp_path / name)) == type(result.recipe).from_json(result.recipe.to_json())
    with tifffile.TiffFile(tmp_path / name) as tif:
        if name == "a.tif":
            inside = json.loads(tif.imagej_metadata["Info"])
        else:
            entry = tifffile.xml2dict(tif.ome_metadata)["OME"]["StructuredAnnotations"]["MapAnnotation"]
            inside = json.loads(
                entry["Value"]["M"]["value"] if "value" in entry["Value"]["M"] else entry["Value"]["M"]["M"]
            )
    assert inside == result.recipe.to_dict()


def png(path, data, colour, *, extra=b""):
    """Write a PNG file of any depth and kind of colour, which most writers do not know."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    depth = 8 * data.itemsize
    header = struct.pack(">IIBBBBB", data.shape[1], data.shape[0], depth, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in data)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_three_equal_colours_are_one_image_of_grey_values(tmp_path):
    grey = array(9, 11, dtype=np.uint8)
    png(tmp_path / "a.png", np.stack([grey] * 3, -1), colour=2)
    back = io.read(tmp_path / "a.png")
    assert back.axes == "YX"
    np.testing.assert_array_equal(back.data, grey)


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "a.bmp"])
@pytest.mark.parametrize(("axes", "shape"), [("YX", (9, 11)), ("YXS", (9, 11, 3)), ("YXS", (3, 5, 3))])
def test_grey_and_colour_pictures_are_read_as_they_are(tmp_path, name, axes, shape):
    data = array(*shape, dtype=np.uint8)
    Image.fromarray(data).save(tmp_path / name)
    back = io.read(tmp_path / name)
    assert (back.axes, back.known_axes, dict(back.scale), back.unit) == (axes, axes, {}, "")
    assert back.data.dtype == np.uint8
    assert np.array_equal(back.data, data)


def test_a_jpeg_is_read(tmp_path):
    data = np.full((16, 24), 90, np.uint8)
    data[:, 12:] = 180
    Image.fromarray(data).save(tmp_path / "a.jpeg", quality=95)
    back = io.read(tmp_path / "a.jpeg")
    assert back.axes == "YX"
    np.testing.assert_allclose(back.data.astype(float), data, atol=3)


def test_sixteen_bits_of_grey_are_kept(tmp_path):
    data = np.random.default_rng(0).integers(0, 65536, (9, 11), dtype=np.uint16)
    png(tmp_path / "a.png", data, colour=0)
    back = io.read(tmp_path / "a.png")
    assert back.data.dtype == np.uint16
    assert np.array_equal(back.data, data)


@pytest.mark.parametrize(("channels", "mode", "axes"), [(2, "LA", "YX"), (4, "RGBA", "YXS")])
def test_an_alpha_channel_is_dropped_where_it_hides_nothing(tmp_path, channels, mode, axes):
    data = array(9, 11, channels, dtype=np.uint8)
    data[..., -1] = 255
    Image.fromarray(data, mode).save(tmp_path / "a.png")
    back = io.read(tmp_path / "a.png")
    assert back.axes == axes
    assert np.array_equal(back.data, data[..., 0] if axes == "YX" else data[..., :3])
    data[4, 5, -1] = 254
    Image.fromarray(data, mode).save(tmp_path / "a.png")
    with pytest.raises(FileError, match=r"transparent pixels; save it without an alpha channel"):
        io.read(tmp_path / "a.png")


def test_pictures_that_would_be_cut_or_mistaken_are_refused(tmp_path):
    png(tmp_path / "deep.png", array(9, 11, 3, dtype=np.uint16), colour=2)
    with pytest.raises(FileError, match=r"16-bit colours, which cannot be read in full; save it as TIFF"):
        io.read(tmp_path / "deep.png")
    frames = [Image.fromarray(array(9, 11, dtype=np.uint8) + n) for n in range(3)]
    frames[0].save(tmp_path / "film.png", save_all=True, append_images=frames[1:])
    with pytest.raises(FileError, match=r"is animated; save its frames as a TIFF stack"):
        io.read(tmp_path / "film.png")
    Image.fromarray(array(9, 11, 4, dtype=np.uint8), "CMYK").save(tmp_path / "inks.jpg")
    with pytest.raises(FileError, match=r"four inks of a printer"):
        io.read(tmp_path / "inks.jpg")


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.bmp", "BMP")])
def test_broken_pictures_are_refused_in_one_line(tmp_path, name, kind):
    path = tmp_path / name
    Image.fromarray(array(64, 64, dtype=np.uint8)).save(path)
    for content in (path.read_bytes()[: path.stat().st_size // 2], b"no picture", b""):
        path.write_bytes(content)
        with pytest.raises(FileError, match=f"cannot be read as {kind}; it may be truncated") as caught:
            io.read(path)
        assert "\n" not in str(caught.value)


def test_the_output_stays_tiff(tmp_path):
    with pytest.raises(FileError, match=r"must end in .tif"):
        io.write(tmp_path / "a.png", io.Picture(array(9, 11, dtype=np.uint8), "YX"))


def test_a_recipe_that_cannot_be_written_leaves_the_old_one(tmp_path, noisy, monkeypatch):
    result = denoise(noisy, "median")
    io.write(tmp_path / "a.tif", io.Picture(result.image, "YX"), result.recipe)
    before = (tmp_path / "a.recipe.json").read_bytes()

    def full(path, *_, **__):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_text", full)
    with pytest.raises(FileError, match=r"recipe.json cannot be written .No space left"):
        io.write(tmp_path / "a.tif", io.Picture(result.image, "YX"), result.recipe, overwrite=True)
    assert (tmp_path / "a.recipe.json").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["a.recipe.json", "a.tif"]
