"""Non-local means with its strength calibrated on the image itself; nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_lotadenoise.lazy import nets, ops, torch
from napari_lotadenoise.method import Info, Method, Moment, Preset, Terms, Training
from napari_lotadenoise.params import knob

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Candidate strengths h in units of the noise deviation. The Noise2Self notebook scans 0.5 to 1.9; where noise depends
#: on the signal the deviation is that of the dark pixels, and the best strength is several times as large.
STRENGTHS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2, 4.2)
#: One pixel in GRID x GRID is hidden at a time.
GRID = 4


@dataclass(frozen=True)
class NLM(Method):
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
    presets: ClassVar = {
        name: Preset(
            Training(
                steps=len(STRENGTHS), crop=128, crop_depth=4, batch=2, augment=False, average=0, holdout=0,
                schedule="constant", precision="float32",
            ),
            parameters,
        )
        for name, parameters in {"fast": {}, "paper": {"grids": 16}}.items()
    }  # fmt: skip
    trained: ClassVar = False
    cost: ClassVar = (2.0, 16.0)

    strength: float = knob(
        0.0, "Filter strength h in units of the noise deviation; 0 calibrates it on the image.", ge=0, le=20, step=0.1
    )
    patch: int = knob(5, "Side of the patches that are compared.", ge=3, le=15, step=2, unit="px")
    distance: int = knob(6, "Farthest patch that is compared.", ge=1, le=30, step=1, unit="px")
    grids: int = knob(
        2, "Pixel grids that each strength is judged on; 16 judges it on every pixel.", ge=1, le=16, step=1
    )

    inference: str = knob(
        "j-invariant",
        "The calibrated filter, in which no pixel is computed from itself (16 passes), or the plain filter (one pass).",
        choices=("j-invariant", "single"),
    )

    def network(self, channels: int, ndim: int) -> Network:
        """There is none."""
        return nets.Unchanged()

    def prepare(self, pool: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise of each channel, and look for the best strength among a fixed set of crops."""
        from napari_lotadenoise.noise import wavelet_sigma

        planes = pool.movedim(1, 0).flatten(1, -3).cpu().numpy()
        sigma = float(np.mean([np.median([wavelet_sigma(plane) for plane in channel[:16]]) for channel in planes]))
        return SimpleNamespace(sigma=sigma, loss=float("inf"), strength=self.strength or STRENGTHS[0])

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, moment: Moment) -> Terms:
        """Judge the next strength."""
        strength = self.strength or STRENGTHS[moment.step % len(STRENGTHS)]
        loss = self._invariant_loss(crops, strength, state.sigma)
        return Terms(
            {"hidden pixels": loss},
            values={"sigma": torch.tensor(state.sigma), "strength": torch.tensor(strength)},
            stage="calibrating the strength",
        )

    def settle(self, terms: Terms, state: SimpleNamespace) -> None:
        """Keep the best strength so far."""
        loss = float(terms.losses["hidden pixels"])
        if loss < state.loss:
            state.loss, state.strength = loss, float(terms.values["strength"])

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Filter with the best strength."""
        if self.inference == "single":
            return self._filter(image, state.strength, state.sigma)
        labels = ops.grid_labels(image, GRID)
        return ops.j_invariant(lambda hidden: self._filter(hidden, state.strength, state.sigma), image, labels, GRID**2)

    def halo(self, net: Network) -> int:
        """The farthest patch, its half-width, and the neighbour that fills its farthest pixel."""
        return self.distance + self.patch // 2 + 1

    def _invariant_loss(self, crops: Tensor, strength: float, sigma: float) -> Tensor:
        labels = ops.grid_labels(crops, GRID)
        phases = (grid * GRID**2 // self.grids for grid in range(self.grids))
        errors = [
            ops.hidden_error(lambda hidden: self._filter(hidden, strength, sigma), crops, labels == p) for p in phases
        ]
        return torch.stack(errors).mean()

    def _filter(self, image: Tensor, strength: float, sigma: float) -> Tensor:
        from skimage.restoration import denoise_nl_means

        def smooth(sample: np.ndarray) -> np.ndarray:
            # One channel goes in without its axis: scikit-image 0.26 takes an axis of length one for space.
            single = len(sample) == 1
            return denoise_nl_means(
                sample[0] if single else sample, patch_size=self.patch, patch_distance=self.distance,
                h=strength * sigma, sigma=sigma, fast_mode=True, channel_axis=None if single else 0,
            )  # fmt: skip

        return ops.through_numpy(image, smooth)
