"""The command ``lotadenoise apply``: a model on image files, block by block, resumable, in several processes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lotadenoise import io, jobs, model as models
from napari_lotadenoise.cli import choosing, console, learn
from napari_lotadenoise.compute.memory import free_bytes
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model

#: Share of the free memory that a file may have to be denoised in one piece.
IN_MEMORY = 0.05


def add_apply(commands: Any) -> None:
    """Add the command."""
    apply = commands.add_parser(
        "apply", help="denoise images with a model that was learnt", argument_default=argparse.SUPPRESS
    )
    apply.add_argument("model", metavar="MODEL", help="file that learn has made")
    apply.add_argument("sources", nargs="+", metavar="SOURCE", help="image files; of several, OUT is a folder")
    apply.add_argument(
        "output", type=console.path, metavar="OUT", help=".zarr (OME-Zarr), .ome.tif or .tif; or a folder"
    )
    apply.add_argument("--axes", help="one letter an axis of T P C Z Y X S; default: what the file says")
    apply.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda, cuda:N or mps")
    console.add_output_options(apply)
    add_block_options(apply)
    apply.set_defaults(action=_apply)


def add_block_options(command: argparse.ArgumentParser) -> None:
    """Give a command the options of work that is done block by block."""
    group = command.add_argument_group("large images (block by block; the same command again goes on)")
    console.add_series_option(group)
    group.add_argument("--workers", type=int, metavar="N", help="local processes; default 1")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="scheduler of dask.distributed, or 'local' for a cluster on this machine"
    )
    group.add_argument("--part", metavar="I/N", help="do only the I-th of N parts, for job arrays; the last makes OUT")
    group.add_argument("--no-pyramid", action="store_true", help="no levels of lower resolution in an OME-Zarr")


def _apply(options: argparse.Namespace) -> None:
    given = vars(options)
    model, content = jobs.open_model(options.model)
    for source, output in _targets(options.sources, options.output):
        applied(given, model, content, source, output)


def _targets(sources: list[str], output: Path) -> list[tuple[Path, Path]]:
    """Return what becomes of each source."""
    output = output.expanduser()
    folder = output.is_dir() and output.suffix.lower() != ".zarr"
    if len(sources) == 1 and not folder:
        return [(Path(sources[0]), output)]
    if not folder:
        raise FileError(f"The results of {len(sources)} images go into a folder, and {output} is none; make it first.")
    return [(Path(source), output / f"{io.stem(Path(source))}.ome.tif") for source in sources]


def applied(given: dict[str, Any], model: Model, content: bytes, source: Path, output: Path, **more: Any) -> str:
    """Apply a model to a file as the options of a command say; return the verdict."""
    quiet = given.get("quiet", False)
    job = jobs.Job(
        model, content, str(source), output, given.get("axes"), given.get("series"), given.get("same_dtype", False),
        given.get("device", "auto"), not given.get("no_pyramid", False), given.get("overwrite", False), **more,
    )  # fmt: skip
    if not quiet:
        _tell_differences(job)
    executor = jobs.chosen(given.get("workers", 1), given.get("scheduler", ""))
    line, verdict = console.ProgressLine(), ""
    try:
        for event in jobs.apply(job, executor, *jobs.part_of(given.get("part", "1/1"))):
            if isinstance(event, jobs.Applied):
                verdict = event.verdict
                line.clear()
                if not quiet:
                    _tell_end(event)
            elif not quiet:
                _tell(event, line)
    except KeyboardInterrupt:
        line.clear()
        console.say(f"Blocks that are done are kept in {jobs.JobFolder.beside(output).path}; the same command goes on.")
        raise
    finally:
        line.clear()
    return verdict


def _tell(event: jobs.Plan | jobs.Progress, line: console.ProgressLine) -> None:
    if isinstance(event, jobs.Plan):
        console.say(event.words)
        return
    left = "" if event.seconds_left is None else f", {plan.duration(event.seconds_left)} left"
    line.write(f"{event.phase} {event.done:.0%}, {event.blocks} of {event.of} blocks{left}")


def _tell_end(event: jobs.Applied) -> None:
    if event.output is None:
        console.say("This part is done; the output is made when all parts are.")
    else:
        console.say(f"{event.output}: {plan.duration(event.seconds)}", event.verdict)


def _tell_differences(job: jobs.Job) -> None:
    """Say how an image differs from the one that was learnt."""
    image = io.open_source(job.source, job.series)
    stack = job.model.stack(image.data, job.axes or io.known_axes(image.axes))
    for group, seen in enumerate(job.model.seen):
        for words in models.differences(seen, models.look_at(stack, group, noise=seen.sigma is not None)):
            console.say(f"careful: {words}; the result may be worse than that of a model of this image.")


def in_blocks(source: Path, output: Path) -> bool:
    """Tell whether a file is to be denoised block by block: one that is not TIFF or a picture, or large."""
    source = source.expanduser()
    lazy = output.suffix.lower() == ".zarr" or source.suffix.lower() == ".npy" or source.is_dir()
    return lazy or (source.is_file() and source.stat().st_size > IN_MEMORY * free_bytes())


def learn_and_apply(given: dict[str, Any], source: Path, output: Path) -> str:
    """Learn from samples of a file and apply that to all of it; what an earlier run has learnt is taken up again."""
    asked = {name: value for name, value in choosing.asked(given).items() if name != "threads"}
    folder = jobs.JobFolder.beside(output)
    if (folder.path / "job.json").exists() and folder.read().options.get("settings") == asked:
        model, content = jobs.open_model(folder.model_path)
    else:
        model = learn.learnt(given, [source])
        content = models.packed(model)
    return applied(given, model, content, source, output, settings=asked)
