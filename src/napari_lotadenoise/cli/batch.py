"""The command ``lotadenoise batch``: all images of some folders, each with its recipe and a line of a table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lotadenoise import io, model as models
from napari_lotadenoise.cli import apply, choosing, console, learn
from napari_lotadenoise.cli.batch_table import Row, Table
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.recipe import Recipe

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model

#: Endings of the files that are looked for in folders.
ENDINGS = (".tif", ".tiff", ".zarr", ".npy", ".png", ".jpg", ".jpeg", ".bmp")
#: Kinds of output.
FORMATS = {"ome-tiff": ".ome.tif", "tiff": ".tif", "ome-zarr": ".ome.zarr"}
#: Files of the tables in the folder of the results.
TABLES = ("batch.csv", "batch.html")


def add_batch(commands: Any, method: str, recipe: Recipe | None) -> None:
    """Add the command."""
    batch = commands.add_parser("batch", help="denoise all images of folders", argument_default=argparse.SUPPRESS)
    batch.add_argument("inputs", nargs="+", metavar="IN", help="files, folders, or patterns such as 'day1/*.tif'")
    batch.add_argument(
        "--out", type=console.path, required=True, metavar="DIR", help="folder of the results; made if missing"
    )
    batch.add_argument("--recursive", action="store_true", help="also look into folders within folders")
    batch.add_argument(
        "--learn", choices=("once", "each"), default="each",
        help="each: every image is learnt by itself (default); once: one model, learnt from the first, for all",
    )  # fmt: skip
    batch.add_argument("--format", choices=tuple(FORMATS), default="ome-tiff", help="of the results; default ome-tiff")
    batch.add_argument("--dry-run", action="store_true", help="only say what would be done to which file")
    console.add_output_options(batch)
    apply.add_block_options(batch)
    choosing.add_choice(batch, method, recipe)
    batch.set_defaults(action=_batch)


def _batch(options: argparse.Namespace) -> int:
    given, out = vars(options), options.out.expanduser()
    files = found(options.inputs, recursive=given.get("recursive", False), leave_out=out)
    targets = targets_of(files, out, FORMATS[options.format])
    if given.get("dry_run"):
        print(
            *(f"{source} -> {target}{' (there already)' if target.exists() else ''}" for source, target in targets),
            sep="\n",
        )
        return 0
    out.mkdir(parents=True, exist_ok=True)
    table = Table(out)
    batch = _Batch(given)
    for number, (source, target) in enumerate(targets, start=1):
        if not given.get("quiet"):
            console.say(f"{number} of {len(targets)}: {source}{_left(batch.seconds, len(targets) - number + 1)}")
        table.add(batch.do(source, target))
    failed = [row for row in table.rows if row.error]
    if not given.get("quiet"):
        console.say(
            f"{len(table.rows) - len(failed)} of {len(table.rows)} images are done; {out / TABLES[1]} shows them."
        )
        console.say(*(f"failed: {row.source}: {row.error}" for row in failed))
    return console.WRONG if failed else 0


class _Batch:
    """Denoises one file after the other, and holds the model where one is to do for all."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given, self._once = given, given["learn"] == "once"
        self._model: Model | None = None
        self.seconds: list[float] = []

    def do(self, source: Path, target: Path) -> Row:
        """Denoise a file, or say why not; one that is done already is left as it is."""
        if target.exists() and not self._given.get("overwrite"):
            return Row.of(source, target, done_before=True)
        begun = time.monotonic()
        try:
            self._denoise(source, target)
        except (LotaDenoiseError, OSError, MemoryError) as error:
            return Row(str(source), error=str(error) or type(error).__name__)
        self.seconds.append(time.monotonic() - begun)
        return Row.of(source, target, self.seconds[-1])

    def _denoise(self, source: Path, target: Path) -> None:
        if not self._once:
            apply.learn_and_apply(self._given, source, target)
            return
        if self._model is None:
            self._model = learn.learnt(self._given, [source])
        apply.applied(self._given, self._model, models.packed(self._model), source, target)


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


def _left(seconds: Sequence[float], images: int) -> str:
    return f" ({plan.duration(sum(seconds) / len(seconds) * images)} left)" if seconds else ""
