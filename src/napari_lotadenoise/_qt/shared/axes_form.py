"""Combo boxes that say what the axes of a layer mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise._qt.shared.widgets import narrow
from napari_lotadenoise.errors import AxesError
from napari_lotadenoise.image.stack import Layout

if TYPE_CHECKING:
    from napari.layers import Image

#: What an axis in front of Y and X can be.
_CHOICES = "ZTCP"
#: Axes side by side.
_ABREAST = 2
_WORDS = {"Z": "z-slices", "T": "time points", "C": "channels", "P": "positions"}
_SYNONYMS = {
    "z": "Z", "depth": "Z", "plane": "Z", "slice": "Z", "t": "T", "time": "T", "frame": "T",
    "c": "C", "ch": "C", "channel": "C", "channels": "C", "p": "P", "pos": "P", "position": "P", "scene": "P",
}  # fmt: skip


class AxesForm(QWidget):
    """Proposes what the axes of a layer are and lets the user say otherwise."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout()
        self._boxes: list[QComboBox] = []
        self._names: list[QLabel] = []
        self._rgb = False
        self._channels = QComboBox()
        self._channels.addItem("one network each", "separate")
        self._channels.addItem("joint", "joint")
        self._channels.setAccessibleName("Channels")
        self._channels.setToolTip("Whether every channel gets a network of its own, or one network sees all of them.")
        self._volume = QCheckBox("3-D network")
        self._volume.setToolTip("Denoise the stack as a volume; otherwise its slices share a 2-D network.")
        self._channels_name = QLabel("Channels")
        self._channels_name.setBuddy(self._channels)
        row, box = QHBoxLayout(), QVBoxLayout(self)
        for widget in (self._channels_name, self._channels, self._volume):
            row.addWidget(widget)
        row.addStretch()
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(self._grid)
        box.addLayout(row)
        self._adapt()
        self._channels.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._volume.toggled.connect(lambda _: self.changed.emit())

    def show_layer(self, layer: Image | None) -> None:
        """Propose the axes of a layer."""
        self._clear()
        self._rgb = layer is not None and bool(layer.rgb)
        proposal = propose_axes(layer) if layer is not None else ""
        shape = () if layer is None else data_of(layer).shape
        for axis, letter in enumerate(proposal):
            box = QComboBox()
            for choice in _CHOICES:
                box.addItem(_WORDS[choice], choice)
            box.setCurrentIndex(_CHOICES.index(letter))
            box.currentIndexChanged.connect(self._adapt)
            name = QLabel(f"Axis {axis} ({shape[axis]})")
            name.setBuddy(box)
            narrow(box)
            box.setMinimumContentsLength(8)
            box.setAccessibleName(name.text())
            box.setToolTip(f"What the {shape[axis]} indices of axis {axis} of the layer are")
            row, column = divmod(axis, _ABREAST)
            self._grid.addWidget(name, row, 2 * column)
            self._grid.addWidget(box, row, 2 * column + 1)
            self._grid.setColumnStretch(2 * column + 1, 1)
            self._boxes.append(box)
            self._names.append(name)
        self._adapt()

    def layout_value(self) -> Layout:
        """Return the layout as it is shown.

        Raises
        ------
        AxesError
            Where two axes have the same meaning.
        """
        chosen = self._letters()
        for letter in chosen:
            if chosen.count(letter) > 1:
                raise AxesError(f"Two axes are both {_WORDS[letter]}; choose another meaning for one of them.")
        letters = "".join(chosen) + "YX" + ("S" if self._rgb else "")
        channels = self._channels.currentData() if "C" in letters else "separate"
        return Layout(letters, channels, self.volume)

    @property
    def letters(self) -> str:
        """Return the axes as they are shown, whether or not they fit together."""
        return "".join(self._letters()) + "YX" + ("S" if self._rgb else "")

    @property
    def volume(self) -> bool:
        """Tell whether a 3-D network is wanted and there is a depth for it."""
        return self._volume.isChecked() and "Z" in self._letters()

    def set_layout(self, axes: str, channels: str = "separate", volume: bool = False) -> None:
        """Show other axes, for example ``"CZYX"``."""
        for box, letter in zip(self._boxes, axes, strict=False):
            box.setCurrentIndex(_CHOICES.index(letter))
        self._channels.setCurrentIndex(self._channels.findData(channels))
        self._volume.setChecked(volume)

    def _adapt(self) -> None:
        letters = self._letters()
        for widget in (self._channels_name, self._channels):
            widget.setVisible("C" in letters)
        self._volume.setVisible("Z" in letters)
        self.setVisible(bool(letters))  # a plane has no axes to ask for
        self.changed.emit()

    def _letters(self) -> list[str]:
        return [box.currentData() for box in self._boxes]

    def _clear(self) -> None:
        for widget in (*self._boxes, *self._names):
            self._grid.removeWidget(widget)
            widget.hide()  # at once; it may live on until the event loop has time
            widget.deleteLater()
        self._boxes, self._names = [], []


def propose_axes(layer: Image) -> str:
    """Propose a letter for every axis in front of Y and X, from labels, units and scale where they tell something.

    Where nothing tells, three dimensions are taken for a z-stack, four for time and z, more for positions, time,
    channels and z.
    """
    count = layer.ndim - 2
    guess = "PTCZ"[-count:] if count > 2 else "TZ"[-count:] if count else ""
    letters = list(guess)
    for axis in range(count):
        letters[axis] = _from_metadata(layer, axis) or letters[axis]
    free = [c for c in _CHOICES if c not in letters]
    for axis, letter in enumerate(letters):
        if letter in letters[:axis] and free:
            letters[axis] = free.pop(0)
    return "".join(letters)


def layout_of(layer: Image) -> Layout:
    """Return the layout that is proposed for a layer: channels apart, slice by slice."""
    return Layout(propose_axes(layer) + "YX" + ("S" if layer.rgb else ""))


def _from_metadata(layer: Image, axis: int) -> str | None:
    label = str(layer.axis_labels[axis]).lower()
    if label in _SYNONYMS:
        return _SYNONYMS[label]
    unit = layer.units[axis]
    if unit.is_compatible_with("second"):
        return "T"
    if unit.is_compatible_with("meter"):
        return "Z"
    return None
