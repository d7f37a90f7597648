"""What was learnt by the last run: saved, applied to other layers; and what was saved before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from napari_lotadenoise._qt.shared.preferences import preferences
from napari_lotadenoise._qt.shared.widgets import button
from napari_lotadenoise.errors import LotaDenoiseError

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model

#: Files that the dialogs show.
_FILES = "Models (*.safetensors)"


class ModelBar(QWidget):
    """Three buttons for models.

    Signals
    -------
    apply (Model or path)
        What to apply to the selected layers.
    said (str)
        A sentence for the user.
    """

    apply = Signal(object)
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._model: Model | None = None
        self.save_button = button(
            "Save model...", "Save what the last run has learnt, to be applied later", self._ask_where_to_save
        )
        self.apply_button = button(
            "Apply to selected",
            "Denoise the selected layers with what the last run has learnt, without learning again",
            lambda: self.apply.emit(self._model),
        )
        self.open_button = button(
            "Apply a model...", "Denoise the selected layers with a model that was saved", self._ask_what_to_apply
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.save_button, self.apply_button, self.open_button):
            row.addWidget(widget)
        self.show_model(None)

    def show_model(self, model: Model | None) -> None:
        """Offer the model of the last run; None where it has learnt nothing that can be applied again."""
        self._model = model
        for widget in (self.save_button, self.apply_button):
            widget.setEnabled(model is not None)

    def save(self, path: str) -> None:
        """Save the model of the last run; the dialog has asked before it replaces a file."""
        if self._model is None:
            return
        target = Path(path).with_suffix(".safetensors")
        try:
            self._model.save(target, overwrite=True)
        except LotaDenoiseError as error:
            self.said.emit(str(error))
            return
        self.said.emit(f"What was learnt is saved as {target}.")

    def _ask_where_to_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save model", preferences().path("model.safetensors"), _FILES)
        if path:
            self.save(path)

    def _ask_what_to_apply(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Apply a model", preferences().path(""), _FILES)
        if path:
            self.apply.emit(Path(path))
