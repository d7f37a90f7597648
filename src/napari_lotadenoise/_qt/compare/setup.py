"""Choices of a comparison: layer, reference, crop, methods, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QSpinBox, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.crop_box import CropBox
from napari_lotadenoise._qt.compare.method_list import MethodList
from napari_lotadenoise._qt.compare.session import ComparisonRequest
from napari_lotadenoise._qt.noise.noise_line import NoiseLine
from napari_lotadenoise._qt.shared.axes_form import AxesForm
from napari_lotadenoise._qt.shared.fold import Fold
from napari_lotadenoise._qt.shared.layer_box import LayerBox, ReferenceBox
from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise._qt.shared.widgets import labelled
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Snapshots that are kept of each training, where they are wanted.
SNAPSHOTS = 8
#: Seconds that a training may take unless the user says otherwise.
_BUDGET = 60


class CompareSetup(QWidget):
    """Form of the choices of the user, put together as a `ComparisonRequest`.

    Signals
    -------
    complained (str)
        Error in a choice, in words.
    """

    complained = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.layers, self.reference = LayerBox(viewer), ReferenceBox(viewer)
        self.axes, self.noise_line, self.crop, self.method_list = AxesForm(), NoiseLine(), CropBox(viewer), MethodList()
        self.budget, self.seed = QSpinBox(), QSpinBox()
        self.budget.setRange(0, 36_000)
        self.budget.setSuffix(" s")
        self.budget.setSpecialValueText("no limit")
        self.budget.setValue(_BUDGET)
        self.budget.setToolTip("Training of a method is finished early after this time, with what it has learnt.")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("Source of all chance, the same for all methods; the same seed gives the same results.")
        self.keep = QCheckBox(f"Keep {SNAPSHOTS} steps of each")
        self.keep.setToolTip("To see what more steps do, and to go back to an earlier one.")
        self.fill = QCheckBox("Fill NaN and inf")
        self.fill.setToolTip("Replace them by the nearest finite value; otherwise an image that holds any is refused.")
        self._arrange()
        self.layers.currentIndexChanged.connect(self._on_layer)
        self.axes.changed.connect(self._measure)
        self.noise_line.measurement.found.connect(lambda report, _: self.method_list.show_report(report))
        self.method_list.complained.connect(self.complained.emit)
        self._on_layer()

    @property
    def layer(self) -> Image | None:
        """Return the chosen layer."""
        return self.layers.layer

    def chosen_layer(self) -> Image:
        """Return the chosen layer.

        Raises
        ------
        LotaDenoiseError
            Where there is none.
        """
        if self.layer is None:
            raise LotaDenoiseError(self.layers.why_none)
        return self.layer

    def request(self) -> ComparisonRequest:
        """Put together what the user wants compared.

        Raises
        ------
        LotaDenoiseError
            Where the choices do not fit together.
        """
        layer = self.chosen_layer()
        candidates = self.method_list.candidates()
        if not candidates:
            raise LotaDenoiseError("Nothing to compare: tick at least one method.")
        layout = self.axes.layout_value()
        options = Options(
            axes=layout.axes, channels=layout.channels, volume=layout.volume, seed=self.seed.value(),
            fill=self.fill.isChecked(), snapshots=SNAPSHOTS if self.keep.isChecked() else 0, preset="fast",
        )  # fmt: skip
        frames = any(candidate.method_class.requires.repeats for candidate in candidates)
        crop = self.crop.value(layer, layout, frames=frames)
        reference = None if self.reference.layer is None else data_of(self.reference.layer)
        return ComparisonRequest(data_of(layer), candidates, options, crop, reference, float(self.budget.value()))

    def forget(self) -> None:
        """Ignore a noise report that is still to come."""
        self.noise_line.measurement.forget()

    def _arrange(self) -> None:
        inside = QWidget()
        box = QVBoxLayout(inside)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(labelled(("Time for each", self.budget), ("Seed", self.seed), ("", self.keep), ("", self.fill)))
        box.addWidget(self.method_list.sweep_box)
        more = Fold("Time, seed, sweep", inside)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(labelled(("Layer", self.layers), ("Reference", self.reference)))
        for widget in (self.noise_line, self.axes, self.crop, self.method_list, more):
            box.addWidget(widget)
        box.addStretch()

    def _on_layer(self, index: int = 0) -> None:
        self.axes.blockSignals(True)
        self.axes.show_layer(self.layer)
        self.axes.blockSignals(False)
        self.reference.offer_for(self.layer)
        self._measure()

    def _measure(self) -> None:
        try:
            self.noise_line.measure(self.layer, self.axes.layout_value().axes if self.layer is not None else "")
        except LotaDenoiseError:  # two axes of one meaning; the comparison will say so
            self.noise_line.measure(None, "")
