"""The command ``lotadenoise compare``."""

import csv
import json
import os
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_lotadenoise import METHODS, io
from napari_lotadenoise.cli import console
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.comparison import Candidate, compare, score as scoring
from napari_lotadenoise.metrics import psnr
from tests.helpers import scene

SCORES = {"scores.txt", "scores.csv", "scores.json", "figure.png", "figure.pdf"}


@pytest.fixture
def files(tmp_path):
    """A noisy 8-bit PNG, its reference, and where results may go."""
    truth = np.clip(scene((64, 64)), 0, 255).astype(np.uint8)
    noisy = np.clip(truth + np.random.default_rng(1).normal(0, 12, truth.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    Image.fromarray(truth).save(tmp_path / "truth.png")
    return tmp_path / "noisy.png", tmp_path / "truth.png", tmp_path / "out"


def run(*arguments):
    """The exit code, also where the parser ends the program."""
    try:
        return main(["compare", *map(str, arguments)])
    except SystemExit as end:
        return end.code


def table(out):
    with (out / "scores.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_methods_are_compared_and_everything_is_written(files, capsys):
    noisy, reference, out = files
    assert run(noisy, "--methods", "gaussian,median,nl-ridge", "--reference", reference, "--out", out) == 0
    shown = capsys.readouterr()
    made = {f"{key}{end}" for key in ("gaussian", "median", "nl-ridge") for end in (".tif", ".recipe.json")}
    assert set(os.listdir(out)) == SCORES | made
    rows, truth = table(out), io.read(reference).data
    keys = {"Gaussian blur": "gaussian", "Median": "median", "NL-Ridge": "nl-ridge"}
    assert {row["method"] for row in rows} == set(keys)
    for row in rows:
        image = io.read(out / f"{keys[row['method']]}.tif").data
        assert float(row["psnr"]) == pytest.approx(psnr(image, truth, 255))
        assert float(row["psnr"]) > psnr(io.read(noisy).data, truth, 255) + 3
    assert [row["place"] for row in rows] == ["1", "2", "3"]
    assert [float(row["psnr"]) for row in rows] == sorted((float(row["psnr"]) for row in rows), reverse=True)
    assert shown.out == (out / "scores.txt").read_text(encoding="utf-8")
    lines = shown.err.splitlines()
    assert lines[0] == "Comparing 3 methods on the whole image (64 x 64, YX)."
    assert [line.split(":")[0] for line in lines[1:4]] == ["1/3  Gaussian blur", "2/3  Median", "3/3  NL-Ridge"]
    assert f"s, PSNR {float(next(r['psnr'] for r in rows if r['method'] == 'Median')):.1f} dB, SSIM" in lines[2]
    assert lines[4] == f"{out}: 3 results of 3, scores and figure."


def test_it_is_what_python_gives(files):
    noisy, _, out = files
    assert run(noisy, "--methods", "median", "--out", out, "--crop", "32", "--peak", "100", "--quiet") == 0
    found = compare(io.read(noisy).data, ["median"], crop=32, peak=100)
    assert np.array_equal(io.read(out / "median.tif").data, found.best.result.image)
    assert np.array_equal(io.read(out / "input.tif").data, found.image)
    told = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert told["crop"] == [[part.start, part.stop] for part in found.crop]
    assert told["peak"] == 100
    assert float(table(out)[0]["psnr_estimated"]) == pytest.approx(found.best.score.estimate.psnr)


def test_calibration_and_axes_come_from_the_file(tmp_path):
    stack = np.stack([scene((48, 48), n) for n in range(3)])
    io.write(tmp_path / "s.ome.tif", io.Picture(stack, "ZYX", {"Z": 2.0, "Y": 0.3, "X": 0.3}, "µm"))
    assert run(tmp_path / "s.ome.tif", "--methods", "median", "--out", tmp_path / "out", "--quiet") == 0
    back = io.read(tmp_path / "out" / "median.tif")
    assert (back.axes, back.unit, back.scale["Z"]) == ("ZYX", "µm", 2.0)
    assert back.scale["X"] == pytest.approx(0.3)


def test_a_parameter_is_swept_alone_or_beside_methods(files):
    noisy, _, out = files
    assert run(noisy, "--sweep", "gaussian:width=0.8,1.6", "--sweep", "median:radius=1", "--out", out, "--quiet") == 0
    swept = {"gaussian-width-0.8.tif", "gaussian-width-1.6.tif", "median-radius-1.tif"}
    assert {name for name in os.listdir(out) if name.endswith(".tif")} == swept
    assert io.read_recipe(out / "gaussian-width-1.6.recipe.json").parameters["width"] == 1.6
    both = out.with_name("both")
    assert run(noisy, "--methods", "median", "--sweep", "median:radius=1", "--out", both, "--quiet") == 0
    assert [row["method"] for row in table(both)].count("Median, radius 1") == 1
    assert len(table(both)) == 2


def test_suggested_is_what_suits_the_noise_and_all_is_all(files, monkeypatch):
    noisy, _, _ = files
    asked = []

    def planned(image, methods, *_, **__):
        asked.append([m for m in methods if not isinstance(m, Candidate)])
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_lotadenoise.comparison.plan_comparison", planned)
    for number, methods in enumerate(([], ["--methods", "suggested, dip"], ["--methods", "all,dip"])):
        assert run(noisy, *methods, "--out", noisy.parent / str(number)) == 130
    assert run(noisy, "--sweep", "tv:strength=1", "--out", noisy.parent / "3") == 130
    assert {"nlm", "gaussian"} < set(asked[0])
    assert asked[1] == [*asked[0], "dip"]
    assert asked[2] == [name for name, kind in METHODS.items() if not kind.requires.repeats]
    assert asked[3] == []
    assert not (noisy.parent / "0").exists()


def test_a_method_that_fails_is_named_and_the_others_are_kept(files, capsys):
    noisy, _, out = files
    assert run(noisy, "--methods", "noise2noise,median", "--out", out) == 0
    shown = capsys.readouterr()
    assert "1/2  Noise2Noise: This method learns each frame from the next one" in shown.err
    assert f"{out}: 1 result of 2" in shown.err
    assert "This method learns each frame" in shown.out
    assert {name for name in os.listdir(out) if name.endswith(".tif")} == {"median.tif"}
    assert {row["method"]: row["place"] for row in table(out)} == {"Median": "1", "Noise2Noise": ""}


def test_where_every_method_fails_nothing_is_written(files, capsys):
    noisy, _, out = files
    assert run(noisy, "--methods", "noise2noise", "--out", out) == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1] == "lotadenoise: no method has a result; nothing was written."
    assert "Noise2Noise" in shown.out
    assert not out.exists()


def test_an_interrupt_loses_nothing_that_is_done(files, monkeypatch, capsys):
    noisy, _, out = files
    judged = []

    def second(scorer, result):
        judged.append(result)
        if len(judged) == 2:
            raise KeyboardInterrupt
        return real(scorer, result)

    real = scoring.Scorer.__call__
    monkeypatch.setattr(scoring.Scorer, "__call__", second)
    assert run(noisy, "--methods", "median,gaussian,tv", "--out", out) == 130
    shown = capsys.readouterr()
    assert f"interrupted; writing what there is to {out}" in shown.err
    assert f"{out}: 1 result of 3" in shown.err
    assert set(os.listdir(out)) == SCORES | {"median.tif", "median.recipe.json"}
    assert [row["verdict"] for row in table(out)] == ["best", "interrupted", "interrupted"]


def test_an_interrupt_before_anything_is_done_writes_nothing(files, monkeypatch, capsys):
    noisy, _, out = files

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring.Scorer, "__call__", interrupted)
    assert run(noisy, "--methods", "median,gaussian", "--out", out) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "lotadenoise: interrupted; nothing was written."
    assert not out.exists()


def test_an_interrupt_while_writing_says_what_is_missing(files, monkeypatch, capsys):
    noisy, _, out = files

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_lotadenoise.comparison.figure.figure", interrupted)
    assert run(noisy, "--methods", "median", "--out", out) == 130
    shown = capsys.readouterr()
    assert f"interrupted; {out} lacks files, those that are there are whole." in shown.err
    assert "Median" in shown.out
    assert (out / "median.tif").exists()


def test_the_budget_ends_trainings(files, capsys):
    noisy, _, out = files
    assert run(noisy, "--methods", "zs-n2n", "--crop", "32", "--budget", "0.2", "--out", out) == 0
    assert "finished early" in capsys.readouterr().err
    assert 0 < io.read_recipe(out / "zs-n2n.recipe.json").steps_done[0] < 600


def test_a_reference_with_its_axes_in_another_order_fits(tmp_path):
    stack = np.stack([np.stack([scene((32, 40), 2 * c + z) for z in range(2)]) for c in range(2)])
    noisy = stack + np.random.default_rng(0).normal(0, 9, stack.shape).astype(np.float32)
    io.write(tmp_path / "noisy.ome.tif", io.Picture(noisy, "CZYX"))
    io.write(tmp_path / "truth.tif", io.Picture(stack, "CZYX"))  # ImageJ has it as ZCYX
    assert io.read(tmp_path / "truth.tif").axes == "ZCYX"
    out = tmp_path / "out"
    assert (
        run(tmp_path / "noisy.ome.tif", "--methods", "median", "--reference", tmp_path / "truth.tif", "--out", out) == 0
    )
    assert float(table(out)[0]["psnr"]) > psnr(noisy, stack, np.ptp(stack))


def refused(says, *arguments, capsys):
    """Check that a command ends with one sentence, and that nothing has changed."""
    noisy = arguments[0]
    before = sorted(path.stat().st_mtime_ns for path in noisy.parent.rglob("*"))
    assert run(*arguments) == console.WRONG, says
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("lotadenoise: ")
    assert len(error.strip().splitlines()) == 1
    assert sorted(path.stat().st_mtime_ns for path in noisy.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--methods", "median,nothing"), "choose one of"),
        (("--methods", ","), "Nothing to compare"),
        (("--sweep", "nothing:width=1"), "choose one of"),
        (("--sweep", "gaussian:trace=1"), "Gaussian blur has no parameter trace; it has"),
        (("--sweep", "gaussian:width=wide"), "width must be a number, not 'wide'"),
        (("--sweep", "gaussian:width=99"), "width must be a number from 0 to 50"),
        (("--sweep", "gaussian:width="), "Say at which values of width"),
        (("--sweep", "gaussian"), "is not METHOD:PARAMETER=V1,V2,..."),
        (("--sweep", "gaussian:width=1,1.0"), "takes part twice"),
        (("--crop", "9", "--methods", "median"), "must be 16 pixels or more"),
        (("--budget", "-1", "--methods", "median"), "budget must be a number of seconds"),
        (("--peak", "0", "--methods", "median"), "peak must be above 0"),
        (("--axes", "ZYX", "--methods", "median"), "name 3 dimensions"),
    ],
)
def test_wrong_options_end_with_one_sentence(files, options, says, capsys):
    noisy, _, out = files
    refused(says, noisy, "--out", out, *options, capsys=capsys)


