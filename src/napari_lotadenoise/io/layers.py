"""napari's own Save: an image layer goes into a file with its calibration and its recipe. Imports no napari."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.io import tiff
from napari_lotadenoise.io.calibration import Calibration
from napari_lotadenoise.io.picture import Picture
from napari_lotadenoise.recipe import Recipe

#: Letters of axes by the labels that layers have.
_LABELS = {"time": "T", "frame": "T", "channel": "C", "depth": "Z", "plane": "Z", "slice": "Z", "position": "P"}


def write_layer(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write an image layer as TIFF, OME-TIFF by the ending ``.ome.tif``; napari has asked before a file is replaced.

    Parameters
    ----------
    path : str
    data : array
    meta : mapping
        What napari tells of a layer: ``scale``, ``units``, ``translate``, ``axis_labels``, ``rgb``, ``metadata``.

    Returns
    -------
    list of str
        The file that was written, or none.
    """
    recipe = _recipe(meta)
    axes = _axes(data.ndim, meta, recipe)
    tiff.write(path, Picture.of(np.asarray(data), axes, _calibration(axes, meta)), recipe, overwrite=True)
    return [path]


def _recipe(meta: Mapping[str, Any]) -> Recipe | None:
    try:
        return Recipe.from_json(json.dumps(meta.get("metadata", {}).get("lotadenoise")))
    except (LotaDenoiseError, TypeError, ValueError):  # a layer that no run has made
        return None


def _axes(ndim: int, meta: Mapping[str, Any], recipe: Recipe | None) -> str:
    """Return the axes of a layer: those of its recipe, or by its labels, else the usual ones."""
    colours = "S" if meta.get("rgb") else ""
    if recipe is not None and len(recipe.axes) == ndim:
        return recipe.axes
    leading = ndim - 2 - len(colours)
    usual = "PTCZ"[-leading:] if leading > 2 else "TZ"[-leading:] if leading else ""
    labels = [str(one).lower() for one in meta.get("axis_labels", ())][:leading]
    letters = [_LABELS.get(one, one.upper() if one.upper() in ("T", "C", "Z", "P") else "") for one in labels]
    told = "".join(letters)
    fits = len(told) == leading == len(set(told))
    return (told if fits else usual) + "YX" + colours


def _calibration(axes: str, meta: Mapping[str, Any]) -> Calibration:
    spatial = [axis for axis in axes if axis != "S"]
    sizes, units = meta.get("scale", ()), meta.get("units") or ()
    names = dict(zip(spatial, (str(unit) for unit in units), strict=False))
    known = {axis: unit for axis, unit in names.items() if unit != "pixel"}
    told = {axis: float(size) for axis, size in zip(spatial, sizes, strict=False) if axis in "TZYX" and axis in known}
    return Calibration.of(told, known)
