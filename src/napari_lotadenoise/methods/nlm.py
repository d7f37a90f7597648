"""Non-local means with its strength calibrated on the image itself; nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_lotadenoise.contract.capabilities import Cost, Requirements
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._calibrated import CalibratedByHiding, scan_presets

#: Candidate strengths h in units of the noise deviation. The Noise2Self notebook scans 0.5 to 1.9; where noise depends
#: on the signal the deviation is that of the dark pixels, and the best strength is several times as large.
STRENGTHS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2, 4.2)


@dataclass(frozen=True)
class NLM(CalibratedByHiding):
    """Non-local means (Buades et al. 2005, scikit-image) with J-invariant calibration (Batson & Royer 2019, section 3).

    Every step tries one strength h: a grid of pixels is replaced by the mean of its neighbours, the filter predicts
    them, and the squared difference from their noisy values ranks the strengths without a clean image. The best one is
    then applied in the same way, once for each grid, so that the filter that is used is the one that was judged.
    """

    id: ClassVar = "nlm"
    info: ClassVar = Info(
        title="Non-local means",
        idea="Averages pixels whose surroundings look alike; the strength is calibrated on the image itself.",
        assumes="noise that is independent between pixels, of about the same strength everywhere; repetitive content",
        fails="where the noise depends on the signal (bright parts stay noisy), on correlated noise (too little is removed)",
        source="Buades, Coll & Morel, CVPR 2005 (scikit-image); calibration: Batson & Royer, ICML 2019",
        url="https://scikit-image.org/docs/stable/api/skimage.restoration.html#skimage.restoration.denoise_nl_means",
        dimensions=(2,),  # thousands of patches a voxel in 3-D: hours where a network takes seconds
    )
    presets: ClassVar = scan_presets(STRENGTHS, {}, {"grids": 16})
    trial_values: ClassVar = STRENGTHS
    requires: ClassVar = Requirements(constant_noise=True)
    cost: ClassVar = Cost(step=1.07, predict=1.05, start=0.1, numpy=True, each_channel=True, nominal=16.0)

    strength: float = knob(
        0.0, "Filter strength h in units of the noise deviation; 0 calibrates it on the image.", ge=0, le=20, step=0.1
    )
    patch: int = knob(5, "Side of the patches that are compared.", ge=3, le=15, step=2, unit="px")
    distance: int = knob(6, "Farthest patch that is compared.", ge=1, le=30, step=1, unit="px")

    @property
    def reach(self) -> int:
        """Return the farthest patch, and its half-width."""
        return self.distance + self.patch // 2

    @property
    def expected_cost(self) -> Cost:
        """Return the cost, which grows with the number of patches that are compared, whatever their size."""
        share = ((2 * self.distance + 1) / (2 * NLM.distance + 1)) ** 2
        return super().expected_cost.times(share, share)

    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Return the non-local means; patches are compared in all channels together."""
        from skimage.restoration import denoise_nl_means

        # One channel goes in without its axis: scikit-image 0.26 takes an axis of length one for space.
        single = len(image) == 1
        return denoise_nl_means(
            image[0] if single else image, patch_size=self.patch, patch_distance=self.distance, h=value * sigma,
            sigma=sigma, fast_mode=True, channel_axis=None if single else 0,
        )  # fmt: skip
