"""A combo box of the image layers of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox

from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise._qt.shared.widgets import narrow

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: What the metadata of a live layer hold in place of a recipe.
LIVE = "live"
#: What those of the layers of a comparison hold beside a recipe.
MARK = "lotadenoise comparison"


class LayerBox(QComboBox):
    """Offers the image layers and follows the active one.

    Live layers of a run are not offered. A result is, but does not take the place of its source unasked: whoever tries
    again wants to start from the source.
    """

    #: The chosen layer has got other data.
    data_changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        narrow(self)
        self.setToolTip("The image layer; it follows the active one, but for results")
        self._viewer = viewer
        layers = viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self.refresh)
        layers.selection.events.active.connect(self.follow_active)
        self.refresh()
        self.follow_active()

    @property
    def layer(self) -> Image | None:
        """Return the chosen layer."""
        return self.currentData()

    def choose(self, layer: Image | None) -> bool:
        """Choose a layer; tells whether it is offered."""
        return self._choose(layer)

    @property
    def why_none(self) -> str:
        """Return why there is no layer to choose, and what to do."""
        active = self._viewer.layers.selection.active
        if active is None:
            return "Open an image, or choose File > Open Sample > LoTA Denoise; then press Denoise."
        return f"{active.name!r} is a {active.__class__.__name__} layer; choose an image layer to denoise."

    def refresh(self, event: Any = None) -> None:
        """Offer the layers that there are now, and keep the choice if it is among them."""
        chosen = self.layer
        self.blockSignals(True)
        self.clear()
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and layer.metadata.get("lotadenoise") != LIVE and MARK not in layer.metadata:
                self.addItem(layer.name, layer)
                layer.events.name.connect(self._rename)
                layer.events.data.connect(self._on_data)
        kept = self._choose(chosen)
        self.blockSignals(False)
        if not kept:
            self.currentIndexChanged.emit(self.currentIndex())

    def follow_active(self, event: Any = None) -> None:
        """Choose the active layer if it is an image that no run has made."""
        active = self._viewer.layers.selection.active
        if isinstance(active, Image) and {"lotadenoise", MARK}.isdisjoint(active.metadata):
            self._choose(active)

    def _on_data(self, event: Any = None) -> None:
        if event is None or event.source is self.layer:
            self.data_changed.emit()

    def _rename(self, event: Any = None) -> None:
        for index in range(self.count()):
            self.setItemText(index, self.itemData(index).name)

    def _choose(self, layer: Image | None) -> bool:
        for index in range(self.count()):
            if layer is not None and self.itemData(index) == layer:
                self.setCurrentIndex(index)
                return True
        return False


class ReferenceBox(QComboBox):
    """Offers no reference, and the image layers of the shape of another layer."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        narrow(self)
        self._viewer = viewer
        self._layer: Image | None = None
        self.setToolTip(
            "A clean image, or an average of many captures; methods never see it, results are scored by it."
        )
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.reordered):
            event.connect(self._refresh)
        self._refresh()

    @property
    def layer(self) -> Image | None:
        """Return the reference, None where there is none."""
        return self.currentData()

    def offer_for(self, layer: Image | None) -> None:
        """Offer what can be a reference of a layer."""
        self._layer = layer
        self._refresh()

    def choose(self, layer: Image) -> None:
        """Choose a layer, if it is offered."""
        for index in range(1, self.count()):
            if self.itemData(index) is layer:
                self.setCurrentIndex(index)

    def _refresh(self, event: Any = None) -> None:
        chosen = self.layer
        self.clear()
        self.addItem("none", None)
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and layer is not self._layer and self._fits(layer):
                self.addItem(layer.name, layer)
        if chosen is not None:
            self.choose(chosen)

    def _fits(self, layer: Image) -> bool:
        if self._layer is None or not {"lotadenoise", MARK}.isdisjoint(layer.metadata):
            return False
        return layer.rgb == self._layer.rgb and data_of(layer).shape == data_of(self._layer).shape
