"""Buttons, progress and messages of a run."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_lotadenoise._qt.denoise.controller import RunState
from napari_lotadenoise._qt.shared.widgets import button, in_lines
from napari_lotadenoise.engine import plan
from napari_lotadenoise.events import Progress

#: Lines of text that are always there for what is said of a run, and the most that are taken of a tall window.
_LINES = (3, 7)


class RunBar(QWidget):
    """One primary button; three ways out while a run is going on."""

    denoise = Signal()
    fill_and_denoise = Signal()
    finish_now = Signal()
    pause = Signal()
    discard = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.denoise_button = button("Denoise", "Denoise the layer", self.denoise.emit)
        self.fill_button = button(
            "Fill and denoise",
            "Replace NaN and inf by the nearest finite value, then denoise",
            self.fill_and_denoise.emit,
        )
        self.finish_now_button = button(
            "Finish now", "Stop learning and apply what is learnt so far", self.finish_now.emit
        )
        self.pause_button = button("Pause", "Pause or resume the run", self.pause.emit)
        self.discard_button = button("Discard", "End the run and leave everything as it was", self.discard.emit)
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setAccessibleName("Progress of the run")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setAccessibleName("State of the run")
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        exits = QHBoxLayout()
        for way_out in (self.finish_now_button, self.pause_button, self.discard_button):
            exits.addWidget(way_out)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        for widget in (self.denoise_button, self.fill_button):
            box.addWidget(widget)
        box.addLayout(exits)
        self._box = box
        box.addWidget(self.progress_bar)
        box.addWidget(in_lines(self.status, *_LINES))
        self.denoise_button.setMinimumHeight(32)
        self.fill_button.hide()
        self.show_state(RunState.IDLE)

    def put_below_buttons(self, widget: QWidget) -> None:
        """Put a widget between the buttons and the progress."""
        self._box.insertWidget(self._box.indexOf(self.progress_bar), widget)

    def show_state(self, state: RunState) -> None:
        """Show the buttons that make sense in a state."""
        self.denoise_button.setVisible(not state.busy)
        for widget in (self.finish_now_button, self.pause_button, self.discard_button, self.progress_bar):
            widget.setVisible(state.busy)
        self.pause_button.setText("Resume" if state is RunState.PAUSED else "Pause")
        if state is RunState.PLANNING:
            self.fill_button.hide()
            self.progress_bar.setValue(0)

    def show_progress(self, progress: Progress, by: str = "", why_hidden: str = "") -> None:
        """Show the progress of a run, and which other method the preview is of, or why there is none."""
        self.progress_bar.setValue(round(1000 * progress.done))
        left = (
            "estimating the time left"
            if progress.seconds_left is None
            else f"{plan.duration(progress.seconds_left)} left"
        )
        parts = [progress.phase, f"step {progress.step} of {progress.of}", left]
        if progress.groups > 1:
            parts.insert(1, f"channel {progress.group + 1} of {progress.groups}")
        if progress.stage:
            parts.insert(1, progress.stage)
        if why_hidden:
            parts.append(f"no preview: {why_hidden}")
        elif by:
            parts.append(f"preview by {by}")
        if progress.sigma is not None:
            parts.append(f"sigma {progress.sigma:.4g}")
        parts += [f"{name} {value:.3g}" for name, value in progress.values.items()]
        self.say(", ".join(parts))

    def say(self, words: str, *, offer_fill: bool = False) -> None:
        """Show a sentence, and the offer to fill NaN and inf where that would help."""
        self.status.setText(words)
        self.fill_button.setVisible(offer_fill)
