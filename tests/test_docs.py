"""What the documents say must be true."""

import re
import shlex
from pathlib import Path

import pytest

from napari_lotadenoise import METHODS, io, tables
from napari_lotadenoise.cli import main

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["README.md", "docs/methods.md"])
def test_tables_are_those_of_the_registry(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    fresh = text
    for mark, content in tables.tables().items():
        fresh = tables.refresh(fresh, mark, content)
    assert fresh == text, "run `python -m napari_lotadenoise.tables`"
    assert "| `lota-n2n` |" in text


def test_the_python_of_the_readme_runs():
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    names: dict[str, object] = {}
    exec(code, names)
    assert names["clean"].shape == names["image"].shape


def test_the_commands_of_the_readme_run(tmp_path, monkeypatch, capsys):
    from napari_lotadenoise.samples import confocal

    monkeypatch.chdir(tmp_path)
    stack = io.Picture(confocal((2, 48, 48))[0], "ZYX")
    for name in ("stack.ome.tif", "stack.tif", "other.tif"):
        io.write(name, stack)
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("lotadenoise")]
    assert len(lines) == 5
    for number, line in enumerate(lines):
        words = shlex.split(line, comments=True)[1:]
        extra = ["--steps", "3", "--overwrite"] if words[0] == "run" else []
        assert main([*words, *extra]) == 0, (number, line, capsys.readouterr().err)


def test_every_method_has_a_section():
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for method in METHODS.values():
        assert f"<!-- parameters {method.id} -->" in text


def test_links_and_pictures_are_there():
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+?)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
