"""What the docks are put together from."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

#: Narrowest dock in which nothing is cut off.
NARROWEST = 330


def fill_dock(dock: QWidget, content: QWidget) -> None:
    """Put the content of a dock into it so that it scrolls up and down."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(content)
    outer = QVBoxLayout(dock)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
    dock.setMinimumWidth(NARROWEST)


def labelled(*rows: tuple[str, QWidget]) -> QFormLayout:
    """Labelled rows; the labels are buddies of their widgets and name them for screen readers."""
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for name, widget in rows:
        form.addRow(name, widget)
        if name:
            widget.setAccessibleName(name)
    return form


def label(text: str = "") -> QLabel:
    """A text that wraps."""
    made = QLabel(text)
    made.setWordWrap(True)
    return made
