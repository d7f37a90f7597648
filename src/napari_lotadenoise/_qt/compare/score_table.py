"""The table of a comparison: one row a candidate, its state while it runs, its scores when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_lotadenoise._qt.shared.widgets import present
from napari_lotadenoise.comparison.candidate import Candidate
from napari_lotadenoise.comparison.columns import Column, verdict
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.ranking import Standing
from napari_lotadenoise.engine import plan
from napari_lotadenoise.events import Progress

_NUMBER = Qt.ItemDataRole.UserRole
#: Columns that do not depend on whether there is a reference.
_METHOD, _STATE = 0, 1
#: Rows that are seen without scrolling.
_ROWS = 7


class ScoreTable(QTableWidget):
    """Shows entries in the order they were asked for, then by rank; a click on a header sorts by it.

    Signals
    -------
    chosen (int)
        Number of the candidate that was clicked, or moved to with the keys.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setAccessibleName("Scores")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        present(self.verticalHeader()).hide()
        present(self.horizontalHeader()).setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(_ROWS * (self.fontMetrics().lineSpacing() + 8))
        self.currentCellChanged.connect(self._on_cell)

    def begin(self, candidates: Sequence[Candidate]) -> None:
        """Show entries that wait for their turn."""
        self.setSortingEnabled(False)
        self.setRowCount(0)
        self._head(["Method", "State"], ["What is done.", "How far it is."])
        for number, candidate in enumerate(candidates):
            self.insertRow(number)
            self.setItem(number, _METHOD, _item(candidate.label, number))
            self.setItem(number, _STATE, _item("waiting", number))

    def progress(self, number: int, news: Progress, limit: float | None = None) -> None:
        """Show the progress of a candidate; `limit` are the seconds after which it is finished early."""
        seconds = news.seconds_left if limit is None or news.seconds_left is None else min(limit, news.seconds_left)
        left = "" if seconds is None else f", {plan.duration(seconds)} left"
        self.say(number, f"{news.phase} {news.done:.0%}{left}")

    def say(self, number: int, words: str) -> None:
        """Show the state of a candidate in words."""
        row = self._row(number)
        if row is not None:
            present(self.item(row, _STATE)).setText(words)

    def show_scores(self, comparison: Comparison, numbers: dict[int, int]) -> None:
        """Show all scores, the best one first; `numbers` are those of the entries, by the identity of their outcome."""
        kept = self.number
        self.setSortingEnabled(False)
        shown = [column for column in comparison.columns if column.name not in ("method", "verdict", "place")]
        self._head(
            ["Method", "State", *(column.title for column in shown)],
            ["What was done.", "Where it stands.", *(column.about for column in shown)],
        )
        # In a narrow dock the first score has to be seen beside the method.
        present(self.horizontalHeader()).moveSection(present(self.horizontalHeader()).visualIndex(2), 1)
        self.setRowCount(0)
        for row, standing in enumerate(comparison.ranked):
            self.insertRow(row)
            self._fill(row, numbers[id(standing.outcome)], standing, shown)
        present(self.horizontalHeader()).setSortIndicator(-1, Qt.SortOrder.AscendingOrder)  # as it was ranked
        self.setSortingEnabled(True)
        if kept is not None:
            self.choose(kept)

    @property
    def number(self) -> int | None:
        """Return the number of the chosen candidate."""
        row = self.currentRow()
        return (
            present(self.item(row, _METHOD)).data(_NUMBER) if row >= 0 and self.item(row, _METHOD) is not None else None
        )

    def choose(self, number: int) -> None:
        """Choose the row of a candidate."""
        row = self._row(number)
        if row is not None:
            self.setCurrentCell(row, _METHOD)

    def _fill(self, row: int, number: int, standing: Standing, shown: list[Column]) -> None:
        self.setItem(row, _METHOD, _item(standing.outcome.candidate.label, number))
        place = "" if standing.place is None else f"{standing.place}."
        words = " ".join(part for part in (place, verdict(standing)) if part)
        state = _item(words, number, standing.place)
        state.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        diagnosis = standing.outcome.score.sentence if standing.outcome.score else standing.outcome.reason
        state.setToolTip(diagnosis)
        self.setItem(row, _STATE, state)
        for index, column in enumerate(shown):
            value = column.value(standing)
            self.setItem(row, 2 + index, _item(column.show(standing), number, value))

    def _head(self, titles: list[str], hints: list[str]) -> None:
        self.setColumnCount(0)  # which puts the columns back in their order, too
        self.setColumnCount(len(titles))
        self.setHorizontalHeaderLabels(titles)
        for index, hint in enumerate(hints):
            present(self.horizontalHeaderItem(index)).setToolTip(hint)

    def _row(self, number: int) -> int | None:
        rows = (row for row in range(self.rowCount()) if present(self.item(row, _METHOD)).data(_NUMBER) == number)
        return next(rows, None)

    def _on_cell(self, row: int, *_: Any) -> None:
        if row >= 0 and self.item(row, _METHOD) is not None:
            self.chosen.emit(present(self.item(row, _METHOD)).data(_NUMBER))


class _Cell(QTableWidgetItem):
    """Sorts by its number; what has none comes last."""

    def __init__(self, text: str, value: Any) -> None:
        super().__init__(text)
        self.value = value

    def __lt__(self, other: QTableWidgetItem) -> bool:
        if isinstance(other, _Cell) and isinstance(self.value, float | int) and isinstance(other.value, float | int):
            return self.value < other.value
        if isinstance(other, _Cell) and (self.value is None) != (other.value is None):
            return other.value is None
        return self.text() < other.text()


def _item(text: str, number: int, value: Any = "") -> QTableWidgetItem:
    item = _Cell(text, value)
    item.setData(_NUMBER, number)
    if isinstance(value, float | int):
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
