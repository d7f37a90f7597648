"""OME-Zarr: images in folders of chunks, read lazily (0.4 and 0.5) and written block by block (0.5).

The metadata are those of https://ngff.openmicroscopy.org/0.5/: axes with types and units, `multiscales` and `omero`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.pages import Transposed
from napari_lotadenoise.recipe import Recipe

SUFFIXES = (".zarr",)
#: Order of the axes in a file, and how each is called in it.
ORDER = "TPCZYX"
_TYPES = {"T": "time", "P": "position", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
#: Longest side of a chunk in the plane, and planes in one.
CHUNK, CHUNK_DEPTH = 256, 16
#: Levels are added to the pyramid until Y and X are no longer than this.
SMALLEST = 256
#: Voxels of a level that are read at a time to make the next one.
BAND = 1 << 24
#: Spelled names of units, as the specification has them.
_UNIT_NAMES = {
    "nm": "nanometer", "µm": "micrometer", "mm": "millimeter", "cm": "centimeter", "m": "meter", "Å": "angstrom",
    "in": "inch", "ns": "nanosecond", "µs": "microsecond", "ms": "millisecond", "s": "second", "min": "minute",
    "h": "hour", "d": "day",
}  # fmt: skip
_UNIT_SYMBOLS = {name: symbol for symbol, name in _UNIT_NAMES.items()}

Region = tuple[slice, ...]


@dataclass(frozen=True)
class LazyImage:
    """An image of which nothing has been read yet.

    Attributes
    ----------
    data : array-like with ``shape``, ``dtype`` and numpy-like indexing
    axes : str
        One letter an axis.
    calibration : Calibration
    """

    data: Any
    axes: str
    calibration: Calibration


def is_zarr(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a folder of zarr, old or new."""
    return Path(path).is_dir() and any((Path(path) / name).exists() for name in ("zarr.json", ".zgroup", ".zarray"))


def open_image(path: str | os.PathLike[str], series: int = 0) -> LazyImage:
    """Open the finest level of an OME-Zarr image, or a plain zarr array.

    Raises
    ------
    FileError
        Where it is neither.
    """
    import zarr

    path = Path(path)
    try:
        found = zarr.open(path, mode="r")
    except Exception as error:  # zarr raises many kinds for a broken folder
        raise FileError(f"{path} cannot be read as zarr ({error}).") from None
    if isinstance(found, zarr.Array):
        return LazyImage(found, "ZYX"[-found.ndim :] if found.ndim == 2 else "Q" * found.ndim, Calibration())
    attributes: dict[str, Any] = dict(found.attrs)
    content: Mapping[str, Any] = attributes.get("ome", attributes)
    if "multiscales" not in content:
        if str(series) in found and isinstance(found[str(series)], zarr.Group):  # the layout of bioformats2raw
            return open_image(path / str(series))
        raise FileError(f"{path} is zarr, but holds no image of OME-Zarr; name the array inside.")
    scales = content["multiscales"]
    if not 0 <= series < len(scales):
        raise FileError(f"{path} holds {len(scales)} images; there is none of number {series}.")
    try:
        return _image(found, scales[series], content.get("omero", {}))
    except (KeyError, TypeError, IndexError) as error:
        raise FileError(f"The metadata of {path} are damaged ({error!r}).") from None


def _image(group: Any, scale: Mapping[str, Any], omero: Mapping[str, Any]) -> LazyImage:
    finest = scale["datasets"][0]
    data = group[finest["path"]]
    axes = "".join(_letter(axis) for axis in scale["axes"])
    sizes, origin = dict.fromkeys(axes, 1.0), dict.fromkeys(axes, 0.0)
    for transform in [*finest["coordinateTransformations"], *scale.get("coordinateTransformations", [])]:
        for axis, number in zip(axes, transform.get(transform["type"], []), strict=False):
            if transform["type"] == "scale":
                sizes[axis] *= number
                origin[axis] *= number
            elif transform["type"] == "translation":
                origin[axis] += number
    units = {
        axis: _UNIT_SYMBOLS.get(told["unit"], str(told["unit"]))
        for axis, told in zip(axes, scale["axes"], strict=True)
        if isinstance(told, dict) and told.get("unit")
    }
    known = {axis: size for axis, size in sizes.items() if axis in "TZYX" and (axis in units or size != 1)}
    moved = {axis: start for axis, start in origin.items() if start and axis in "TZYX"}
    channels = omero.get("channels", [])
    names = tuple(str(channel.get("label", "")) for channel in channels)
    colours = tuple(str(channel.get("color", "")) for channel in channels)
    return LazyImage(
        data, axes, Calibration(known, units, moved, names if any(names) else (), colours if any(colours) else ())
    )


