"""Intensities of all pictures of a comparison along one drawn line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from napari.layers import Image, Shapes
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget
from scipy.ndimage import map_coordinates

from napari_lotadenoise._qt.compare.crop_box import last_line, plane_of, to_pixels
from napari_lotadenoise._qt.shared.layer_box import MARK
from napari_lotadenoise._qt.shared.layers import drawing_geometry
from napari_lotadenoise._qt.shared.plot import COLOURS, make_plot, paint
from napari_lotadenoise._qt.shared.widgets import button

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Name of the layer that the line is drawn in.
LINE = "profile line"
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class Profile(QWidget):
    """A plot of what the pictures hold along the last line of a shapes layer; it follows the line.

    Signals
    -------
    drawing ()
        A line is about to be drawn, for which one picture has to be seen.
    """

    drawing = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._shapes: Shapes | None = None
        self.pictures: list[Image] = []
        self.curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.draw = button("Draw a profile line", "Add a shapes layer and draw a line in it", self.draw_line)
        self.plot = make_plot("intensity along the line (pixels)")
        self.plot.setAccessibleName("Intensity along the drawn line")
        self.plot.addLegend(offset=(-5, 5), labelTextSize="8pt")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.draw)
        box.addWidget(self.plot)
        self.plot.hide()

    def draw_line(self) -> None:
        """Let the user draw a line, on one picture."""
        self.drawing.emit()
        if self._shapes is None or self._shapes not in self._viewer.layers:
            self._shapes = self._viewer.add_shapes(
                name=LINE,
                metadata={MARK: True},
                edge_color="yellow",
                edge_width=1,
                **drawing_geometry(next(iter(self.pictures), None)),
            )
            self._shapes.events.data.connect(self.refresh)
        self._viewer.layers.selection.active = self._shapes
        self._shapes.mode = "add_line"

    def show_line(self, visible: bool) -> None:
        """Show or hide the layer that is drawn in: in a grid it would take a cell of its own."""
        if self._shapes is not None and self._shapes in self._viewer.layers:
            self._shapes.visible = visible

    def show_pictures(self, pictures: list[Image]) -> None:
        """Plot these results from now on."""
        self.pictures = pictures
        self.refresh()

    def set_theme(self, name: str) -> None:
        """Take the colours of a napari theme."""
        paint(self.plot, get_theme(name))

    def refresh(self, event: Any = None) -> None:
        """Read the intensities along the line anew."""
        found = last_line(self._viewer)
        self.plot.clear()
        self.curves = {}
        self.plot.setVisible(found is not None)
        if found is None:
            return
        for number, layer in enumerate(picture for picture in self.pictures if picture in self._viewer.layers):
            ends = to_pixels(*found, layer)
            self.curves[layer.name] = along(self._plane(layer), *ends)
            pen = pg.mkPen(
                COLOURS[number % len(COLOURS)], width=1.5, style=_STYLES[number // len(COLOURS) % len(_STYLES)]
            )
            self.plot.plot(*self.curves[layer.name], pen=pen, name=layer.name)

    def _plane(self, layer: Image) -> np.ndarray:
        point = plane_of(self._viewer, layer, layer.data.shape)[: layer.ndim - 2]
        plane = np.asarray(layer.data[point])
        return plane.mean(-1) if layer.rgb else plane


def along(plane: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distances in pixels and intensities along a line in a plane (Y, X), one point a pixel, interpolated linearly."""
    length = float(np.hypot(*(end - start)))
    distance = np.linspace(0, length, max(2, round(length) + 1))
    points = start[:, None] + (end - start)[:, None] * (distance / max(length, 1e-9))
    return distance, map_coordinates(plane.astype(np.float64), points, order=1, mode="nearest")
