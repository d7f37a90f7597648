"""Files of a batch: which there are, and what becomes of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_lotadenoise import io
from napari_lotadenoise.errors import FileError

#: Endings of the files that are looked for in folders.
ENDINGS = (".tif", ".tiff", ".zarr", ".npy", ".png", ".jpg", ".jpeg", ".bmp")
#: Kinds of output.
FORMATS = {"ome-tiff": ".ome.tif", "tiff": ".tif", "ome-zarr": ".ome.zarr"}


def found(inputs: Sequence[str], *, recursive: bool, leave_out: Path) -> list[Path]:
    """Return the image files that names, folders and patterns stand for, in order, each once.

    Raises
    ------
    FileError
        Where a name stands for nothing.
    """
    files: list[Path] = []
    for name in inputs:
        some = [path for path in _matching(name, recursive=recursive) if not path.is_relative_to(leave_out)]
        if not some:
            raise FileError(f"{name} stands for no image file; images end in {', '.join(ENDINGS)}.")
        files += some
    return list(dict.fromkeys(files))


def _matching(name: str, *, recursive: bool) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_file() or io.is_zarr(path):
        return [path]
    if path.is_dir():
        candidates = path.rglob("*") if recursive else path.iterdir()
    else:
        base = Path(path.anchor) if path.is_absolute() else Path()
        candidates = base.glob(str(path.relative_to(base)))
    return sorted(one for one in candidates if _is_image(one))


def _is_image(path: Path) -> bool:
    inside_zarr = any(parent.suffix.lower() == ".zarr" for parent in path.parents)
    return path.suffix.lower() in ENDINGS and not inside_zarr and not path.name.startswith(".")


def targets_of(files: Sequence[Path], out: Path, ending: str) -> list[tuple[Path, Path]]:
    """Return what becomes of each file: its name in the folder `out`, with the folder it is in where names are the same."""
    names = [io.stem(file) for file in files]
    unique = [name if names.count(name) == 1 else f"{file.parent.name}-{file.name}".replace(".", "-")
              for name, file in zip(names, files, strict=True)]  # fmt: skip
    if len(set(unique)) < len(unique):
        raise FileError("Several images of one name are in folders of one name; denoise them folder by folder.")
    return [(file, out / (name + ending)) for file, name in zip(files, unique, strict=True)]
