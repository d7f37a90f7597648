"""The pictures of a run in progress: small layers on top of the source that follow the slider."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils import Colormap

from napari_lotadenoise._qt.shared.layer_box import LIVE
from napari_lotadenoise._qt.shared.layers import Source, data_of
from napari_lotadenoise.events import Preview, ViewRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.components import ViewerModel

#: What the codes of a mask mean: nothing, hidden, retained detail, added in its place; told apart by brightness too.
_MASK = Colormap(
    [[0, 0, 0, 0], [0.8, 0, 0.8, 1], [0, 1, 1, 1], [1, 1, 0, 1]],
    name="lotadenoise mask",
    controls=[0, 1 / 6, 1 / 2, 5 / 6, 1],
    interpolation="zero",
)
#: Larger slices are previewed where they are seen only.
_WHOLE_SIDE = 1024


class LivePreview:
    """Shows previews as layers, asks for the slice that is looked at, and leaves nothing behind.

    Parameters
    ----------
    viewer : ViewerModel
    source : Source
        The layer that is being denoised.
    ask : callable
        Gets a `ViewRequest` whenever another place is looked at.
    wanted : frozenset of str
        Names of the maps that are shown beside the picture.
    kinds : mapping of str to str
        How the maps are to be read, see `Method.maps`.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        source: Source,
        ask: Callable[[ViewRequest], None],
        wanted: frozenset[str],
        kinds: Mapping[str, str],
    ) -> None:
        self._viewer, self._source, self._ask = viewer, source, ask
        self.wanted = wanted
        self._kinds = {"residual": "signed", "uncertainty": "magnitude", **kinds}
        self._layers: dict[str, Image] = {}
        self._dismissed: set[str] = set()
        self._view_request = self._current_look(0)
        self._corner = (0, 0)
        self.count = 0
        self.by = ""
        for event in self._events():
            event.connect(self.follow)

    @property
    def view_request(self) -> ViewRequest:
        """Return the place in view."""
        return self._view_request

    @property
    def why_hidden(self) -> str:
        """Return why no preview can be shown in the present view; empty where one can."""
        source, dims = self._source, self._viewer.dims
        if not _as_it_was(source):
            return "the layer has other data now"
        last = {dims.ndim - 2, dims.ndim - 1}
        if dims.ndisplay != 2 or set(dims.displayed) != last:
            return "the view shows other axes than y and x"
        return ""

    @property
    def gone(self) -> bool:
        """Tell whether the preview was shown and the user has deleted its layer."""
        layer = self._layers.get("preview")
        return "preview" in self._dismissed or (layer is not None and layer not in self._viewer.layers)

    def follow(self, event: Any = None) -> None:
        """Ask for the place that is looked at now, if it is another one."""
        if self.why_hidden:
            self._hide()
            return
        new = self._current_look(self._view_request.number + 1)
        same = (new.point, new.window, new.maps) == (
            self._view_request.point,
            self._view_request.window,
            self._view_request.maps,
        )
        if same:
            return
        if new.point != self._view_request.point:
            self._hide()
        self._view_request = new
        self._ask(new)

    def _hide(self) -> None:
        """Hide all pictures: one of another slice, or of other axes, must not pass for what is in view."""
        for layer in self._alive().values():
            layer.visible = False

    def want(self, wanted: frozenset[str]) -> None:
        """Show other maps from now on; those that are not wanted any more go at once."""
        self.wanted = wanted
        for name, layer in self._alive().items():
            if name != "preview" and name not in wanted:
                self._viewer.layers.remove(layer)
                del self._layers[name]
        self._dismissed.clear()
        self.follow()

    def show(self, preview: Preview) -> None:
        """Show a preview, unless somebody has moved on since it was asked for."""
        self.follow()
        if self.why_hidden or preview.view_request.point != self._view_request.point:
            return
        self.count += 1
        wanted = {name: picture for name, picture in preview.maps.items() if name in self.wanted}
        pictures = {"preview": preview.image, **wanted}
        rows, columns = (preview.index[self._axis(a)] for a in (-2, -1))
        assert isinstance(rows, slice)
        assert isinstance(columns, slice)
        corner = (rows.start, columns.start)
        self.by = preview.by
        for name, picture in pictures.items():
            self._show_one(name, _seen_channel(picture, preview, rgb=self._source.rgb), corner)
        self._corner = corner

    def close(self) -> None:
        """Take all live layers away."""
        for event in self._events():
            event.disconnect(self.follow)
        for layer in self._alive().values():
            self._viewer.layers.remove(layer)
        self._layers.clear()

    def _events(self) -> tuple[Any, ...]:
        """Return what changes the place in view."""
        events = self._viewer.dims.events
        return events.current_step, events.order, events.ndisplay

    def _axis(self, spatial: int) -> int:
        return spatial - 1 if self._source.rgb else spatial

    def _alive(self) -> dict[str, Image]:
        return {name: layer for name, layer in self._layers.items() if layer in self._viewer.layers}

    def _show_one(self, name: str, picture: np.ndarray, corner: tuple[int, int]) -> None:
        layer = self._layers.get(name)
        if layer is not None and layer not in self._viewer.layers:
            self._dismissed.add(name)  # the user has deleted it, so it does not come back
        if name in self._dismissed:
            return
        rgb = self._source.rgb
        if rgb and name == "preview" and np.dtype(self._source.data.dtype).kind in "ui":
            limits = np.iinfo(self._source.data.dtype)
            picture = np.clip(np.rint(picture), limits.min, limits.max).astype(self._source.data.dtype)
        elif rgb and name != "preview":
            picture = picture.mean(-1) if picture.ndim == 3 else picture
        if layer is None:
            self._layers[name] = self._add(name, picture, corner)
            return
        layer.data = picture
        layer.name = self._title(name)
        if corner != self._corner:
            layer.affine = self._source.plane_geometry(*corner)["affine"]
        if self._kinds.get(name) in ("signed", "magnitude"):
            layer.contrast_limits = _limits(picture, self._kinds[name])
        layer.visible = True

    def _add(self, name: str, picture: np.ndarray, corner: tuple[int, int]) -> Image:
        options: dict[str, Any] = {
            "name": self._title(name),
            "metadata": {"lotadenoise": LIVE},
            **self._source.plane_geometry(*corner),
        }
        kind = "picture" if name == "preview" else self._kinds[name]
        if kind == "picture":
            options |= {
                "rgb": self._source.rgb and name == "preview",
                "colormap": self._source.appearance["colormap"],
                "gamma": self._source.appearance["gamma"],
            }
            if self._source.limits is not None:
                options["contrast_limits"] = self._source.limits
        elif kind == "mask":
            options |= {"colormap": _MASK, "contrast_limits": (0, 3), "opacity": 0.7}
        else:
            colormap = "PiYG" if kind == "signed" else "magma"
            options |= {"colormap": colormap, "contrast_limits": _limits(picture, kind)}
        selected = set(self._viewer.layers.selection)
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_layer(Image(picture, **options))
        self._viewer.layers.selection = selected  # a run must not change what the user works on
        self._viewer.layers.selection.active = active
        return layer

    def _title(self, name: str) -> str:
        """Return the name of a live layer, with the method that made it."""
        return f"{self._source.name} · {self.by or name if name == 'preview' else name} (live)"

    def _current_look(self, number: int) -> ViewRequest:
        source = self._source
        shape = source.data.shape[: source.ndim]
        if not _as_it_was(source):  # its place in the world says nothing of the data that are denoised
            return dataclasses.replace(self._view_request, number=number)
        at = source.layer.world_to_data(self._viewer.dims.point[-source.ndim :])
        point = tuple(int(np.clip(round(float(p)), 0, n - 1)) for p, n in zip(at, shape, strict=True))
        # Y and X follow the mouse in some views; they say nothing about the slice.
        point = (*point[:-2], 0, 0)
        window = None
        if max(shape[-2:]) > _WHOLE_SIDE:
            low, high = _corners(source.layer)
            window = (slice(int(low[0]), int(high[0]) + 1), slice(int(low[1]), int(high[1]) + 1))
        return ViewRequest((*point, 0) if source.rgb else point, window, number, maps=bool(self.wanted))


def _as_it_was(source: Source) -> bool:
    """Tell whether a layer still has the shape of data that a run has begun with."""
    return source.layer.ndim == source.ndim and tuple(data_of(source.layer).shape) == tuple(source.data.shape)


def _corners(layer: Image) -> np.ndarray:
    """Return the first and the last row and column that are in view, in pixels of full resolution."""
    corners = np.asarray(layer.corner_pixels)[:, -2:]
    if layer.multiscale:  # these are pixels of the level that is shown
        corners = np.round(corners * np.asarray(layer.downsample_factors)[layer.data_level][-2:]).astype(int)
    return corners


def _seen_channel(picture: np.ndarray, preview: Preview, *, rgb: bool) -> np.ndarray:
    """Select the channel of the slider, of channels that are denoised jointly."""
    if rgb or picture.ndim == 2:
        return picture
    axis = next(i for i, part in enumerate(preview.index) if isinstance(part, slice))
    return picture[preview.view_request.point[axis] if len(picture) > 1 else 0]


def _limits(picture: np.ndarray, kind: str) -> tuple[float, float]:
    limit = float(np.abs(np.percentile(picture, (1, 99))).max()) or 1.0
    return (-limit if kind == "signed" else 0.0), limit
