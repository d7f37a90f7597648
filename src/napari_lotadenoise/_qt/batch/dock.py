"""The Batch dock: a folder of files, one method or model, one button; and a table of what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_lotadenoise import batch
from napari_lotadenoise._qt.batch.session import BatchSession
from napari_lotadenoise._qt.shared.preferences import preferences
from napari_lotadenoise._qt.shared.widgets import Dock, button, fill_dock, label, labelled, narrow, present
from napari_lotadenoise.automatic import AUTO
from napari_lotadenoise.batch import BatchRequest, FileEnded, FileProgress, FileStarted
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.methods import METHODS

if TYPE_CHECKING:
    from napari_lotadenoise.batch import BatchEvent, Row

#: Columns of the table.
_COLUMNS = ("file", "becomes", "state")
#: Ways to learn, by the words for them.
_LEARNING = {"each file by itself": "each", "one model, from the first file": "once", "no: a saved model": "model"}
_THERE = "there already, left as it is"


class BatchWidget(Dock):
    """Dock widget that denoises the files of a folder.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Handed in by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session: BatchSession | None = None
        self._targets: list[tuple[Path, Path]] = []
        self._row, self._phase = -1, ""
        self.source, self.output, self.model, self.axes = (QLineEdit() for _ in range(4))
        self.method, self.learning, self.format = QComboBox(), QComboBox(), QComboBox()
        self.recursive, self.same_dtype = QCheckBox("Folders within"), QCheckBox("Data type of the files")
        self.table, self.bar, self.status = QTableWidget(0, len(_COLUMNS)), QProgressBar(), label()
        self.start_button = button("Denoise all", "Denoise the files of the list, one after the other", self.start)
        self.stop_button = button(
            "Stop", "End; what is done stays, and the same button goes on with the rest", self.stop
        )
        self.open_button = button("Show table", "Open the page with pictures before and after", self.open_table)
        self._fill()
        self._arrange()
        self._connect()
        self.show_files()
        self._show_busy(busy=False)

    # ---------------------------------------------------------------- what is wanted

    def show_files(self, *_: Any) -> None:
        """List the files that there are, and what each will become."""
        self._targets, words = [], "Choose a folder of images."
        if self.source.text() and self.output.text():
            try:
                self._targets = self._found()
                there = sum(output.exists() for _, output in self._targets)
                words = f"{len(self._targets)} files" + (f", {there} of them done already." if there else ".")
            except LotaDenoiseError as error:
                words = str(error)
        self.table.setRowCount(0)
        for source, output in self._targets:
            self._add_row(source, output, _THERE if output.exists() else "")
        self.start_button.setEnabled(bool(self._targets))
        self.status.setText(words)

    def request(self) -> BatchRequest:
        """Put together what the user wants.

        Raises
        ------
        FileError
            Where a model is wanted and none is named.
        """
        learning = _LEARNING[self.learning.currentText()]
        model = Path(self.model.text()).expanduser() if learning == "model" else None
        if learning == "model" and not self.model.text():
            raise FileError("Name the file of the saved model, or let the files be learnt.")
        wanted = preferences()
        settings: dict[str, Any] = {"method": self.method.currentData(), "device": wanted.device, "prior": wanted.prior}
        return BatchRequest(
            tuple(self._targets), self._folder, settings, learning == "once", model, self.axes.text().upper() or None,
            same_dtype=self.same_dtype.isChecked(),
        )  # fmt: skip

    def start(self) -> None:
        """Denoise the files; while that goes on, do nothing."""
        if self.session is not None:
            return
        self.show_files()
        try:
            request = self.request()
        except LotaDenoiseError as error:
            self.status.setText(f"Cannot denoise: {error}")
            return
        self._show_busy(busy=True)
        self.session = BatchSession(request)
        self.session.happened.connect(self._on_event)
        self.session.ended.connect(self._on_end)

    def stop(self) -> None:
        """End after the present step."""
        if self.session is not None:
            self.status.setText("Stopping ...")
            self.session.stop()

    def open_table(self) -> None:
        """Open the page of the table in a browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._page)))

    def leave(self) -> None:
        """End the batch, if there is one; what is done stays."""
        session = getattr(self, "session", None)
        if session is not None:
            session.leave()
            self.session = None

    @property
    def _folder(self) -> Path:
        return Path(self.output.text()).expanduser()

    @property
    def _page(self) -> Path:
        return self._folder / batch.TABLES[1]

    def _found(self) -> list[tuple[Path, Path]]:
        files = batch.found([self.source.text()], recursive=self.recursive.isChecked(), leave_out=self._folder)
        return batch.targets_of(files, self._folder, batch.FORMATS[self.format.currentText()])

    # ---------------------------------------------------------------- putting it together

    def _fill(self) -> None:
        self.method.addItem("Auto", AUTO)
        for kind in METHODS.values():
            if not (kind.tiling.whole or kind.requires.repeats):  # of which nothing can be applied block by block
                self.method.addItem(kind.info.title, kind.id)
        self.learning.addItems(list(_LEARNING))
        self.format.addItems(list(batch.FORMATS))
        narrow(self.method, self.learning, self.format)
        self.axes.setPlaceholderText("as the files say, else for example ZYX")
        self.model.setPlaceholderText("file of a saved model")
        self.source.setPlaceholderText("folder, or a pattern such as day1/*.tif")
        self.output.setPlaceholderText("folder of the results")
        if folder := preferences().folder:
            self.output.setText(folder)
        tips = {
            self.source: "A folder of images, a file, or a pattern", self.output: "It is made if it is not there",
            self.method: "Auto chooses for each file by its noise", self.axes: "One letter an axis of T P C Z Y X S",
            self.learning: "Whether each file is learnt, or one model does all", self.model: "Made by Save model, or learn",
            self.format: "OME-TIFF, TIFF for ImageJ, or OME-Zarr", self.table: "What becomes of each file",
            self.recursive: "Look into folders within the folder, too",
            self.same_dtype: "Round and clip the results to the data type of the files, instead of float32",
        }  # fmt: skip
        for widget, tip in tips.items():
            widget.setToolTip(tip)
        self.table.setAccessibleName("Files of the batch")
        self.bar.setAccessibleName("Progress of the batch")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)

    def _arrange(self) -> None:
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        present(self.table.horizontalHeader()).setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        present(self.table.verticalHeader()).hide()
        self.table.setMinimumHeight(120)
        ticks, buttons, content = QHBoxLayout(), QHBoxLayout(), QWidget()
        for tick in (self.recursive, self.same_dtype):
            ticks.addWidget(tick)
        for one in (self.start_button, self.stop_button, self.open_button):
            buttons.addWidget(one)
        box = QVBoxLayout(content)
        box.addLayout(labelled(
            ("&Images", self._with_dialog(self.source)), ("&Results", self._with_dialog(self.output)),
            ("&Method", self.method), ("&Learn", self.learning), ("M&odel", self.model), ("&Axes", self.axes),
            ("&Format", self.format),
        ))  # fmt: skip
        box.addLayout(ticks)
        box.addLayout(buttons)
        for widget in (self.bar, self.status):
            box.addWidget(widget)
        box.addWidget(self.table, 1)
        fill_dock(self, content)

    def _with_dialog(self, line: QLineEdit) -> QWidget:
        """Put a button beside a line that asks for a folder."""
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        choose = button("...", "Choose a folder", lambda: self._ask_for_folder(line))
        choose.setAccessibleName("Choose a folder")
        choose.setFixedWidth(28)
        row.addWidget(line)
        row.addWidget(choose)
        both.setFocusProxy(line)
        line.setAccessibleName(line.placeholderText())
        return both

    def _ask_for_folder(self, line: QLineEdit) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder", line.text())
        if folder:
            line.setText(folder)
            if line is self.source and not self.output.text():
                self.output.setText(str(Path(folder) / "denoised"))
            self.show_files()

    def _connect(self) -> None:
        for line in (self.source, self.output):
            line.editingFinished.connect(self.show_files)
        self.format.currentIndexChanged.connect(self.show_files)
        self.recursive.toggled.connect(self.show_files)
        self.learning.currentIndexChanged.connect(lambda _: self._show_learning())
        self._show_learning()

    def _show_learning(self) -> None:
        saved = _LEARNING[self.learning.currentText()] == "model"
        self.model.setEnabled(saved)
        self.method.setEnabled(not saved)

    # ---------------------------------------------------------------- what happens

    def _on_event(self, event: BatchEvent) -> None:
        if isinstance(event, FileStarted):
            self._row = event.number - 1
            left = "" if event.seconds_left is None else f", {plan.duration(event.seconds_left)} left"
            self.status.setText(f"{event.number} of {event.of}: {event.source.name}{left}")
            self.bar.setValue(round(1000 * self._row / event.of))
            self._tell("...")
        elif isinstance(event, FileProgress):
            self._tell(f"{event.phase} {event.done:.0%}")
        elif isinstance(event, FileEnded):
            self._tell((event.row.error and f"failed: {event.row.error}") or _words(event.row))
            self.bar.setValue(round(1000 * (self._row + 1) / max(1, len(self._targets))))

    def _on_end(self, error: Exception | None) -> None:
        self.session = None
        self._show_busy(busy=False)
        states = [present(self.table.item(row, 2)).text() for row in range(self.table.rowCount())]
        failed = sum(state.startswith("failed") for state in states)
        done = sum(output.exists() for _, output in self._targets)
        words = f"{done} of {len(self._targets)} files are done" + (f", {failed} failed." if failed else ".")
        self.status.setText(f"Cannot denoise: {error}" if error is not None else words)

    def _show_busy(self, *, busy: bool) -> None:
        self.start_button.setVisible(not busy)
        self.stop_button.setVisible(busy)
        self.bar.setVisible(busy)
        self.open_button.setEnabled(not busy and bool(self.output.text()) and self._page.exists())

    def _add_row(self, source: Path, output: Path, state: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        for column, (text, tip) in enumerate(((source.name, str(source)), (output.name, str(output)), (state, state))):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            self.table.setItem(row, column, item)

    def _tell(self, words: str) -> None:
        item = self.table.item(self._row, 2)
        if item is not None:
            item.setText(words)
            item.setToolTip(words)


def _words(row: Row) -> str:
    return row.verdict or "done"
