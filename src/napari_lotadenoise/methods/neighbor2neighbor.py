"""Neighbor2Neighbor: one random pixel of each cell is learnt from a neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints
from napari_lotadenoise.ops import pair_samplers

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class Neighbor2Neighbor(Method):
    """Neighbor2Neighbor (Huang et al., CVPR 2021).

    From each 2 x 2 cell of the noisy image y two pixels that share an edge are drawn, one for the sub-image g1, one for
    g2. With f the network the loss is (eq. 10 to 12)

        |f(g1 y) - g2 y|^2  +  gamma |f(g1 y) - g2 y - (g1 f(y) - g2 f(y))|^2,

    in which f(y) has no gradient. The second term takes off what both sub-images differ in beside their noise; its
    weight rises in proportion to the steps done. In volumes pairs are drawn in the plane.
    """

    id: ClassVar = "neighbor2neighbor"
    info: ClassVar = Info(
        title="Neighbor2Neighbor",
        idea="Learns one random pixel of every 2 x 2 cell from a pixel beside it, corrected for what the image differs there.",
        assumes="noise that is independent between neighbouring pixels and zero on average, of any distribution",
        fails="on correlated noise (it is kept), on single-pixel puncta (they are dimmed), on fine texture (it is smoothed)",
        source="Huang, Li, Jia, Lu & Liu, Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images, CVPR 2021",
        url="https://arxiv.org/abs/2101.02824",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=1200, rate=6e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 500, "batch": 1, "crop": 48, "crop_depth": 16},
        ),
        # The published rates and crops; 100 epochs on 44 000 images become 3000 steps on one.
        "paper": Preset(
            Training(
                steps=3000, rate=3e-4, schedule="halving", halve_every=600, crop=256, crop_depth=16, batch=4, average=0,
                scaling="range", precision="float32",
            ),
            {"architecture": "lehtinen", "width": 48, "levels": 5, "regulariser": 2.0},
        ),
    }  # fmt: skip
    tiling: ClassVar = Tiling(size_multiple=2)
    maps: ClassVar = {"pair a": "picture", "pair b": "picture", "difference": "signed"}
    cost: ClassVar = Cost(step=0.85, predict=0.63, volume=16.0, volume_predict=3.8, nominal=0.4)

    architecture: str = knob("unet", "Network: a small U-Net, or that of Noise2Noise.", choices=("unet", "lehtinen"))
    width: int = knob(16, "Channels of the first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=5, step=1)
    regulariser: float = knob(
        1.0,
        "Weight gamma of the second term at the end of the training, to which it rises from 0.",
        ge=0,
        le=20,
        step=0.5,
    )

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels)
        return footprints.lehtinen_unet(self.width, self.levels)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or that of Noise2Noise."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        return nets.LehtinenUNet(channels, ndim, width=self.width, levels=self.levels)

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the pair loss, and the regulariser with the weight of the moment."""
        places = pair_samplers.neighbour_places(crops, context.rng)
        a, b = pair_samplers.sampled(crops, places)
        with torch.no_grad():
            full_a, full_b = pair_samplers.sampled(net(crops).float(), places)
        error, difference = net(a).float() - b, full_a - full_b
        pair = error.square().mean()
        weight = self.regulariser * context.progress
        losses = {"pair": pair, "regulariser": weight * F.mse_loss(error, difference)}
        maps = {"pair a": a, "pair b": b, "difference": difference}
        return StepOutput(losses, maps, {"sigma": pair.detach().sqrt()})

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the pair loss on crops that were never trained on, with pairs that stay."""
        a, b = pair_samplers.sampled(
            crops, pair_samplers.neighbour_places(crops, torch.Generator(crops.device).manual_seed(0))
        )
        return F.mse_loss(net(a).float(), b)
