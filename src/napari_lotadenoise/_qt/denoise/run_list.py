"""The runs of this session: what ran on which layer, with which result; again, or as text to take away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QListWidget, QVBoxLayout, QWidget

from napari_lotadenoise import io
from napari_lotadenoise._qt.shared.preferences import preferences
from napari_lotadenoise._qt.shared.widgets import button, present
from napari_lotadenoise.cli.command_line import command_line
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import LotaDenoiseError

if TYPE_CHECKING:
    from napari_lotadenoise._qt.denoise.session import RunRequest
    from napari_lotadenoise.recipe import Recipe

#: Lines of the list that are always there.
_LINES = 4


@dataclass(frozen=True)
class PastRun:
    """A run that has ended well.

    Attributes
    ----------
    request : RunRequest
    layer, result : str
        Names of the layers as they were then.
    recipe : Recipe
    """

    request: RunRequest
    layer: str
    result: str
    recipe: Recipe

    @property
    def words(self) -> str:
        """Describe the run: "cells: LoTA-N2N, fast, 12 s -> cells · LoTA-N2N"."""
        title = self.request.method.info.title
        return f"{self.layer}: {title}, {self.recipe.preset}, {plan.duration(self.recipe.seconds)} → {self.result}"


class RunList(QWidget):
    """Lists the runs, the last one first.

    Signals
    -------
    again (RunRequest)
        The chosen run is to be done again.
    said (str)
        A sentence for the user.
    """

    again = Signal(object)
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[PastRun] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Runs of this session")
        self.list.setToolTip("Runs of this session, the last one first")
        self.list.setFixedHeight((_LINES + 1) * self.list.fontMetrics().lineSpacing() + 8)
        self.buttons = [
            button("Again", "Do the chosen run again on its layer", self._do_again),
            button(
                "Copy as Python",
                "Copy the call of denoise that repeats the chosen run",
                self._copying(lambda recipe: recipe.as_python()),
            ),
            button("Copy as command", "Copy the command line that repeats the chosen run", self._copying(command_line)),
            button("Save recipe...", "Save the recipe of the chosen run", self._ask_where_to_save),
            button(
                "Copy for a paper",
                "Copy two sentences for a methods section, and what to cite",
                self._copying(_for_paper),
            ),
        ]
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.list)
        for pair in (self.buttons[:3], self.buttons[3:]):
            row = QHBoxLayout()
            for one in pair:
                row.addWidget(one)
            rows.addLayout(row)
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self._enable()

    @property
    def chosen(self) -> PastRun | None:
        """Return the chosen run, None where there is none."""
        row = self.list.currentRow()
        return self.runs[row] if 0 <= row < len(self.runs) else None

    def add(self, run: PastRun) -> None:
        """Put a run first, and choose it."""
        self.runs.insert(0, run)
        self.list.insertItem(0, run.words)
        self.list.setCurrentRow(0)

    def save(self, path: str) -> None:
        """Save the recipe of the chosen run; the dialog has asked before it replaces a file."""
        if self.chosen is None:
            return
        target = Path(path)
        if not target.name.endswith(".json"):
            target = target.with_name(f"{target.name}.recipe.json")
        try:
            with io.whole(target) as part:
                part.write_text(self.chosen.recipe.to_json() + "\n", encoding="utf-8")
        except LotaDenoiseError as error:
            self.said.emit(str(error))
            return
        self.said.emit(f"The recipe is saved as {target}.")

    def _enable(self) -> None:
        for one in self.buttons:
            one.setEnabled(self.chosen is not None)

    def _do_again(self) -> None:
        if self.chosen is not None:
            self.again.emit(self.chosen.request)

    def _copying(self, text: Callable[[Recipe], str]) -> Callable[[], None]:
        def copy() -> None:
            if self.chosen is not None:
                present(QApplication.clipboard()).setText(text(self.chosen.recipe))
                self.said.emit("Copied to the clipboard.")

        return copy

    def _ask_where_to_save(self) -> None:
        proposed = preferences().path("denoised.recipe.json")
        path, _ = QFileDialog.getSaveFileName(self, "Save recipe", proposed, "Recipes (*.recipe.json *.json)")
        if path:
            self.save(path)


def _for_paper(recipe: Recipe) -> str:
    return f"{recipe.methods_text()}\n\n{recipe.bibtex()}"
