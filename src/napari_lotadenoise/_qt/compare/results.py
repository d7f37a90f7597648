"""What a comparison has found: scores, views, what can be done with a result, profile, exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from napari_lotadenoise._qt.compare.comparison_state import Board, State
from napari_lotadenoise._qt.compare.profile import Profile
from napari_lotadenoise._qt.compare.result_bar import ResultBar
from napari_lotadenoise._qt.compare.score_table import ScoreTable
from napari_lotadenoise._qt.compare.view_bar import ViewBar
from napari_lotadenoise._qt.compare.views import MODES
from napari_lotadenoise._qt.shared.widgets import button, label
from napari_lotadenoise.errors import LotaDenoiseError

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: How the files end that are written.
_ENDINGS = (".csv", ".png", ".pdf")


class CompareResults(QWidget):
    """Shows a `Board`: table, views, the chosen result, a profile, and what can be exported.

    Signals
    -------
    said (str)
        What was done, or why it was not, in words.
    """

    said = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.board: Board | None = None
        self.table, self.view, self.result, self.profile = ScoreTable(), ViewBar(viewer), ResultBar(), Profile(viewer)
        self.remarks = label()
        self.copy = button("Copy", "Copy the scores as text", self.copy_table)
        self.csv = button("CSV ...", "Write the scores for a spreadsheet", self.export_csv)
        self.remove = button(
            "Remove", "Take all pictures of this comparison out of the layer list", self.remove_pictures
        )
        self.figure = button("Figure ...", "Write pictures, residuals and scores as PNG or PDF", self.export_figure)
        self._arrange()
        self.table.chosen.connect(self._on_chosen)
        self.view.changed.connect(self._look)
        self.view.toggled.connect(self._toggle)
        self.view.flickered.connect(self._flicker)
        self.result.changed.connect(self._on_state)
        self.profile.drawing.connect(self._show_one)

    def show_board(self, board: Board | None) -> None:
        """Show another comparison, or none; leaves the viewer as the one before has found it."""
        if self.board is not None:
            self.view.free_key()
            self.board.close()
        self.board = board
        self.remarks.setText("")
        self.result.show_outcome(None)
        if board is not None:
            board.changed.connect(self._offer)
            board.altered.connect(self._on_altered)
            board.views.shown.connect(self.view.words.setText)
            self.view.bind_key()
        self._offer()

    def show_scores(self) -> str:
        """Show the scores when all is done; returns who is best, in words."""
        if self.board is None:
            return ""
        comparison = self.board.comparison
        self.table.show_scores(comparison, self.board.numbers)
        self.remarks.setText(" ".join(comparison.remarks))
        first, second = self.board.best
        if first is None:
            return "No method came to a result that can be ranked; the table says why."
        self.view.offer(self.board.gallery.pictures, self.board.picture(first), self.board.picture(second))
        self.table.choose(first)
        return comparison.summary

    def copy_table(self) -> None:
        """Put the scores on the clipboard as text."""
        if self._something():
            assert self.board is not None
            QApplication.clipboard().setText(self.board.comparison.text())
            self.said.emit("The table is on the clipboard.")

    def export_csv(self, path: str | Path = "") -> None:
        """Write the scores as CSV; without a path the user is asked."""
        self._export(
            path,
            "Scores (*.csv)",
            ".csv",
            lambda board, target: target.write_text(board.comparison.to_csv(), encoding="utf-8"),
        )

    def export_figure(self, path: str | Path = "") -> None:
        """Write the figure, PNG or PDF by its name; without a path the user is asked."""
        self._export(path, "Figure (*.png *.pdf)", ".png", lambda board, target: board.write_figure(target))

    def remove_pictures(self) -> None:
        """Take the pictures of this comparison out of the viewer; the table stays."""
        if self.board is not None:
            self.board.close()
            self.board.gallery.remove()
            self._offer()

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.table)
        box.addWidget(self.remarks)
        row = QHBoxLayout()
        for widget in (self.copy, self.csv, self.figure, self.remove):
            row.addWidget(widget)
        box.addLayout(row)
        for widget in (self.view, self.result, self.profile):
            box.addWidget(widget)
        box.addStretch()

    def _on_chosen(self, number: int) -> None:
        board = self.board
        outcome = None if board is None else board.outcomes.get(number)
        self.result.show_outcome(outcome, None if board is None else board.state(number))

    def _offer(self) -> None:
        """Offer the pictures that there are now."""
        pictures = [] if self.board is None else self.board.gallery.pictures
        self.view.offer(pictures)
        self.profile.show_pictures(pictures)

    def _look(self) -> None:
        if self.board is not None and self.board.gallery.pictures:
            mode = self.view.mode.currentText()
            self.profile.show_line(mode in MODES[1:4])
            self.board.views.show(mode, *self.view.pair)

    def _toggle(self) -> None:
        if self.board is not None:
            self.board.views.toggle()

    def _flicker(self, on: bool) -> None:
        if self.board is not None:
            self.board.views.flicker(on)

    def _on_state(self, state: State) -> None:
        number = self.table.number
        if self.board is not None and number is not None and number in self.board.outcomes:
            self.result.step_words.setText(self.board.set_state(number, state))

    def _on_altered(self) -> None:
        """A picture is mixed, or of another step: it has another name and other intensities."""
        self.view.rename()
        self.profile.refresh()

    def _show_one(self) -> None:
        """Leave a grid, in which nobody can draw on a picture."""
        if self.view.mode.currentText() not in MODES[1:4]:
            self.view.mode.setCurrentText(MODES[1])

    def _something(self) -> bool:
        """Whether there is anything to export; says so where there is not."""
        found = self.board is not None and bool(self.board.outcomes)
        if not found:
            self.said.emit("There is nothing to export yet; compare something first.")
        return found

    def _export(self, path: str | Path, kinds: str, suffix: str, write: Callable[[Board, Path], Any]) -> None:
        if not self._something():
            return
        chosen = str(path) or QFileDialog.getSaveFileName(self, "Export", "", kinds)[0]
        if not chosen:
            return
        complete = chosen.lower().endswith(_ENDINGS)
        target = Path(chosen if complete else chosen + suffix)
        if not complete and target.exists():  # nobody was asked about this name
            self.said.emit(f"{target} is already there; choose another name.")
            return
        assert self.board is not None
        try:
            write(self.board, target)
        except (OSError, ValueError, LotaDenoiseError) as error:
            self.said.emit(f"{target} cannot be written ({error}).")
            return
        self.said.emit(f"Written: {target}")
