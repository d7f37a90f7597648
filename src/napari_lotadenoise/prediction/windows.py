"""Denoising of one window of a stack, from intensities to intensities."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.stack import Stack, Window
from napari_lotadenoise.prediction.ensembles import PassAverage
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import Tile, read_tile


def tile_at(predictor: Predictor, stack: Stack, group: int, sample: int, window: Window) -> Tile:
    """Read a window with the surroundings that its prediction depends on."""
    return read_tile(stack, predictor.geometry, predictor.scale, predictor.device, group, sample, window)


def averages(predictor: Predictor, tile: Tile) -> Iterator[PassAverage]:
    """Denoise a tile pass by pass, returning the average so far after each."""
    average = PassAverage()
    for output in predictor.outputs(tile):
        average.add(output)
        yield average


def intensities(predictor: Predictor, tile: Tile, average: PassAverage) -> tuple[np.ndarray, np.ndarray]:
    """Return the denoised window of a tile and the deviation of its passes, both (C, [Z], Y, X) in intensities.

    Raises
    ------
    ImageError
        Where they are not finite.
    """
    clean = average.mean[tile.place].cpu().numpy()
    if not np.isfinite(clean).all():
        raise ImageError("The network's output is not finite; lower the rate or choose precision float32.")
    spread = average.deviation[tile.place].cpu().numpy()
    return predictor.scale.inverse(clean), predictor.scale.stretch(spread, clean)


def denoised(predictor: Predictor, stack: Stack, group: int, sample: int, window: Window) -> np.ndarray:
    """Denoise a window (C, [Z], Y, X)."""
    tile = tile_at(predictor, stack, group, sample, window)
    *_, average = averages(predictor, tile)
    return intensities(predictor, tile, average)[0]
