"""Blind2Grad-style denoising: Self2Self with a dual mask, a gradient-regularised loss, T-Standout and attention."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods.self2self import Self2Self
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import DualMask

#: Share of the training in which plain Bernoulli masks are used: the clean estimate is still poor.
WARM_UP = 0.1


@dataclass(frozen=True)
class Blind2Grad(Self2Self):
    """Blind2Grad (Song, Shuai, Si & Li, AIMS Mathematics 10(6), 2025), its mask equations reconstructed.

    Self2Self with four additions, each of which can be switched off. With y the noisy image, u = f(y hidden), v = f(y),
    x = v without gradient the clean estimate of the cycle (eq. 3.10; a new one at every step, since every step has crops
    of its own), D the pixels that differ from x by at least eps_g (eq. 3.1), S those where the gradient of x is at least
    eps_s:

    - dual mask (eq. 3.3): a part of the hidden pixels of D is shown again, as many others are hidden instead. Eq. 3.2 is
      illegible in print; showing all of D would lock errors in, since only hidden pixels are learnt, hence the part and
      the weight p / P(hidden), which keeps the loss unbiased.
    - gradient loss (eq. 3.5): mean over hidden pixels of (|u - y| + omega |grad v - grad u|)^2 + gamma |u - y|^2, with
      magnitudes; the signed form of eq. 3.9 lets both cancel.
    - T-Standout (eq. 3.11): no dropout where S.
    - channel attention in the decoder (eq. 3.12).
    """

    id: ClassVar = "blind2grad"
    info: ClassVar = Info(
        title="Blind2Grad-style",
        idea="Self2Self that hides flat parts rather than detail, and holds the gradients of its outputs together.",
        assumes="noise that is independent between pixels and zero on average; intensities that fill their range",
        fails="on correlated noise (it is learnt), on very dim images (its thresholds are shares of the range); it is slow",
        source="Song, Shuai, Si & Li, Blind2Grad: Blind detail-preserving denoising via zero-shot with gradient regularized "
        "loss, AIMS Mathematics 10(6), 2025; mask equations reconstructed",
        url="https://doi.org/10.3934/math.2025637",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=2500, rate=4e-3, crop=64, batch=1, average=0.98, clip=1.0, ensemble=True),
            {"one_sided": True},
            volume={"steps": 350, "crop": 40, "crop_depth": 16},
        ),
        "paper": Preset(
            Training(
                steps=30_000, rate=2e-5, schedule="constant", crop=0, crop_depth=0, batch=1, augment=True, average=0,
                holdout=0, scaling="range", precision="float32",
            ),
            {"width": 48, "levels": 5, "omega": 0.8, "gamma": 0.5, "gradient_layer": True, "norm": "batch", "passes": 40,
             "early_skip": False, "hidden": 0.25, "dropout": 0.25},
        ),
    }  # fmt: skip
    maps: ClassVar = {"mask": "mask", "detail": "mask", "protected": "mask", "gradient difference": "magnitude"}
    cost: ClassVar = Cost(step=3.8, predict=1.6, start=6.0, volume=11.0, volume_predict=3.8, nominal=2.0)

    dual_mask: bool = knob(True, "Spare detail when hiding pixels, and hide flat ones instead.")
    gradient_loss: bool = knob(True, "Hold the gradients of the masked and the unmasked output together.")
    t_standout: bool = knob(True, "Drop no features where the image has edges.")
    attention: bool = knob(True, "Weigh the channels of the decoder.")
    omega: float = knob(0.2, "Weight of the gradient difference in the loss.", ge=0, le=2, step=0.1)
    one_sided: bool = knob(False, "Let the gradient difference teach the masked output only; a little faster.")
    gamma: float = knob(1.0, "Weight of the plain error beside it.", ge=0, le=10, step=0.1)
    detail: float = knob(
        40.0,
        "Distance eps_g from the estimate at which a pixel is detail, in 255ths of the range.",
        ge=0,
        le=255,
        step=5,
    )
    edge: float = knob(
        25.0, "Gradient eps_s from which a pixel is an edge, in 255ths of the range.", ge=0, le=255, step=5
    )
    follow_noise: bool = knob(
        True, "Raise the detail threshold to 2.5 times the noise, or noise itself passes for detail."
    )
    retained: float = knob(0.5, "Share of the hidden detail that is shown again.", ge=0, le=1, step=0.1)
    unbiased: bool = knob(True, "Weigh hidden pixels by how rarely they are hidden.")
    gradient_layer: bool = knob(False, "Show the decoder the gradient of its features at half resolution.")
    dilation: int = knob(
        1, "Dilation of the first convolutions; 2 passes over neighbours whose noise is correlated.", ge=1, le=4, step=1
    )

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.lehtinen_unet(
            self.width, self.levels, gradient=self.gradient_layer, dilation=self.dilation, early=self.early_skip
        )

    def network(self, channels: int, ndim: int) -> Network:
        """Build the network of Self2Self with the additions that are switched on."""
        return nets.LehtinenUNet(
            channels, ndim, width=self.width, levels=self.levels, norm=self.norm, dropout=self.dropout,
            attention=self.attention, gradient=self.gradient_layer, dilation=self.dilation,
            early=self.early_skip,
        )  # fmt: skip

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Turn the thresholds into scaled units."""
        from napari_lotadenoise.noise import typical_sigma

        images = training_images.cpu().numpy()
        low, high = np.percentile(images[..., ::2, ::2], (0.1, 99.9))
        detail = self.detail / 255 * (high - low)
        if self.follow_noise:
            detail = max(detail, 2.5 * typical_sigma(images))
        return SimpleNamespace(detail=float(detail), edge=float(self.edge / 255 * (high - low)))

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the mask by the clean estimate, then both terms of eq. 3.5."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.gradient_loss and not self.one_sided):
            whole = net(crops).float() if self._looks_ahead() else crops
        clean, early = whole.detach(), context.progress < WARM_UP
        detail = ((crops - clean).square().sum(1, keepdim=True).sqrt() >= state.detail).to(crops.dtype)
        edges = (ops.gradient_magnitude(clean).amax(1, keepdim=True) >= state.edge).to(crops.dtype)
        spared = detail if self.dual_mask and not early else torch.zeros_like(detail)
        masks = ops.dual_mask(crops, spared, self.hidden, self.retained, context.rng)
        protected = edges if self.t_standout and not early else None
        masked = net(crops, 1 - masks.hidden, protected, context.rng).float()
        losses, values, maps = self._losses(masked, whole, crops, masks)
        kinds = masks.hidden + 2 * masks.retained + 2 * masks.added
        maps |= {"mask": kinds.amax(1, keepdim=True), "detail": detail, "protected": edges}
        return StepOutput(
            losses, maps, {**values, "hidden share": masks.hidden.mean()}, "warming up" if early else "dual mask"
        )

    def _looks_ahead(self) -> bool:
        return self.gradient_loss or self.dual_mask or self.t_standout

    def _losses(
        self, masked: Tensor, whole: Tensor, crops: Tensor, masks: DualMask
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        weight = masks.hidden * masks.weight if self.unbiased else masks.hidden
        plain = ops.masked_error(masked, crops, weight)
        values = {"sigma": ops.masked_error(masked, crops, masks.hidden).detach().sqrt()}
        if not self.gradient_loss:
            return {"hidden pixels": plain}, values, {}
        difference = ops.gradient_magnitude(whole - masked)
        regularised = (masked - crops).abs() + self.omega * difference
        losses = {
            "gradient": ops.masked_error(regularised, torch.zeros_like(crops), weight),
            "hidden pixels": self.gamma * plain,
        }
        return losses, values, {"gradient difference": difference.detach().mean(1, keepdim=True)}
