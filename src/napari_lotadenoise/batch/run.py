"""The run over the files of a batch, as events; what is done is left as it is, what fails is noted."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_lotadenoise import api, engine, io, jobs, model as models
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.batch.table import Row, Table
from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.events import Command, Failed, Learnt, Progress
from napari_lotadenoise.model import Model


@dataclass(frozen=True)
class BatchRequest:
    """Request to denoise files.

    Attributes
    ----------
    targets : sequence of (Path, Path)
        Each file, and what it becomes.
    folder : Path
        Where the table goes; it is made if it is not there.
    settings : mapping
        Arguments of `denoise`: method, preset, hyper-parameters and run options. Auto where no method is told.
    learn_once : bool
        Whether one model, learnt from the first file, does all; otherwise each file is learnt by itself.
    model : Path, optional
        A saved model that does all.
    axes : str, optional
        Of files that do not say theirs.
    series : int, optional
        Which image of files that hold several.
    same_dtype, overwrite, pyramid : bool
        As for the command.
    executor : Executor
        How the blocks of a file are done.
    """

    targets: Sequence[tuple[Path, Path]]
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    learn_once: bool = False
    model: Path | None = None
    axes: str | None = None
    series: int | None = None
    same_dtype: bool = False
    overwrite: bool = False
    pyramid: bool = True
    executor: jobs.Executor = field(default_factory=lambda: jobs.chosen(1, ""))


@dataclass(frozen=True)
class FileStarted:
    """A file is begun.

    Attributes
    ----------
    number, of : int
        Which of how many files, from 1.
    source, output : Path
    seconds_left : float or None
        Of all files; None until the first is done.
    """

    number: int
    of: int
    source: Path
    output: Path
    seconds_left: float | None = None


@dataclass(frozen=True)
class FileProgress:
    """Progress within a file: what is done now, and how much of that, 0 to 1."""

    phase: str
    done: float


@dataclass(frozen=True)
class FileEnded:
    """A file is done, was done before, or has failed."""

    row: Row


BatchEvent = FileStarted | FileProgress | FileEnded
Events = Generator[BatchEvent, Command | None, list[Row]]


class _Stopped(Exception):
    """The user has ended the batch."""


def run(request: BatchRequest) -> Events:
    """Denoise the files of a request, one after the other.

    Yields
    ------
    BatchEvent
        Send ``Command.STOP`` to end after the present step; what is done stays, and the same request goes on with the rest.
        Returns the rows of all files that were come to.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    table, batch, seconds = Table(request.folder), _Batch(request), list[float]()
    for number, (source, output) in enumerate(request.targets, start=1):
        left = sum(seconds) / len(seconds) * (len(request.targets) - number + 1) if seconds else None
        begun = time.monotonic()
        try:
            _check(command := (yield FileStarted(number, len(request.targets), source, output, left)))
            row = yield from batch.row(source, output)
        except _Stopped:
            break
        if not row.error and row.seconds:
            seconds.append(time.monotonic() - begun)
        table.add(row)
        command = yield FileEnded(row)
        if command is Command.STOP:
            break
    return table.rows


class _Batch:
    """Denoises one file after the other, and holds the model where one is to do for all."""

    def __init__(self, request: BatchRequest) -> None:
        self._request = request
        self._model: tuple[Model, bytes] | None = None

    def row(self, source: Path, output: Path) -> Generator[BatchEvent, Command | None, Row]:
        """Denoise a file, or say why not; one that is done already is left as it is."""
        if output.exists() and not self._request.overwrite:
            return Row.of(source, output, done_before=True)
        begun = time.monotonic()
        try:
            yield from self._denoise(source, output)
        except (LotaDenoiseError, OSError, MemoryError) as error:
            return Row(str(source), error=str(error) or type(error).__name__)
        return Row.of(source, output, time.monotonic() - begun)

    def _denoise(self, source: Path, output: Path) -> Generator[BatchEvent, Command | None, None]:
        model, content, settings = yield from self._model_for(source, output)
        request = self._request
        job = jobs.Job(
            model, content, str(source), output, request.axes, request.series, request.same_dtype,
            str(request.settings.get("device", "auto")), request.pyramid, request.overwrite, settings,
        )  # fmt: skip
        for event in jobs.apply(job, request.executor):
            if isinstance(event, jobs.Progress):
                _check((yield FileProgress(event.phase, event.done)))

    def _model_for(
        self, source: Path, output: Path
    ) -> Generator[BatchEvent, Command | None, tuple[Model, bytes, Mapping[str, Any]]]:
        """Return the model for a file, its bytes, and the settings that the job of the file is told."""
        request = self._request
        if request.model is not None and self._model is None:
            self._model = jobs.open_model(request.model)
        if request.model is not None or (request.learn_once and self._model is not None):
            return (*_held(self._model), {})
        if request.learn_once:
            model = yield from self._learn(source)
            self._model = model, models.packed(model)
            return (*self._model, {})
        asked = {name: value for name, value in request.settings.items() if name != "threads"}
        folder = jobs.JobFolder.beside(output)
        if (folder.path / "job.json").exists() and folder.read().options.get("settings") == asked:
            return (*jobs.open_model(folder.model_path), asked)
        model = yield from self._learn(source)
        return model, models.packed(model), asked

    def _learn(self, source: Path) -> Generator[BatchEvent, Command | None, Model]:
        """Learn a file from samples of it."""
        request = self._request
        image = io.open_source(source, request.series)
        axes = request.axes or io.known_axes(image.axes)
        if axes is None:
            raise FileError(
                f"The file does not say what its axes {tuple(image.data.shape)} are (it has {image.axes!r}); say it, for "
                "example ZYX, TYX or CYX."
            )
        settings = {name: value for name, value in request.settings.items() if name not in ("method", "preset", "axes")}
        method, preset = request.settings.get("method", AUTO), request.settings.get("preset", "fast")
        if method == AUTO:
            method, settings = api.automatic_settings(image.data, preset, axes, settings)
        events = engine.learn(image.data, *api.resolve(method, preset, axes=axes, **settings))
        for event in events:
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Learnt):
                return event.model
            if isinstance(event, Progress):
                command = yield FileProgress(f"learning ({event.phase})", event.done)
                if command is Command.STOP:
                    events.send(Command.STOP)
                    raise _Stopped
        raise _Stopped


def _held(model: tuple[Model, bytes] | None) -> tuple[Model, bytes]:
    if model is None:
        raise LotaDenoiseError("There is no model to apply.")
    return model


def _check(command: Command | None) -> None:
    if command is Command.STOP:
        raise _Stopped