def test_files_that_do_not_fit_end_with_one_sentence(files, capsys):
    noisy, reference, out = files
    tifffile.imwrite(noisy.with_name("small.tif"), np.ones((32, 64), np.float32))
    tifffile.imwrite(noisy.with_name("stack.tif"), np.ones((3, 32, 64), np.float32))
    small, stack, few = noisy.with_name("small.tif"), noisy.with_name("stack.tif"), ("--methods", "median")
    refused("The reference has the shape (32, 64) and the image (64, 64)", noisy, "--out", out, *few, "--reference", small,
            capsys=capsys)  # fmt: skip
    refused("There is no file", noisy, "--out", out, *few, "--reference", noisy.with_name("none.png"), capsys=capsys)
    refused("There is no file", noisy.with_name("none.png"), "--out", out, *few, capsys=capsys)
    refused("does not say what its axes", stack, "--out", out, *few, capsys=capsys)
    refused("make it first", noisy, "--out", out / "deeper", *few, capsys=capsys)
    refused("is a file", noisy, "--out", reference, *few, capsys=capsys)


def test_a_folder_with_something_in_it_is_refused_before_any_work(files, monkeypatch, capsys):
    noisy, _, out = files
    out.mkdir()
    (out / "precious.txt").write_text("kept")
    monkeypatch.setattr(io, "read", lambda *_: pytest.fail("nothing should have been read"))
    refused("is not empty", noisy, "--out", out, "--methods", "median", capsys=capsys)
    monkeypatch.undo()
    assert run(noisy, "--out", out, "--methods", "median", "--overwrite", "--quiet") == 0
    assert (out / "precious.txt").read_text() == "kept"
    assert (out / "median.tif").exists()


def test_the_input_is_never_in_the_way_of_the_output(files, capsys):
    noisy, reference, out = files
    few = ("--methods", "median", "--overwrite")
    refused("is itself in", noisy, "--out", noisy.parent, *few, capsys=capsys)
    out.mkdir()
    (out / "input.tif").write_bytes(b"")
    inside = out / "reference.tif"
    inside.write_bytes(reference.read_bytes())
    refused("is itself in", noisy, "--out", out, *few, "--reference", inside, capsys=capsys)


def test_on_a_terminal_a_line_shows_how_far_it_is(files, monkeypatch, capsys):
    noisy, _, out = files
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    assert run(noisy, "--methods", "median,zs-n2n", "--crop", "32", "--budget", "0.5", "--out", out) == 0
    error = capsys.readouterr().err
    live = [line for line in error.split("\r") if "training" in line]
    assert live[-1].startswith("2/2  ZS-N2N: training ")
    assert all(len(line) < 50 for line in live)
    assert re.search(r"\r +\r2/2  ZS-N2N: ", error), "the line is cleared before the score is shown"


def test_quiet_shows_the_table_alone(files, capsys):
    noisy, _, out = files
    assert run(noisy, "--methods", "median", "--out", out, "--quiet") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith("Place  Method")
