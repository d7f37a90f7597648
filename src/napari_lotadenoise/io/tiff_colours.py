"""What the samples of a TIFF page mean: grey values, colours, entries of a palette, inks, opacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

#: Samples beside the colours that say how opaque a pixel is.
_OPACITY = (1, 2)


@dataclass(frozen=True)
class Samples:
    """Pixels of a series as what they mean.

    Attributes
    ----------
    data : array
        Without opacity; the colours of a palette are along the last axis.
    axes : str
    alpha : array or None
        Opacity, of the shape of `data` without S.
    min_is_white : bool
    colours : tuple of str
        "RRGGBB" of a palette that only tints grey values.
    """

    data: np.ndarray
    axes: str
    alpha: np.ndarray | None = None
    min_is_white: bool = False
    colours: tuple[str, ...] = ()


def samples_of(series: tifffile.TiffPageSeries, data: np.ndarray, axes: str, *, imagej: bool) -> Samples:
    """Return the pixels of a series as what they mean.

    Parameters
    ----------
    series : TiffPageSeries
    data : array
        Its pixels as they stand in the file.
    axes : str
    imagej : bool
        Whether ImageJ has written it, whose palettes only tint.

    Raises
    ------
    ValueError
        Where they are inks of a printer, which have no intensities.
    """
    page: Any = series.keyframe
    photometric = tifffile.PHOTOMETRIC(page.photometric)
    if photometric == tifffile.PHOTOMETRIC.SEPARATED:
        raise ValueError("its pixels are the inks of a printer (CMYK): save it with grey values or as RGB")
    if photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        return _through_palette(data, axes, np.asarray(page.colormap), imagej=imagej)
    if "S" in axes and any(kind in _OPACITY for kind in page.extrasamples):
        return _without_opacity(data, axes, page)
    return Samples(data, axes, min_is_white=photometric == tifffile.PHOTOMETRIC.MINISWHITE)


def has_more_than_intensities(series: tifffile.TiffPageSeries, *, imagej: bool) -> bool:
    """Tell whether a series has to be read to know its intensities: by a palette, or without its opacity."""
    page: Any = series.keyframe
    return page.photometric == tifffile.PHOTOMETRIC.SEPARATED or (
        page.photometric == tifffile.PHOTOMETRIC.PALETTE and not imagej
    ) or any(kind in _OPACITY for kind in page.extrasamples)  # fmt: skip


def _without_opacity(data: np.ndarray, axes: str, page: Any) -> Samples:
    at = axes.index("S")
    first = data.shape[at] - len(page.extrasamples)
    alpha = np.take(data, first, axis=at)
    if first == 1:
        return Samples(np.take(data, 0, axis=at), axes.replace("S", ""), alpha)
    return Samples(np.take(data, range(first), axis=at), axes, alpha)


def _through_palette(data: np.ndarray, axes: str, palette: np.ndarray, *, imagej: bool) -> Samples:
    """Return colours, or the entries themselves where the palette is a ramp from black to one colour."""
    table = palette[:, : int(data.max()) + 1 if data.size else 1]
    if imagej or _is_ramp(palette):
        last = "".join(f"{int(value) >> 8:02X}" for value in palette[:, -1])
        return Samples(data, axes, colours=() if last == "FFFFFF" else (last,))
    table = (palette >> 8).astype(np.uint8) if _has_eight_bits(palette) else palette
    if (table == table[:1]).all():
        return Samples(table[0][data], axes)
    return Samples(np.moveaxis(table[:, data], 0, -1), axes + "S")


def _is_ramp(palette: np.ndarray) -> bool:
    """Tell whether a palette gets steadily brighter in one colour, as those do that tint what was measured."""
    steps = np.diff(palette.astype(np.int64), axis=1)
    return bool((steps >= 0).all() and (steps.sum(0) > 0).all() and (palette[:, 0] == 0).all())


def _has_eight_bits(palette: np.ndarray) -> bool:
    """Tell whether a palette of 16 bits was made from 8, by whichever of the two usual ways."""
    high, low = palette >> 8, palette & 0xFF
    return bool((low == 0).all() or (low == high).all())
