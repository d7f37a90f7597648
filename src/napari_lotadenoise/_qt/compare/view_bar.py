"""Choice of the view of a comparison: the mode, and the two results A and B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.modes import MODES, Mode
from napari_lotadenoise._qt.shared.widgets import button, label, labelled, narrow

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Key that shows B where A is seen; napari and its image layers do not use it.
KEY = "Q"


class ViewBar(QWidget):
    """Chooses one of the `MODES`, and the two results A and B.

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
        self.mode.addItems(list(MODES))
        self.mode.setToolTip("How results are shown: one at a time, side by side, split by a line, ...")
        self.first.setToolTip("First result to look at")
        self.second.setToolTip("Second result to look at")
        self.toggle_button = button(
            f"Toggle A / B  ({KEY})", "Show B where A is seen, and the other way round", self.toggled.emit
        )
        self.flicker_button = QPushButton("Flicker")
        self.flicker_button.setCheckable(True)
        self.flicker_button.setToolTip("Toggle by itself, a little faster than twice a second")
        self.flicker_button.setAccessibleName("Flicker by itself")
        self.words = label()
        self.words.setAccessibleName("What is seen")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(labelled(("View", self.mode), ("A", self.first), ("B", self.second)))
        row = QHBoxLayout()
        row.addWidget(self.toggle_button)
        row.addWidget(self.flicker_button)
        box.addLayout(row)
        box.addWidget(self.words)
        for combo in (self.mode, self.first, self.second):
            combo.currentIndexChanged.connect(self._on_change)
        self.flicker_button.toggled.connect(self.flickered.emit)
        self._adapt()

    @property
    def chosen_mode(self) -> Mode:
        """Return the chosen mode."""
        return MODES[self.mode.currentText()]

    def choose_flicker(self) -> None:
        """Choose the mode that shows one result at a time, if the present one shows several."""
        if not self.chosen_mode.pair:
            self.mode.setCurrentText(next(mode.name for mode in MODES.values() if mode.toggles))

    @property
    def pair(self) -> tuple[Image | None, Image | None]:
        """Return the results A and B."""
        return self.first.currentData(), self.second.currentData()

    def offer(self, pictures: Sequence[Image], a: Image | None = None, b: Image | None = None) -> None:
        """Offer results as A and B, and keep the choice where it is still there; `a` and `b` replace it."""
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
        """Show names that have changed."""
        for combo in (self.first, self.second):
            for index in range(combo.count()):
                combo.setItemText(index, combo.itemData(index).name)

    def bind_key(self) -> None:
        """Bind the key to toggle A and B, unless it is in use."""
        if not any(str(key).upper() == KEY for key in self._viewer.keymap):
            self._viewer.bind_key(KEY, self._on_key)

    def free_key(self) -> None:
        """Release the key."""
        for key, action in list(self._viewer.keymap.items()):
            if action == self._on_key:
                del self._viewer.keymap[key]

    def _on_key(self, viewer: Any) -> None:
        self.toggled.emit()

    def _on_change(self, index: int = 0) -> None:
        self._adapt()
        self.changed.emit()

    def _adapt(self) -> None:
        """Show the controls that the mode needs."""
        mode = self.chosen_mode
        for widget in (self.first, self.second):
            widget.setEnabled(mode.pair)
        for button_ in (self.toggle_button, self.flicker_button):
            button_.setVisible(mode.toggles)
        if not mode.toggles:
            self.flicker_button.setChecked(False)
