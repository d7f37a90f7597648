"""Parts of a dock that can be folded away; whether they are is remembered."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_lotadenoise._qt.shared.memory import recall, remember

_SECTION = "folds"


class Fold(QCollapsible):
    """A named fold around some widgets, open or closed as it was left.

    Parameters
    ----------
    title : str
    *widgets : QWidget
    """

    def __init__(self, title: str, *widgets: QWidget) -> None:
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        self.setDuration(0)
        self._title = title
        inside = QWidget()
        self._box = QVBoxLayout(inside)
        self._box.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            self._box.addWidget(widget)
        self.setContent(inside)
        present_layout = self.layout()
        if present_layout is not None:
            present_layout.setContentsMargins(0, 0, 0, 0)
            present_layout.setSpacing(2)
        self.toggleButton().setAccessibleName(title)
        self.toggleButton().setToolTip(f"Show or hide: {title}")
        if recall(_SECTION, title, default=False):
            self.expand(animate=False)
        else:
            self.collapse(animate=False)
        self.toggled.connect(lambda on: remember(_SECTION, title, bool(on)))

    def add(self, widget: QWidget) -> None:
        """Add a widget below the others."""
        self._box.addWidget(widget)
