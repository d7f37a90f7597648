"""Parts of the docks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFormLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel, QLabeledDoubleSlider

#: Narrowest dock in which nothing is cut off.
NARROWEST = 330
#: Pixels that napari's style puts above and below a text, together.
_PADDING = 8


_Part = TypeVar("_Part")


def present(part: _Part | None) -> _Part:
    """Return a part of a widget that Qt declares as optional, where it is known to be there."""
    if part is None:
        raise RuntimeError("This part of a widget is missing.")
    return part


class Dock(QWidget):
    """Dock widget that ends what it runs, whichever way it is closed, and shares its place with the other docks of the plugin."""

    def __init__(self) -> None:
        super().__init__()
        self._placed = QTimer(self)
        self._placed.setSingleShot(True)
        self._placed.timeout.connect(self._join_tabs)

    def leave(self) -> None:
        """End what runs; may be called before the dock is put together, and twice."""

    def siblings(self) -> list[Dock]:
        """Return the other docks of this plugin in the same window."""
        return [dock for dock in present(self.window()).findChildren(Dock) if dock is not self]

    def event(self, event: QEvent | None) -> bool:
        """Leave when the widget is taken out of its dock, which is napari's way of closing it; join the others when put in."""
        if event is not None and event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self.leave()
            else:
                self._placed.start(0)  # once napari has given it its place
        return super().event(event)

    def closeEvent(self, event: Any) -> None:
        """Leave when the window is closed."""
        self.leave()
        super().closeEvent(event)

    def _join_tabs(self) -> None:
        window = self.window()
        if not isinstance(window, QMainWindow):
            return
        frames = [frame for dock in window.findChildren(Dock) if (frame := _frame_of(dock)) and not frame.isFloating()]
        for frame in frames[1:]:
            if frame not in window.tabifiedDockWidgets(frames[0]):
                window.tabifyDockWidget(frames[0], frame)
        mine = _frame_of(self)
        if mine in frames:
            mine.raise_()


def share(dock: Dock, layer: Any, layout: Any) -> None:
    """Let the other docks follow the layer and the axes that one dock has chosen, where they have a `follow`."""
    for other in dock.siblings():
        if hasattr(other, "follow"):
            other.follow(layer, layout)


def _frame_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock around a widget."""
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def fill_dock(dock: QWidget, content: QWidget) -> None:
    """Put the content into a dock so that it scrolls up and down."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(content)
    outer = QVBoxLayout(dock)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
    dock.setMinimumWidth(NARROWEST)


def narrow(*combos: QComboBox) -> None:
    """Let combo boxes be narrower than their longest text, or long layer names would widen the dock."""
    for combo in combos:
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(12)


def labelled(*rows: tuple[str, QWidget]) -> QFormLayout:
    """Make labelled rows; the labels are buddies of their widgets and name them for screen readers."""
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for name, widget in rows:
        form.addRow(name, widget)
        if name:
            widget.setAccessibleName(name.replace("&", ""))
    return form


def label(text: str = "") -> QLabel:
    """Make a text that wraps."""
    made = QLabel(text)
    made.setWordWrap(True)
    return made


def in_lines(text: QLabel, fewest: int, most: int) -> QScrollArea:
    """Put a text that wraps into a place of some lines; what is longer scrolls in it."""
    place = QScrollArea()
    place.setWidgetResizable(True)
    place.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    place.setFrameShape(QScrollArea.Shape.NoFrame)
    place.setWidget(text)
    height = text.fontMetrics().lineSpacing()
    place.setMinimumHeight(fewest * height)
    place.setMaximumHeight(most * height)
    place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
    return place


def elided(lines: int = 1) -> QElidingLabel:
    """Make a text of some lines that ends in dots where it is longer."""
    made = QElidingLabel()
    made.setWordWrap(lines > 1)
    made.setAlignment(Qt.AlignmentFlag.AlignTop)
    height = lines * made.fontMetrics().lineSpacing() + _PADDING
    made.setMaximumHeight(height)
    if lines > 1:
        made.setMinimumHeight(height)
    return made


def button(text: str, hint: str, action: Callable[[], object]) -> QPushButton:
    """Make a button with a tooltip, and its description for screen readers."""
    made = QPushButton(text)
    made.setToolTip(hint)
    made.setAccessibleName(text)
    made.setAccessibleDescription(hint)
    made.clicked.connect(lambda _checked=False: action())
    return made


def unfolding(text: str, name: str, hint: str, hidden: QWidget) -> QPushButton:
    """Make a small button that shows a widget, and hides it again."""
    made = QPushButton(text)
    made.setCheckable(True)
    made.setFixedWidth(28)
    made.setToolTip(hint)
    made.setAccessibleName(name)
    made.setAccessibleDescription(hint)
    made.toggled.connect(hidden.setVisible)
    hidden.hide()
    return made


def blend_slider() -> QLabeledDoubleSlider:
    """Make a slider for the weight of the denoised image in the result, 0 to 1."""
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 1)
    slider.setSingleStep(0.05)  # type: ignore[arg-type]  # superqt's is a float
    slider.setDecimals(2)
    slider.setValue(1)
    slider.setToolTip(
        "Weight of the denoised image in the result; the rest is the noisy one. It is kept in the recipe (blend)."
    )
    return slider
