"""Gaussian blur with its width calibrated on the image itself: the bar that every other method has to clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_lotadenoise.contract.capabilities import Cost
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._calibrated import CalibratedByHiding, scan_presets

WIDTHS = (0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0, 4.2, 6.0)
#: Standard deviations after which the kernel is cut off.
CUT = 3.0


@dataclass(frozen=True)
class Gaussian(CalibratedByHiding):
    """Convolution with a Gaussian kernel exp(-r^2 / (2 width^2)) (scipy) with J-invariant calibration.

    The only method here that knows nothing of edges. Every pixel is computed from the others, the mean of its
    neighbours in its place, so that even the smallest width smooths over 3 x 3 pixels; `inference` single does not.
    """

    id: ClassVar = "gaussian"
    info: ClassVar = Info(
        title="Gaussian blur",
        idea="Averages the neighbourhood; the width is calibrated on the image itself.",
        assumes="content that is smoother than the noise; independent noise for the calibration",
        fails="on edges and fine structures (they are blurred); the calibration on correlated noise (too narrow)",
        source="Batson & Royer, ICML 2019 (calibration); scipy",
        url="https://docs.scipy.org/doc/scipy/reference/generated/scipy.ndimage.gaussian_filter.html",
    )
    presets: ClassVar = scan_presets(WIDTHS, {"grids": 16}, {"grids": 16})
    trial_values: ClassVar = WIDTHS
    calibrates: ClassVar = "width"
    cost: ClassVar = Cost(
        step=0.027, predict=0.018, start=0.1, volume=1.0, volume_predict=1.2, numpy=True, each_channel=True, nominal=0.6
    )

    width: float = knob(
        0.0, "Standard deviation of the kernel; 0 calibrates it on the image.", ge=0, le=50, step=0.1, unit="px"
    )
    depth: float = knob(
        0.5, "Width along z of a volume as a share of the width in the plane; 0 filters each plane by itself.",
        ge=0, le=2, step=0.1,
    )  # fmt: skip

    @property
    def reach(self) -> int:
        """Return half the kernel at the largest width that may be tried."""
        return _radius(self._widest)

    @property
    def depth_reach(self) -> int:
        """Return half the kernel along z."""
        return _radius(self._widest * self.depth)

    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Return the Gaussian blur along every axis but that of the channels."""
        from scipy import ndimage

        widths = (0.0, *(value * self.depth,) * (image.ndim - 3), value, value)
        return ndimage.gaussian_filter(image, widths, truncate=CUT)

    @property
    def _widest(self) -> float:
        return self.width or max(WIDTHS)


def _radius(width: float) -> int:
    """Return the pixels on each side of the kernel, as scipy has them."""
    return int(CUT * width + 0.5)
