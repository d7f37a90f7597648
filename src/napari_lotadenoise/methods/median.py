"""Median of the surroundings, the pixel itself left out, with its radius calibrated on the image itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_lotadenoise.contract.capabilities import Cost
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._calibrated import Calibrated, scan_presets

RADII = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Median(Calibrated):
    """Donut median (Batson & Royer 2019, section 3): the median of a disk or ball of some radius without its centre.

    No pixel is computed from itself, so that the filter is judged on every pixel in one pass, and applied as it is.
    A donut holds an even number of pixels: the two in the middle are averaged, since the upper one alone is too bright.
    """

    id: ClassVar = "median"
    info: ClassVar = Info(
        title="Median",
        idea="Takes the median of the surroundings, never the pixel itself; the radius is calibrated on the image.",
        assumes="noise that is independent between pixels, symmetric or with outliers; content larger than the radius",
        fails="on thin lines and puncta (they vanish), on faint photon counts (the median is not the mean)",
        source="Batson & Royer, ICML 2019 (scipy)",
        url="https://arxiv.org/abs/1901.11365",
    )
    presets: ClassVar = scan_presets(RADII, {}, {}, crop=0, crop_depth=0, batch=1)
    trial_values: ClassVar = RADII
    calibrates: ClassVar = "radius"
    cost: ClassVar = Cost(
        step=1.4, predict=0.35, start=0.1, volume=2.2, volume_predict=0.5, numpy=True, each_channel=True, nominal=3.0
    )

    radius: int = knob(
        0, "Radius of the disk or ball; 0 calibrates it on the image, from 1 to 6.", ge=0, le=20, step=1, unit="px"
    )
    shape: str = knob("ball", "In volumes: a ball, or a disk in each plane by itself.", choices=("ball", "disk"))

    @property
    def reach(self) -> int:
        """Return the largest radius that may be tried."""
        return self.radius or max(RADII)

    @property
    def depth_reach(self) -> int:
        """Return the same, or nothing for a disk."""
        return self.reach if self.shape == "ball" else 0

    @property
    def step_runs(self) -> float:
        """Return how large a given disk is, compared with the mean of those that are tried."""
        return self.radius**2 * len(RADII) / sum(radius**2 for radius in RADII) if self.radius else 1.0

    @property
    def predict_runs(self) -> float:
        """Return how large the disk is, compared with one of radius 2, which is what is mostly found."""
        return (self.radius or 2) ** 2 / 4

    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Return the median over the donut."""
        from scipy import ndimage

        donut = self._donut(round(value), image.ndim)
        middle = int(donut.sum()) // 2
        low, high = (ndimage.rank_filter(image, rank, footprint=donut) for rank in (middle - 1, middle))
        return (low + high) / 2

    def _donut(self, radius: int, ndim: int) -> np.ndarray:
        """Return the mask of the pixels within the radius of one, without it.

        Of one channel, and of one plane where it is a disk.
        """
        depth = radius if ndim == 4 and self.shape == "ball" else 0
        sides = (0,) * (ndim - 3) if depth == 0 else (depth,)
        z = np.array(np.meshgrid(*(np.arange(-n, n + 1) for n in (0, *sides, radius, radius)), indexing="ij"))
        distance = (z**2).sum(0)
        return (distance > 0) & (distance <= radius**2)
