"""The Compare dock: says which method is best for an image, and shows why."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from napari_lotadenoise._qt.apply import Applier
from napari_lotadenoise._qt.board import Board
from napari_lotadenoise._qt.compare_results import CompareResults
from napari_lotadenoise._qt.compare_setup import CompareSetup
from napari_lotadenoise._qt.contest_session import ContestSession, Match
from napari_lotadenoise._qt.layers import Source
from napari_lotadenoise._qt.parts import Dock, button, fill_dock, label
from napari_lotadenoise.errors import LotaDenoiseError

if TYPE_CHECKING:
    from napari_lotadenoise.comparison import Outcome, Plan
    from napari_lotadenoise.comparison.entry import Entry
    from napari_lotadenoise.events import Preview


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
        self._match: Match | None = None
        self._source: Source | None = None
        #: The entries of the session that is running, and the one whose turn it is.
        self._numbers: tuple[int, ...] = ()
        self._running = 0
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
        if self.session is not None:
            return
        try:
            match = self.setup.match()
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        assert self.setup.layer is not None
        self.results.show_board(None)
        self._match, self._source = match, Source(self.setup.layer)
        self._numbers = tuple(range(len(match.entries)))
        self.results.table.begin(match.entries)
        self.tabs.setCurrentWidget(self.results)
        self._run(ContestSession(match))

    def rerun(self) -> None:
        """Run the chosen entry once more, on the same part."""
        number = self.results.table.number
        if self.session is not None or self.board is None or self._match is None or number is None:
            return
        self.board.withdraw(number)
        self._numbers = (number,)
        again = dataclasses.replace(self._match, entries=(self._match.entries[number],))
        self._run(ContestSession(again, self.board.plan))

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

    def apply(self, where: str) -> None:
        """Denoise the layer ("layer") or all selected ones ("selected") with the chosen entry, or take it over ("dock")."""
        number = self.results.table.number
        if self.board is None or number is None or (self.applier is not None and self.applier.session is not None):
            return
        entry, strength = self._entry(number), self.board.strengths.get(number, 1.0)
        if where == "dock":
            _, dock = self.viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise", tabify=True)
            dock.take_over(self.setup.layer, entry, self.setup.axes.layout_value(), strength)
            return
        selected = [layer for layer in self.viewer.layers.selection if isinstance(layer, Image)]
        layers = selected if where == "selected" else [layer for layer in (self.setup.layer,) if layer is not None]
        if not layers:
            self._complain("Select the image layers to denoise in the layer list.")
            return
        try:
            orders = [self.setup.order(layer, entry, strength) for layer in layers]
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        self.board.close()
        self.applier = Applier(self.viewer, orders)
        self.applier.said.connect(self.status.setText)
        self.applier.start()

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
        for widget in (self.skip, self.hurry, self.halt):
            widget.setVisible(running)

    def _complain(self, words: str) -> None:
        self.status.setText(f"Cannot compare: {words}")
        show_warning(f"Cannot compare: {words}")

    # ---------------------------------------------------------------- a session

    def _run(self, session: ContestSession) -> None:
        self.session, self._running = session, self._numbers[0]
        session.planned.connect(self._on_planned)
        session.started.connect(self._on_started)
        session.progressed.connect(lambda index, news: self.results.table.progress(self._numbers[index], news))
        session.previewed.connect(self._on_preview)
        session.decided.connect(self._on_decided)
        session.ended.connect(self._on_ended)
        # A window that is closed takes its docks along without a close event.
        self.destroyed.connect(lambda *_: session.leave())
        self._set_running(True)
        self.status.setText("Measuring the noise ...")

    def _on_planned(self, plan: Plan) -> None:
        if self.board is None:
            assert self._source is not None
            self.results.show_board(Board(self.viewer, self._source, plan))

    def _on_started(self, index: int) -> None:
        self._running = self._numbers[index]
        assert self._match is not None
        of = len(self._match.entries)
        self.status.setText(f"{len(self._decided()) + 1} of {of}: {self._match.entries[self._running].label}")
        self.results.table.say(self._running, "starting")

    def _on_preview(self, index: int, preview: Preview) -> None:
        if self.board is not None:
            self.board.preview(self._numbers[index], preview)

    def _on_decided(self, index: int, outcome: Outcome) -> None:
        if self.board is not None:
            self.board.decide(self._numbers[index], outcome)
            self.results.table.say(self._numbers[index], "done" if outcome.result is not None else outcome.reason)

    def _on_ended(self, words: str) -> None:
        self.session = None
        self._set_running(False)
        if words:
            self._complain(words)
        else:
            self.status.setText(self.results.show_scores())
        self.finished.emit()

    def _decided(self) -> dict[int, Outcome]:
        return {} if self.board is None else self.board.outcomes

    def _entry(self, number: int) -> Entry:
        """The entry, cut short at the step that is chosen on its way."""
        assert self._match is not None
        entry, step = self._match.entries[number], self.results.result.step
        return dataclasses.replace(entry, options={**entry.options, "until": step}) if step else entry

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
