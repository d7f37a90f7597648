"""Jobs give the bits of a run in one piece, however they are cut, stopped and gone on with."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import Model, io, learn
from napari_lotadenoise.errors import FileError, ImageError, ParameterError
from napari_lotadenoise.jobs import JobFolder, Plan, apply, chosen, part_of, run
from napari_lotadenoise.model.file import packed


def pixels(path):
    return np.asarray(io.open_source(path).data[...])


@pytest.mark.parametrize("name", ["clean.zarr", "clean.ome.tif", "clean.tif"])
def test_a_job_gives_the_pixels_of_the_model_with_units(name, job, done, wanted, tmp_path):
    done(job, output=tmp_path / name)
    clean = io.open_source(tmp_path / name)
    assert clean.axes == "ZYX"
    assert clean.data.dtype == np.float32
    assert np.array_equal(clean.data[...], wanted)
    assert clean.calibration.sizes == pytest.approx({"Z": 0.3, "Y": 0.1, "X": 0.1})
    assert set(clean.calibration.units.values()) == {"µm"}
    assert io.recipe_of(tmp_path / name).method == "zs-n2n"
    assert not list(tmp_path.glob("*.job"))


@pytest.mark.parametrize("voxels", [1, 20_000, 10**9])
def test_the_blocks_do_not_matter(voxels, job, done, wanted, monkeypatch):
    monkeypatch.setattr(run, "VOXELS", voxels)
    done(job)
    assert np.array_equal(pixels(job.output), wanted)


@pytest.mark.parametrize(
    ("method", "axes", "shape", "options"),
    [
        ("self2self", "YX", (90, 70), {"steps": 3}),
        ("instant", "ZYX", (20, 64, 48), {"volume": True}),
        ("nl-ridge", "TYX", (2, 90, 70), {}),
        ("lota-n2n", "CYX", (2, 90, 70), {"steps": 3}),
        ("noise2self", "YXS", (90, 70, 3), {"steps": 3}),
        ("zs-n2n", "YXT", (90, 70, 3), {"steps": 3}),
    ],
)
def test_so_for_methods_of_chance_volumes_channels_colours_and_odd_axes(method, axes, shape, options, tmp_path, done):
    image = np.random.default_rng(2).poisson(40, shape).astype(np.uint16)
    np.save(tmp_path / "image.npy", image)
    model = learn(image, method, axes=axes, threads=1, **options)
    job = run.Job(model, packed(model), str(tmp_path / "image.npy"), tmp_path / "clean.zarr", axes=axes)
    done(job)
    clean = io.open_source(job.output)
    order = sorted(range(len(axes)), key=lambda axis: "TPCSZYX".index(axes[axis]))
    assert np.array_equal(clean.data[...], model.predict(image).transpose(order))


def test_two_parts_make_the_whole_whoever_ends_last(job, done, wanted):
    assert done(job, part=2, of=2).output is None
    assert not job.output.exists()
    assert done(job, part=1, of=2).output == job.output
    assert np.array_equal(pixels(job.output), wanted)


@pytest.mark.parametrize("executor", [chosen(2), chosen(2, "local")], ids=["processes", "dask"])
def test_workers_give_the_same_bits(executor, job, done, wanted):
    done(job, executor)
    assert np.array_equal(pixels(job.output), wanted)


def test_a_job_that_was_stopped_goes_on_with_what_is_missing(job, wanted):
    events = apply(job, chosen())
    plan = next(event for event in events if isinstance(event, Plan))
    for _ in range(3):
        next(events)
    events.close()
    later = list(apply(job, chosen()))
    assert later[0].missing == plan.blocks - 3
    assert np.array_equal(pixels(job.output), wanted)


def test_a_killed_process_costs_no_bit(job, wanted, tmp_path):
    """Killed at the third block, after it was written and before it is marked."""
    (tmp_path / "m.safetensors").write_bytes(job.model_file)
    code = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from napari_lotadenoise.jobs import Job, JobFolder, apply, chosen, open_model, run
        run.VOXELS = 6_000
        mark = JobFolder.mark
        JobFolder.mark = lambda self, number: os.kill(os.getpid(), signal.SIGKILL) if number == 2 else mark(self, number)
        job = Job(*open_model({str(tmp_path / "m.safetensors")!r}), {job.source!r}, Path({str(job.output)!r}))
        list(apply(job, chosen()))
    """)
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert JobFolder.beside(job.output).done() == {0, 1}
    assert not job.output.exists()
    list(apply(job, chosen()))
    assert np.array_equal(pixels(job.output), wanted)


def test_the_second_of_two_runs_at_once_leaves_the_first_alone(job, wanted):
    events = apply(job, chosen())
    next(events)
    with pytest.raises(FileError, match="Another process is at work"):
        list(apply(job, chosen()))
    with pytest.raises(FileError, match="Another process is at work"):
        list(apply(job, chosen(), 1, 2))
    list(events)
    assert np.array_equal(pixels(job.output), wanted)


