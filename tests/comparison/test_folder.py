"""The folder of a comparison: what is in it, and what is never lost."""

import csv
import json
import os

import numpy as np
import pytest

from napari_lotadenoise import io
from napari_lotadenoise.comparison import Candidate, figure
from napari_lotadenoise.comparison.folder import check_folder, report, write
from napari_lotadenoise.errors import FileError
from napari_lotadenoise.metrics import psnr
from tests.helpers import comparison_of, scene

SCALE = {"Y": 0.25, "X": 0.25}
ENTRIES = Candidate("nlm", {"strength": 0.5}), Candidate("tv"), Candidate("dip")
SCORES = {"scores.txt", "scores.csv", "scores.json", "figure.png", "figure.pdf"}
RESULTS = {"nlm-strength-0.5.tif", "nlm-strength-0.5.recipe.json", "tv.tif", "tv.recipe.json"}


def compared(**settings):
    truth = scene((64, 64))
    noisy = (truth + np.random.default_rng(0).normal(0, 10, truth.shape)).astype(np.uint16)
    results = [(ENTRIES[0], truth + 5), (ENTRIES[1], truth + 2), (ENTRIES[2], "the loss became NaN")]
    return comparison_of(noisy, results, reference=truth, **settings)


def test_everything_is_written_and_says_the_same(tmp_path):
    comparison, out = compared(), tmp_path / "out"
    write(comparison, out, scale=SCALE, unit="µm")
    assert set(os.listdir(out)) == SCORES | RESULTS
    for outcome in comparison.outcomes[:2]:
        back = io.read(out / f"{outcome.candidate.key}.tif")
        assert np.array_equal(back.data, outcome.result.image)
        assert (back.axes, back.unit, dict(back.scale)) == ("YX", "µm", pytest.approx(SCALE))
        recipe = io.read_recipe(out / f"{outcome.candidate.key}.recipe.json")
        assert recipe.to_dict() == outcome.result.recipe.to_dict()
    assert (out / "scores.txt").read_text(encoding="utf-8") == report(comparison)
    with (out / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["Total variation", "Non-local means, strength 0.5", "Deep Image Prior"]
    assert float(rows[0]["psnr"]) == pytest.approx(psnr(io.read(out / "tv.tif").data, comparison.reference, 255))
    told = json.loads((out / "scores.json").read_text())
    assert told["table"][2]["verdict"] == "the loss became NaN"
    assert set(told["recipes"]) == {"nlm-strength-0.5", "tv"}
    assert (out / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_of_a_part_the_part_is_kept_too(tmp_path):
    where = slice(10, 74), slice(20, 84)
    comparison = compared(crop=where)
    write(comparison, tmp_path)
    assert set(os.listdir(tmp_path)) == SCORES | RESULTS | {"input.tif", "reference.tif"}
    assert io.read(tmp_path / "input.tif").data.dtype == np.uint16
    assert np.array_equal(io.read(tmp_path / "input.tif").data, comparison.image)
    assert np.array_equal(io.read(tmp_path / "reference.tif").data, comparison.reference)
    assert json.loads((tmp_path / "scores.json").read_text())["crop"] == [[10, 74], [20, 84]]


def test_remarks_stand_below_the_table():
    truth = scene((64, 64))
    found = comparison_of(truth, [(ENTRIES[1], truth + 2)], truth=truth)
    assert report(found).startswith("Place")
    assert report(found).endswith(f"\n\n{found.remarks[0]}\n")
    bare = compared()
    assert report(bare) == f"{bare.text()}\n{bare.remarks[0]}\n"


def test_a_folder_that_cannot_be_used_is_refused_beforehand(tmp_path):
    check_folder(tmp_path)
    check_folder(tmp_path / "new")
    assert os.listdir(tmp_path) == [], "looking makes nothing"
    (tmp_path / "file").touch()
    for folder, says in (
        (tmp_path, "is not empty"),
        (tmp_path / "file", "is a file"),
        (tmp_path / "a/b", "make it first"),
    ):
        with pytest.raises(FileError, match=says):
            check_folder(folder)
        with pytest.raises(FileError, match=says):
            write(compared(), folder)
    check_folder(tmp_path, overwrite=True)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="here everybody may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        for folder in (tmp_path, tmp_path / "new"):
            with pytest.raises(FileError, match="cannot be written to"):
                check_folder(folder)
    finally:
        tmp_path.chmod(0o700)


def test_only_files_of_the_same_names_are_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    (tmp_path / "tv.tif").write_text("old")
    write(compared(), tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert io.read(tmp_path / "tv.tif").data.shape == (64, 64)


def test_what_is_there_when_the_disk_is_full_is_whole(tmp_path, monkeypatch):
    def full(self, path, **_):
        with open(path, "wb") as file:
            file.write(b"half a fig")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure.Figure, "savefig", full)
    with pytest.raises(FileError, match=r"figure.png cannot be written .No space left"):
        write(compared(), tmp_path)
    assert set(os.listdir(tmp_path)) == (SCORES | RESULTS) - {"figure.png", "figure.pdf"}
