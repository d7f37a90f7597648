"""BM3D by its authors' package, where that is installed."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements, Tiling
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._noise_aware import NoiseAware

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Reach of one of the two stages: blocks of 8 within 39 pixels.
HALO = 32


@dataclass(frozen=True)
class BM3D(NoiseAware):
    """BM3D (Dabov, Foi, Katkovnik & Egiazarian, IEEE TIP 2007) by the package `bm3d` of Tampere University.

    Nothing of the algorithm is here: images are handed over with noise of deviation 1, after the generalised Anscombe
    transform where the noise depends on the signal, colours as principal components of which the first is matched.
    The package lays its grid of blocks where a tile begins, so that tiles agree to about a tenth of the noise that is
    left, but not exactly.
    """

    id: ClassVar = "bm3d"
    requires: ClassVar = Requirements(package="bm3d")
    info: ClassVar = Info(
        title="BM3D",
        idea="Shrinks the transform of stacks of blocks that look alike; by its authors' package, not for commercial use.",
        assumes="noise that is independent between pixels and about normal; content that repeats itself within 39 pixels",
        fails="on correlated noise (it is kept), on wrong noise levels; the package's licence forbids commercial use",
        source="Dabov, Foi, Katkovnik & Egiazarian, Image Denoising by Sparse 3-D Transform-Domain Collaborative "
        "Filtering, IEEE TIP 2007",
        url="https://webpages.tuni.fi/foi/GCF-BM3D/",
        dimensions=(2,),
    )
    tiling: ClassVar = Tiling(smallest=256)
    cost: ClassVar = Cost(step=0.0, predict=70.0, start=0.2, prepare=0.3, numpy=True, each_channel=True, nominal=90.0)

    profile: str = knob(
        "np",
        "Settings of the package: the normal profile, the same with a second pass, or one for very strong noise.",
        choices=("np", "refilter", "vn"),
    )

    @property
    def footprint(self) -> Footprint:
        """Describe what it sees around a tile."""
        return Footprint(halo=HALO)

    def network(self, channels: int, ndim: int) -> Network:
        """Return a stand-in for a network, with the reach of one of the two stages."""
        net = nets.Unchanged()
        net.halo = HALO
        return net

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep the normalisation."""
        return SimpleNamespace(whitening=state.whitening)

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Denoise the normalised image by the package."""
        white = torch.stack([state.whitening.forward(sample) for sample in image.float()])
        clean = ops.through_numpy(white, self._filtered)
        return torch.stack([state.whitening.inverse(sample) for sample in clean])

    def _filtered(self, image: np.ndarray) -> np.ndarray:
        from bm3d import bm3d

        # Channels are last there; a plane comes back as a plane.
        filtered = bm3d(np.moveaxis(image, 0, -1).astype(np.float64), 1.0, self.profile)
        return np.moveaxis(np.asarray(filtered).reshape(*image.shape[1:], len(image)), -1, 0)
