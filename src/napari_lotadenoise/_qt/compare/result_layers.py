"""The pictures of a comparison as layers: input, reference and results, in one contrast, where the crop lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes
from napari.utils.transforms import Affine

from napari_lotadenoise._qt.shared.layer_box import MARK
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise.image.derived import Blend
from napari_lotadenoise.image.stack import as_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

    from napari_lotadenoise.comparison.run import ComparisonPlan
    from napari_lotadenoise.events import Preview

#: Size of the names in the canvas; those of four pictures in a row have to fit.
_NAME_POINTS = 8
#: What all pictures share.
_SHARED = ("contrast_limits", "gamma", "colormap", "interpolation2d")


class ResultLayers:
    """Keeps the layers of one comparison; those that the user deletes do not come back.

    Parameters
    ----------
    viewer : ViewerModel
    source : Source
        The layer that is compared on.
    plan : ComparisonPlan
    """

    def __init__(self, viewer: ViewerModel, source: Source, plan: ComparisonPlan) -> None:
        self._viewer, self._source, self.plan = viewer, source, plan
        self._hidden: list[Any] = []
        self._layers: dict[int, Image] = {}
        self._dismissed: set[int] = set()
        self.noisy = self._add(plan.image, f"{source.name} (input)")
        self.reference = None if plan.reference is None else self._add(plan.reference, "reference")
        self.hide_others()

    @property
    def results(self) -> dict[int, Image]:
        """Return the layers of the results, by the number of their candidate."""
        return {number: layer for number, layer in self._layers.items() if layer in self._viewer.layers}

    @property
    def pictures(self) -> list[Image]:
        """Return the input, reference and results that are there, the input first."""
        fixed = [layer for layer in (self.noisy, self.reference) if layer is not None and layer in self._viewer.layers]
        return [*fixed, *(layer for _, layer in sorted(self.results.items()))]

    def preview(self, number: int, label: str, preview: Preview) -> None:
        """Show what a candidate has learnt so far."""
        layer = self._layers.get(number)
        if layer is None and number not in self._dismissed:
            layer = self._add(self._drawable(self.plan.image), f"{label} (learning)")
            self._layers[number] = layer
        if layer is None or self._gone(number):
            return
        # Of an entry that runs again the picture is not that of its recipe any more.
        layer.name, layer.metadata = f"{label} (learning)", {MARK: True}
        data = np.array(layer.data)
        data[preview.index] = as_dtype(preview.image, data.dtype)[0] if data.dtype.kind in "ui" else preview.image
        layer.data = data

    def show(self, number: int, title: str, image: np.ndarray, recipe: dict[str, Any], blend: float = 1.0) -> None:
        """Show a result, mixed with the input where `blend` is below 1, unless the user has deleted its picture."""
        if self._gone(number):
            return
        shown: Any = image if blend == 1 else Blend(self.plan.image, image, blend)
        shown = self._drawable(np.asarray(shown)) if self._source.rgb or blend == 1 else shown
        if number not in self._layers:
            self._layers[number] = self._add(shown, title)
        layer = self._layers[number]
        layer.data, layer.name = shown, title
        layer.metadata = {"lotadenoise": recipe, MARK: True}

    def drop_unfinished(self) -> None:
        """Take away pictures of what was still learning."""
        for number, layer in self.results.items():
            if "lotadenoise" not in layer.metadata:
                self.forget(number)

    def remove(self) -> None:
        """Take all pictures of the comparison out of the viewer."""
        for layer in self.pictures:
            self._viewer.layers.remove(layer)

    def forget(self, number: int) -> None:
        """Remove the layer of a candidate, so that it may come again."""
        layer = self.results.get(number)
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._layers.pop(number, None)
        self._dismissed.discard(number)

    def hide_others(self) -> None:
        """Hide the layers that do not belong to the comparison, and remember which."""
        mine = {id(layer) for layer in self.pictures}
        for layer in self._viewer.layers:
            drawn_in = isinstance(layer, Shapes) and MARK in layer.metadata
            if layer.visible and id(layer) not in mine and not drawn_in:
                layer.visible = False
                self._hidden.append(layer)

    def show_others(self) -> None:
        """Show again what was hidden."""
        for layer in self._hidden:
            if layer in self._viewer.layers:
                layer.visible = True
        self._hidden.clear()

    def place(self) -> dict[str, Any]:
        """Return the geometry that puts an array of the crop's shape where the crop lies."""
        geometry = dict(self._source.geometry)
        if self.plan.crop is not None:
            ndim = self._source.ndim
            corner = np.array([part.start for part in self.plan.crop[:ndim]], dtype=float)
            linear = {name: geometry[name] for name in ("scale", "rotate", "shear", "translate")}
            geometry["translate"] = np.asarray(Affine(**linear)(corner))
        return geometry

    @property
    def pixel(self) -> tuple[dict[str, float], str]:
        """Return the size of a pixel along Y and X and its unit; nothing where the layer has no lengths."""
        units, scale = self._source.geometry["units"][-2:], self._source.geometry["scale"][-2:]
        if not all(unit.is_compatible_with("meter") for unit in units) or str(units[0]) != str(units[1]):
            return {}, ""
        return dict(zip("YX", map(float, scale), strict=True)), f"{units[0]:~}"

    def flat_place(self) -> dict[str, Any]:
        """Return the geometry of a (Y, X) layer that lies where the crop does."""
        corner = (0, 0) if self.plan.crop is None else [part.start for part in self.plan.crop[: self._source.ndim]][-2:]
        return self._source.plane_geometry(*corner)

    def add(self, data: Any, name: str, **options: Any) -> Image:
        """Add a layer of the crop's shape, without changing what is active."""
        return self._add(data, name, **options)

    def _add(self, data: Any, name: str, **options: Any) -> Image:
        appearance: dict[str, Any] = {} if options else {**self._source.appearance, "opacity": 1.0, "visible": True}
        if not options:
            appearance["rgb"] = self._source.rgb
            if self._source.limits is not None:
                appearance["contrast_limits"] = self._source.limits
        layers = self._viewer.layers
        active = layers.selection.active
        layer = Image(data, name=name, metadata={MARK: True}, **{**self.place(), **appearance, **options})
        show_name(layer)
        self._viewer.add_layer(layer)
        layers.selection.active = active
        if not options and not self._source.rgb:
            self._link(layer)
        return layer

    def _link(self, layer: Image) -> None:
        others = [other for other in self._linkable() if other is not layer]
        if others:
            self._viewer.layers.link_layers([*others, layer], _SHARED)

    def _linkable(self) -> Iterator[Image]:
        known = (getattr(self, "noisy", None), getattr(self, "reference", None), *self._layers.values())
        return (layer for layer in known if layer is not None and layer in self._viewer.layers)

    def _gone(self, number: int) -> bool:
        """Tell whether the user has deleted the layer of a candidate."""
        layer = self._layers.get(number)
        if layer is not None and layer not in self._viewer.layers:
            self._dismissed.add(number)
        return number in self._dismissed

    def _drawable(self, image: np.ndarray) -> np.ndarray:
        """Return an array that napari can draw: colours of integers stay integers."""
        if self._source.rgb and self.plan.image.dtype.kind in "ui":
            return as_dtype(np.asarray(image), self.plan.image.dtype)[0]
        return np.asarray(image, dtype=np.float32)


def show_name(layer: Any) -> None:
    """Write a layer's name into the canvas, where napari can."""
    overlay = getattr(layer, "name_overlay", None)
    if overlay is not None:
        overlay.visible = True
        overlay.box = True
        overlay.font_size = _NAME_POINTS
