"""Text and Markdown tables of the methods, read from the registry, for command line, README and docs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.methods import METHODS


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def documented() -> list[type[Method]]:
    """Return the methods in the tables of the documents: those without an optional package, which is not always there."""
    return [m for m in METHODS.values() if not m.requires.package]


def methods_markdown() -> str:
    """Return the table of the methods for the README."""
    rows = [
        (f"`{m.id}`", m.info.idea, m.info.assumes, m.info.fails, f"[{_short(m)}]({m.info.url})") for m in documented()
    ]
    return markdown(("method", "idea", "assumes", "fails", "source"), rows)


def parameters_markdown(owner: type[Method] | type[Training]) -> str:
    """Return the table of the hyper-parameters of a method, or of the training."""
    rows = [(f"`{p.name}`", str(p.default), p.bounds, p.knob.doc) for p in parameters(owner)]
    return markdown(("parameter", "default", "allowed", "meaning"), rows)


def methods_text() -> str:
    """Return all methods for a terminal: id and title, idea, assumptions, failures, source."""
    return "\n\n".join(method_text(m) for m in METHODS.values())


def method_text(method: type[Method]) -> str:
    """Return one method for a terminal."""
    info = method.info
    lines = [f"{method.id}  ({info.title})", f"  idea     {info.idea}", f"  assumes  {info.assumes}"]
    lines += [f"  fails    {info.fails}", f"  source   {info.source}", f"           {info.url}"]
    return "\n".join(lines)


def _short(method: type[Method]) -> str:
    """Return the authors and venue of a source, without its title."""
    return method.info.source.split(",")[0].split(";")[0]


def refresh(text: str, name: str, content: str) -> str:
    """Replace what stands between ``<!-- name ... -->`` and ``<!-- /name -->`` in a text."""
    pattern = re.compile(rf"(<!-- {re.escape(name)}[^>]*-->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    return pattern.sub(lambda found: found[1] + content + found[2], text)


def tables() -> dict[str, str]:
    """Return every table that the documents hold, by its mark."""
    found = {"methods": methods_markdown(), "training": parameters_markdown(Training)}
    return found | {f"parameters {m.id}": parameters_markdown(m) for m in documented()}


def main() -> None:
    """Write the tables into README.md and docs/methods.md below the current folder."""
    for path in (Path("README.md"), Path("docs/methods.md")):
        text = path.read_text(encoding="utf-8")
        for name, content in tables().items():
            text = refresh(text, name, content)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