def _letter(axis: Any) -> str:
    name = str(axis["name"] if isinstance(axis, dict) else axis).upper()  # texts before version 0.4
    return name if len(name) == 1 else {"TIME": "T", "CHANNEL": "C", "POSITION": "P"}.get(name, "Q")


def recipe_of(path: str | os.PathLike[str]) -> Recipe | None:
    """Return the recipe in the metadata of an image, None where there is none."""
    import zarr

    content: Any = dict(zarr.open_group(path, mode="r").attrs).get("napari-lotadenoise", {})
    return Recipe.from_json(json.dumps(content["recipe"])) if "recipe" in content else None


def check_axes(axes: str) -> None:
    """Make sure that OME-Zarr has a place for the axes of an image.

    Raises
    ------
    FileError
        Where it has none.
    """
    others = set(axes) - {"S"}
    if "S" in axes and "C" in axes:
        raise FileError("OME-Zarr has one axis for channels and colours; write this image as OME-TIFF.")
    if len(axes) > 5 or ("P" in axes and others & {"C"}) or ("P" in axes and "S" in axes):
        raise FileError(f"OME-Zarr has no place for the axes {axes} in one image; write it as OME-TIFF.")


class ZarrStore:
    """An OME-Zarr image that is written block by block, by one process or many.

    Blocks are given with the axes of the source; in the file they are in the order of `ORDER`, colours as channels.

    Parameters
    ----------
    path : path
        A folder that `create` has made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import zarr

        self.path = Path(path)
        self.group: Any = zarr.open_group(self.path, mode="r+")
        self.array: Any = self.group["0"]
        self.axes = str(self.group.attrs["source axes"])
        self._order = _order(self.axes)

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], shape: Sequence[int], dtype: Any, axes: str, block: Sequence[int]
    ) -> ZarrStore:
        """Make an empty store for an array, whose blocks are shards: whoever writes a block writes a whole file.

        Parameters
        ----------
        path : path
        shape : sequence of int
        dtype : data type
        axes : str
            Of the source.
        block : sequence of int
            Shape of the blocks that will be written; those at the far edges may be smaller.
        """
        import zarr
        from zarr.codecs import BloscCodec

        order = _order(axes)
        chunks = [_chunk(axes[a], block[a], shape[a]) for a in order]
        shards = [-(-min(block[a], shape[a]) // chunk) * chunk for a, chunk in zip(order, chunks, strict=True)]
        group = zarr.create_group(path, zarr_format=3, overwrite=True)
        group.create_array(
            "0", shape=[shape[a] for a in order], dtype=np.dtype(dtype), chunks=tuple(chunks), shards=tuple(shards),
            compressors=BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"), fill_value=0,
            dimension_names=[_name(axes[a]) for a in order],
        )  # fmt: skip
        group.attrs["source axes"] = axes
        return cls(path)

    @property
    def source_array(self) -> Any:
        """Return a view of what is written with the axes of the source, read where it is indexed."""
        return Transposed(self.array, self._order)

    def write(self, region: Region, block: np.ndarray) -> None:
        """Write a block where it belongs."""
        self.array[tuple(region[a] for a in self._order)] = block.transpose(self._order)

    def describe(self, name: str, calibration: Calibration, recipe: Mapping[str, Any] | None = None) -> None:
        """Write the metadata: what the axes mean, the levels that are there, channels, and the recipe."""
        letters = ["C" if self.axes[a] == "S" else self.axes[a] for a in self._order]
        levels = sorted(int(key) for key in self.group.array_keys())
        scales = [_scale(letters, calibration, self.array.shape, self.group[str(level)].shape) for level in levels]
        start = [calibration.origin.get(letter, 0.0) for letter in letters]
        datasets = [{"path": str(level), "coordinateTransformations": _transforms(scale, start)}
                    for level, scale in zip(levels, scales, strict=True)]  # fmt: skip
        axes = [_axis(letter, calibration) for letter in letters]
        ome: dict[str, Any] = {
            "version": "0.5",
            "multiscales": [{"name": name, "axes": axes, "datasets": datasets, "type": "mean"}],
        }
        if channels := _omero(calibration):
            ome["omero"] = {"channels": channels}
        self.group.attrs["ome"] = ome
        if recipe is not None:
            self.group.attrs["napari-lotadenoise"] = {"recipe": dict(recipe)}

    def add_pyramid(self) -> Iterator[float]:
        """Add levels of half the size in Y and X, each the mean of the one before; yields the share that is done.

        A level is written under another name first, so that one that is there is whole: after a stop it goes on with the next.
        """
        sizes = _level_shapes(self.array.shape, self._order, self.axes)
        for level, shape in enumerate(sizes, start=1):
            if str(level) not in self.group:
                yield from self._add_level(level, shape, len(sizes))
            yield level / max(1, len(sizes))

    def _add_level(self, level: int, shape: tuple[int, ...], levels: int) -> Iterator[float]:
        finer, name = self.group[str(level - 1)], f"{level}.part"
        chunks = tuple(min(size, chunk) for size, chunk in zip(shape, finer.chunks, strict=True))
        coarse = self.group.create_array(
            name, shape=shape, dtype=finer.dtype, chunks=chunks, compressors=finer.compressors, overwrite=True,
            dimension_names=finer.metadata.dimension_names,
        )  # fmt: skip
        bands = list(_bands(shape, chunks))
        for number, band in enumerate(bands):
            coarse[band] = _halved(finer, band)
            yield (level - 1 + (number + 1) / len(bands)) / levels
        (self.path / name).replace(self.path / str(level))


def _order(axes: str) -> list[int]:
    return sorted(range(len(axes)), key=lambda a: ORDER.index("C" if axes[a] == "S" else axes[a]))


def _name(letter: str) -> str:
    return "c" if letter == "S" else letter.lower()


def _chunk(letter: str, block: int, size: int) -> int:
    """Return the length of chunks along an axis, which divide the blocks unless one block covers the axis."""
    longest = {"Y": CHUNK, "X": CHUNK, "Z": CHUNK_DEPTH}.get(letter, 1)
    length = min(block, size)
    if length <= longest or length == size:
        return min(length, longest)
    return next(part for part in range(longest, 0, -1) if length % part == 0)


def _axis(letter: str, calibration: Calibration) -> dict[str, str]:
    axis = {"name": letter.lower(), "type": _TYPES[letter]}
    unit = calibration.units.get(letter, "")
    return {**axis, "unit": _UNIT_NAMES.get(unit, unit)} if unit else axis


def _scale(letters: list[str], calibration: Calibration, full: Sequence[int], level: Sequence[int]) -> list[float]:
    halvings = [round(math.log2(n / m)) if m else 0 for n, m in zip(full, level, strict=True)]
    return [calibration.sizes.get(a, 1.0) * 2.0**n for a, n in zip(letters, halvings, strict=True)]


def _transforms(scale: list[float], start: list[float]) -> list[dict[str, Any]]:
    transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    return [*transforms, {"type": "translation", "translation": start}] if any(start) else transforms


def _omero(calibration: Calibration) -> list[dict[str, Any]]:
    count = max(len(calibration.channels), len(calibration.colours))
    names, colours = calibration.channels or ("",) * count, calibration.colours or ("FFFFFF",) * count
    return [{"label": name, "color": colour, "active": True} for name, colour in zip(names, colours, strict=False)]


def _level_shapes(shape: Sequence[int], order: list[int], axes: str) -> list[tuple[int, ...]]:
    """Return the shapes of the levels below the finest."""
    planar = [axes[a] in "YX" for a in order]
    shapes = []
    now = tuple(shape)
    while max(n for n, halves in zip(now, planar, strict=True) if halves) > SMALLEST:
        now = tuple(-(-n // 2) if halves else n for n, halves in zip(now, planar, strict=True))
        shapes.append(now)
    return shapes


def _bands(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[Region]:
    """Cut a level into regions of whole chunks along Y, one index or chunk of the axes before it at a time."""
    import itertools

    rows = max(1, BAND // (4 * chunks[-2] * shape[-1])) * chunks[-2]
    steps = [*chunks[:-2], rows, shape[-1]]
    starts = (range(0, n, step) for n, step in zip(shape, steps, strict=True))
    for corner in itertools.product(*starts):
        yield tuple(slice(a, min(n, a + step)) for a, n, step in zip(corner, shape, steps, strict=True))


def _halved(finer: Any, region: Region) -> np.ndarray:
    """Return the means of 2 x 2 pixels, with the last row and column repeated where there is an odd number of them."""
    rows, columns = (slice(2 * part.start, 2 * part.stop) for part in region[-2:])
    block = np.asarray(finer[(*region[:-2], rows, columns)])
    odd = [(0, 0)] * (block.ndim - 2) + [(0, n % 2) for n in block.shape[-2:]]
    block = np.pad(block, odd, mode="edge").astype(np.float64 if block.dtype.itemsize > 4 else np.float32)
    mean = (block[..., ::2, :] + block[..., 1::2, :]) / 2
    mean = (mean[..., ::2] + mean[..., 1::2]) / 2
    return np.rint(mean).astype(finer.dtype) if finer.dtype.kind in "ui" else mean.astype(finer.dtype)
