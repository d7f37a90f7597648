import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import METHODS, denoise, io
from napari_lotadenoise.cli.main import main


@pytest.fixture
def stack(tmp_path):
    rng = np.random.default_rng(0)
    data = (100 + 50 * rng.random((3, 1, 1)) + rng.normal(0, 10, (3, 32, 36))).astype(np.uint16)
    path = tmp_path / "stack.ome.tif"
    io.write(path, io.Picture(data, "ZYX", {"Z": 2.0, "Y": 0.3, "X": 0.3}, "µm"))
    return path


def test_methods_lists_every_method_with_what_it_assumes(capsys):
    assert main(["methods"]) == 0
    out = capsys.readouterr().out
    for method in METHODS.values():
        assert method.id in out
        assert method.info.assumes in out
        assert method.info.fails in out


def test_methods_shows_the_hyper_parameters_of_one(capsys):
    assert main(["methods", "lota-n2n"]) == 0
    out = capsys.readouterr().out
    assert "--stage-one" in out
    assert "--steps" in out


def test_run_writes_the_result_that_python_gives(stack, tmp_path, capsys):
    out, residual = tmp_path / "out.ome.tif", tmp_path / "res.tif"
    method = ["--method", "lota-n2n", "--steps", "20", "--seed", "3", "--trace", "0.5"]
    code = main(["run", str(stack), str(out), *method, "--residual", str(residual)])
    assert code == 0, capsys.readouterr().err
    source, result = io.read(stack), io.read(out)
    expected = denoise(source.data, "lota-n2n", "ZYX", steps=20, seed=3, trace=0.5)
    assert np.array_equal(result.data, expected.image)
    assert result.data.dtype == np.float32
    assert (dict(result.scale), result.unit) == (dict(source.scale), "µm")
    np.testing.assert_allclose(io.read(residual).data, source.data - result.data, atol=1e-3)
    assert "3 z-slices of 32 x 36, with LoTA-N2N, on CPU" in capsys.readouterr().err


def test_a_recipe_is_run_again_and_can_be_changed(stack, tmp_path):
    first, second, third = (tmp_path / f"{n}.tif" for n in (1, 2, 3))
    assert (
        main(["run", str(stack), str(first), "--method", "noise2self", "--steps", "4", "--grid", "3", "--quiet"]) == 0
    )
    recipe = ["--recipe", str(tmp_path / "1.recipe.json"), "--quiet"]
    assert main(["run", str(stack), str(second), *recipe]) == 0
    assert np.array_equal(io.read(first).data, io.read(second).data)
    assert main(["run", str(stack), str(third), *recipe, "--seed", "9"]) == 0
    assert not np.array_equal(io.read(first).data, io.read(third).data)
    assert io.read_recipe(tmp_path / "3.recipe.json").parameters["grid"] == 3


def test_the_uncertainty_of_a_method_of_chance_can_be_written(stack, tmp_path):
    out, file = tmp_path / "out.tif", tmp_path / "sure.tif"
    method = ["--method", "blind2grad", "--steps", "3", "--passes", "3", "--width", "6", "--quiet"]
    assert main(["run", str(stack), str(out), *method, "--uncertainty", str(file)]) == 0
    expected = denoise(io.read(stack).data, "blind2grad", "ZYX", steps=3, passes=3, width=6)
    assert np.array_equal(io.read(file).data, expected.uncertainty)
    assert expected.uncertainty.min() > 0


def test_a_method_without_chance_says_so_before_it_runs(stack, tmp_path, capsys):
    out = tmp_path / "out.tif"
    slow = ["--method", "lota-n2n", "--steps", "100000"]
    assert main(["run", str(stack), str(out), "--uncertainty", str(tmp_path / "u.tif"), *slow]) == 1
    assert "LoTA-N2N makes no stochastic passes" in capsys.readouterr().err
    assert not out.exists()


def test_the_recipe_of_another_result_is_not_overwritten(stack, tmp_path, capsys):
    few = ["--method", "lota-n2n", "--steps", "2", "--quiet"]
    assert main(["run", str(stack), str(tmp_path / "a.ome.tif"), *few]) == 0
    assert (tmp_path / "a.ome.recipe.json").exists(), "a.tif and a.ome.tif have a recipe each"
    before = b"somebody's own"
    (tmp_path / "a.recipe.json").write_bytes(before)
    assert main(["run", str(stack), str(tmp_path / "a.tif"), *few, "--seed", "5"]) == 1
    assert "recipe of another result" in capsys.readouterr().err
    assert (tmp_path / "a.recipe.json").read_bytes() == before
    assert not (tmp_path / "a.tif").exists()


