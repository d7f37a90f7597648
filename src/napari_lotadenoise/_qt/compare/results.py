"""Results of a comparison: scores, views, actions on a result, profile, exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.comparison_state import CandidateView, ComparisonState
from napari_lotadenoise._qt.compare.profile import Profile
from napari_lotadenoise._qt.compare.result_bar import ResultBar
from napari_lotadenoise._qt.compare.score_table import ScoreTable
from napari_lotadenoise._qt.compare.view_bar import ViewBar
from napari_lotadenoise._qt.shared.widgets import button, label, present
from napari_lotadenoise.errors import LotaDenoiseError

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: How the files end that are written.
_ENDINGS = (".csv", ".png", ".pdf")


class CompareResults(QWidget):
    """Shows a `ComparisonState`: table, views, the chosen result, a profile, exports.

    Signals
    -------
    said (str)
        What was done, or why not, in words.
    """

    said = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.comparison_state: ComparisonState | None = None
        self.table, self.view, self.result, self.profile = ScoreTable(), ViewBar(viewer), ResultBar(), Profile(viewer)
        self.remarks = label()
        self.copy_button = button("Copy", "Copy the scores as text", self.copy_table)
        self.csv_button = button("CSV ...", "Write the scores for a spreadsheet", self.export_csv)
        self.remove_button = button(
            "Remove", "Take all pictures of this comparison out of the layer list", self.remove_pictures
        )
        self.figure_button = button(
            "Figure ...", "Write pictures, residuals and scores as PNG or PDF", self.export_figure
        )
        self._arrange()
        self.table.chosen.connect(self._on_chosen)
        self.view.changed.connect(self._show_view)
        self.view.toggled.connect(self._toggle)
        self.view.flickered.connect(self._flicker)
        self.result.changed.connect(self._on_view)
        self.profile.drawing.connect(self._show_one)

    def show_comparison(self, state: ComparisonState | None) -> None:
        """Show another comparison, or none; leaves the viewer as the one before has found it."""
        if self.comparison_state is not None:
            self.view.free_key()
            self.comparison_state.close()
        self.comparison_state = state
        self.remarks.setText("")
        self.result.show_outcome(None)
        if state is not None:
            state.changed.connect(self._offer)
            state.altered.connect(self._on_altered)
            state.views.shown.connect(self.view.words.setText)
            self.view.bind_key()
        self._offer()

    def show_scores(self) -> str:
        """Show the scores when all is done; returns who is best, in words."""
        if self.comparison_state is None:
            return ""
        comparison = self.comparison_state.comparison
        self.table.show_scores(comparison, self.comparison_state.numbers)
        self.remarks.setText(" ".join(comparison.remarks))
        first, second = self.comparison_state.best
        if first is None:
            return "No method came to a result that can be ranked; the table says why."
        self.view.offer(
            self.comparison_state.result_layers.pictures,
            self.comparison_state.picture(first),
            self.comparison_state.picture(second),
        )
        self.table.choose(first)
        return comparison.summary

    def copy_table(self) -> None:
        """Put the scores on the clipboard as text."""
        if (state := self._filled()) is not None:
            present(QApplication.clipboard()).setText(state.comparison.text())
            self.said.emit("The table is on the clipboard.")

    def export_csv(self, path: str | Path = "") -> None:
        """Write the scores as CSV; without a path the user is asked."""
        self._export(
            path,
            "Scores (*.csv)",
            ".csv",
            lambda state, target: target.write_text(state.comparison.to_csv(), encoding="utf-8"),
        )

    def export_figure(self, path: str | Path = "") -> None:
        """Write the figure, PNG or PDF by its name; without a path the user is asked."""
        self._export(path, "Figure (*.png *.pdf)", ".png", lambda state, target: state.write_figure(target))

    def remove_pictures(self) -> None:
        """Take the pictures of this comparison out of the viewer; the table stays."""
        if self.comparison_state is not None:
            self.comparison_state.close()
            self.comparison_state.result_layers.remove()
            self._offer()

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.table)
        box.addWidget(self.remarks)
        row = QHBoxLayout()
        for button_ in (self.copy_button, self.csv_button, self.figure_button, self.remove_button):
            row.addWidget(button_)
        box.addLayout(row)
        for widget in (self.view, self.result, self.profile):
            box.addWidget(widget)
        box.addStretch()

    def _on_chosen(self, number: int) -> None:
        state = self.comparison_state
        outcome = None if state is None else state.outcomes.get(number)
        self.result.show_outcome(outcome, None if state is None else state.view_of(number))

    def _offer(self) -> None:
        """Offer the pictures that there are now."""
        pictures = [] if self.comparison_state is None else self.comparison_state.result_layers.pictures
        self.view.offer(pictures)
        self.profile.show_pictures(pictures)

    def _show_view(self) -> None:
        if self.comparison_state is not None and self.comparison_state.result_layers.pictures:
            mode = self.view.chosen_mode
            self.profile.show_line(mode.pair)
            self.comparison_state.views.show(mode, *self.view.pair)

    def _toggle(self) -> None:
        if self.comparison_state is not None:
            self.comparison_state.views.toggle()

    def _flicker(self, on: bool) -> None:
        if self.comparison_state is not None:
            self.comparison_state.views.flicker(on)

    def _on_view(self, view: CandidateView) -> None:
        number = self.table.number
        if self.comparison_state is not None and number is not None and number in self.comparison_state.outcomes:
            self.result.step_words.setText(self.comparison_state.set_view(number, view))

    def _on_altered(self) -> None:
        """Show a result that has another blend or step: its name and intensities have changed."""
        self.view.rename()
        self.profile.refresh()

    def _show_one(self) -> None:
        """Leave a grid, in which nobody can draw on a picture."""
        self.view.choose_flicker()

    def _filled(self) -> ComparisonState | None:
        """Return the comparison if it has anything to export; say so where it has not."""
        if self.comparison_state is None or not self.comparison_state.outcomes:
            self.said.emit("There is nothing to export yet; compare something first.")
            return None
        return self.comparison_state

    def _export(self, path: str | Path, kinds: str, suffix: str, write: Callable[[ComparisonState, Path], Any]) -> None:
        if (state := self._filled()) is None:
            return
        chosen = str(path) or QFileDialog.getSaveFileName(self, "Export", "", kinds)[0]
        if not chosen:
            return
        complete = chosen.lower().endswith(_ENDINGS)
        target = Path(chosen if complete else chosen + suffix)
        if not complete and target.exists():  # nobody was asked about this name
            self.said.emit(f"{target} is already there; choose another name.")
            return
        try:
            write(state, target)
        except (OSError, ValueError, LotaDenoiseError) as error:
            self.said.emit(f"{target} cannot be written ({error}).")
            return
        self.said.emit(f"Written: {target}")
