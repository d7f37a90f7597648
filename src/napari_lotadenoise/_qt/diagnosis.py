"""Measures the noise of layers in a thread, and remembers what it found."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QObject, Signal

from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.noise import NoiseReport, estimate_noise

if TYPE_CHECKING:
    from napari.layers import Image


class Diagnosis(QObject):
    """Asks for the noise report of a layer, off the GUI thread; the newest question is the one that is answered.

    Signals
    -------
    found (NoiseReport or None, str)
        The report of the layer that was asked for last, or why there is none.
    """

    found = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._known: weakref.WeakKeyDictionary[Any, tuple[str, int, NoiseReport]] = weakref.WeakKeyDictionary()
        self._worker: FunctionWorker[NoiseReport] | None = None
        self._asked = 0

    def ask(self, layer: Image | None, axes: str) -> None:
        """Measure a layer whose axes have these letters, or tell at once what is known."""
        self._asked += 1
        if layer is None:
            self.found.emit(None, "")
            return
        data = layer.data[0] if layer.multiscale else layer.data
        known = self._known.get(layer)
        if known is not None and known[:2] == (axes, id(data)):
            self.found.emit(known[2], "")
            return
        number = self._asked
        self._worker = create_worker(_measure, data, axes, _start_thread=False)
        self._worker.returned.connect(lambda answer: self._hear(number, layer, axes, id(data), answer))
        self._worker.start()

    def forget(self) -> None:
        """Take no answer any more."""
        self._asked += 1

    def _hear(self, number: int, layer: Image, axes: str, data: int, answer: tuple[NoiseReport | None, str]) -> None:
        report, words = answer
        if report is not None:
            self._known[layer] = (axes, data, report)
        if number == self._asked:
            self.found.emit(report, words)


def _measure(data: Any, axes: str) -> tuple[NoiseReport | None, str]:
    try:
        return estimate_noise(data, axes, fill=True), ""
    except LotaDenoiseError as error:
        return None, str(error)
