"""Self2Self: learn on random halves of the pixels, with dropout, and average many stochastic passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import Chance

#: 150 000 steps on the full frame at 1e-4 (the authors' code).
REFERENCE = Training(
    steps=150_000, rate=1e-4, schedule="constant", crop=0, crop_depth=0, batch=1, augment=True, average=0, holdout=0,
    scaling="range", precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class Self2Self(Method):
    """Self2Self with dropout (Quan, Chen, Pang & Ji, CVPR 2020).

    A Bernoulli mask hides a share of the pixels from a U-Net of partial convolutions; the loss is the squared error on
    the hidden ones. Dropout in the decoder stays on for the result, the mean of many passes with new masks each.
    """

    id: ClassVar = "self2self"
    info: ClassVar = Info(
        title="Self2Self",
        idea="Predicts randomly hidden pixels with a network that drops parts of itself, and averages many such passes.",
        assumes="noise that is independent between pixels and zero on average, of any distribution",
        fails="on correlated noise (it is learnt), on single-pixel structures; it is the slowest of its kind",
        source="Quan, Chen, Pang & Ji, Self2Self With Dropout: Learning Self-Supervised Denoising From Single Image, "
        "CVPR 2020",
        url="https://openaccess.thecvf.com/content_CVPR_2020/html/"
        "Quan_Self2Self_With_Dropout_Learning_Self-Supervised_Denoising_From_Single_Image_CVPR_2020_paper.html",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=2500, rate=4e-3, crop=64, batch=1, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 400, "crop": 40, "crop_depth": 16},
        ),
        "paper": Preset(
            REFERENCE, {"width": 48, "levels": 5, "hidden": 0.3, "dropout": 0.3, "passes": 100, "early_skip": False}
        ),
    }
    maps: ClassVar = {"mask": "mask"}
    cost: ClassVar = Cost(step=2.2, predict=1.64, start=6.0, volume=14.0, volume_predict=3.6, nominal=2.0)

    width: int = knob(24, "Channels of the encoder; the decoder has twice as many.", ge=6, le=192, step=6)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=6, step=1)
    norm: str = knob("none", "Normalisation in the decoder.", choices=("batch", "none"))
    early_skip: bool = knob(
        True, "Hand the features of the first convolution to the last level, instead of the image itself."
    )
    hidden: float = knob(0.2, "Share of the pixels that are hidden.", ge=0.02, le=0.9, step=0.05)
    dropout: float = knob(0.1, "Share of the decoder's features that are dropped.", ge=0, le=0.9, step=0.05)
    passes: int = knob(16, "Stochastic passes that are averaged to the result.", ge=2, le=1000, step=10)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.lehtinen_unet(self.width, self.levels, early=self.early_skip)

    def network(self, channels: int, ndim: int) -> Network:
        """Build a U-Net with partial convolutions down and dropout up."""
        return nets.LehtinenUNet(
            channels, ndim, width=self.width, levels=self.levels, norm=self.norm, dropout=self.dropout,
            early=self.early_skip,
        )  # fmt: skip

    @property
    def stochastic_passes(self) -> int:
        """Return how many passes the result averages."""
        return self.passes

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the squared error on the hidden pixels (eq. 7)."""
        hidden = ops.bernoulli(crops.shape, self.hidden, context.rng).to(crops.dtype)
        loss = ops.masked_error(net(crops, 1 - hidden, rng=context.rng), crops, hidden)
        return StepOutput(
            {"hidden pixels": loss}, {"mask": hidden.amax(1, keepdim=True)}, {"sigma": loss.detach().sqrt()}
        )

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the error at hidden pixels of crops that were never trained on: the true error plus the noise variance."""
        rng = torch.Generator(crops.device).manual_seed(0)
        hidden = ops.bernoulli(crops.shape, self.hidden, rng).to(crops.dtype)
        return ops.masked_error(net(crops, 1 - hidden), crops, hidden)

    def sample(self, net: Network, image: Tensor, state: Any, rng: Chance) -> Tensor:
        """Denoise once with a mask and dropout of its own."""
        visible = ops.bernoulli(image.shape, 1 - self.hidden, rng).to(image.dtype)
        return net(image, visible, rng=rng)
