"""How the pictures of a comparison are looked at: the way, and which two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.views import MODES
from napari_lotadenoise._qt.shared.widgets import button, label, labelled, narrow

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Key that shows B where A is seen; napari and its image layers do not use it.
KEY = "Q"


class ViewBar(QWidget):
    """Chooses one of the ways in `MODES`, and the two pictures A and B.

    Signals
    -------
    changed ()
    toggled ()
        B is wanted where A is seen, or the other way round.
    flickered (bool)
        Whether they are to toggle by themselves.
    """

    changed = Signal()
    toggled = Signal()
    flickered = Signal(bool)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.mode, self.first, self.second = QComboBox(), QComboBox(), QComboBox()
        narrow(self.first, self.second)
        self.mode.addItems(MODES)
        self.swap = button(
            f"Toggle A / B  ({KEY})", "Show B where A is seen, and the other way round", self.toggled.emit
        )
        self.auto = QPushButton("Flicker")
        self.auto.setCheckable(True)
        self.auto.setToolTip("Toggle by itself, a little faster than twice a second")
        self.auto.setAccessibleName("Flicker by itself")
        self.words = label()
        self.words.setAccessibleName("What is seen")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(labelled(("View", self.mode), ("A", self.first), ("B", self.second)))
        row = QHBoxLayout()
        row.addWidget(self.swap)
        row.addWidget(self.auto)
        box.addLayout(row)
        box.addWidget(self.words)
        for combo in (self.mode, self.first, self.second):
            combo.currentIndexChanged.connect(self._on_change)
        self.auto.toggled.connect(self.flickered.emit)
        self._adapt()

    @property
    def pair(self) -> tuple[Image | None, Image | None]:
        """The pictures A and B."""
        return self.first.currentData(), self.second.currentData()

    def offer(self, pictures: Sequence[Image], a: Image | None = None, b: Image | None = None) -> None:
        """Offer pictures as A and B, and keep the choice where it is still there; `a` and `b` are chosen otherwise."""
        for combo, wanted in ((self.first, a), (self.second, b)):
            kept = combo.currentData()
            combo.blockSignals(True)
            combo.clear()
            for picture in pictures:
                combo.addItem(picture.name, picture)
            choice = wanted if wanted is not None else kept
            if choice in pictures:
                combo.setCurrentIndex(list(pictures).index(choice))
            combo.blockSignals(False)
        self.changed.emit()

    def rename(self) -> None:
        """Take over names that have changed."""
        for combo in (self.first, self.second):
            for index in range(combo.count()):
                combo.setItemText(index, combo.itemData(index).name)

    def bind_key(self) -> None:
        """Let the key toggle A and B, unless it is somebody else's already."""
        if not any(str(key).upper() == KEY for key in self._viewer.keymap):
            self._viewer.bind_key(KEY, self._on_key)

    def free_key(self) -> None:
        """Give the key back."""
        for key, action in list(self._viewer.keymap.items()):
            if action == self._on_key:
                del self._viewer.keymap[key]

    def _on_key(self, viewer: Any) -> None:
        self.toggled.emit()

    def _on_change(self, index: int = 0) -> None:
        self._adapt()
        self.changed.emit()

    def _adapt(self) -> None:
        """Show the controls that the way needs."""
        mode = self.mode.currentText()
        two = mode in MODES[1:4]
        for widget in (self.first, self.second):
            widget.setEnabled(two)
        for widget in (self.swap, self.auto):
            widget.setVisible(mode == MODES[1])
        if mode != MODES[1]:
            self.auto.setChecked(False)
