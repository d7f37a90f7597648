"""Sizes, units, names and colours come back as they were, in every format, and what is not known is not invented."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings, strategies as st

from napari_lotadenoise import io
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.ome_zarr import ZarrStore
from napari_lotadenoise.io.units import LENGTHS, TIMES, converted, unit_symbol

TIFFS = ("a.tif", "a.ome.tif")


def array(*shape, dtype=np.uint16):
    return (200 * np.random.default_rng(0).random(shape)).astype(dtype)


def through(path, picture):
    """Write a picture, and read it again with its axes as they were."""
    if path.suffix == ".zarr":
        store = ZarrStore.create(path, picture.data.shape, picture.data.dtype, picture.axes, picture.data.shape)
        store.write(tuple(slice(0, n) for n in picture.data.shape), picture.data)
        store.describe("a", picture.calibration)
        found = io.open_source(path)
        back = io.Picture.of(np.asarray(found.data), found.axes, found.calibration)
    else:
        io.write(path, picture)
        back = io.read(path)
    order = [back.axes.index(axis) for axis in picture.axes]
    return dataclasses.replace(back, data=back.data.transpose(order), axes=picture.axes)


def in_base_units(calibration):
    """Sizes in metres and seconds."""
    tables = {axis: TIMES if axis == "T" else LENGTHS for axis in calibration.sizes}
    return {axis: size * tables[axis][calibration.units[axis]] for axis, size in calibration.sizes.items()}


@pytest.mark.parametrize("name", [*TIFFS, "a.ome.zarr"])
def test_each_axis_has_its_own_unit(tmp_path, name):
    units = {"T": "ms", "Z": "µm", "Y": "nm", "X": "nm"}
    sizes = {"T": 50.0, "Z": 0.3, "Y": 65.0, "X": 65.0}
    told = Calibration(sizes, units)
    back = through(tmp_path / name, io.Picture.of(array(2, 3, 8, 9), "TZYX", told)).calibration
    assert in_base_units(back) == pytest.approx(in_base_units(told), rel=1e-6)
    if name != "a.tif":  # ImageJ has one unit for space, and seconds
        assert back == told


@pytest.mark.parametrize("name", [*TIFFS, "a.ome.zarr"])
@pytest.mark.parametrize(("size", "unit"), [(50.0, "ms"), (5.0, "min"), (2.0, "h"), (0.5, "s"), (3.0, "µs")])
def test_the_time_between_frames_keeps_its_unit(tmp_path, name, size, unit):
    told = Calibration({"T": size}, {"T": unit})
    back = through(tmp_path / name, io.Picture.of(array(3, 8, 9), "TYX", told)).calibration
    assert in_base_units(back) == pytest.approx(in_base_units(told), rel=1e-6)
    assert set(back.sizes) == {"T"}


@pytest.mark.parametrize("name", [*TIFFS, "a.ome.zarr"])
@pytest.mark.parametrize("known", ["X", "Y", "Z", "T", "XY", "ZT", "XZ", ""])
def test_what_is_not_known_is_not_invented(tmp_path, name, known):
    units = {axis: "s" if axis == "T" else "µm" for axis in known}
    told = Calibration({axis: 0.25 * (2 + number) for number, axis in enumerate(known)}, units)
    back = through(tmp_path / name, io.Picture.of(array(2, 3, 8, 9), "TZYX", told)).calibration
    assert dict(back.sizes) == pytest.approx(dict(told.sizes), rel=1e-6)
    assert back.units == told.units


SPELLINGS = {
    "µm": ["µm", "\u03bcm", "um", "micron", "microns", "micrometers", "micrometer", "\\u00B5m", "\\u00b5m"],
    "nm": ["nm", "nanometer"], "Å": ["Å", "\u212b", "angstrom", "Angstrom"], "mm": ["mm", "millimeter"], "cm": ["cm"],
    "in": ["inch", "inches"],
}  # fmt: skip


@pytest.mark.parametrize(("symbol", "spelled"), [(k, v) for k, values in SPELLINGS.items() for v in values])
def test_units_of_imagej_are_known_in_every_spelling(tmp_path, symbol, spelled):
    ascii_only = "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in spelled)
    metadata = {"axes": "ZYX", "unit": ascii_only, "spacing": 0.5}
    tifffile.imwrite(tmp_path / "u.tif", array(3, 8, 9), imagej=True, resolution=(4, 4), metadata=metadata)
    found = io.read(tmp_path / "u.tif").calibration
    assert found == Calibration({"Z": 0.5, "Y": 0.25, "X": 0.25}, dict.fromkeys("ZYX", symbol))


def test_pixels_as_a_unit_are_none(tmp_path):
    metadata = {"axes": "YX", "unit": "pixel"}
    tifffile.imwrite(tmp_path / "p.tif", array(8, 9), imagej=True, resolution=(1, 1), metadata=metadata)
    assert io.read(tmp_path / "p.tif").calibration == Calibration()


def test_a_rate_of_frames_becomes_a_time(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", array(4, 8, 9), imagej=True, metadata={"axes": "TYX", "fps": 20.0})
    assert io.read(tmp_path / "f.tif").calibration == Calibration({"T": 0.05}, {"T": "s"})


@pytest.mark.parametrize(
    ("dots", "unit"), [(72, "INCH"), (96, "INCH"), (72 / 2.54, "CENTIMETER"), (1, "NONE"), (1, "INCH")]
)
def test_what_picture_editors_write_is_no_size_of_a_pixel(tmp_path, dots, unit):
    tifffile.imwrite(tmp_path / "e.tif", array(8, 9), resolution=(dots, dots), resolutionunit=unit, metadata=None)
    assert io.read(tmp_path / "e.tif").calibration == Calibration()


@pytest.mark.parametrize("size", [0, -0.5, "nan", "inf", "wide"])
def test_sizes_that_are_none_are_not_known(tmp_path, size):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, array(3, 8, 9), ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeZ": 0.7}
    )
    path.write_bytes(
        path.read_bytes().replace(b'PhysicalSizeZ="0.7"', f'PhysicalSizeZ="{size}"'.ljust(19).encode()[:30])
    )
    assert dict(Calibration.of({"Z": size, "X": 0.5}, {"X": "um"}).sizes) == {"X": 0.5}


@pytest.mark.parametrize("name", TIFFS)
def test_odd_sizes_make_valid_files(tmp_path, name):
    picture = io.Picture(array(3, 8, 9), "ZYX", {"Z": -2.0, "Y": 0.0, "X": 0.5}, "inch")
    back = through(tmp_path / name, picture)
    assert back.calibration == Calibration({"X": 0.5}, {"X": "in"})
    if name.endswith(".ome.tif"):
        ome_types = pytest.importorskip("ome_types")
        assert ome_types.from_tiff(tmp_path / name).images[0].pixels.physical_size_x_unit.value == "in"


@pytest.mark.parametrize("name", [*TIFFS, "a.ome.zarr"])
def test_names_and_colours_of_channels_come_back(tmp_path, name):
    told = Calibration({"X": 0.1}, {"X": "µm"}, channels=("DAPI", "größe | 488"), colours=("0000FF", "FF8000"))
    back = through(tmp_path / name, io.Picture.of(array(2, 3, 8, 9), "CZYX", told)).calibration
    names = ("DAPI", "größe | 488" if name != "a.tif" else "größe / 488")
    assert (back.channels, back.colours) == (names, told.colours)


def test_colours_of_imagej_are_read_from_its_tables(tmp_path):
    ramp = np.arange(256, dtype=np.uint8)
    tables = [np.stack([ramp, 0 * ramp, 0 * ramp]), np.stack([0 * ramp, ramp, ramp])]
    metadata = {"axes": "CYX", "mode": "composite", "LUTs": tables}
    tifffile.imwrite(tmp_path / "l.tif", array(2, 8, 9), imagej=True, metadata=metadata)
    assert io.read(tmp_path / "l.tif").calibration.colours == ("FF0000", "00FFFF")


UNITS = st.sampled_from(["nm", "µm", "mm", "cm", "Å", "in", ""])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([*TIFFS, "a.ome.zarr"]),
    axes=st.sampled_from(["YX", "ZYX", "TYX", "CYX", "TZCYX", "CZYX", "ZTYX", "YXS"]),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32, np.int16, np.uint32]),
    sizes=st.dictionaries(st.sampled_from("TZYX"), st.floats(1e-3, 1e3)),
    space=UNITS, depth=UNITS, time=st.sampled_from(["ms", "s", "min", "h"]), sides=st.tuples(*[st.integers(4, 9)] * 2),
)  # fmt: skip
def test_whatever_is_written_comes_back(tmp_path_factory, name, axes, dtype, sizes, space, depth, time, sides):
    lengths = {"Y": sides[0], "X": sides[1], "S": 3, "Z": 3, "T": 2, "C": 2}
    data = array(*(lengths[axis] for axis in axes), dtype=dtype)
    units = {"T": time, "Z": depth, "Y": space, "X": space}
    told = Calibration(
        {a: s for a, s in sizes.items() if a in axes and units[a]},
        {a: units[a] for a in sizes if a in axes and units[a]},
    )
    picture = io.Picture.of(data, axes, told)
    folder = tmp_path_factory.mktemp("round")
    back = through(folder / name, picture) if "S" not in axes or name != "a.ome.zarr" else picture
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == dtype
    assert in_base_units(back.calibration) == pytest.approx(in_base_units(told), rel=1e-5)


@pytest.mark.parametrize(("value", "unit", "into", "found"), [
    (50.0, "ms", "s", 0.05), (5.0, "min", "s", 300.0), (0.3, "µm", "nm", 300.0), (65.0, "nm", "µm", 0.065),
    (4.0, "Å", "nm", 0.4), (1.0, "in", "mm", 25.4), (1.0, "s", "µm", None), (1.0, "pixel", "µm", None),
])  # fmt: skip
def test_units_are_converted(value, unit, into, found):
    assert converted(value, unit, into) == (found if found is None else pytest.approx(found, rel=1e-15))


def test_symbols_are_their_own():
    assert [unit_symbol(symbol) for symbol in (*LENGTHS, *TIMES)] == [*LENGTHS, *TIMES]


@pytest.mark.parametrize("axes", ["YXT", "XYZ", "ZYXC", "PTCZYX", "CPYX", "XY"])
@pytest.mark.parametrize("name", TIFFS)
def test_axes_in_any_order_are_written(tmp_path, name, axes):
    lengths = {"Y": 8, "X": 9, "Z": 3, "T": 2, "C": 2, "P": 2}
    data = array(*(lengths[axis] for axis in axes))
    io.write(tmp_path / name, io.Picture(data, axes))
    back = io.read(tmp_path / name)
    if "P" in axes and name == "a.ome.tif":  # one image for each position
        assert "holds 2 images; number 0" in back.remark
        images = [io.read(tmp_path / name, place) for place in range(2)]
        found, there = np.stack([one.data for one in images]), "P" + images[0].axes
    else:
        found, there = back.data, back.axes
    assert set(there) == set(axes)
    np.testing.assert_array_equal(found.transpose([there.index(axis) for axis in axes]), data)


def test_what_a_format_cannot_hold_is_refused_before_the_work(tmp_path):
    with pytest.raises(FileError, match=r"no place for int64; name the file \.tif"):
        io.check_format(tmp_path / "a.ome.tif", "YX", np.int64)
    with pytest.raises(FileError, match=r"ends at 4; name it \.ome\.tif"):
        io.check_format(tmp_path / "a.tif", "YX", np.float32, 5 * 2**30)
    io.check_format(tmp_path / "a.ome.tif", "YX", np.float32, 5 * 2**30)
    io.write(tmp_path / "a.tif", io.Picture(array(8, 9, dtype=np.int64), "YX"))
    assert io.read(tmp_path / "a.tif").data.dtype == np.int64


def test_pixels_that_cannot_be_written_are_kept_elsewhere(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no idea")

    monkeypatch.setattr(tifffile, "imwrite", broken)
    data = array(8, 9)
    with pytest.raises(
        FileError, match=r"cannot be written \(no idea\)\. The pixels are kept in .*a-.*\.npy"
    ) as caught:
        io.write(tmp_path / "a.tif", io.Picture(data, "YX"))
    kept = str(caught.value).split("kept in ")[1].split(" (numpy)")[0]
    np.testing.assert_array_equal(np.load(kept), data)


@pytest.mark.parametrize("name", TIFFS)
def test_names_that_do_not_fit_the_channels_are_left_out(tmp_path, name):
    told = Calibration(channels=("one", "two", "three"), colours=("blue", "00FF00"))
    back = through(tmp_path / name, io.Picture.of(array(2, 8, 9), "CYX", told)).calibration
    assert back.channels == ()
    assert back.colours in ((), ("FFFFFF", "00FF00"), ("blue", "00FF00"))
