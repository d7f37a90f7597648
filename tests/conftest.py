"""Shared fixtures, and one thread for everything: on a busy machine more of them wait for each other."""

from __future__ import annotations

import os

# For what is run outside of a test, too: fixtures of a session, other processes.
os.environ.setdefault("NAPARI_LOTADENOISE_CACHE", "")
# The docks remember nothing from one test to the next, and nothing of the user's own.
os.environ["NAPARI_LOTADENOISE_STATE"] = ""

# Before torch is imported: its pools are sized once. Several processes with several threads each are slower than one.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from pathlib import Path

import numpy as np
import pytest

from napari_lotadenoise.compute import process_settings, speed_cache
from tests.helpers import DATA, scene


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of the docks, and keep the contract tests of one method in one process, where they share runs."""
    if "_qt" in item.path.parts:
        item.add_marker(pytest.mark.gui)
    method = item.callspec.params.get("method") if hasattr(item, "callspec") else None
    if isinstance(method, str) and item.path.name == "test_contract.py":
        item.add_marker(pytest.mark.xdist_group(method))


@pytest.fixture(autouse=True)
def _no_speed_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrate no speeds, and keep out of the user's cache."""
    monkeypatch.setenv(speed_cache.FOLDER, "")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_settings, "processors", lambda: 1)


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """A clean image of 64 x 64."""
    return scene((64, 64))


@pytest.fixture(scope="session")
def noisy(truth: np.ndarray) -> np.ndarray:
    """The clean image with white Gaussian noise of deviation 20."""
    return truth + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32)


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the development images; tests that need it are skipped without it."""
    if not DATA.is_dir():
        pytest.skip(f"the development images are not at {DATA.name}/ beside the repository")
    return DATA
