"""The table of the benchmark: methods in rows, data in columns, made from the JSON lines that `quality.py` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from cases import COLUMNS

from napari_lotadenoise.cli.tables import markdown, refresh
from napari_lotadenoise.methods import METHODS

Row = dict[str, Any]
#: What the methods are held against: doing nothing, and a blur whose width only the truth can tell.
BASELINES = {"noisy": "noisy input", "blur": "Gaussian blur, best width (oracle)"}
#: PSNR that the authors of a method, or others, publish for it; of whole data sets and other noise draws.
PUBLISHED: dict[str, dict[str, float]] = {
    "LoTA-N2N, its authors": {"BPAE_G P50 RGB": 37.20, "X-ray s10": 39.37},
    "ZS-N2N, by the authors of LoTA-N2N": {"BPAE_G P50 RGB": 36.47, "X-ray s10": 38.40},
    "ZS-N2N, by the authors of B2G": {
        "BSD68 s25": 28.33, "Kodak24 s25": 29.17, "Kodak24 s50": 24.94, "Set9 s25": 29.84, "Set9 s50": 25.76,
    },
    "Noise2Self, by the authors of B2G": {
        "BSD68 s25": 27.19, "Kodak24 s25": 30.96, "Kodak24 s50": 28.09, "Set9 s25": 29.30, "Set9 s50": 27.25,
    },
    "Noise2Info, its authors (trained on a data set)": {"BSD68 s25": 27.74},
    "Blind2Grad (B2G), its authors": {
        "BSD68 s25": 28.89, "Kodak24 s25": 32.46, "Kodak24 s50": 29.36, "Set9 s25": 32.01, "Set9 s50": 29.66,
    },
    "BM3D, by the authors of B2G": {
        "BSD68 s25": 28.56, "Kodak24 s25": 31.87, "Kodak24 s50": 29.01, "Set9 s25": 31.67, "Set9 s50": 28.95,
    },
}  # fmt: skip
#: How a measurement that gave no number is shown; the first of these that a cell has wins.
MARKS = {"error": "error", "timeout": "timeout", "cannot": "-"}


def read(path: Path | None) -> list[Row]:
    """Read results, the last one of each measurement; a line that a killed process left half written is skipped."""
    rows: dict[str, Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path and path.is_file() else ():
        try:
            row = json.loads(line)
            rows[key_of(row)] = row
        except (ValueError, KeyError):
            continue
    return list(rows.values())


def append(path: Path, row: Row) -> None:
    """Add one result, on a line of its own even where a killed process left the last one half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(max(0, file.seek(0, 2) - 1))
        whole = file.read() in (b"", b"\n")
        file.write(("" if whole else "\n").encode() + json.dumps(row).encode() + b"\n")


def key_of(row: Row) -> str:
    """Return what makes a measurement another one: case, method, preset, crop and options."""
    return json.dumps([row[name] for name in ("case", "method", "preset", "crop", "options")], sort_keys=True)


def document(rows: list[Row]) -> str:
    """Return the markdown of everything: what the columns hold, PSNR, then seconds and memory."""
    rows = [{**row, "cost": _cost(row)} for row in rows if row["column"] in COLUMNS]
    columns = [name for name in COLUMNS if any(row["column"] == name for row in rows)]
    shared = _shared_options(rows)
    groups = _groups(rows, shared)
    quality = [(label, *(_cell(some, name, rows, "psnr", 2) for name in columns)) for label, some in groups]
    quality += [
        (f"*published:* {label}", *(f"*{figures[name]:.2f}*" if name in figures else "" for name in columns))
        for label, figures in PUBLISHED.items()
        if any(name in figures for name in columns)
    ]
    speed = [
        (label, *(_cell(some, name, rows, "cost", 1) for name in columns), _most_memory(some))
        for label, some in groups
        if some[0]["method"] not in BASELINES
    ]
    parts = [
        "PSNR in dB:",
        markdown(("method", *columns), quality),
        f"Mean seconds of the processor for one image, and the largest peak memory ({_machine(rows, shared)}):",
        markdown(("method", *columns, "peak MB"), speed),
        "".join(f"- **{name}**: {COLUMNS[name]}.\n" for name in columns),
    ]
    return "\n".join(part if part.endswith("\n") else part + "\n" for part in parts)


def write_into(path: Path | None, rows: list[Row]) -> None:
    """Print the tables, or put them between the marks ``<!-- quality -->`` and ``<!-- /quality -->`` of a file."""
    if path is None:
        print(document(rows))
    else:
        path.write_text(refresh(path.read_text(encoding="utf-8"), "quality", document(rows)), encoding="utf-8")


def mean_of_fields(rows: Iterable[Row], value: str) -> float:
    """Return the mean of a value over fields of view, of which each is the mean of its images."""
    fields: dict[str, list[float]] = {}
    for row in rows:
        fields.setdefault(row["field"], []).append(row[value])
    return float(np.mean([np.mean(images) for images in fields.values()]))


def _groups(rows: list[Row], shared: Row) -> list[tuple[str, list[Row]]]:
    """Return the rows of the table with their labels: baselines first, then methods in the order of the registry."""
    order = [*BASELINES, *METHODS]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        place = order.index(row["method"]) if row["method"] in order else len(order)
        key = (place, row["method"], row["preset"], row["crop"], json.dumps(row["options"], sort_keys=True))
        groups.setdefault(key, []).append(row)
    return [(_label(groups[key][0], shared), groups[key]) for key in sorted(groups)]


def _label(row: Row, shared: Row) -> str:
    name = BASELINES.get(row["method"], f"`{row['method']}` {row['preset']}")
    parts = [name] + ([f"central {row['crop']}"] if row["crop"] else [])
    return ", ".join(parts + [f"{key} {value}" for key, value in row["options"].items() if key not in shared])


def _cost(row: Row) -> float:
    """Return the seconds that the processor has worked: with one thread those of a machine that has nothing else to do."""
    return float(row.get("processor_seconds", row.get("seconds", 0.0)))


def _cell(some: list[Row], column: str, rows: list[Row], value: str, digits: int) -> str:
    """Return the mean of a column; an asterisk where images are missing that other rows of the same crop have."""
    mine = [row for row in some if row["column"] == column]
    good = [row for row in mine if row["status"] == "ok"]
    if not good:
        return next((mark for status, mark in MARKS.items() if any(row["status"] == status for row in mine)), "")
    images = {row["case"] for row in rows if row["column"] == column and row["crop"] == some[0]["crop"]}
    return f"{mean_of_fields(good, value):.{digits}f}" + ("" if len(good) == len(images) else "\\*")


def _most_memory(some: list[Row]) -> str:
    found = [row["memory_mb"] for row in some if row["status"] == "ok"]
    return f"{max(found):.0f}" if found else ""


def _shared_options(rows: list[Row]) -> Row:
    """Return the options that all measurements of methods have in common; they are told once."""
    options = [row["options"] for row in rows if row["method"] not in BASELINES]
    return {k: v for k, v in options[0].items() if all(o.get(k) == v for o in options)} if options else {}


def _machine(rows: list[Row], shared: Row) -> str:
    done = [row for row in rows if row["status"] == "ok" and row["method"] not in BASELINES]
    device, torch, threads = (
        " or ".join(sorted({str(row[n]) for row in done})) for n in ("device", "torch", "threads")
    )
    steps = [f"{shared['steps']} steps"] if "steps" in shared else []
    return "; ".join([device, f"torch {torch}", f"{threads} thread(s)", *steps])
