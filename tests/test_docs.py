"""What the documents say must be true."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from glob import glob
from pathlib import Path

import pytest

from napari_lotadenoise import io
from napari_lotadenoise.cli import compare, console, tables
from napari_lotadenoise.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
#: What must be true of the method of docs/adding-a-method.md once its file is there.
ADDED = """
import numpy as np
from scipy import ndimage
from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.cli import tables
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.metrics import psnr

assert "line-pairs" in METHODS  # the combo box of the dock lists what is in it
assert main(["methods"]) == 0
assert "| `line-pairs` |" in tables.methods_markdown() and "parameters line-pairs" in tables.tables()
tables.main()
field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((64, 64)), 4)
truth = 120 + 40 * field / field.std()
noisy = truth + np.random.default_rng(1).normal(0, 20, truth.shape)
clean = denoise(noisy, "line-pairs", steps=100, threads=1).image
print("gain", psnr(clean, truth, 255) - psnr(noisy, truth, 255))
"""


@pytest.mark.parametrize("name", ["README.md", "docs/methods.md"])
def test_tables_are_those_of_the_registry(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    fresh = text
    for mark, content in tables.tables().items():
        fresh = tables.refresh(fresh, mark, content)
    assert fresh == text, "run `python -m napari_lotadenoise.cli.tables`"
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
    (tmp_path / "folder").mkdir()
    for name in ("stack.ome.tif", "stack.tif", "other.tif", "folder/one.ome.tif"):
        io.write(name, stack)
    store_of(stack, "large.zarr")
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("lotadenoise")]
    assert len(lines) == 10
    for number, line in enumerate(lines):
        words = shlex.split(line, comments=True)[1:]
        steps = ["--steps", "3"] if "lota-n2n" in words else []
        extra = [*steps, "--overwrite"] if words[0] == "run" else []
        assert main([*words, *extra]) == 0, (number, line, capsys.readouterr().err)


def store_of(picture, path):
    """Write an image as OME-Zarr."""
    store = io.ZarrStore.create(path, picture.data.shape, picture.data.dtype, picture.axes, picture.data.shape)
    store.write(tuple(slice(0, n) for n in picture.data.shape), picture.data)
    store.describe("image", io.Calibration())


def test_the_commands_and_the_python_for_large_images_run(tmp_path, monkeypatch, capsys):
    from napari_lotadenoise.samples import confocal

    monkeypatch.chdir(tmp_path)
    stack = io.Picture(confocal((2, 48, 48))[0], "ZYX")
    for name in ("day1/a.ome.tif", "day1/b.ome.tif", "day1/c.ome.tif", "day2/d.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        io.write(name, stack)
    store_of(stack, "day2.zarr")
    text = (ROOT / "docs" / "large-images.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 6
    for line in lines:
        words = [str(path) for word in shlex.split(line, comments=True)[1:] for path in sorted(glob(word)) or [word]]
        quick = ["--method", "median"] if words[0] in ("learn", "batch") else []
        assert main([*words, *quick]) == 0, (line, capsys.readouterr().err)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names := {"image": stack.data})
    assert names["clean"].shape == stack.data.shape


def test_the_comparisons_of_the_guide_run(tmp_path, monkeypatch, capsys):
    from PIL import Image

    from napari_lotadenoise.samples import confocal

    noisy, truth = ((stack[0] / 2).clip(0, 255).astype("uint8") for stack in confocal((1, 104, 104)))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noisy).save("noisy.png")
    Image.fromarray(truth).save("clean.png")
    text = (ROOT / "docs" / "user-guide.md").read_text(encoding="utf-8").partition("\n## Comparing methods\n")[2]
    lines = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1].splitlines()
    assert len(lines) == 3
    with monkeypatch.context() as patch:
        # Everything but the runs, which test_compare_command has.
        patch.setattr(compare, "_outcomes", lambda planned, *_, **__: ([], True))
        for line in lines:
            assert main(shlex.split(line)[1:]) == console.INTERRUPTED, (line, capsys.readouterr().err)
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {"image": noisy, "truth": truth})
    assert {"fourth", "two-best.pdf"} <= set(os.listdir(tmp_path))
    assert {"scores.csv", "figure.pdf", "tv-strength-0.5.tif", "nl-ridge.tif"} <= set(os.listdir("fourth"))


def test_every_method_has_a_section():
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for method in tables.documented():
        assert f"<!-- parameters {method.id} -->" in text
    assert "\n## BM3D\n" in text


def test_the_method_of_the_document_is_added_by_its_file_alone(tmp_path):
    text = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    package = tmp_path / "napari_lotadenoise"
    shutil.copytree(ROOT / "src" / package.name, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "methods" / "line_pairs.py").write_text(code, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/methods.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", ADDED], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250
    )
    assert run.returncode == 0, run.stderr
    assert "line-pairs  (Line pairs)" in run.stdout
    assert float(run.stdout.splitlines()[-1].removeprefix("gain ")) > 3
    assert "| `line-pairs` |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_links_and_pictures_are_there():
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+?)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
