"""The buttons of a run, its progress and its last words."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_lotadenoise._qt.shared.widgets import button
from napari_lotadenoise.engine import plan
from napari_lotadenoise.events import Progress


class RunBar(QWidget):
    """One primary button; three exits while running."""

    denoise = Signal()
    fill_and_denoise = Signal()
    finish_now = Signal()
    pause = Signal()
    discard = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.start = button("Denoise", "Denoise the layer", self.denoise.emit)
        self.fill = button(
            "Fill and denoise",
            "Replace NaN and inf by the nearest finite value, then denoise",
            self.fill_and_denoise.emit,
        )
        self.finish = button("Finish now", "Stop learning and apply what is learnt so far", self.finish_now.emit)
        self.hold = button("Pause", "Pause or resume the run", self.pause.emit)
        self.drop = button("Discard", "End the run and leave everything as it was", self.discard.emit)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the run")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setAccessibleName("State of the run")
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(4 * self.status.fontMetrics().lineSpacing())  # or long sentences are cut
        exits = QHBoxLayout()
        for way_out in (self.finish, self.hold, self.drop):
            exits.addWidget(way_out)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        for widget in (self.start, self.fill):
            box.addWidget(widget)
        box.addLayout(exits)
        for widget in (self.bar, self.status):
            box.addWidget(widget)
        self.start.setMinimumHeight(34)
        self.fill.hide()
        self.set_running(False)

    def set_running(self, running: bool) -> None:
        """Show the buttons that make sense."""
        self.start.setVisible(not running)
        for widget in (self.finish, self.hold, self.drop, self.bar):
            widget.setVisible(running)
        if running:
            self.fill.hide()
            self.bar.setValue(0)
            self.set_paused(False)
            self.say("Starting ...")

    def set_paused(self, paused: bool) -> None:
        """Name the button after what it does next."""
        self.hold.setText("Resume" if paused else "Pause")

    def show_progress(self, progress: Progress, by: str = "") -> None:
        """Show how far a run is, and which other method the picture is of."""
        self.bar.setValue(round(1000 * progress.done))
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
        if by:
            parts.append(f"picture by {by}")
        if progress.sigma is not None:
            parts.append(f"sigma {progress.sigma:.4g}")
        parts += [f"{name} {value:.3g}" for name, value in progress.values.items()]
        self.say(", ".join(parts))

    def say(self, words: str, *, offer_fill: bool = False) -> None:
        """Show a sentence, and the offer to fill NaN and inf where that would help."""
        self.status.setText(words)
        self.fill.setVisible(offer_fill)
