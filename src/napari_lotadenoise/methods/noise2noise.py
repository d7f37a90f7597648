"""Noise2Noise: each frame of a time series is learnt from its neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.contract.training import WarmTraining, warm_preset
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class Noise2Noise(Method):
    """Noise2Noise (Lehtinen et al., ICML 2018) between neighbours in time.

    Two frames a and b of one scene have noise of their own, so that

        1/2 [ |f(a) - b|^2 + |f(b) - a|^2 ]

    is the true error plus the noise variance, as if the clean image were known. Only the noise of different frames has to
    be independent, not that of different pixels.
    """

    id: ClassVar = "noise2noise"
    info: ClassVar = Info(
        title="Noise2Noise",
        idea="Learns each frame of a time series from the next one, whose noise is another.",
        assumes="two or more frames of one scene (axis T), with noise that is zero on average and independent in time; "
        "within a frame it may be correlated",
        fails="on what moves between two frames (it is blurred along its way), on patterns that stay (they are kept)",
        source="Lehtinen et al., Noise2Noise: Learning Image Restoration without Clean Data, ICML 2018",
        url="https://arxiv.org/abs/1803.04189",
    )
    presets: ClassVar = {
        "fast": Preset(
            WarmTraining(steps=1000, rate=4e-3, crop=64, batch=1, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 300, "crop": 40, "crop_depth": 16},
        ),
        # Their network, rate and batch; half a million steps over a training set, as many on one series as others need.
        "paper": Preset(
            WarmTraining(
                steps=20_000, rate=1e-3, schedule="constant", crop=256, crop_depth=8, batch=4, augment=False, average=0,
                scaling="range", precision="float32",
            ),
            {"architecture": "lehtinen", "width": 48, "levels": 5},
        ),
        "warm": warm_preset(),
    }  # fmt: skip
    requires: ClassVar = Requirements(independent_noise=False, repeats=True)
    cost: ClassVar = Cost(step=2.7, predict=0.67, volume=13.5, volume_predict=3.5, nominal=0.4)

    architecture: str = knob(
        "unet", "Network: a small U-Net, or the one of the authors.", choices=("unet", "lehtinen")
    )  # fmt: skip
    width: int = knob(16, "Channels of the first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=6, step=1)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels)
        return footprints.lehtinen_unet(self.width, self.levels)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or the U-Net of Noise2Noise."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        return nets.LehtinenUNet(channels, ndim, width=self.width, levels=self.levels)

    def arrange_samples(self, training_images: Tensor) -> Tensor:
        """Stack each frame with the next one, (N - 1, 2 C, [Z], Y, X), so that crops are cut from both alike."""
        return torch.cat([training_images[:-1], training_images[1:]], dim=1)

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the error of each frame predicted from the other."""
        loss = pair_error(net, crops)
        return StepOutput({"pair": loss}, values={"sigma": loss.detach().sqrt()})

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the same error on crops that were never trained on."""
        return pair_error(net, crops)


def pair_error(net: Network, pairs: Tensor) -> Tensor:
    """Return the mean squared error of both frames of pairs (N, 2 C, [Z], Y, X), each predicted from the other."""
    a, b = pairs.chunk(2, dim=1)
    return F.mse_loss(net(torch.cat([a, b])).float(), torch.cat([b, a]))
