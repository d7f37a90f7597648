"""The Compare dock: says which method is best for an image, and shows why."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.apply import Applier
from napari_lotadenoise._qt.compare.comparison_state import Board, State
from napari_lotadenoise._qt.compare.results import CompareResults
from napari_lotadenoise._qt.compare.session import ContestSession, Match
from napari_lotadenoise._qt.compare.setup import CompareSetup
from napari_lotadenoise._qt.denoise.session import Order
from napari_lotadenoise._qt.shared.axes_form import layout_of
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise._qt.shared.widgets import Dock, button, fill_dock, label
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.image.stack import Layout

if TYPE_CHECKING:
    from napari_lotadenoise.comparison import Outcome, Plan
    from napari_lotadenoise.comparison.candidate import Entry
    from napari_lotadenoise.events import Preview, Progress


@dataclass(frozen=True)
class Bout:
    """A comparison and the layer that it is on, as both were when it began."""

    match: Match
    source: Source
    layout: Layout

    def order(self, layer: Image, entry: Entry, strength: float) -> Order:
        """What it takes to denoise a whole layer like an entry.

        Raises
        ------
        LotaDenoiseError
            Where the axes do not fit together.
        """
        layout = self.layout if layer is self.source.layer else layout_of(layer)
        method, training = entry.configured(volume=layout.volume)
        options = self.match.options
        return Order(
            layer, method, training, layout, entry.preset, seed=options["seed"], fill=options["fill"], strength=strength
        )


def _leave_all(sessions: list[ContestSession]) -> None:
    for session in sessions:
        session.leave()


def _cut_short(entry: Entry, state: State) -> Entry:
    """The entry, up to the step that is shown of it."""
    if state.snapshot is None:
        return entry
    return dataclasses.replace(entry, options={**entry.options, "until": state.snapshot.step})


class CompareWidget(Dock):
    """Dock widget that compares methods on a part of an image layer.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Handed in by napari.

    Signals
    -------
    finished ()
        A comparison has ended, whichever way.
    """

    finished = Signal()

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session: ContestSession | None = None
        self.applier: Applier | None = None
        #: What is shown, and what is about to be.
        self._bout: Bout | None = None
        self._next: Bout | None = None
        #: The entries of the session that is running, and the one whose turn it is.
        self._numbers: tuple[int, ...] = ()
        self._running, self._started = 0, 0.0
        #: A window that is closed takes its docks along without a close event.
        self._to_leave: list[ContestSession] = []
        going = self._to_leave
        self.destroyed.connect(lambda *_: _leave_all(going))
        self.setup, self.results = CompareSetup(self.viewer), CompareResults(self.viewer)
        self.start = button("Compare", "Run the ticked methods one after another", self.compare)
        self.start.setMinimumHeight(34)
        self.skip = button("Stop one", "Stop the chosen method, or the one that is running", self.stop_one)
        self.hurry = button("Finish one", "Let the running method apply what it has learnt", self.finish_one)
        self.halt = button("Stop all", "Stop; what is done stays", self.stop_all)
        self.status = label()
        self.status.setAccessibleName("State of the comparison")
        self._arrange()
        self._connect()
        self._set_running(False)

    @property
    def board(self) -> Board | None:
        """The comparison that is shown."""
        return self.results.board

    def compare(self) -> None:
        """Start a comparison; while one is going on, do nothing."""
        if self.session is not None or self._applying:
            return
        try:
            match = self.setup.match()
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        assert self.setup.layer is not None
        # What is shown stays until it is clear that there is something to compare.
        self._next = Bout(match, Source(self.setup.layer), self.setup.axes.layout_value())
        self._numbers = tuple(range(len(match.entries)))
        self._run(ContestSession(match))

    def rerun(self) -> None:
        """Run the chosen entry once more, on the same part, with the time limit of now."""
        number, board, bout = self.results.table.number, self.board, self._bout
        if self.session is not None or self._applying or board is None or bout is None or number is None:
            return
        self._numbers = (number,)
        entries, budget = (bout.match.entries[number],), float(self.setup.budget.value())
        again = dataclasses.replace(bout.match, entries=entries, budget=budget)
        self._run(ContestSession(again, board.plan))

    def stop_one(self) -> None:
        """Stop the chosen entry if it is not done, else the one that is running."""
        if self.session is not None:
            chosen, done = self.results.table.number, self._decided()
            number = chosen if chosen in self._numbers and chosen not in done else self._running
            assert number is not None
            self.session.skip(self._numbers.index(number))

    def finish_one(self) -> None:
        """Let the running entry apply what it has learnt."""
        if self.session is not None:
            self.session.finish_one()

    def stop_all(self) -> None:
        """Stop everything that is not done; what is done stays."""
        if self.session is not None:
            self.status.setText("Stopping ...")
            self.session.stop()
        if self._applying:
            assert self.applier is not None
            self.applier.discard()

    def apply(self, where: str) -> None:
        """Denoise the layer ("layer") or all selected ones ("selected") with the chosen entry, or take it over ("dock")."""
        number, board, bout = self.results.table.number, self.board, self._bout
        if self.session is not None or self._applying or board is None or bout is None or number is None:
            return
        source = bout.source.layer
        if source not in self.viewer.layers and where != "selected":
            self._complain(f"The layer {bout.source.name!r} that was compared on is not there any more.")
            return
        state = board.state(number)
        entry = _cut_short(bout.match.entries[number], state)
        if where == "dock":
            _, dock = self.viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise", tabify=True)
            dock.take_over(source, entry, bout.layout, state.strength)
            return
        selected = [layer for layer in self.viewer.layers.selection if isinstance(layer, Image)]
        layers = selected if where == "selected" else [source]
        if not layers:
            self._complain("Select the image layers to denoise in the layer list.")
            return
        try:
            orders = [bout.order(layer, entry, state.strength) for layer in layers]
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        board.views.step_aside()
        self.applier = Applier(self.viewer, orders)
        self.applier.said.connect(self.status.setText)
        self.applier.ended.connect(lambda: self._set_running(False))
        self._set_running(True)
        self.applier.start()

    @property
    def _applying(self) -> bool:
        return self.applier is not None and self.applier.session is not None

    # ---------------------------------------------------------------- controls

    def _arrange(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.addTab(self.setup, "Methods")
        self.tabs.addTab(self.results, "Results")
        row = QHBoxLayout()
        for widget in (self.skip, self.hurry, self.halt):
            row.addWidget(widget)
        content = QWidget()
        box = QVBoxLayout(content)
        box.addWidget(self.start)
        box.addLayout(row)
        box.addWidget(self.status)
        box.addWidget(self.tabs)
        fill_dock(self, content)

    def _connect(self) -> None:
        self.setup.complained.connect(self._complain)
        self.results.said.connect(self.status.setText)
        self.results.result.rerun.connect(self.rerun)
        self.results.result.applied.connect(self.apply)
        self.viewer.events.theme.connect(self._on_theme)
        self._on_theme()

    def _on_theme(self, event: Any = None) -> None:
        self.results.profile.set_theme(self.viewer.theme)

    def _set_running(self, running: bool) -> None:
        self.start.setEnabled(not running)
        self.halt.setVisible(running)
        for widget in (self.skip, self.hurry):
            widget.setVisible(running and self.session is not None)
        self.results.result.set_busy(running)

    def _complain(self, words: str) -> None:
        self.status.setText(f"Cannot compare: {words}")
        show_warning(f"Cannot compare: {words}")

    # ---------------------------------------------------------------- a session

    def _run(self, session: ContestSession) -> None:
        self.session, self._running = session, self._numbers[0]
        session.planned.connect(self._on_planned)
        session.started.connect(self._on_started)
        session.progressed.connect(self._on_progress)
        session.previewed.connect(self._on_preview)
        session.decided.connect(self._on_decided)
        session.ended.connect(self._on_ended)
        self._to_leave[:] = [session]
        self._started = 0.0
        self._set_running(True)
        self.status.setText("Measuring the noise ...")

    def _on_planned(self, plan: Plan) -> None:
        if self._next is None:  # an entry runs again
            return
        self._bout, self._next = self._next, None
        self.results.show_board(None)
        self.results.show_board(Board(self.viewer, self._bout.source, plan))
        self.results.table.begin(plan.entries)
        self.tabs.setCurrentWidget(self.results)

    def _on_started(self, index: int) -> None:
        self._running, self._started = self._numbers[index], time.perf_counter()
        assert self._bout is not None
        label = self._bout.match.entries[self._running].label
        self.status.setText(f"{index + 1} of {len(self._numbers)}: {label}")
        self.results.table.say(self._running, "starting")

    def _on_progress(self, index: int, news: Progress) -> None:
        assert self.session is not None
        budget = self.session.match.budget
        limit = max(0.0, budget - (time.perf_counter() - self._started)) if budget else None
        self.results.table.progress(self._numbers[index], news, limit)

    def _on_preview(self, index: int, preview: Preview) -> None:
        if self.board is not None:
            self.board.preview(self._numbers[index], preview)

    def _on_decided(self, index: int, outcome: Outcome) -> None:
        if self.board is not None:
            self.board.decide(self._numbers[index], outcome)
            self.results.table.say(self._numbers[index], "done" if outcome.result is not None else outcome.reason)

    def _on_ended(self, words: str) -> None:
        self.session, self._next = None, None
        self._set_running(False)
        if words:
            self._complain(words)
        else:
            self.status.setText(self.results.show_scores())
        self.finished.emit()

    def _decided(self) -> dict[int, Outcome]:
        return {} if self.board is None else self.board.outcomes

    # ---------------------------------------------------------------- leaving

    def leave(self) -> None:
        """End what runs and leave the viewer as it was."""
        if not hasattr(self, "tabs"):  # closed before it was put together
            return
        self.setup.forget()
        if self.session is not None:
            self.session.leave()
            self.session = None
            self._set_running(False)
        if self.applier is not None:
            self.applier.discard()
        self.results.show_board(None)
