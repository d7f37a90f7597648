"""Application of a model to a source on disk: block by block into a file, restartable, by one process or many."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise import io
from napari_lotadenoise.compute.memory import free_bytes
from napari_lotadenoise.errors import FileError, ParameterError
from napari_lotadenoise.image.stack import Stack
from napari_lotadenoise.io.ome_zarr import ZarrStore
from napari_lotadenoise.jobs import executors, finish
from napari_lotadenoise.jobs.blocks import Grid, grid_for
from napari_lotadenoise.jobs.folder import Description, JobFolder
from napari_lotadenoise.jobs.plan import Plan
from napari_lotadenoise.model import Model, digest
from napari_lotadenoise.recipe import fingerprint
from napari_lotadenoise.residual import examine

#: Voxels of a block at most, so that it takes seconds, and bytes that one of them takes on the way.
VOXELS, BYTES_A_VOXEL = 1 << 22, 24
#: Share of the free memory that all workers may fill together.
SHARE = 0.25
#: Side of the middle of each plane in which the residual is examined at the end.
EXAMINED = 512


@dataclass(frozen=True)
class Progress:
    """Progress of a job.

    Attributes
    ----------
    phase : "denoising", "pyramid" or "writing"
    done : float
        Share of the phase, 0 to 1.
    blocks, of : int
        Blocks that are written, and all of them.
    seconds_left : float or None
        Of the phase; None until it can be told.
    """

    phase: str
    done: float
    blocks: int
    of: int
    seconds_left: float | None = None


@dataclass(frozen=True)
class Applied:
    """End of a job.

    Attributes
    ----------
    output : path or None
        The file; None where other parts of the job are not done yet.
    seconds : float
    verdict : str
        What the residual says, in one sentence.
    """

    output: Path | None
    seconds: float
    verdict: str = ""


@dataclass(frozen=True)
class Job:
    """A model, what it is applied to, and where that goes.

    Attributes
    ----------
    model : Model
    model_file : bytes
        What `Model.save` writes.
    source : str
        Path of the source.
    output : path
    axes : str or None
        Of the source, where its file does not say.
    series : int or None
    same_dtype : bool
        Whether the output has the data type of the source, rounded and clipped, instead of float32.
    device : str
    pyramid : bool
        Whether an OME-Zarr gets levels of lower resolution.
    overwrite : bool
    settings : mapping
        What the model was asked to be, where it was learnt for this job; a job that goes on takes it up again.
    """

    model: Model
    model_file: bytes
    source: str
    output: Path
    axes: str | None = None
    series: int | None = None
    same_dtype: bool = False
    device: str = "auto"
    pyramid: bool = True
    overwrite: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """Return what workers need to know, and what the pixels depend on."""
        return {
            "axes": self.axes,
            "series": self.series,
            "same_dtype": self.same_dtype,
            "device": self.device,
            "settings": dict(self.settings),
        }


def apply(job: Job, executor: executors.Executor, part: int = 1, of: int = 1) -> Iterator[Plan | Progress | Applied]:
    """Apply a model to a source, or go on where an earlier run has stopped.

    Parameters
    ----------
    job : Job
    executor : Executor
    part, of : int
        Which of how many parts of the blocks to do, for job arrays; the last of them to end makes the output.

    Yields
    ------
    Plan, Progress, Applied
        What will be done, how far it is, and the end.

    Raises
    ------
    LotaDenoiseError
        Where source, model and output do not fit together, or another process is at work on the job. What is written stays.
    """
    if not 1 <= part <= of:
        raise ParameterError(f"There is no part {part} of {of}; parts are 1/{of} to {of}/{of}.")
    begun = time.monotonic()
    image = io.open_source(job.source, job.series)
    stack = job.model.stack(image.data, job.axes or io.known_axes(image.axes))
    dtype = np.dtype(image.data.dtype if job.same_dtype else np.float32)
    size = stack.array.size * dtype.itemsize if hasattr(stack.array, "size") else 0
    finish.check_output(job.output, stack.layout.axes, size, dtype, overwrite=job.overwrite)
    folder = JobFolder.beside(job.output)
    grid = grid_for(stack, job.model.tiles(stack), _voxels(executor))
    with folder.locked(part, of):
        grid = _begun(job, folder, grid, dtype)
        missing = [number for number in range(len(grid)) if number not in folder.done() and number % of == part - 1]
        yield Plan.of(job.model, grid, job.output, dtype, len(missing), executor.workers)
        yield from _denoised(executor, folder, missing, len(grid))
        if len(folder.done()) < len(grid):
            yield Applied(None, time.monotonic() - begun)
            return
        yield from _finished(job, folder, image, stack, begun)


def _voxels(executor: executors.Executor) -> int:
    """Return the voxels of a block that leave room for all workers."""
    return max(1, min(VOXELS, int(SHARE * free_bytes() / executor.workers) // BYTES_A_VOXEL))


def _begun(job: Job, folder: JobFolder, grid: Grid, dtype: np.dtype[Any]) -> Grid:
    """Begin the job, or go on with it; return its blocks as they were begun with."""
    description = Description(
        source=os.fspath(Path(job.source).expanduser().resolve()), output=os.fspath(job.output.resolve()),
        identity=fingerprint(grid.stack.array), model=digest(job.model), options=job.options,
        blocks={"shape": list(grid.shape), "samples": grid.samples}, isolation=grid.stack.isolation,
    )  # fmt: skip
    with folder.beginning():
        begun = folder.begin(description, job.model_file)
        blocks, grid.stack.isolation = begun.blocks, begun.isolation
        grid = replace(grid, shape=tuple(blocks["shape"]), samples=blocks["samples"])
        if not folder.store_path.exists():
            block = [part.stop - part.start for part in grid.region(grid[0])]
            part = folder.store_path.with_name("part.zarr")
            ZarrStore.create(part, grid.stack.array.shape, dtype, grid.stack.layout.axes, block)
            part.replace(folder.store_path)
    return grid


def _denoised(executor: executors.Executor, folder: JobFolder, missing: list[int], of: int) -> Iterator[Progress]:
    before, begun = len(folder.done()), time.monotonic()
    for count, _ in enumerate(executor.run(folder.path, missing), start=1):
        left = (time.monotonic() - begun) / count * (len(missing) - count)
        yield Progress("denoising", (before + count) / of, before + count, of, left)


def _finished(
    job: Job, folder: JobFolder, image: io.LazyImage, stack: Stack, begun: float
) -> Iterator[Progress | Applied]:
    store = ZarrStore(folder.store_path)
    report = examine(stack.array, store.source_array, stack.layout.axes, planes=2, side=EXAMINED)
    recipe = job.model.recipe_for(stack, report.sentence, report.numbers, seconds=time.monotonic() - begun)
    phase = "pyramid" if job.output.suffix.lower() == ".zarr" else "writing"
    count = len(folder.done())
    for done in finish.finish(store, job.output, image.calibration, recipe, pyramid=job.pyramid):
        yield Progress(phase, done, count, count)
    folder.remove()
    yield Applied(job.output, time.monotonic() - begun, recipe.verdict)


def part_of(text: str) -> tuple[int, int]:
    """Read "2/5" as part 2 of 5.

    Raises
    ------
    ParameterError
        Where it is nothing like that.
    """
    part, _, of = text.partition("/")
    if not (part.isdecimal() and of.isdecimal() and 1 <= int(part) <= int(of)):
        raise ParameterError(f"--part takes two numbers such as 2/5, not {text!r}.")
    return int(part), int(of)


def open_model(path: str | os.PathLike[str]) -> tuple[Model, bytes]:
    """Load a model and the bytes of its file.

    Raises
    ------
    FileError
        Where it is none.
    """
    model = Model.load(path)
    try:
        return model, Path(path).expanduser().read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror or error}).") from None
