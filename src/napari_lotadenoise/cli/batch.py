"""The command ``lotadenoise batch``: all images of some folders, each with its recipe and a line of a table."""

from __future__ import annotations

import argparse
from typing import Any

from napari_lotadenoise import batch, jobs
from napari_lotadenoise.cli import apply, choosing, console
from napari_lotadenoise.engine import plan
from napari_lotadenoise.recipe import Recipe


def add_batch(commands: Any, method: str, recipe: Recipe | None) -> None:
    """Add the command."""
    parser = commands.add_parser("batch", help="denoise all images of folders", argument_default=argparse.SUPPRESS)
    parser.add_argument("inputs", nargs="+", metavar="IN", help="files, folders, or patterns such as 'day1/*.tif'")
    parser.add_argument(
        "--out", type=console.path, required=True, metavar="DIR", help="folder of the results; made if missing"
    )
    parser.add_argument("--recursive", action="store_true", help="also look into folders within folders")
    parser.add_argument(
        "--learn", choices=("once", "each"), default="each",
        help="each: every image is learnt by itself (default); once: one model, learnt from the first, for all",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=tuple(batch.FORMATS), default="ome-tiff", help="of the results; default ome-tiff"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done to which file")
    console.add_output_options(parser)
    apply.add_block_options(parser)
    choosing.add_choice(parser, method, recipe)
    parser.set_defaults(action=_batch)


def _batch(options: argparse.Namespace) -> int:
    given, out = vars(options), options.out
    files = batch.found(options.inputs, recursive=given.get("recursive", False), leave_out=out)
    targets = batch.targets_of(files, out, batch.FORMATS[options.format])
    if given.get("dry_run"):
        print(
            *(f"{source} -> {target}{' (there already)' if target.exists() else ''}" for source, target in targets),
            sep="\n",
        )
        return 0
    asked = choosing.asked(given)
    request = batch.BatchRequest(
        targets, out, asked, given["learn"] == "once", None, asked.get("axes"), given.get("series"),
        given.get("same_dtype", False), given.get("overwrite", False), not given.get("no_pyramid", False),
        jobs.chosen(given.get("workers", 1), given.get("scheduler", "")),
    )  # fmt: skip
    rows = _driven(request, quiet=given.get("quiet", False))
    failed = [row for row in rows if row.error]
    if not given.get("quiet"):
        console.say(f"{len(rows) - len(failed)} of {len(rows)} images are done; {out / batch.TABLES[1]} shows them.")
        console.say(*(f"failed: {row.source}: {row.error}" for row in failed))
    return console.WRONG if failed else 0


def _driven(request: batch.BatchRequest, *, quiet: bool) -> list[batch.Row]:
    """Do a batch, and show how far it is."""
    line, rows = console.ProgressLine(), list[batch.Row]()
    try:
        for event in batch.run(request):
            if isinstance(event, batch.FileEnded):
                line.clear()
                rows.append(event.row)
                if not quiet and event.row.verdict:
                    console.say(event.row.verdict)
            elif isinstance(event, batch.FileStarted) and not quiet:
                console.say(f"{event.number} of {event.of}: {event.source}{_left(event.seconds_left)}")
            elif isinstance(event, batch.FileProgress) and not quiet:
                line.write(f"{event.phase} {event.done:.0%}")
    finally:
        line.clear()
    return rows


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f" ({plan.duration(seconds)} left)"
