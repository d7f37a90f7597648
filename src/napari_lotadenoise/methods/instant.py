"""Instant: one pass through a small network that has learnt from other images; nothing is learnt from this one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._noise_aware import NoiseAware, one_step
from napari_lotadenoise.nets import footprints, shipped

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.pretrained.denoiser import ShippedDenoiser


@dataclass(frozen=True)
class Instant(NoiseAware):
    """A U-Net with shipped weights (`docs/instant.md`), behind a blind fit of the noise.

    The image is brought to noise of deviation 1, by the generalised Anscombe transform where the noise depends on the
    signal, so that the network needs to know one noise only. What it takes from a pixel is at most five deviations of the
    noise there: an image in which no noise is measured passes through, whatever the network thinks.

    Noise that is correlated between pixels goes through a network of its own, trained on such noise; where little of it is
    correlated, the two results are mixed.

    Channels that are denoised together, such as colours, are turned into their principal components, which go through the
    network one by one. Volumes are seen through five neighbouring planes at a time.
    """

    id: ClassVar = "instant"
    info: ClassVar = Info(
        title=shipped.TITLE,
        idea="One pass through a small network that was trained on other images: drawings and photographs.",
        assumes="noise that is about normal or Poisson, independent or correlated over a few pixels; a fair estimate of its "
        "strength",
        fails="on content unlike its training images (fine detail may be lost or invented), on speckle and stripes",
        source="this project's own weights: a blind residual U-Net, see the model card in docs/instant.md; after Zhang et "
        "al., DRUNet, IEEE TPAMI 2022",
        url="https://arxiv.org/abs/2008.13751",
    )
    presets: ClassVar = {
        "fast": one_step({}, precision="auto"),
        "paper": one_step({"noise": "constant"}, precision="float32"),
    }
    requires: ClassVar = Requirements(independent_noise=False)
    tiling: ClassVar = shipped.TILING
    cost: ClassVar = shipped.COST

    level: float = knob(
        1.0, "Noise that is removed, as a multiple of the noise that was measured (or told).", ge=0.25, le=4, step=0.05
    )
    self_ensemble: bool = knob(False, "Average the results for the eight flips and rotations of the image.")

    @property
    def footprint(self) -> Footprint:
        """Describe the shipped network."""
        return footprints.INSTANT

    @property
    def expected_cost(self) -> Cost:
        """Return the cost; an ensemble takes eight passes."""
        return self.cost.times(1.0, 8.0 if self.self_ensemble else 1.0)

    def network_passes(self, predictable: float | None) -> float:
        """Return 2 for noise that is slightly correlated, for which two networks are mixed; before it is measured, the middle."""
        if predictable is None:
            return math.sqrt(2.0)
        return 2.0 if 0 < shipped.coloured_weight(predictable) < 1 else 1.0

    def weights(self, ndim: int) -> str:
        """Name the file that takes part."""
        return shipped.words_for(ndim)

    def more_weights(self, state: ShippedDenoiser) -> str:
        """Name the file for coloured noise, where it takes part."""
        return shipped.SHIPPED["coloured"].words if state.coloured else ""

    def network(self, channels: int, ndim: int) -> Network:
        """Load the shipped network for such images."""
        return shipped.load(shipped.kind_for(ndim))

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> ShippedDenoiser:
        """Measure the noise, corrected by the network."""
        from napari_lotadenoise.pretrained.denoiser import ShippedDenoiser

        dependent = self.noise == "signal-dependent"
        return ShippedDenoiser(
            training_images, unit=unit, sigma=self.sigma, signal_dependent=dependent, level=self.level
        )

    def predict(self, net: Network, image: Tensor, state: ShippedDenoiser) -> Tensor:
        """Denoise in one pass, or as the mean of eight."""
        return state.denoise(net, image, ensemble=self.self_ensemble)
