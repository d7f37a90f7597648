"""Noise2Same: reconstruct the image, and stay the same where pixels are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Adam at 4e-4, halved every 5000 steps, 64 crops of 64 px, 45 000 updates (the schedule of the authors' code for BSD68).
REFERENCE = Training(
    steps=45_000, rate=4e-4, schedule="halving", halve_every=5000, crop=64, crop_depth=16, batch=64, average=0,
    holdout=0, scaling="deviation", precision="float32",
)  # fmt: skip


class Parts(NamedTuple):
    """What one look at some crops gives: both outputs, the mask, and the two terms of the bound."""

    seen: Tensor
    hidden: Tensor
    mask: Tensor
    reconstruction: Tensor
    invariance: Tensor


@dataclass(frozen=True)
class Noise2Same(Method):
    """Noise2Same (Xie, Wang & Ji, NeurIPS 2020).

    With F the network, X the noisy image and X' the same with the pixels of J replaced, the loss (theorem 2) is

        R + 2 sigma sqrt(I),    R = mean (F(X) - X)^2,    I = mean over J of (F(X) - F(X'))^2,

    an upper bound of the error against the clean image (plus the noise variance) that needs no blind spot in the
    network's input: its output may use the pixel itself as far as hiding it makes little difference.
    """

    id: ClassVar = "noise2same"
    info: ClassVar = Info(
        title="Noise2Same",
        idea="Reconstructs the image under the condition that hiding a pixel changes little; nothing is hidden in the result.",
        assumes="noise that is independent between pixels and zero on average; of deviation 1 in normalised units unless given",
        fails="on correlated noise (it is kept), and it blurs weak noise, since its sigma is an upper bound",
        source="Xie, Wang & Ji, Noise2Same: Optimizing a Self-Supervised Bound for Image Denoising, NeurIPS 2020",
        url="https://arxiv.org/abs/2010.11971",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=700, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 300, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        "paper": Preset(REFERENCE, {"architecture": "residual", "width": 96, "box": 14}),
    }
    maps: ClassVar = {"mask": "mask", "change by hiding": "magnitude"}
    cost: ClassVar = Cost(step=2.7, predict=0.68, start=6.0, volume=3.9, volume_predict=3.2, nominal=0.4)

    architecture: str = knob(
        "unet", "Network: a small U-Net, or the residual one of the authors.", choices=("unet", "residual")
    )
    width: int = knob(16, "Channels of the first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=4, step=1)
    norm: str = knob("none", "Normalisation in the small U-Net.", choices=("batch", "none"))
    box: int = knob(4, "One pixel in box x box is hidden.", ge=2, le=64, step=1, unit="px")
    replacement: str = knob(
        "donut",
        "What hidden pixels are replaced by: the mean of their neighbours, or normal noise of deviation 0.2.",
        choices=("donut", "gaussian"),
    )
    sigma: float = knob(
        0.0,
        "Known noise deviation in intensities of the image; 0 takes the deviation of the whole image.",
        ge=0,
        step=1,
    )

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels).widened(1)
        return footprints.residual_unet(self.width, self.levels).widened(1)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or the residual U-Net of the authors."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm=self.norm)
        return nets.ResidualUNet(channels, ndim, width=self.width, levels=self.levels)

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Remember sigma in scaled units: the one that is given, or 1."""
        return SimpleNamespace(sigma=torch.tensor(self.sigma / unit or 1.0, device=training_images.device))

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the bound, in its two terms."""
        parts = self.parts(net, crops, context.rng)
        maps = {"mask": parts.mask.any(1, keepdim=True).to(crops.dtype)}
        maps["change by hiding"] = (parts.seen - parts.hidden).detach().abs().mean(1, keepdim=True)
        bound = noise_bound(parts.reconstruction, parts.invariance, torch.zeros_like(parts.invariance)).detach()
        values = {"R": parts.reconstruction, "I": parts.invariance, "sigma": bound, "sigma assumed": state.sigma}
        return StepOutput(self.bound(parts, state), maps, values)

    def score(self, net: Network, crops: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the same bound on crops that were never trained on, with a mask that stays."""
        rng = torch.Generator(crops.device).manual_seed(0)
        return torch.stack(list(self.bound(self.parts(net, crops, rng), state).values())).sum()

    def halo(self, net: Network) -> int:
        """Return what the network sees, and the neighbour that fills its farthest pixel in the maps."""
        return net.halo + 1

    def bound(self, parts: Parts, state: SimpleNamespace) -> dict[str, Tensor]:
        """Return r and 2 sigma sqrt(I); the root of 0, which is nearly reached, has no gradient."""
        return {
            "reconstruction": parts.reconstruction,
            "invariance": 2 * state.sigma * (parts.invariance + 1e-12).sqrt(),
        }

    def parts(self, net: Network, crops: Tensor, rng: torch.Generator) -> Parts:
        """Denoise crops as they are and with pixels hidden, in one pass."""
        mask = ops.box_mask(crops, self.box, rng)
        hidden_input = ops.hide(
            crops, mask, ops.donut_mean if self.replacement == "donut" else ops.normal_fill(0.2, rng)
        )
        seen, hidden = net(torch.cat([crops, hidden_input])).float().chunk(2)
        return Parts(seen, hidden, mask, F.mse_loss(seen, crops), ops.masked_error(seen, hidden, mask))


def noise_bound(reconstruction: Tensor, invariance: Tensor, spread: Tensor) -> Tensor:
    """Return the upper bound of the noise deviation per pixel, sqrt(I) + sqrt(max(I + R - E, 0)) (Noise2Info, eq. 6)."""
    return invariance.sqrt() + (invariance + reconstruction - spread).clamp_min(0).sqrt()
