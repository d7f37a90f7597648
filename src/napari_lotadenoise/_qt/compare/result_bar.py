"""What can be done with the result that is chosen: mix it, go back on its way, apply its method, export."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.comparison_state import State
from napari_lotadenoise._qt.shared.widgets import button, label, labelled, strength_slider
from napari_lotadenoise.comparison.runner import Outcome

_APPLY = (
    "Denoise the whole layer that was compared on with this method and its settings, without the time limit. Filters that are "
    "calibrated on the image are calibrated anew."
)


class ResultBar(QWidget):
    """Controls of one result.

    Signals
    -------
    changed (State)
        Another strength or another step is wanted.
    rerun ()
    applied (str)
        Where the method is wanted: "layer", "selected" or "dock".
    """

    changed = Signal(object)
    rerun = Signal()
    applied = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._outcome: Outcome | None = None
        self._busy = False
        self.title, self.step_words = label(), label()
        self.title.setAccessibleName("The chosen result")
        self.strength = strength_slider()
        self.steps = QSlider(Qt.Orientation.Horizontal)
        self.steps.setToolTip("What the network made of the image after fewer steps.")
        self.again = button("Run again", "Run this entry once more", self.rerun.emit)
        self.whole = button("Apply to the layer", _APPLY, lambda: self.applied.emit("layer"))
        self.others = button(
            "Apply to selected layers",
            "Denoise every selected image layer like this",
            lambda: self.applied.emit("selected"),
        )
        self.dock = button(
            "Open in Denoise", "Take method and settings over into the Denoise dock", lambda: self.applied.emit("dock")
        )
        self._arrange()
        self.strength.valueChanged.connect(self._on_change)
        self.steps.valueChanged.connect(self._on_change)
        self.show_outcome(None)

    def show_outcome(self, outcome: Outcome | None, state: State | None = None) -> None:
        """Show what can be done with an outcome, and what is shown of it now."""
        result, state = None if outcome is None else outcome.result, state or State()
        self._snapshots = () if result is None else result.snapshots
        self.title.setText("Choose a result in the table." if outcome is None else f"<b>{outcome.entry.label}</b>")
        if outcome is not None and outcome.score is not None:
            self.title.setText(f"<b>{outcome.entry.label}</b>: {outcome.score.sentence}")
        self._outcome = outcome
        self._enable()
        for slider in (self.strength, self.steps):
            slider.blockSignals(True)
        self.strength.setValue(state.strength)
        self.steps.setRange(0, len(self._snapshots))
        found = [index for index, snapshot in enumerate(self._snapshots) if snapshot is state.snapshot]
        self.steps.setValue(found[0] if found else len(self._snapshots))
        for slider in (self.strength, self.steps):
            slider.blockSignals(False)
        self._way.setVisible(bool(self._snapshots))
        self.step_words.setText("")

    def set_busy(self, busy: bool) -> None:
        """Offer nothing that starts a run while one is going on."""
        self._busy = busy
        self._enable()

    def _enable(self) -> None:
        outcome = self._outcome
        result = None if outcome is None else outcome.result
        for widget in (self.strength, self.dock):
            widget.setEnabled(result is not None)
        for widget in (self.whole, self.others):
            widget.setEnabled(result is not None and not self._busy)
        self.again.setEnabled(outcome is not None and not self._busy)

    def _on_change(self, *_: object) -> None:
        index = self.steps.value()
        snapshot = self._snapshots[index] if index < len(self._snapshots) else None
        self.changed.emit(State(snapshot, self.strength.value()))

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.title)
        box.addLayout(labelled(("Strength", self.strength)))
        self._way = QWidget()
        way = labelled(("Step", self.steps), ("", self.step_words))
        way.setContentsMargins(0, 0, 0, 0)
        self._way.setLayout(way)
        box.addWidget(self._way)
        for pair in ((self.whole, self.others), (self.dock, self.again)):
            row = QHBoxLayout()
            for widget in pair:
                row.addWidget(widget)
            box.addLayout(row)
