"""Check boxes for what is shown beside the preview while a run learns."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QWidget

from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.contract.method import Method

#: Boxes side by side; the dock is narrow.
_COLUMNS = 2
_HINTS = {
    "mask": "pixels that are hidden (magenta), detail that is shown again (cyan), pixels hidden in its place (yellow)",
    "picture": "a picture in intensities of the image",
    "magnitude": "from 0 (dark) upwards",
    "signed": "negative and positive, centred on 0",
}


class MapBoxes(QWidget):
    """One box for the residual, one for the uncertainty of stochastic methods, one for each map of the method."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, QCheckBox] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)

    def show_method(self, method: Method) -> None:
        """Offer what a method has to show; what was ticked under the same name stays ticked."""
        ticked = self.wanted()
        for box in self.boxes.values():
            self._grid.removeWidget(box)
            box.hide()  # at once; it may live on until the event loop has time
            box.deleteLater()
        kinds = {"residual": "signed"} | ({"uncertainty": "magnitude"} if passes_of(method) else {}) | dict(method.maps)
        self.boxes = {name: self._box(name, kind, ticked=name in ticked) for name, kind in kinds.items()}
        for number, box in enumerate(self.boxes.values()):
            self._grid.addWidget(box, number // _COLUMNS, number % _COLUMNS)

    def wanted(self) -> frozenset[str]:
        """Return the names of what is ticked."""
        return frozenset(name for name, box in self.boxes.items() if box.isChecked())

    def _box(self, name: str, kind: str, *, ticked: bool) -> QCheckBox:
        box = QCheckBox(name)
        hint = {
            "residual": "what is taken away, while running and as a layer below the result; beside it a hidden layer that "
            "tells where structure was taken away too",
            "uncertainty": "deviation of the stochastic passes",
        }.get(name, _HINTS[kind])
        box.setToolTip(hint)
        box.setAccessibleDescription(hint)
        box.setChecked(ticked)
        box.toggled.connect(lambda _checked: self.changed.emit())
        return box
