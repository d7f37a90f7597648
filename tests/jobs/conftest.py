"""A stack on disk, a model of it, and jobs in small blocks."""

import dataclasses

import numpy as np
import pytest
import tifffile

from napari_lotadenoise import learn
from napari_lotadenoise.jobs import Job, apply, chosen, run
from napari_lotadenoise.model.file import packed

SIZES = {"PhysicalSizeZ": 0.3, "PhysicalSizeY": 0.1, "PhysicalSizeX": 0.1}
UNITS = {f"{name}Unit": "µm" for name in SIZES}


@pytest.fixture(scope="session")
def stack():
    return np.random.default_rng(1).poisson(40, (5, 150, 100)).astype(np.uint16)


@pytest.fixture
def source(stack, tmp_path):
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, stack, ome=True, metadata={"axes": "ZYX", **SIZES, **UNITS})
    return path


@pytest.fixture(scope="session")
def model(stack):
    return learn(stack, "zs-n2n", axes="ZYX", steps=4, threads=1)


@pytest.fixture(scope="session")
def wanted(model, stack):
    """What the model makes of the stack in one piece."""
    return model.predict(stack)


@pytest.fixture
def job(model, source, tmp_path):
    return Job(model, packed(model), str(source), tmp_path / "clean.zarr")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(run, "VOXELS", 6_000)


@pytest.fixture
def done():
    """Run a job to its end, and return the last event."""

    def finish(job, executor=None, part=1, of=1, **changes):
        return list(apply(dataclasses.replace(job, **changes), executor or chosen(), part, of))[-1]

    return finish
