"""What can be done with the result that is chosen: mix it, go back on its way, apply its method, export."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_lotadenoise._qt.parts import button, label, labelled, strength_slider
from napari_lotadenoise.comparison.contest import Outcome


class ResultBar(QWidget):
    """Controls of one result.

    Signals
    -------
    mixed (float)
        Share of the denoised image that is wanted, 0 to 1.
    stepped (int)
        Index of the snapshot that is wanted; -1 is the result.
    rerun ()
    applied (str)
        Where the method is wanted: "layer", "selected" or "dock".
    """

    mixed = Signal(float)
    stepped = Signal(int)
    rerun = Signal()
    applied = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.title, self.step_words = label(), label()
        self.title.setAccessibleName("The chosen result")
        self.strength = strength_slider()
        self.steps = QSlider(Qt.Orientation.Horizontal)
        self.steps.setToolTip("What the network made of the image after fewer steps.")
        self.again = button("Run again", "Run this entry once more", self.rerun.emit)
        self.whole = button(
            "Apply to the layer", "Denoise the whole layer like this", lambda: self.applied.emit("layer")
        )
        self.others = button(
            "Apply to selected layers",
            "Denoise every selected image layer like this",
            lambda: self.applied.emit("selected"),
        )
        self.dock = button(
            "Open in Denoise", "Take method and settings over into the Denoise dock", lambda: self.applied.emit("dock")
        )
        self._arrange()
        self.strength.valueChanged.connect(self.mixed.emit)
        self.steps.valueChanged.connect(self._on_step)
        self.show_outcome(None)

    def show_outcome(self, outcome: Outcome | None, strength: float = 1.0) -> None:
        """Show what can be done with an outcome."""
        result = None if outcome is None else outcome.result
        self._snapshots = () if result is None else result.snapshots
        self.title.setText("Choose a result in the table." if outcome is None else f"<b>{outcome.entry.label}</b>")
        if outcome is not None and outcome.score is not None:
            self.title.setText(f"<b>{outcome.entry.label}</b>: {outcome.score.sentence}")
        self.again.setEnabled(outcome is not None)
        for widget in (self.strength, self.whole, self.others, self.dock):
            widget.setEnabled(result is not None)
        for slider in (self.strength, self.steps):
            slider.blockSignals(True)
        self.strength.setValue(strength)
        self.steps.setRange(0, len(self._snapshots))
        self.steps.setValue(len(self._snapshots))
        for slider in (self.strength, self.steps):
            slider.blockSignals(False)
        self._way.setVisible(bool(self._snapshots))
        self.step_words.setText("")

    @property
    def step(self) -> int:
        """Training step of the snapshot that is chosen; 0 for the result."""
        index = self.steps.value()
        return self._snapshots[index].step if index < len(self._snapshots) else 0

    def _on_step(self, index: int) -> None:
        self.stepped.emit(index if index < len(self._snapshots) else -1)

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
