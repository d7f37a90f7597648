"""The part of a layer that methods are compared on, and how it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QSpinBox, QWidget

from napari_lotadenoise._qt.compare.split_line import NAME
from napari_lotadenoise._qt.shared.layers import data_of, drawing_geometry
from napari_lotadenoise._qt.shared.widgets import button
from napari_lotadenoise.comparison.crop import Crop, choose_crop, crop_at
from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import Layout, Stack

if TYPE_CHECKING:
    from napari.components import ViewerModel

_KINDS = {
    "automatic": "A part with both detail and background is picked in the plane that is looked at.",
    "current view": "What is seen in the canvas now.",
    "drawn rectangle": "The last rectangle of the active shapes layer, or of the topmost one.",
    "whole layer": "All of it; takes as long as denoising it with every method.",
}
#: Smallest side of a crop that says anything.
_SMALLEST = 32
#: Name of the layer that a rectangle is drawn in.
RECTANGLE = "crop to compare on"


class CropBox(QWidget):
    """Chooses a part of a layer.

    Signals
    -------
    changed ()
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.kind = QComboBox()
        for row, (name, hint) in enumerate(_KINDS.items()):
            self.kind.addItem(name)
            self.kind.setItemData(row, hint, 3)
        self.kind.setAccessibleName("Part to compare on")
        self.kind.setToolTip("Comparing on a part takes seconds where the whole layer takes minutes.")
        self.side = QSpinBox()
        self.side.setRange(_SMALLEST, 4096)
        self.side.setSingleStep(32)
        self.side.setValue(256)
        self.side.setSuffix(" px")
        self.side.setAccessibleName("Side of the part")
        self.side.setToolTip("Height and width of the part, in pixels")
        self.draw = button("Draw a rectangle", "Add a shapes layer to draw the part in", self.draw_rectangle)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.addRow("Compare on", self.kind)
        self._form.addRow("Side", self.side)
        self._form.addRow("", self.draw)
        self.kind.currentIndexChanged.connect(self._adapt)
        self.side.valueChanged.connect(lambda _: self.changed.emit())
        self._adapt()

    def draw_rectangle(self) -> None:
        """Add a shapes layer and let the user draw in it."""
        active = self._viewer.layers.selection.active
        geometry = drawing_geometry(active if isinstance(active, Image) else None)
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Shapes) and layer.name == RECTANGLE]
        layer = (
            layers[0]
            if layers
            else self._viewer.add_shapes(name=RECTANGLE, face_color="transparent", edge_color="yellow", **geometry)
        )
        self._viewer.layers.selection.active = layer
        layer.mode = "add_rectangle"

    def value(self, layer: Image, layout: Layout, *, frames: bool) -> Crop | int:
        """Return the part: slices of the layer's data, the side of an automatic one, or 0 for the whole layer.

        Raises
        ------
        ImageError
            Where there is no rectangle, or what is chosen lies beside the layer.
        """
        kind = self.kind.currentText()
        if kind == "whole layer":
            return 0
        shape = data_of(layer).shape
        point = plane_of(self._viewer, layer, shape)
        if kind == "automatic":
            stack = Stack(data_of(layer), layout, fill=True)
            return choose_crop(stack, self.side.value(), point, frames=frames)
        corners = self._seen(layer) if kind == "current view" else self._drawn(layer)
        rows, columns = (
            slice(max(0, int(np.floor(low))), min(n, int(np.ceil(high))))
            for low, high, n in zip(*corners, (shape[layout.axes.index(a)] for a in "YX"), strict=True)
        )
        if min(rows.stop - rows.start, columns.stop - columns.start) < _SMALLEST:
            raise ImageError(
                f"The {kind} covers less than {_SMALLEST} x {_SMALLEST} pixels of {layer.name!r}; choose a larger part."
            )
        return crop_at(layout, tuple(shape), point, rows, columns, frames=frames)

    def _seen(self, layer: Image) -> tuple[np.ndarray, np.ndarray]:
        corners = np.asarray(layer.corner_pixels)[:, -2:].astype(float)
        if layer.multiscale:
            corners = corners * layer.downsample_factors[layer.data_level][-2:]
        return corners[0], corners[1] + 1

    def _drawn(self, layer: Image) -> tuple[np.ndarray, np.ndarray]:
        shapes = _last_shape(self._viewer, "rectangle")
        if shapes is None:
            raise ImageError("There is no rectangle yet; press Draw a rectangle and draw one on the image.")
        return in_pixels(*shapes, layer)

    def _adapt(self, index: int = 0) -> None:
        self._form.setRowVisible(self.side, self.kind.currentText() == "automatic")
        self._form.setRowVisible(self.draw, self.kind.currentText() == "drawn rectangle")
        self.changed.emit()


def plane_of(viewer: ViewerModel, layer: Image, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of the plane in view in the data of a layer, one an axis (colours included); Y and X are 0."""
    count = layer.ndim
    at = layer.world_to_data(viewer.dims.point[-count:])
    point = [int(np.clip(round(float(p)), 0, n - 1)) for p, n in zip(at, shape[:count], strict=True)]
    return (*point[:-2], 0, 0, *(0 for _ in shape[count:]))


def _last_shape(viewer: ViewerModel, kind: str) -> tuple[Shapes, np.ndarray] | None:
    """Return the last shape of a kind: of the active shapes layer, else of the topmost one that has any."""
    active = viewer.layers.selection.active
    for layer in dict.fromkeys((active, *reversed(viewer.layers))):
        if isinstance(layer, Shapes) and layer.name != NAME:  # the line of a split is nobody's drawing
            found = [data for data, type_ in zip(layer.data, layer.shape_type, strict=True) if type_ == kind]
            if found:
                return layer, np.asarray(found[-1])
    return None


def last_line(viewer: ViewerModel) -> tuple[Shapes, np.ndarray] | None:
    """Return the last line that was drawn, and the layer it is in."""
    return _last_shape(viewer, "line")


def in_pixels(shapes: Shapes, vertices: np.ndarray, layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest row and column of a layer that the vertices of a shape lie on."""
    found = to_pixels(shapes, vertices, layer)
    return found.min(0), found.max(0)


def to_pixels(shapes: Shapes, vertices: np.ndarray, layer: Any) -> np.ndarray:
    """Return the rows and columns of a layer that the vertices of a shape lie on, (N, 2)."""
    world = [np.asarray(shapes.data_to_world(vertex)) for vertex in vertices]
    padded = [np.concatenate([np.zeros(max(0, layer.ndim - len(w))), w[-layer.ndim :]]) for w in world]
    return np.array([np.asarray(layer.world_to_data(w))[-2:] for w in padded])
