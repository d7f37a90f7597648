"""A line in the canvas that is dragged from side to side."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_lotadenoise._qt.shared.compat import camera_of
from napari_lotadenoise._qt.shared.layer_box import MARK

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Name of the layer that shows the line.
NAME = "split line"
#: Share of the width within which the line is grabbed.
_REACH = 0.04


class SplitLine:
    """Lets the user drag the border between two pictures.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Image
        The split picture, which is what is dragged in.
    width : int
        Columns of it.
    geometry : dict
        Of a (Y, X) layer that lies where the picture does.
    move : callable
        Gets the column of the line whenever it is dragged.
    """

    def __init__(
        self, viewer: ViewerModel, layer: Image, width: int, geometry: dict[str, Any], move: Callable[[int], None]
    ) -> None:
        self._viewer, self._layer, self._width, self._move = viewer, layer, width, move
        self.column = width // 2
        active = viewer.layers.selection.active
        self._line = viewer.add_shapes(
            [self._ends()],
            shape_type="line",
            edge_color="yellow",
            edge_width=width / 200,
            name=NAME,
            metadata={MARK: True},
            **geometry,
        )
        viewer.layers.selection.active = active
        viewer.mouse_drag_callbacks.append(self._drag)

    def to(self, column: int) -> None:
        """Put the line on a column."""
        self.column = int(np.clip(column, 0, self._width))
        self._move(self.column)
        if self._line in self._viewer.layers:
            self._line.data = [self._ends()]

    def close(self) -> None:
        """Let go of the mouse."""
        if self._drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._drag)
        if self._line in self._viewer.layers:
            self._viewer.layers.remove(self._line)

    def _ends(self) -> np.ndarray:
        """Return where the line begins and ends, (2, 2) in rows and columns."""
        rows = self._layer.data.shape[self._layer.ndim - 2]
        return np.array([[-0.5, self.column - 0.5], [rows - 0.5, self.column - 0.5]])

    def _drag(self, viewer: ViewerModel, event: Any) -> Generator[None, None, None]:
        if self._layer not in viewer.layers or abs(self._at(event) - self.column) > max(2, _REACH * self._width):
            return
        camera = camera_of(viewer)
        panned, camera.mouse_pan = camera.mouse_pan, False  # or the picture moves along
        event.handled = True
        yield
        while event.type == "mouse_move":
            self.to(round(self._at(event)))
            event.handled = True
            yield
        camera.mouse_pan = panned

    def _at(self, event: Any) -> float:
        """Return the column that the mouse is at; pixel centres lie on whole numbers."""
        axis = self._layer.ndim - 1
        position = np.asarray(event.position)[-self._layer.ndim :]
        return float(self._layer.world_to_data(position)[axis]) + 0.5
