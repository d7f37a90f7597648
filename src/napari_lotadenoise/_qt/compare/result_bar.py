"""Actions on the chosen result: blend it, go back to an earlier step, apply its method."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.comparison_state import CandidateView
from napari_lotadenoise._qt.shared.widgets import blend_slider, button, label, labelled
from napari_lotadenoise.comparison.runner import Outcome

_APPLY = (
    "Denoise the whole layer that was compared on with this method and its settings, without the time limit. Filters that are "
    "calibrated on the image are calibrated anew."
)


class ResultBar(QWidget):
    """Controls of one result.

    Signals
    -------
    changed (CandidateView)
        Another blend or another step is wanted.
    rerun ()
    applied (str)
        Target of the method: "layer", "selected" or "dock".
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
        self.blend = blend_slider()
        self.steps = QSlider(Qt.Orientation.Horizontal)
        self.steps.setToolTip("Result of the network after fewer steps.")
        self.rerun_button = button("Run again", "Run this candidate once more", self.rerun.emit)
        self.apply_button = button("Apply to the layer", _APPLY, lambda: self.applied.emit("layer"))
        self.apply_to_selected_button = button(
            "Apply to selected layers",
            "Denoise every selected image layer like this",
            lambda: self.applied.emit("selected"),
        )
        self.open_in_denoise_button = button(
            "Open in Denoise", "Take method and settings over into the Denoise dock", lambda: self.applied.emit("dock")
        )
        self._arrange()
        self.blend.valueChanged.connect(self._on_change)
        self.steps.valueChanged.connect(self._on_change)
        self.show_outcome(None)

    def show_outcome(self, outcome: Outcome | None, view: CandidateView | None = None) -> None:
        """Show the actions on an outcome, and what is shown of it now."""
        result, view = None if outcome is None else outcome.result, view or CandidateView()
        self._snapshots = () if result is None else result.snapshots
        self.title.setText("Choose a result in the table." if outcome is None else f"<b>{outcome.candidate.label}</b>")
        if outcome is not None and outcome.score is not None:
            self.title.setText(f"<b>{outcome.candidate.label}</b>: {outcome.score.sentence}")
        self._outcome = outcome
        self._enable()
        for slider in (self.blend, self.steps):
            slider.blockSignals(True)
        self.blend.setValue(view.blend)
        self.steps.setRange(0, len(self._snapshots))
        found = [index for index, snapshot in enumerate(self._snapshots) if snapshot is view.snapshot]
        self.steps.setValue(found[0] if found else len(self._snapshots))
        for slider in (self.blend, self.steps):
            slider.blockSignals(False)
        self._step_box.setVisible(bool(self._snapshots))
        self.step_words.setText("")

    def set_busy(self, busy: bool) -> None:
        """Disable all that starts a run while one is going on."""
        self._busy = busy
        self._enable()

    def _enable(self) -> None:
        outcome = self._outcome
        result = None if outcome is None else outcome.result
        for widget in (self.blend, self.open_in_denoise_button):
            widget.setEnabled(result is not None)
        for widget in (self.apply_button, self.apply_to_selected_button):
            widget.setEnabled(result is not None and not self._busy)
        self.rerun_button.setEnabled(outcome is not None and not self._busy)

    def _on_change(self, *_: object) -> None:
        index = self.steps.value()
        snapshot = self._snapshots[index] if index < len(self._snapshots) else None
        self.changed.emit(CandidateView(snapshot, self.blend.value()))

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.title)
        box.addLayout(labelled(("Blend", self.blend)))
        self._step_box = QWidget()
        steps = labelled(("Step", self.steps), ("", self.step_words))
        steps.setContentsMargins(0, 0, 0, 0)
        self._step_box.setLayout(steps)
        box.addWidget(self._step_box)
        for pair in (
            (self.apply_button, self.apply_to_selected_button),
            (self.open_in_denoise_button, self.rerun_button),
        ):
            row = QHBoxLayout()
            for widget in pair:
                row.addWidget(widget)
            box.addLayout(row)
