"""Total variation with its strength calibrated on the image itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_lotadenoise.contract.capabilities import Cost
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._calibrated import CalibratedByHiding, scan_presets

#: Candidate weights in units of the noise deviation; the large ones are for noise that depends on the signal.
STRENGTHS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0)


@dataclass(frozen=True)
class TotalVariation(CalibratedByHiding):
    """Total variation (Rudin, Osher & Fatemi 1992; scikit-image) with J-invariant calibration (Batson & Royer 2019).

    Minimises 1/2 sum (u - y)^2 + weight * sum |grad u| by the dual iteration of Chambolle (2004). The number of
    iterations is fixed, where scikit-image stops by the change of the whole image: one iteration looks one pixel
    further, so that a tile with that margin gives what the whole image gives.
    """

    id: ClassVar = "tv"
    info: ClassVar = Info(
        title="Total variation",
        idea="Finds the image with the least total gradient close to the noisy one; calibrated on the image itself.",
        assumes="noise that is independent between pixels; content of even regions with sharp borders",
        fails="on texture and gentle slopes (steps appear), on correlated noise (too little is removed)",
        source="Chambolle, JMIV 2004 (scikit-image); calibration: Batson & Royer, ICML 2019",
        url="https://scikit-image.org/docs/stable/api/skimage.restoration.html"
        "#skimage.restoration.denoise_tv_chambolle",
    )
    presets: ClassVar = scan_presets(STRENGTHS, {"grids": 4}, {"grids": 16, "iterations": 100})
    trial_values: ClassVar = STRENGTHS
    cost: ClassVar = Cost(
        step=0.25, predict=0.21, start=0.1, volume=1.0, volume_predict=1.25, numpy=True, each_channel=True, nominal=5.0
    )

    strength: float = knob(
        0.0, "Weight in units of the noise deviation; 0 calibrates it on the image.", ge=0, le=50, step=0.1
    )
    iterations: int = knob(40, "Iterations of the minimisation; each looks one pixel further.", ge=5, le=500, step=5)

    @property
    def reach(self) -> int:
        """Return one pixel an iteration, and one for the last divergence."""
        return self.iterations + 1

    @property
    def expected_cost(self) -> Cost:
        """Return the cost, which grows with the iterations."""
        share = self.iterations / TotalVariation.iterations
        return super().expected_cost.times(share, share)

    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Return the total variation of each channel."""
        from skimage.restoration import denoise_tv_chambolle

        return np.stack(
            [
                denoise_tv_chambolle(channel, weight=value * sigma, eps=0, max_num_iter=self.iterations)
                for channel in image
            ]
        )
