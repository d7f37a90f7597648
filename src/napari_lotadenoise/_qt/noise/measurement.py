"""Noise reports of layers, measured in a thread and remembered."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise.automatic import neighbours_alike
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.image.stack import layout_for
from napari_lotadenoise.noise import NoiseReport, estimate_noise

if TYPE_CHECKING:
    from napari.layers import Image


#: The report or why there is none, whether the layer has a depth to gain from, and which data it is of.
_Answer = tuple[NoiseReport | None, bool, str, int]


class NoiseMeasurement(QObject):
    """Measures the noise of a layer off the GUI thread; only the newest request is answered.

    Signals
    -------
    found (NoiseReport or None, str)
        The report of the layer that was requested last, or why there is none.
    """

    found = Signal(object, str)
    _measured = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._known: weakref.WeakKeyDictionary[Any, tuple[str, int, NoiseReport, bool]] = weakref.WeakKeyDictionary()
        #: Whether something is being measured, and whether the layer of the last answer has a depth to gain from.
        self.going_on, self.deep = False, False
        self._asked = 0
        self.measuring: threading.Thread | None = None
        self._measured.connect(self._hear)

    def ask(self, layer: Image | None, axes: str) -> None:
        """Measure a layer whose axes have these letters; a known report is emitted at once."""
        self._asked += 1
        self.going_on, self.deep = False, False
        if layer is None:
            self.found.emit(None, "")
            return
        data = data_of(layer)
        known = self._known.get(layer)
        if known is not None and known[:2] == (axes, id(data)):
            self.deep = known[3]
            self.found.emit(known[2], "")
            return
        self.going_on = True
        # A daemon, and not a worker of napari: whoever closes the window must not have to wait for it.
        question = (self._asked, weakref.ref(layer), axes)
        self.measuring = threading.Thread(target=self._measure, args=(question, data, axes), daemon=True)
        self.measuring.start()

    def forget(self) -> None:
        """Ignore the answer that is still to come."""
        self._asked += 1
        self.going_on = False

    def _measure(self, question: tuple[int, Any, str], data: Any, axes: str) -> None:
        try:
            report = estimate_noise(data, axes, fill=True)
            deep = neighbours_alike(data, layout_for(tuple(data.shape), axes))
            answer: _Answer = (report, deep, "", id(data))
        except LotaDenoiseError as error:
            answer = (None, False, str(error), id(data))
        except Exception as error:  # a thread must not die of strange data unheard
            answer = (None, False, f"The noise cannot be measured ({error}).", id(data))
        with contextlib.suppress(RuntimeError):  # the window is gone, and this with it
            self._measured.emit(question, answer)

    def _hear(self, question: tuple[int, Any, str], answer: _Answer) -> None:
        (number, of, axes), (report, deep, words, data) = question, answer
        layer = of()
        if report is not None and layer is not None:
            self._known[layer] = (axes, data, report, deep)
        if number == self._asked:
            self.going_on, self.deep = False, deep
            self.found.emit(report, words)
