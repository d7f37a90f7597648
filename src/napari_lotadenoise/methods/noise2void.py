"""Noise2Void: predict single pixels from their surroundings, with the options of N2V2 and structN2V."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.contract.training import WarmTraining, warm_preset
from napari_lotadenoise.nets import footprints
from napari_lotadenoise.ops import blind_spots

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class Noise2Void(Method):
    """Noise2Void (Krull, Buchholz & Jug, CVPR 2019), N2V2 (Hoeck et al. 2022) and structN2V (Broaddus et al., ISBI 2020).

    In every box of box x box pixels one is replaced, by a random neighbour (N2V) or by the median of its surroundings
    without itself (N2V2), and the error of the network f there is the loss,

        mean over replaced pixels i of |f(y')_i - y_i|^p,    p = 1 or 2.

    Where noise is correlated, its neighbours tell what it is. A structure hides them too: the pixel and all that the
    structure covers are replaced by values from random places of the image; the loss stays at the pixel. Larger boxes
    leave more to see then.
    """

    id: ClassVar = "noise2void"
    info: ClassVar = Info(
        title="Noise2Void",
        idea="Replaces single pixels by what is around them and learns to predict them; can hide lines of correlated noise.",
        assumes="noise that is zero on average and independent between pixels, or correlated no further than the structure",
        fails="on noise correlated beyond what is hidden (it is learnt), on single-pixel structures, on clipped pixels",
        source="Krull, Buchholz & Jug, Noise2Void: Learning Denoising from Single Noisy Images, CVPR 2019; Hoeck et al., "
        "N2V2, ECCV Workshops 2022; Broaddus et al., Removing Structured Noise with Self-Supervised Blind-Spot Networks, "
        "ISBI 2020",
        url="https://arxiv.org/abs/1811.10980",
    )
    presets: ClassVar = {
        "fast": Preset(
            WarmTraining(steps=1000, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 300, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        # 100 epochs of 400 steps; the rate is halved on a schedule, and not where the loss on other images stalls.
        "paper": Preset(
            WarmTraining(
                steps=40_000, rate=4e-4, schedule="halving", halve_every=10_000, crop=64, crop_depth=16, batch=16,
                average=0, precision="float32",
            ),
            {"box": 8, "replacement": "neighbour", "radius": 5, "loss": "absolute", "width": 32, "norm": "batch"},
        ),
        "warm": warm_preset(steps=25),
    }  # fmt: skip
    maps: ClassVar = {"mask": "mask", "filled input": "picture"}
    cost: ClassVar = Cost(step=1.4, predict=0.63, volume=12.5, volume_predict=3.5, nominal=0.4)

    width: int = knob(16, "Channels of the U-Net's first level.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the U-Net halves the image.", ge=1, le=4, step=1)
    norm: str = knob("none", "Normalisation in the U-Net.", choices=("batch", "none"))
    box: int = knob(4, "One pixel in box x box is replaced.", ge=2, le=64, step=1, unit="px")
    replacement: str = knob(
        "median",
        "What a pixel is replaced by: the median around it (N2V2), or a random neighbour (N2V).",
        choices=("median", "neighbour"),
    )
    radius: int = knob(1, "Pixels to each side that the replacement is taken from.", ge=1, le=16, step=1, unit="px")
    loss: str = knob("squared", "Error at the replaced pixels.", choices=("squared", "absolute"))
    structure: str = knob("pixel", blind_spots.STRUCTURE_DOC, choices=blind_spots.STRUCTURES)
    span: int = knob(2, blind_spots.SPAN_DOC, ge=1, le=16, step=1, unit="px")

    @property
    def directional(self) -> bool:
        """Tell whether lines are hidden, which must keep their direction to the noise."""
        return self.structure in blind_spots.DIRECTED

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.unet(self.width, self.levels)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net."""
        return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm=self.norm)

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the error at the replaced pixels."""
        filled, mask, hidden = self._blind(crops, context.rng)
        clean = net(filled).float()
        squared = ops.masked_error(clean, crops, mask)
        loss = squared if self.loss == "squared" else ((clean - crops).abs() * mask).sum() / mask.sum()
        shown = torch.where(mask, 1.0, 3.0 * hidden).amax(1, keepdim=True)
        return StepOutput(
            {"hidden pixels": loss}, {"mask": shown, "filled input": filled}, {"sigma": squared.detach().sqrt()}
        )

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the squared error at replaced pixels of crops that were never trained on, always the same ones."""
        filled, mask, _ = self._blind(crops, torch.Generator(crops.device).manual_seed(0))
        return ops.masked_error(net(filled), crops, mask)

    def _blind(self, image: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return the image with pixels replaced, those that are to be predicted, and all that were replaced."""
        spots = blind_spots.one_per_box(image, self.box, rng)
        mask = blind_spots.mask_of(spots, image)
        if self.structure != "pixel":
            hidden = blind_spots.structured(mask, self.structure, self.span)
            return ops.hide(image, hidden, blind_spots.image_values(rng)), mask, hidden
        around = blind_spots.windows(image, spots, self.radius)
        median = self.replacement == "median"
        values = blind_spots.median_without_centre(around) if median else blind_spots.random_neighbour(around, rng)
        return blind_spots.with_values(image, spots, values), mask, mask
