"""The Compare dock: says which method is best for an image, and shows why."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.apply import Applier
from napari_lotadenoise._qt.compare.comparison_state import CandidateView, ComparisonState
from napari_lotadenoise._qt.compare.controller import CompareController, CompareState
from napari_lotadenoise._qt.compare.results import CompareResults
from napari_lotadenoise._qt.compare.session import ComparisonRequest, ComparisonSession
from napari_lotadenoise._qt.compare.setup import CompareSetup
from napari_lotadenoise._qt.denoise.session import RunRequest
from napari_lotadenoise._qt.shared.axes_form import layout_of
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise._qt.shared.widgets import Dock, button, fill_dock, label, share
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from napari_lotadenoise.comparison import ComparisonPlan, Outcome
    from napari_lotadenoise.comparison.candidate import Candidate
    from napari_lotadenoise.events import Preview, Progress


@dataclass(frozen=True)
class ShownComparison:
    """A comparison and the layer that it is on, as both were when it began."""

    request: ComparisonRequest
    source: Source
    layout: Layout

    def run_request(self, layer: Image, candidate: Candidate, blend: float) -> RunRequest:
        """Make the request to denoise a whole layer like a candidate.

        Raises
        ------
        LotaDenoiseError
            Where the axes do not fit together.
        """
        layout = self.layout if layer is self.source.layer else layout_of(layer)
        method, training = candidate.configured(volume=layout.volume)
        options = Options(
            axes=layout.axes, channels=layout.channels, volume=layout.volume, seed=self.request.options.seed,
            fill=self.request.options.fill, blend=blend, preset=candidate.preset,
        )  # fmt: skip
        return RunRequest(layer, method, training, options)


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
        self.controller = CompareController()
        #: What is shown, and what is about to be.
        self._shown: ShownComparison | None = None
        self._next: ShownComparison | None = None
        # A window that is closed takes its docks along without a close event.
        controller = self.controller
        self.destroyed.connect(lambda *_: controller.session.leave() if controller.session is not None else None)
        self.setup, self.results = CompareSetup(self.viewer), CompareResults(self.viewer)
        self.setup.layers.currentIndexChanged.connect(self._share)
        self.compare_button = button("Compare", "Run the ticked methods one after another", self.compare)
        self.compare_button.setMinimumHeight(34)
        self.stop_one_button = button("Stop one", "Stop the chosen method, or the one that is running", self.stop_one)
        self.finish_one_button = button(
            "Finish one", "Let the running method apply what it has learnt", self.controller.finish_one
        )
        self.stop_all_button = button("Stop all", "Stop; what is done stays", self.controller.stop_all)
        self.status = label()
        self.status.setAccessibleName("State of the comparison")
        self._arrange()
        self._connect()
        self._on_state(CompareState.IDLE)

    @property
    def comparison_state(self) -> ComparisonState | None:
        """Return the comparison that is shown."""
        return self.results.comparison_state

    @property
    def session(self) -> ComparisonSession | None:
        """Return the comparison that is running."""
        return self.controller.session

    def compare(self) -> None:
        """Start a comparison; while anything runs, do nothing."""
        if self.controller.state.busy:
            return
        try:
            request, layer = self.setup.request(), self.setup.chosen_layer()
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        # What is shown stays until it is clear that there is something to compare.
        self._next = ShownComparison(request, Source(layer), self.setup.axes.layout_value())
        numbers = range(len(request.candidates))
        self.controller.compare(lambda: self._session(ComparisonSession(request)), numbers)

    def rerun(self) -> None:
        """Run the chosen candidate once more, on the same part, with the present time limit."""
        chosen = self._chosen()
        if chosen is None or self.controller.state.busy:
            return
        number, state, shown = chosen
        candidates, budget = (shown.request.candidates[number],), float(self.setup.budget.value())
        again = dataclasses.replace(shown.request, candidates=candidates, budget=budget)
        self.controller.compare(lambda: self._session(ComparisonSession(again, state.plan)), [number])

    def stop_one(self) -> None:
        """Stop the chosen candidate if it is not done, else the one that is running."""
        state = self.comparison_state
        self.controller.stop_one(self.results.table.number, {} if state is None else state.outcomes)

    def apply(self, where: str) -> None:
        """Denoise the layer ("layer") or all selected ones ("selected") with the chosen candidate, or take it over ("dock")."""
        chosen = self._chosen()
        if chosen is None or self.controller.state.busy:
            return
        number, state, shown = chosen
        source, view = shown.source.layer, state.view_of(number)
        candidate = _up_to_step(shown.request.candidates[number], view)
        if source not in self.viewer.layers and where != "selected":
            self._complain(f"The layer {shown.source.name!r} that was compared on is not there any more.")
            return
        if where == "dock":
            _, dock = self.viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise", tabify=True)
            dock.take_over(source, candidate, shown.layout, view.blend)
            return
        selected = [layer for layer in self.viewer.layers.selection if isinstance(layer, Image)]
        layers = selected if where == "selected" else [source]
        if not layers:
            self._complain("Select the image layers to denoise in the layer list.")
            return
        try:
            requests = [shown.run_request(layer, candidate, view.blend) for layer in layers]
        except LotaDenoiseError as error:
            self._complain(str(error))
            return
        state.views.step_aside()
        self.controller.apply(lambda: self._applier(requests))

    def _chosen(self) -> tuple[int, ComparisonState, ShownComparison] | None:
        number, state, shown = self.results.table.number, self.comparison_state, self._shown
        return None if number is None or state is None or shown is None else (number, state, shown)

    # ---------------------------------------------------------------- putting it together

    def _arrange(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.addTab(self.setup, "Methods")
        self.tabs.addTab(self.results, "Results")
        row = QHBoxLayout()
        for widget in (self.stop_one_button, self.finish_one_button, self.stop_all_button):
            row.addWidget(widget)
        content = QWidget()
        box = QVBoxLayout(content)
        box.addWidget(self.compare_button)
        box.addLayout(row)
        box.addWidget(self.status)
        box.addWidget(self.tabs)
        fill_dock(self, content)

    def _connect(self) -> None:
        self.controller.state_changed.connect(self._on_state)
        self.controller.said.connect(self._say)
        self.setup.complained.connect(self._complain)
        self.results.said.connect(self.status.setText)
        self.results.result.rerun.connect(self.rerun)
        self.results.result.applied.connect(self.apply)
        self.viewer.events.theme.connect(self._on_theme)
        self._on_theme()

    def _session(self, session: ComparisonSession) -> ComparisonSession:
        session.planned.connect(self._on_planned)
        session.started.connect(self._on_started)
        session.progressed.connect(self._on_progress)
        session.previewed.connect(self._on_preview)
        session.decided.connect(self._on_decided)
        session.ended.connect(self._on_ended)
        return session

    def _applier(self, requests: list[RunRequest]) -> Applier:
        applier = Applier(self.viewer, requests)
        applier.said.connect(self._say)
        applier.ended.connect(self._on_applied)
        return applier

    def follow(self, layer: Image | None, layout: Layout) -> None:
        """Take over the layer and the axes that another dock has chosen."""
        if layer is not self.setup.layer:
            self.setup.layers.choose(layer)
        if layer is self.setup.layer and layer is not None and self.setup.axes.letters != layout.axes:
            self.setup.axes.set_layout(layout.axes, layout.channels, layout.volume)

    def _share(self, *_: Any) -> None:
        with contextlib.suppress(LotaDenoiseError):
            share(self, self.setup.layer, self.setup.axes.layout_value())

    def _on_theme(self, event: Any = None) -> None:
        self.results.profile.set_theme(self.viewer.theme)

    def _on_state(self, state: CompareState) -> None:
        self.compare_button.setEnabled(not state.busy)
        self.stop_all_button.setVisible(state.busy)
        for widget in (self.stop_one_button, self.finish_one_button):
            widget.setVisible(state.comparing)
        self.results.result.set_busy(state.busy)

    def _say(self, words: str) -> None:
        self.status.setText(words)

    def _complain(self, words: str) -> None:
        self.status.setText(f"Cannot compare: {words}")
        show_warning(f"Cannot compare: {words}")

    # ---------------------------------------------------------------- events of a session

    def _on_planned(self, plan: ComparisonPlan) -> None:
        if self._next is None:  # a candidate runs again
            return
        self._shown, self._next = self._next, None
        self.results.show_comparison(None)
        self.results.show_comparison(ComparisonState(self.viewer, self._shown.source, plan))
        self.results.table.begin(plan.candidates)
        self.tabs.setCurrentWidget(self.results)

    def _on_started(self, index: int) -> None:
        number, state = self.controller.number(index), self.comparison_state
        self.controller.on_started(index, "" if state is None else state.plan.candidates[number].label)
        self.results.table.say(number, "starting")

    def _on_progress(self, index: int, news: Progress) -> None:
        budget = 0.0 if self.session is None else self.session.request.budget
        self.results.table.progress(self.controller.number(index), news, self.controller.seconds_left(budget))

    def _on_preview(self, index: int, preview: Preview) -> None:
        if self.comparison_state is not None:
            self.comparison_state.preview(self.controller.number(index), preview)

    def _on_decided(self, index: int, outcome: Outcome) -> None:
        number = self.controller.number(index)
        if self.comparison_state is not None:
            self.comparison_state.decide(number, outcome)
            self.results.table.say(number, "done" if outcome.result is not None else outcome.reason)

    def _on_ended(self, words: str) -> None:
        self._next = None
        self.controller.on_ended(words or self.results.show_scores())
        if words:
            self._complain(words)
        self.finished.emit()

    def _on_applied(self) -> None:
        self.controller.on_applied()

    # ---------------------------------------------------------------- leaving

    def leave(self) -> None:
        """End what runs and leave the viewer as it was."""
        if hasattr(self, "tabs"):  # closed before it was put together otherwise
            self.setup.forget()
            self.controller.leave()
            self.results.show_comparison(None)


def _up_to_step(candidate: Candidate, view: CandidateView) -> Candidate:
    """Return the candidate, up to the step that is shown of it."""
    if view.snapshot is None:
        return candidate
    return dataclasses.replace(candidate, options={**candidate.options, "until": view.snapshot.step})