def test_methods_shows_the_values_of_the_fast_preset(capsys):
    assert main(["methods", "blind2grad"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("--steps"))
    assert row.split()[1] == str(METHODS["blind2grad"].preset("fast").training.steps)
    assert main(["methods", "tv"]) == 0
    assert "--rate" not in capsys.readouterr().out


def test_the_data_type_of_the_input_can_be_kept(stack, tmp_path):
    out = tmp_path / "o.tif"
    assert main(["run", str(stack), str(out), "--same-dtype", "--quiet"]) == 0
    assert io.read(out).data.dtype == np.uint16


def test_a_run_whose_assumptions_are_broken_is_warned_of_and_done(tmp_path, capsys):
    from scipy import ndimage

    rows = 100 + 8 * ndimage.gaussian_filter1d(np.random.default_rng(0).standard_normal((96, 96)), 0.8, axis=1)
    path, out = tmp_path / "n.tif", tmp_path / "o.tif"
    tifffile.imwrite(path, rows.astype(np.float32))
    few = ["--method", "noise2self", "--steps", "2", "--overwrite"]
    assert main(["run", str(path), str(out), *few, "--stride", "1"]) == 0
    assert "careful: Noise2Self takes the noise of neighbouring pixels for independent" in capsys.readouterr().err
    assert out.exists()
    for stride in ("4", "auto"):
        assert main(["run", str(path), str(out), *few, "--stride", stride]) == 0
        assert "careful" not in capsys.readouterr().err


def test_auto_says_what_it_chose_and_how_long_it_will_take(tmp_path, capsys):
    path = tmp_path / "n.tif"
    tifffile.imwrite(path, np.random.default_rng(0).normal(100, 8, (64, 64)).astype(np.float32))
    assert main(["run", str(path), str(tmp_path / "o.tif"), "--axes", "YX"]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert re.fullmatch(
        r"Instant \(pre-trained\), the mean of eight views, since the noise .*; \d+ s\. One image of 64 x 64, .* \d+ s\.",
        first,
    )


def test_noise_reports_the_sigma(tmp_path, capsys):
    path = tmp_path / "n.tif"
    tifffile.imwrite(path, np.random.default_rng(0).normal(100, 8, (128, 128)).astype(np.float32))
    assert main(["noise", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Constant (sigma ")
    assert "independent between pixels" in out
    assert "correlation along y" in out
    assert main(["noise", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sigma"] == pytest.approx(8, rel=0.05)
    assert found["correlated"] is False


def run(*arguments):
    return main([str(a) for a in arguments])


def test_wrong_input_ends_with_one_sentence_and_nothing_written(stack, tmp_path, capsys):
    out = tmp_path / "o.tif"
    nan = tmp_path / "nan.tif"
    data = np.ones((9, 9), np.float32)
    data[3, 3] = np.nan
    tifffile.imwrite(nan, data)
    unknown = tmp_path / "unknown.tif"
    tifffile.imwrite(unknown, np.ones((5, 9, 9), np.float32))
    for arguments, says in (
        (("run", tmp_path / "none.tif", out), "There is no file"),
        (("run", nan, out), "1 NaN"),
        (("run", unknown, out), "does not say what its axes"),
        (("run", stack, out, "--axes", "YX"), "name 2 dimensions"),
        (("run", stack, out, "--device", "cuda:7"), "CUDA"),
        (("run", stack, tmp_path / "no" / "o.tif"), "does not exist"),
        (("run", stack, stack), "already there"),
        (("run", stack, stack, "--overwrite"), "would replace the input"),
        (("run", stack, out, "--residual", out), "would replace the input"),
        (("run", stack, out, "--recipe", stack), "recipe"),
        (("methods", "nothing"), "choose one of"),
        (("noise", nan), "1 NaN"),
    ):
        before = sorted(os.listdir(tmp_path))
        assert run(*arguments) == 1, says
        error = capsys.readouterr().err
        assert says in error
        assert error.startswith("lotadenoise: ")
        assert len(error.strip().splitlines()) == 1
        assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--method", "lota-n2n", "--trace", "11"), "trace must be a number from 0 to 10"),
        (("--method", "lota-n2n", "--steps", "x"), "whole number"),
        (("--steps", "5"), "--steps"),
        (("--method", "x"), "choose one of"),
    ],
)
def test_wrong_options_are_refused_by_the_parser(stack, tmp_path, option, says, capsys):
    try:
        code = run("run", stack, tmp_path / "o.tif", *option)
    except SystemExit as end:
        code = end.code
    assert code != 0
    assert says in capsys.readouterr().err


def test_the_command_is_installed_and_ends_quietly_with_its_reader():
    command = os.path.join(os.path.dirname(sys.executable), "lotadenoise")
    done = subprocess.run(f"{command} methods | head -n 1", shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("lota-n2n")
    assert done.stderr == ""


def test_an_interrupt_writes_nothing(stack, tmp_path, monkeypatch, capsys):

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_lotadenoise.cli.run._denoise", interrupted)
    assert run("run", stack, tmp_path / "o.tif") == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "o.tif").exists()
