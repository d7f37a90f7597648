"""The commands learn, apply and batch, and run on images that are not read whole."""

import csv

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import Model, denoise, io
from napari_lotadenoise.batch import found, targets_of
from napari_lotadenoise.cli.main import main
from napari_lotadenoise.errors import FileError

QUICK = ["--method", "zs-n2n", "--steps", "4", "--threads", "1"]


@pytest.fixture
def folder(tmp_path):
    """Three small stacks, and a file that is none."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        stack = rng.poisson(40, (3, 64, 48)).astype(np.uint16)
        tifffile.imwrite(tmp_path / "in" / f"{name}.tif", stack, imagej=True, metadata={"axes": "ZYX", "unit": "um"})
    (tmp_path / "in" / "broken.tif").write_text("no image")
    return tmp_path


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_learn_and_apply_give_the_pixels_of_a_run(folder, capsys):
    source = folder / "in" / "a.tif"
    assert run("learn", source, "--out", folder / "m.safetensors", *QUICK) == 0
    assert run("apply", folder / "m.safetensors", source, folder / "a.ome.tif") == 0
    wanted = denoise(tifffile.imread(source), "zs-n2n", axes="ZYX", steps=4, threads=1).image
    assert np.array_equal(tifffile.imread(folder / "a.ome.tif"), wanted)
    told = capsys.readouterr().err
    assert "careful" not in told
    assert "Result 0.0 MB to a.ome.tif" in told


def test_several_sources_frames_and_regions_are_learnt(folder):
    sources = [folder / "in" / name for name in ("a.tif", "b.tif")]
    choice = ["--frames", "0:2", "--roi", "0:40,8:48"]
    assert run("learn", *sources, "--out", folder / "m.safetensors", *choice, *QUICK) == 0
    assert Model.load(folder / "m.safetensors").recipe.image["shape"] == [2, 2, 40, 40]


def test_several_results_go_into_a_folder(folder, capsys):
    sources = [folder / "in" / name for name in ("a.tif", "b.tif")]
    run("learn", sources[0], "--out", folder / "m.safetensors", *QUICK)
    assert run("apply", folder / "m.safetensors", *sources, folder / "nowhere") == 1
    assert "go into a folder" in capsys.readouterr().err
    (folder / "out").mkdir()
    assert run("apply", folder / "m.safetensors", *sources, folder / "out") == 0
    assert {path.name for path in (folder / "out").glob("*.tif")} == {"a.ome.tif", "b.ome.tif"}


def test_an_image_that_is_very_different_is_told_with_numbers(folder, capsys):
    run("learn", folder / "in" / "a.tif", "--out", folder / "m.safetensors", *QUICK)
    bright = np.random.default_rng(1).poisson(4000, (3, 64, 48)).astype(np.uint16)
    tifffile.imwrite(folder / "bright.tif", bright, imagej=True, metadata={"axes": "ZYX"})
    assert run("apply", folder / "m.safetensors", folder / "bright.tif", folder / "b.ome.tif") == 0
    told = capsys.readouterr().err
    assert "careful: noise of deviation 6" in told
    assert "careful: intensities of 38" in told


def test_run_writes_ome_zarr_block_by_block(folder):
    source = folder / "in" / "a.tif"
    assert run("run", source, folder / "a.zarr", *QUICK) == 0
    assert run("run", source, folder / "a.ome.tif", *QUICK) == 0
    assert np.array_equal(io.open_source(folder / "a.zarr").data[...], tifffile.imread(folder / "a.ome.tif"))
    recipe = io.recipe_of(folder / "a.zarr")
    assert recipe.parameters == io.recipe_of(folder / "a.ome.tif").parameters
    assert recipe.verdict


def test_a_batch_does_the_rest_lists_what_failed_and_goes_on(folder, capsys):
    out = folder / "out"
    assert run("batch", folder / "in", "--out", out, *QUICK) == 1
    assert "broken.tif cannot be read" in capsys.readouterr().err
    rows = list(csv.DictReader((out / "batch.csv").read_text().splitlines()))
    assert [row["output"][-9:] for row in rows] == ["a.ome.tif", "b.ome.tif", "", "c.ome.tif"]
    assert "cannot be read" in rows[2]["error"]
    assert rows[0]["verdict"]
    assert (out / "batch.html").read_text().count("data:image/png") == 6
    before = (out / "a.ome.tif").stat().st_mtime_ns
    (out / "b.ome.tif").unlink()
    assert run("batch", folder / "in", "--out", out, "--quiet", *QUICK) == 1
    assert (out / "a.ome.tif").stat().st_mtime_ns == before
    assert (out / "b.ome.tif").exists()


def test_a_batch_may_learn_once(folder):
    (folder / "in" / "broken.tif").unlink()
    assert run("batch", folder / "in", "--out", folder / "out", "--learn", "once", "--format", "ome-zarr", *QUICK) == 0
    recipes = [io.recipe_of(folder / "out" / f"{name}.ome.zarr") for name in ("a", "b")]
    assert recipes[0].notes[-1] == recipes[1].notes[-1]
    assert recipes[0].image != recipes[1].image


def test_a_dry_run_does_nothing(folder, capsys):
    assert run("batch", folder / "in", "--out", folder / "out", "--dry-run", *QUICK) == 0
    assert capsys.readouterr().out.count(" -> ") == 4
    assert not (folder / "out").exists()


def test_files_are_found_by_name_folder_and_pattern(folder):
    inside = folder / "in"
    names = [
        path.name for path in found([str(inside / "[ab].tif"), str(inside)], recursive=False, leave_out=folder / "out")
    ]
    assert names == ["a.tif", "b.tif", "broken.tif", "c.tif"]
    assert len(found([str(folder)], recursive=True, leave_out=inside / "none")) == 4
    with pytest.raises(FileError, match="stands for no image file"):
        found([str(folder / "*.czi")], recursive=False, leave_out=folder / "out")


def test_results_of_one_name_are_told_apart(tmp_path):
    files = [tmp_path / "one" / "a.tif", tmp_path / "two" / "a.tif", tmp_path / "two" / "b.tif"]
    names = [target.name for _, target in targets_of(files, tmp_path, ".ome.tif")]
    assert names == ["one-a-tif.ome.tif", "two-a-tif.ome.tif", "b.ome.tif"]
