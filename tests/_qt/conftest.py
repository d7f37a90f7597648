from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import QApplication

from napari_lotadenoise._qt.denoise.dock import DenoiseWidget
from napari_lotadenoise._qt.shared.widgets import Dock
from tests.helpers import scene

#: Beginnings of the names of threads that zarr starts once and keeps.
_OF_THE_PROCESS = ("zarr_io", "asyncio_")
#: Seconds that threads get to end by themselves after a test.
GRACE = 10


@pytest.fixture(autouse=True)
def _leaves_nothing_behind():
    """Fail a test that leaves a dock, a worker or a thread of its own alive."""
    before = set(threading.enumerate())
    yield
    pool = QThreadPool.globalInstance()
    assert pool.waitForDone(1000 * GRACE), "a worker is still running"
    mine = [t for t in threading.enumerate() if t not in before and not isinstance(t, threading._DummyThread)]
    mine = [t for t in mine if not t.name.startswith(_OF_THE_PROCESS)]
    for thread in mine:
        thread.join(GRACE)
    assert not [thread.name for thread in mine if thread.is_alive()], "a thread is still running"
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    docks = [type(w).__name__ for w in QApplication.topLevelWidgets() if isinstance(w, Dock) and w.isVisible()]
    assert not docks, "a dock is still open"


@pytest.fixture
def stack() -> np.ndarray:
    """Three noisy slices of 48 x 64, each with a truth of its own."""
    truth = np.stack([scene((48, 64), seed) for seed in range(3)])
    return truth + np.random.default_rng(0).normal(0, 15, truth.shape).astype(np.float32)


@pytest.fixture
def open_dock(make_napari_viewer, qtbot) -> Callable[..., tuple]:
    """Opens a viewer with an image and the dock, docked as napari does it."""
    docks = []

    def open_(data=None, *, show: bool = False, first: bool = False, method: str = "lota-n2n", **options):
        viewer = make_napari_viewer(show=show)
        if data is not None:
            viewer.add_image(data, **{"name": "cells", **options})
        _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
        dock.quick_look.instant_preview.setChecked(
            first
        )  # where it is off, a run shows pictures of its own from the beginning
        dock.settings.choose(method)  # Auto, which the dock begins with, has no hyper-parameters to set
        docks.append(dock)
        return viewer, dock

    yield open_
    for dock in docks:
        if dock.session is not None:
            worker = dock.session.worker
            dock.controller.discard()
            qtbot.waitUntil(lambda worker=worker: not worker.is_running, timeout=30_000)


def steps(dock: DenoiseWidget, count: int, **values: object) -> None:
    """Set the number of steps and other hyper-parameters in the form."""
    for name, value in {"steps": count, "crop": 32, "holdout": 0, **values}.items():
        dock.settings.form[name].value = value


def finish(dock: DenoiseWidget, qtbot, timeout: int = 60_000) -> None:
    """Wait for the end of a run, and of its thread."""
    if dock.session is None:
        return
    worker = dock.session.worker
    qtbot.waitUntil(lambda: dock.session is None and not worker.is_running, timeout=timeout)
