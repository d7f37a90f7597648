"""Layers that lie exactly where their source lies and say where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_lotadenoise.image.stack import as_dtype
from napari_lotadenoise.residual import leak_map

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise.result import Result

_GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_LOOK = ("gamma", "interpolation2d", "interpolation3d", "rendering", "blending", "opacity")


def data_of(layer: Image) -> Any:
    """Return the data of a layer; of a multi-scale one, those of full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def drawing_geometry(layer: Image | None) -> dict[str, Any]:
    """Return the geometry of a (Y, X) layer to draw in on top of another one, in whose pixels its widths are."""
    if layer is None:
        return {}
    return {name: getattr(layer, name)[-2:] for name in ("scale", "translate", "units", "axis_labels")}


class Source:
    """What has to be remembered of a layer when a run starts: by its end the layer may be renamed or gone."""

    def __init__(self, layer: Image) -> None:
        self.layer = layer
        self.name = layer.name
        self.data = data_of(layer)
        self.rgb = bool(layer.rgb)
        self.ndim = layer.ndim
        self.geometry = {name: getattr(layer, name) for name in _GEOMETRY}
        self.appearance = {name: getattr(layer, name) for name in _LOOK}
        self.appearance["colormap"] = layer.colormap
        self.limits = None if self.rgb else tuple(layer.contrast_limits)

    def plane_geometry(self, row: int, column: int) -> dict[str, Any]:
        """Return the geometry of a (Y, X) picture whose first pixel lies on (row, column) of the layer's slices."""
        origin, down, right = (
            np.array(self.layer.data_to_world((*[0] * (self.ndim - 2), row + dy, column + dx)))[-2:]
            for dy, dx in ((0, 0), (1, 0), (0, 1))
        )
        affine = np.eye(3)
        affine[:2] = np.stack([down - origin, right - origin, origin], axis=1)
        return {
            "affine": affine,
            "units": self.geometry["units"][-2:],
            "axis_labels": self.geometry["axis_labels"][-2:],
        }


def add_result(
    viewer: ViewerModel, source: Source, result: Result, title: str, *, same_dtype: bool = False
) -> tuple[Image, str]:
    """Add a denoised layer; returns it with a remark for the user, which may be empty."""
    data, remark, dtype = result.image, "", np.dtype(source.data.dtype)
    # napari shows float colours from 0 to 1 only, so a colour image stays in its own type.
    if (source.rgb or same_dtype) and dtype.kind in "ui":
        data, clipped = as_dtype(data, dtype)
        what = "Colours" if source.rgb else "Values"
        remark = f"{what} were rounded to {dtype} ({clipped} values clipped)."
    options = {**source.geometry, **source.appearance, "rgb": source.rgb, "name": f"{source.name} · {title}"}
    if source.limits is not None:
        options["contrast_limits"] = source.limits
    layer = Image(data, metadata={"lotadenoise": result.recipe.to_dict()}, **options)
    return viewer.add_layer(layer), remark


def add_residual(viewer: ViewerModel, source: Source, result: Result, title: str) -> Image:
    """Add noisy minus denoised with a diverging colormap centred on zero."""
    residual = result.residual
    spread = 3 * float(residual.std()) or 1.0
    return _add_map(viewer, source, result, residual, f"{title} residual", colormap="PiYG", limits=(-spread, spread))


def add_leaks(viewer: ViewerModel, source: Source, result: Result, title: str) -> Image:
    """Add the map of the structure that is in the residual, from -1 (contrast added) to 1 (structure removed); hidden."""
    leaks = leak_map(source.data, result.image, result.recipe.axes)
    layer = _add_map(
        viewer, source, result, leaks, f"{title} structure in residual", colormap="PiYG", limits=(-1.0, 1.0)
    )
    layer.visible = False
    return layer


def add_uncertainty(viewer: ViewerModel, source: Source, result: Result, title: str) -> Image:
    """Add the deviation of the stochastic passes, hidden at first."""
    if result.uncertainty is None:
        raise ValueError("A method without stochastic passes has no uncertainty.")
    top = float(np.percentile(result.uncertainty, 99.5)) or 1.0
    layer = _add_map(
        viewer, source, result, result.uncertainty, f"{title} uncertainty", colormap="magma", limits=(0.0, top)
    )
    layer.visible = False
    return layer


def _add_map(
    viewer: ViewerModel,
    source: Source,
    result: Result,
    data: np.ndarray,
    title: str,
    *,
    colormap: str,
    limits: tuple[float, float],
) -> Image:
    layer = Image(
        data.mean(-1) if source.rgb else data, name=f"{source.name} · {title}", colormap=colormap, contrast_limits=limits,
        metadata={"lotadenoise": result.recipe.to_dict()}, **source.geometry,
    )  # fmt: skip
    return viewer.add_layer(layer)
