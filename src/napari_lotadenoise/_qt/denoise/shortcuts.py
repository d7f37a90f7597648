"""Keys for what is done again and again in the Denoise dock; they work wherever the focus of the window is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

#: Keys by the name of what they do.
KEYS = {
    "denoise": "Ctrl+Alt+D",
    "quick look": "Ctrl+Alt+Q",
    "finish": "Ctrl+Alt+F",
    "discard": "Ctrl+Alt+X",
    "flicker": "Ctrl+Alt+B",
}


def add_shortcuts(widget: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
    """Let keys do the actions of these names in the window of a widget."""
    for name, action in actions.items():
        shortcut = QShortcut(QKeySequence(KEYS[name]), widget)
        shortcut.setObjectName(name)
        shortcut.activated.connect(action)


def keys_of(name: str) -> str:
    """Return the key of an action as this system writes it, for tips."""
    return QKeySequence(KEYS[name]).toString(QKeySequence.SequenceFormat.NativeText)
