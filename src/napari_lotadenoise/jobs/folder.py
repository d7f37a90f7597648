"""Job folder: what a run over many blocks is, and which of them are done, so that it can be stopped and gone on with.

stack.ome.zarr.job/
job.json             source, output, model, blocks, versions
model.safetensors    the model that is applied
done/000017          empty; appears when block 17 is written
image.zarr/          what is written, until it becomes the output
locks/               held by the processes that are at work
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.image.stack import Isolation
from napari_lotadenoise.io.tiff import whole
from napari_lotadenoise.recipe import versions

#: Raised when an older version could not go on with a folder any more.
FORMAT = 1
#: Name of the lock of a run that does all blocks.
_WHOLE = "1-of-1"


@dataclass(frozen=True)
class Description:
    """What a job does, and all that its pixels depend on.

    Attributes
    ----------
    source, output : str
        Paths, absolute.
    options : mapping
        How the source is opened and the output written.
    identity : mapping
        Shape, data type and digest of the source.
    model : str
        Digest of the model.
    blocks : mapping
        Tiles of a block along each axis, and its samples.
    isolation : sequence
        From when a pixel of each group and channel of the source is an outlier, measured once.
    versions : mapping of str to str
    format : int
    """

    source: str
    output: str
    identity: Mapping[str, Any]
    model: str
    blocks: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    isolation: Isolation | None = None
    versions: Mapping[str, str] = field(default_factory=lambda: versions())
    format: int = FORMAT

    def same_as(self, other: Description) -> str:
        """Return what is different, in words; empty where the same pixels come of both."""
        for name, words in (
            ("identity", "source"), ("source", "source"), ("model", "model"), ("options", "way to read or write"),
        ):  # fmt: skip
            if getattr(self, name) != getattr(other, name):
                return words
        changed = [name for name, version in self.versions.items() if other.versions.get(name) != version]
        return f"version of {', '.join(changed)}" if changed else ""


class JobFolder:
    """The folder of a job.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    def beside(cls, output: Path) -> JobFolder:
        """Return the folder that belongs to an output."""
        return cls(output.with_name(output.name + ".job"))

    @property
    def model_path(self) -> Path:
        """Return where the model is."""
        return self.path / "model.safetensors"

    @property
    def store_path(self) -> Path:
        """Return where blocks are written until all of them are."""
        return self.path / "image.zarr"

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """Let one process after the other begin the job."""
        with FileLock(self.path / "locks" / "begin"):
            yield

    def begin(self, description: Description, model: Path | bytes) -> Description:
        """Begin the job, or go on with it; return its description, with the blocks that were begun with.

        Raises
        ------
        FileError
            Where the folder is that of another job.
        """
        if (self.path / "job.json").exists():
            begun = self.read()
            if different := begun.same_as(description):
                raise FileError(
                    f"{self.path} is a job that was begun with another {different}; "
                    "delete the folder to begin anew, or choose another output."
                )
            return begun
        if self.path.exists() and any(one.name != "locks" for one in self.path.iterdir()):
            raise FileError(f"{self.path} is there already and is no job of lotadenoise; choose another output.")
        (self.path / "done").mkdir(parents=True, exist_ok=True)
        with whole(self.model_path) as part:
            part.write_bytes(model if isinstance(model, bytes) else model.read_bytes())
        with whole(self.path / "job.json") as part:  # last: a folder with it is complete
            part.write_text(json.dumps(dataclasses.asdict(description), indent=2) + "\n", encoding="utf-8")
        return description

    def read(self) -> Description:
        """Return what the job does.

        Raises
        ------
        FileError
            Where the folder is no job, a damaged one, or one of a newer version.
        """
        try:
            content = json.loads((self.path / "job.json").read_text(encoding="utf-8"))
            if content["format"] > FORMAT:
                raise FileError(f"{self.path} was begun by a newer version; update napari-lotadenoise.")
            content["isolation"] = content.get("isolation") and tuple(map(tuple, content["isolation"]))
            return Description(**content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{self.path} is no job of lotadenoise, or is damaged ({error}).") from None

    def done(self) -> set[int]:
        """Return the numbers of the blocks that are written."""
        return {int(flag.name) for flag in (self.path / "done").iterdir() if flag.name.isdecimal()}

    def mark(self, number: int) -> None:
        """Note that a block is written; the flag is renamed into place, so that it is there or not."""
        flag = self.path / "done" / f"{number:06d}"
        part = flag.with_name(f"{flag.name}.{os.getpid()}.part")
        part.touch()
        part.replace(flag)

    @contextlib.contextmanager
    def locked(self, part: int = 1, of: int = 1) -> Iterator[None]:
        """Keep others from the same part of the job meanwhile; the system lets go of it when the process dies.

        Raises
        ------
        FileError
            Where another process is at work on it.
        """
        folder = self.path / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        others = [folder / _WHOLE] if of > 1 else sorted(other for other in folder.iterdir() if other.name != "begin")
        try:
            with contextlib.ExitStack() as tried:
                held = tried.enter_context(contextlib.ExitStack())
                held.enter_context(FileLock(folder / f"{part}-of-{of}", timeout=0))
                for other in others:  # a whole run and a part of one exclude each other
                    if other.name != f"{part}-of-{of}":
                        tried.enter_context(FileLock(other, timeout=0))
                kept = held.pop_all()
        except Timeout:
            raise FileError(
                f"Another process is at work on {self.path}; wait for it, or choose another output."
            ) from None
        with kept:
            yield

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
