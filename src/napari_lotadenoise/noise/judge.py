"""Second opinion on correlated noise: the shipped network tells it from texture, which is correlated as well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from napari_lotadenoise.noise.correlation import SIDE as BLOCK, autocorrelation_of, smooth_step, uncorrelated
from napari_lotadenoise.noise.variance import VarianceFit

#: Side of the windows that are looked at, and most of them.
WINDOW, WINDOWS = 128, 4
#: Passes over the windows, each with the level that the one before has found.
ROUNDS = 4
#: Deviation of what is removed, in units of the level that is told, where that is right; the level follows the ratio, within
#: bounds.
REMOVED, LOWEST, HIGHEST = 0.9, 0.25, 1.15
#: Deviation of what is removed in the last pass, in units of the level, up to which the level finds no end, as on images without
#: noise, and from which it has found it.
ENDLESS, FOUND = 0.4, 0.65
#: Level that is found, in units of the one that was told, up to which there was no such noise, and from which there was.
NOTHING, SOMETHING = 0.08, 0.2
#: Lag-1 correlation of what is removed up to which it was white noise or texture, and from which it is correlated noise.
WHITE, COLOURED = 0.08, 0.25


class Opinion(NamedTuple):
    """What the network makes of noise that blocks call correlated.

    Attributes
    ----------
    level : float
        Deviation of the noise in units of the one that was told.
    believed : float
        Share of the correlation that is one of noise, 0 to 1.
    correlation : array (LAGS + 1, LAGS + 1)
        Autocorrelation of what is removed.
    """

    level: float
    believed: float
    correlation: np.ndarray


def opinion(planes: Sequence[np.ndarray], fit: VarianceFit) -> Opinion:
    """Ask the network for coloured noise what of some planes (Y, X) is noise.

    Told a level that is too high, it removes less than that, and texture is not what it removes. So the level is lowered
    (or raised) to what is removed, four times. On images without noise that finds no end; elsewhere the correlation of what is
    removed in the end is that of the noise.

    Parameters
    ----------
    planes : sequence of arrays (Y, X)
    fit : VarianceFit
        Their noise by the flattest blocks.
    """
    windows = [window for plane in planes for window in _windows(plane)]
    windows = [windows[index] for index in np.unique(np.linspace(0, len(windows) - 1, WINDOWS).astype(int))]
    stabilised = np.stack([_stabilised(window, fit) for window in windows])
    level, deviation, correlation = 1.0, 1.0, uncorrelated().values
    for _ in range(ROUNDS):
        deviation, correlation = _removed(stabilised / level)
        if deviation == 0:
            return Opinion(1.0, 0.0, correlation)
        level *= min(max(deviation / REMOVED, LOWEST), HIGHEST)
    lag_one = max(correlation[1, 0], correlation[0, 1])
    found = smooth_step((deviation - ENDLESS) / (FOUND - ENDLESS))
    found *= smooth_step((level - NOTHING) / (SOMETHING - NOTHING))
    return Opinion(level, found * smooth_step((lag_one - WHITE) / (COLOURED - WHITE)), correlation)


def _windows(plane: np.ndarray) -> list[np.ndarray]:
    """Cut windows at the quarters of a plane, or take all of a small one."""
    parts = []
    for size in plane.shape:
        side = min(WINDOW, size // BLOCK * BLOCK)
        starts = {max(0, min(size - side, middle - side // 2)) for middle in (size // 4, 3 * size // 4)}
        parts.append([slice(start, start + side) for start in sorted(starts)])
    return [np.asarray(plane[rows, columns], dtype=np.float32) for rows in parts[0] for columns in parts[1]]


def _stabilised(window: np.ndarray, fit: VarianceFit) -> np.ndarray:
    """Bring a window to noise of deviation 1 and mean 0."""
    if fit.signal_dependent:
        flat = 2 / fit.gain * np.sqrt(np.maximum(fit.gain * window + fit.offset, fit.floor))
    else:
        flat = window / math.sqrt(float(fit.typical_variance(np.zeros(1))[0]))
    return np.asarray(flat - flat.mean(), dtype=np.float32)


def _removed(windows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the median deviation in blocks of what the network removes from windows (N, Y, X), and its autocorrelation."""
    import torch

    from napari_lotadenoise.compute.process_settings import fast_bfloat16
    from napari_lotadenoise.nets import shipped

    net = shipped.load("coloured")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast_bfloat16()):
        noise = net(torch.from_numpy(windows)[:, None]).float().numpy()[:, 0]
    rows, columns = (n // BLOCK for n in noise.shape[1:])
    blocks = noise.reshape(-1, rows, BLOCK, columns, BLOCK).swapaxes(2, 3).reshape(-1, BLOCK, BLOCK)
    blocks = blocks - blocks.mean((1, 2), keepdims=True)
    variances = blocks.var((1, 2))
    telling = variances > 1e-6
    if not telling.any():
        return 0.0, uncorrelated().values
    return float(np.sqrt(np.median(variances))), autocorrelation_of(
        blocks[telling] / np.sqrt(variances[telling])[:, None, None]
    )
