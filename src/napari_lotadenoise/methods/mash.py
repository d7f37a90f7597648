"""MASH: a blind spot whose share of hidden pixels is chosen by how much neighbours tell of the noise."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import Chance

#: Shares of hidden pixels: those that are compared, low and high, and the one between them.
LOW, MIDDLE, HIGH = 0.2, 0.5, 0.8
#: Values of e up to which the noise is taken for independent, and from which on for strongly correlated.
INDEPENDENT, CORRELATED = 1.5, 2.5
#: Pixels around one whose mean it is replaced by (`ops.tile_shuffling.REACH`).
REACH = 2
#: Memory of the running mean of each loss, in steps.
MEMORY = 50


@dataclass(frozen=True)
class MASH(Method):
    """Masked and shuffled blind spot (Chihaoui & Favaro, CVPR 2024).

    A share t of the pixels is hidden, and the loss is the error at them, sigma_t^2. Noise that is correlated between
    neighbours can be predicted from them, the less so the more of them are hidden: e = |sigma_0.8 - sigma_0.2|, in 255ths
    of the range of intensities, tells how much it is. Up to 1.5 t is 0.2, up to 2.5 it is 0.5, beyond it is 0.8, and the
    pixels of every 4 x 4 tile that the network finds flat are shuffled in the target, which breaks the correlation.

    The authors train two networks to measure e. Here it is one: for the first part of the training its steps take turns
    at t = 0.2 and t = 0.8, and then go on with the t that was chosen. The sigmas of e are not root mean squares but medians
    of the absolute error (scaled as for normal noise): edges and texture, which are hard to predict too, hardly raise them.
    """

    id: ClassVar = "mash"
    info: ClassVar = Info(
        title="MASH",
        idea="Measures how far neighbouring pixels share their noise, and hides as many of them as that asks for.",
        assumes="noise that is zero on average, and correlated over a few pixels at most",
        fails="on fine texture, which is taken for correlated noise and blurred, and where noise is correlated over long lines",
        source="Chihaoui & Favaro, Masked and Shuffled Blind Spot Denoising for Real-World Images, CVPR 2024",
        url="https://arxiv.org/abs/2404.09389",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=1000, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, holdout=0),
            volume={"steps": 400, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        # Twice their 800 steps for the two networks, and 800 for the result.
        "paper": Preset(
            Training(
                steps=2400, rate=1e-3, crop=0, crop_depth=0, batch=1, augment=False, average=0, holdout=0,
                scaling="range", precision="float32",
            ),
            {"architecture": "lehtinen", "width": 48, "levels": 5, "replacement": "zero", "probing": 0.67},
        ),
    }  # fmt: skip
    maps: ClassVar = {"mask": "mask", "shuffled": "mask"}
    requires: ClassVar = Requirements(independent_noise=False)
    cost: ClassVar = Cost(step=1.45, predict=0.66, volume=12.0, volume_predict=3.4, nominal=0.45)

    architecture: str = knob("unet", "Network: a small U-Net, or the one of Noise2Noise.", choices=("unet", "lehtinen"))
    width: int = knob(16, "Channels of the first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the network halves the image.", ge=1, le=6, step=1)
    hidden: float = knob(0.0, "Share of the pixels that are hidden; 0 chooses it by e.", ge=0, le=0.9, step=0.1)
    replacement: str = knob(
        "mean",
        "What hidden pixels are replaced by: the mean of visible ones near by, or zero.",
        choices=("mean", "zero"),
    )
    probing: float = knob(0.4, "Part of the training in which e is measured.", ge=0.1, le=0.9, step=0.1)
    flat: float = knob(
        4.0, "Deviation below which a tile is flat, in 255ths of the range; 0 shuffles nothing.", ge=0, le=255, step=1
    )
    tile: int = knob(4, "Side of the tiles that are shuffled.", ge=2, le=16, step=1, unit="px")
    passes: int = knob(10, "Passes, with a mask each, that are averaged to the result.", ge=1, le=1000, step=5)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels).widened(REACH)
        return footprints.lehtinen_unet(self.width, self.levels).widened(REACH)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net that sees the mask, or the U-Net of Noise2Noise."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        return nets.LehtinenUNet(channels, ndim, width=self.width, levels=self.levels)

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the range of intensities, and be ready to note both losses."""
        low, high = np.percentile(training_images.cpu().numpy(), (0.1, 99.9))
        nothing = torch.zeros((), device=training_images.device)
        return SimpleNamespace(
            level=float(high - low) / 255, sigmas={LOW: nothing, HIGH: nothing}, noted={LOW: 0, HIGH: 0}, hidden=HIGH,
            chosen=False,
        )  # fmt: skip

    @property
    def stochastic_passes(self) -> int:
        """Return how many passes the result averages."""
        return self.passes

    def before_step(self, net: Network, state: SimpleNamespace, context: StepContext) -> None:
        """Take turns at both shares; choose one by e where that part of the training ends."""
        if context.progress < self.probing:
            state.hidden = (LOW, HIGH)[context.step % 2]
        elif not state.chosen:
            state.hidden, state.chosen = self.hidden or chosen_share(float(self._correlation(state))), True

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the error at the hidden pixels, from a target whose flat tiles are shuffled where noise is correlated."""
        from napari_lotadenoise.ops import tile_shuffling

        mask = self._mask(crops, state.hidden, context.rng)
        output = net(self.filled(crops, mask)).float()
        active = state.chosen and state.hidden == HIGH and self.flat > 0
        flat = tile_shuffling.flat_tiles(output.detach(), self.tile, self.flat * state.level) * float(active)
        target = (
            torch.where(flat > 0, tile_shuffling.shuffled(crops, self.tile, context.rng), crops) if active else crops
        )
        loss = ops.masked_error(output, target, mask)
        sigmas = {f"sigma {share:g}": state.sigmas[share] for share in (LOW, HIGH)}
        values = {**sigmas, "e": self._correlation(state), "sigma": loss.detach().sqrt()}
        values["sigma hidden"] = typical_error(output.detach(), crops, mask)
        stage = f"hiding {state.hidden:.0%}" if state.chosen else "measuring the correlation"
        return StepOutput({"hidden pixels": loss}, {"mask": mask, "shuffled": flat}, values, stage)

    def after_step(self, step_output: StepOutput, state: SimpleNamespace) -> None:
        """Note the loss of the share whose turn it was."""
        if state.chosen:
            return
        state.noted[state.hidden] += 1
        weight = max(1 / MEMORY, 1 / state.noted[state.hidden])
        state.sigmas[state.hidden] = state.sigmas[state.hidden].lerp(step_output.values["sigma hidden"], weight)

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep the share of pixels that are hidden."""
        return SimpleNamespace(hidden=state.hidden)

    def sample(self, net: Network, image: Tensor, state: SimpleNamespace, rng: Chance) -> Tensor:
        """Denoise once with a mask of its own."""
        return net(self.filled(image, self._mask(image, state.hidden, rng)))

    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return what the network sees: zeros in the place of hidden pixels, or the mean of what is visible around them."""
        from napari_lotadenoise.ops.tile_shuffling import visible_mean

        if self.replacement == "zero":
            return image * (1 - mask)
        return torch.where(mask > 0, visible_mean(image, mask), image)

    def halo(self, net: Network) -> int:
        """Return what the network sees, and the pixels that stand in for its farthest one."""
        return net.halo + REACH

    def _mask(self, image: Tensor, share: float, rng: Chance) -> Tensor:
        """Draw zeros and ones, one mask for all channels."""
        return ops.bernoulli((len(image), 1, *image.shape[2:]), share, rng).to(image.dtype)

    def _correlation(self, state: SimpleNamespace) -> Tensor:
        """Return the statistic e."""
        return (state.sigmas[HIGH] - state.sigmas[LOW]).abs() / state.level


def chosen_share(correlation: float) -> float:
    """Return the share of pixels to hide, by e."""
    return LOW if correlation <= INDEPENDENT else MIDDLE if correlation < CORRELATED else HIGH


def typical_error(prediction: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Return the deviation of a normal distribution with the same median of absolute errors at the pixels of a mask."""
    error = torch.where(mask.expand(image.shape) > 0, (prediction - image).abs(), torch.nan)
    return error.nanmedian().nan_to_num() / 0.6745
