"""Estimators of the noise deviation from one plane: several side by side, since each is wrong in its own way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

#: From a median absolute value to the deviation of a normal distribution.
_MAD = 0.6744897501960817
#: Difference of two Laplacians (Immerkaer 1996), of unit gain for the deviation of white noise.
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32) / 6


def wavelet_sigma(plane: np.ndarray) -> float:
    """Return the noise deviation from the median absolute finest diagonal wavelet coefficient (Donoho & Johnstone 1994, db2).

    Sees the noise of the darker half of the pixels where noise depends on the signal; blind to correlated noise.
    """
    import pywt

    detail = pywt.dwt2(np.asarray(plane, dtype=np.float32), "db2")[1][2]
    return float(np.median(np.abs(detail)) / _MAD)


def laplacian_sigma(plane: np.ndarray) -> float:
    """Return the noise deviation from the mean absolute response to a difference of Laplacians (Immerkaer 1996).

    sqrt(pi / 2) * mean|y * K|; counts fine texture as noise.
    """
    return float(np.sqrt(np.pi / 2) * np.abs(high_pass(plane)).mean())


def robust_laplacian_sigma(plane: np.ndarray) -> float:
    """Return the noise deviation as `laplacian_sigma`, by the median: texture in less than half of the pixels is passed over."""
    return float(np.median(np.abs(high_pass(plane))) / _MAD)


def patch_sigma(plane: np.ndarray, side: int = 8, stride: int = 3) -> float:
    """Return the noise deviation from the small eigenvalues of the covariance of patches (Chen, Zhu & Heng, ICCV 2015).

    The largest eigenvalues are dropped until the mean of the rest equals their median. Sees the average noise where it
    depends on the signal.
    """
    side = min(side, *plane.shape)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(plane, dtype=np.float32), (side, side))
    patches = windows[::stride, ::stride].reshape(-1, side * side)
    if len(patches) < 2:
        return robust_laplacian_sigma(plane)
    values = np.linalg.eigvalsh(np.cov(patches, rowvar=False))
    for count in range(len(values), 1, -1):
        kept = values[:count]
        if kept.mean() <= np.median(kept):
            break
    return float(np.sqrt(max(kept.mean(), 0.0)))


ESTIMATORS: dict[str, Callable[[np.ndarray], float]] = {
    "wavelet": wavelet_sigma,
    "laplacian": laplacian_sigma,
    "robust laplacian": robust_laplacian_sigma,
    "patches": patch_sigma,
}


def typical_sigma(images: np.ndarray, estimator: Callable[[np.ndarray], float] = robust_laplacian_sigma) -> float:
    """Return the noise deviation of images (N, C, [Z], Y, X).

    The median over at most 16 planes of each channel, the mean over channels.
    """
    planes = np.moveaxis(images, 1, 0).reshape(images.shape[1], -1, *images.shape[-2:])
    spread = np.unique(np.linspace(0, planes.shape[1] - 1, 16).astype(int))
    return float(np.mean([np.median([estimator(plane) for plane in channel[spread]]) for channel in planes]))


def high_pass(plane: np.ndarray) -> np.ndarray:
    """Return the difference of Laplacians of a plane, in which white noise keeps its deviation; its rim is left out."""
    divergence = ndimage.convolve(np.asarray(plane, dtype=np.float32), _IMMERKAER, mode="reflect")
    return divergence[1:-1, 1:-1] if min(plane.shape) > 2 else divergence