def test_parts_exclude_the_whole_and_not_each_other(job):
    folder = JobFolder.beside(job.output)
    with folder.locked(1, 2), folder.locked(2, 2):
        with pytest.raises(FileError, match="Another process"), folder.locked():
            pass
        with pytest.raises(FileError, match="Another process"), folder.locked(1, 2):
            pass
    with folder.locked():
        pass


def stopped(job):
    """Begin a job and stop it at once."""
    events = apply(job, chosen())
    next(events)
    next(events)
    events.close()


def test_another_model_or_source_is_refused(job, done, stack, tmp_path, source):
    stopped(job)
    other = learn(stack, "median", axes="ZYX", threads=1)
    with pytest.raises(FileError, match="begun with another model"):
        done(job, model=other, model_file=packed(other))
    tifffile.imwrite(source, stack + 1, ome=True, metadata={"axes": "ZYX"})
    with pytest.raises(FileError, match="begun with another source"):
        done(job)


def test_a_foreign_or_damaged_folder_is_left_alone(job, done, tmp_path):
    folder = tmp_path / "clean.zarr.job"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(FileError, match="is no job of lotadenoise"):
        done(job)
    assert (folder / "thesis.txt").read_text() == "mine"
    (folder / "job.json").write_text("{")
    with pytest.raises(FileError, match="damaged"):
        done(job)


def test_nothing_is_overwritten_unasked(job, done):
    done(job)
    with pytest.raises(FileError, match="already there"):
        done(job)
    done(job, overwrite=True)


def test_what_cannot_be_written_is_said_before_the_work(job, done, tmp_path, monkeypatch):
    for name, words in [("clean.png", "must end in"), ("nowhere/clean.zarr", "does not exist")]:
        with pytest.raises(FileError, match=words):
            done(job, output=tmp_path / name)
    monkeypatch.setattr("napari_lotadenoise.io.tiff_write.BIG", 1000)
    with pytest.raises(FileError, match=r"name it \.ome\.tif \(BigTIFF\) or \.zarr"):
        done(job, output=tmp_path / "clean.tif")
    assert not list(tmp_path.glob("*.job/job.json"))


def test_want_of_memory_makes_blocks_smaller_and_changes_no_bit(job, done, wanted, monkeypatch):
    monkeypatch.setattr(run, "VOXELS", 10**9)
    window, calls = Model.window, []

    def hungry(self, stack, group, sample, part):
        calls.append(part)
        if len(calls) in (2, 4):
            raise MemoryError
        return window(self, stack, group, sample, part)

    monkeypatch.setattr(Model, "window", hungry)
    done(job)
    assert len(calls) > 5
    assert np.array_equal(pixels(job.output), wanted)


def test_integers_are_rounded_and_clipped(job, done, wanted):
    done(job, same_dtype=True)
    clean = pixels(job.output)
    assert clean.dtype == np.uint16
    assert np.array_equal(clean, np.clip(np.rint(wanted), 0, 65535))


def test_the_plan_is_told_in_words(job):
    plan = next(apply(job, chosen()))
    assert plan.words.startswith("Result 0.3 MB to clean.zarr, working set ")
    assert f"{plan.blocks} blocks, about" in plan.words


def test_an_image_of_other_channels_is_refused_before_the_work(job, done, tmp_path):
    np.save(tmp_path / "two.npy", np.zeros((2, 5, 50, 50), np.uint16))
    with pytest.raises(ImageError, match="has learnt one channel"):
        done(job, source=str(tmp_path / "two.npy"), axes="CZYX")


def test_a_chunk_is_read_at_most_1_3_times(job, done, stack, tmp_path, monkeypatch):
    import zarr
    from zarr.storage import LocalStore

    monkeypatch.setattr(run, "VOXELS", 1 << 22)
    tall = np.tile(stack, (1, 4, 6))
    array = zarr.create_array(tmp_path / "tall.zarr", data=tall, chunks=(1, 100, 100))
    reads = []
    get = LocalStore.get

    async def counted(self, key, *arguments, **options):
        reads.append(key)
        return await get(self, key, *arguments, **options)

    events = apply(run.Job(job.model, job.model_file, str(tmp_path / "tall.zarr"), job.output, axes="ZYX"), chosen())
    next(events)  # the source is looked at before
    monkeypatch.setattr(LocalStore, "get", counted)
    last = next(event for event in events if event.done == 1)
    chunks = [key for key in reads if key.startswith("c/") or "/c/" in key]
    assert last.blocks == last.of
    assert array.nchunks <= len(chunks) <= 1.3 * array.nchunks


def test_parts_are_read_from_words():
    assert part_of("2/5") == (2, 5)
    for text in ("0/5", "6/5", "2", "a/b", "2/5/6"):
        with pytest.raises(ParameterError, match="--part takes two numbers"):
            part_of(text)
