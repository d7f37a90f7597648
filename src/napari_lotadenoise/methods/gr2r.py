"""Generative Recorrupted-to-Recorrupted: noisy pairs made from what the network itself removes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.contract.training import WarmTraining, warm_preset
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.methods._collapse_guard import CollapseGuard
    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class GR2R(Method):
    """Generative Recorrupted-to-Recorrupted (ICLR 2023 submission); not the *Generalized* R2R of other libraries.

    With f the network, y the noisy image, d = f(y) without gradient, m random signs and n' = (y - d) m (eq. 9), the loss
    (eq. 14, stop-gradients as there) is

        |f(y + n') - (y - n')|^2  +  w |f(y) - y|^2  +  gamma |f(d + n') - d|^2.

    The paper has w = 1. Then the identity makes all three terms zero, and on one image the network goes there within
    some hundred steps; w is 0 here by default. The identity stays a fixed point: a collapse guard on the deviation of y - f(y)
    ends the training where it drops, goes back to the last healthy weights and says so.
    """

    id: ClassVar = "gr2r"
    info: ClassVar = Info(
        title="Generative Recorrupted-to-Recorrupted",
        idea="Flips the signs of the noise that it removes itself to make pairs of noisy images, and learns one from the other.",
        assumes="noise that is independent between pixels and symmetric around zero",
        fails="on correlated noise (only its white part goes), on skewed noise (taken for its symmetric part), at fine edges",
        source="Generative Recorrupted-to-Recorrupted: An Unsupervised Image Denoising Network for Arbitrary Noise "
        "Distribution, submission to ICLR 2023; self-reconstruction off by default: the printed loss collapses on one image",
        url="https://openreview.net/forum?id=vfa7--yvtYh",
    )
    presets: ClassVar = {
        "fast": Preset(
            WarmTraining(steps=700, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True, holdout=0),
            volume={"steps": 500, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        "paper": Preset(
            WarmTraining(
                steps=4000, rate=3e-4, schedule="halving", halve_every=1500, crop=96, crop_depth=16, batch=10, average=0,
                holdout=0, scaling="range", precision="float32",
            ),
            {"architecture": "lehtinen", "width": 48, "levels": 5},
        ),
        "warm": warm_preset(),
    }  # fmt: skip
    maps: ClassVar = {
        "recorrupted input": "picture",
        "recorrupted target": "picture",
        "generated noise": "signed",
        "pseudo input": "picture",
    }
    cost: ClassVar = Cost(step=2.8, predict=0.63, start=8.0, volume=5.2, volume_predict=3.3, nominal=0.4)

    architecture: str = knob(
        "unet", "Network: a small U-Net, or the one of Blind2Unblind.", choices=("unet", "lehtinen")
    )
    width: int = knob(16, "Channels of the first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=5, step=1)
    self_reconstruction: float = knob(
        0.0,
        "Weight w of |f(y) - y|^2; the paper has 1, at which one image is copied in the end.",
        ge=0,
        le=1,
        step=0.05,
    )
    pseudo: float = knob(1.0, "Weight gamma of the pseudo-supervised term.", ge=0, le=10, step=0.1)
    signs: str = knob(
        "each channel", "Random signs: of its own for each channel, or one for all of a pixel.",
        choices=("each channel", "shared"),
    )  # fmt: skip

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels)
        return footprints.lehtinen_unet(self.width, self.levels)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or the U-Net of Blind2Unblind."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        return nets.LehtinenUNet(channels, ndim, width=self.width, levels=self.levels)

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> CollapseGuard:
        """Make a collapse guard, with the expected noise level."""
        from napari_lotadenoise.methods._collapse_guard import CollapseGuard
        from napari_lotadenoise.noise import patch_sigma, typical_sigma

        crops = ops.random_crops(training_images, 64, 4, torch.Generator(training_images.device).manual_seed(0))
        return CollapseGuard(crops, typical_sigma(training_images.cpu().numpy(), patch_sigma))

    def before_step(self, net: Network, state: CollapseGuard, context: StepContext) -> None:
        """Record how much is removed, every so many steps."""
        from napari_lotadenoise.methods._collapse_guard import EVERY

        if context.step % EVERY:
            return
        net.eval()
        with torch.no_grad():
            state.record((state.crops - net(state.crops)).std(), context.progress)
        net.train()

    def step(self, net: Network, crops: Tensor, state: CollapseGuard, context: StepContext) -> StepOutput:
        """Return the three terms of eq. 14."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.self_reconstruction > 0):
            seen = net(crops).float()
        clean = seen.detach()
        noise = (crops - clean) * self._signs(crops, context.rng)
        recorrupted, pseudo = net(torch.cat([crops + noise, clean + noise])).float().chunk(2)
        losses = {"recorrupted": F.mse_loss(recorrupted, crops - noise)}
        if self.self_reconstruction:
            losses["self-reconstruction"] = self.self_reconstruction * F.mse_loss(seen, crops)
        if self.pseudo:
            losses["pseudo-supervised"] = self.pseudo * F.mse_loss(pseudo, clean)
        maps = {
            "recorrupted input": crops + noise, "recorrupted target": crops - noise, "generated noise": noise,
            "pseudo input": clean + noise,
        }  # fmt: skip
        residual = crops - clean
        deviation = residual.std()
        skewness = (residual - residual.mean()).pow(3).mean() / deviation.pow(3).clamp_min(1e-12)
        return StepOutput(losses, maps, {"sigma": deviation, "skewness": skewness})

    def stop_reason(self, state: CollapseGuard) -> str:
        """Say that the network is on its way to the identity, where the residual shrinks."""
        return state.check()

    def healthy(self, state: CollapseGuard) -> bool:
        """Tell whether about as much noise is removed as expected."""
        return state.healthy

    def _signs(self, crops: Tensor, rng: torch.Generator) -> Tensor:
        shape = crops.shape if self.signs == "each channel" else (crops.shape[0], 1, *crops.shape[2:])
        return 2 * ops.bernoulli(shape, 0.5, rng).to(crops.dtype) - 1
