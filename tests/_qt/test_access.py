"""The docks by keyboard, with a screen reader, and in both themes."""

import numpy as np
import pyqtgraph as pg
import pytest
from napari.utils.theme import get_theme
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QScrollBar,
    QTabBar,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_lotadenoise._qt.shared.plot import COLOURS

CONTROLS = (
    QAbstractButton,
    QComboBox,
    QAbstractSpinBox,
    QAbstractSlider,
    QProgressBar,
    QLineEdit,
    QLabeledDoubleSlider,
)
#: Widgets whose insides are not ours.
WHOLE = (pg.PlotWidget, QAbstractItemView, QAbstractSpinBox, QComboBox, QLabeledDoubleSlider, QScrollBar)


def inside(widget):
    """Return all widgets of ours below one, in order."""
    found = []
    for child in widget.children():
        if isinstance(child, QWidget):
            found.append(child)
            if not isinstance(child, WHOLE) and not type(child).__module__.startswith("qtpy"):
                found += inside(child)
    return found


def _of_qt(control):
    """Tell whether a control says what it is by itself, or is part of a tab bar."""
    return isinstance(control, QProgressBar) or isinstance(control.parent(), QTabBar)


@pytest.fixture(params=["Denoise", "Noise", "Compare"])
def dock(request, make_napari_viewer):
    viewer = make_napari_viewer()
    data = np.random.default_rng(0).poisson(50, (2, 3, 2, 32, 32)).astype(np.float32)
    viewer.add_image(data, axis_labels=("t", "z", "c", "y", "x"))
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", request.param)
    if request.param == "Denoise":
        dock.settings.choose("lota-n2n")
    yield dock
    dock.leave()


def test_every_control_has_a_name_and_a_tip(dock):
    controls = [w for w in inside(dock) if isinstance(w, CONTROLS) and not isinstance(w, QScrollBar)]
    assert len(controls) >= 5
    named = [c for c in controls if c.accessibleName() or (isinstance(c, QAbstractButton) and c.text())]
    assert not [(type(c).__name__, type(c.parent()).__name__, c.toolTip()) for c in controls if c not in named]
    assert not [c.accessibleName() or c.text() for c in named if not c.toolTip() and not _of_qt(c)]


def test_every_label_of_a_control_is_its_buddy(dock):
    labels = [w for w in inside(dock) if isinstance(w, QLabel) and w.text() and not w.wordWrap()]
    labels = [
        label for label in labels if not label.accessibleName()
    ]  # what has a name of its own is no name of another
    assert labels
    assert not [label.text() for label in labels if label.buddy() is None]


def luminance(colour):
    red, green, blue = (
        v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4
        for v in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast of two colours by WCAG 2, from 1 to 21."""
    light, dark = sorted((luminance(_long(one)), luminance(_long(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _long(colour):
    return "#" + "".join(2 * c for c in colour[1:]) if len(colour) == 4 else colour


def test_contrast_is_computed_as_wcag_does():
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_texts_and_curves_can_be_told_from_the_background(theme):
    colours = get_theme(theme)
    text, background = colours.text.as_hex(), colours.background.as_hex()
    assert contrast(text, background) >= 4.5
    for curve in COLOURS:  # WCAG asks 3 of graphics
        assert contrast(curve, background) >= 3, curve


def test_links_and_titles_have_the_colour_of_the_text(open_dock, stack):
    viewer, dock = open_dock(stack)
    for theme in ("dark", "light"):
        viewer.theme = theme
        assert get_theme(theme).text.as_hex() in dock.settings.about.text()
