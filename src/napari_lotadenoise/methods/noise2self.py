"""Noise2Self: predict hidden pixels from the others, and validate on pixels that are never trained."""

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
    from napari_lotadenoise.ops import Fill


@dataclass(frozen=True)
class Noise2Self(Method):
    """Noise2Self (Batson & Royer, ICML 2019), single-shot form.

    A set J of single pixels is replaced by the mean of their neighbours; the network predicts the pixels of J, and the
    squared difference from their noisy values is the loss, sum over J of E|f(y without J)_J - y_J|^2. For noise that is
    independent between pixels it is the true error plus the noise variance (proposition 1). Of the grid^2 sets the
    last is never trained: the same loss on it is an honest validation score.

    For noise that is correlated, a structure around the pixels of J is hidden too, in training, score and result. Then
    the neighbours are no fill, as they tell of the noise: values from random places of the image take their place.
    """

    id: ClassVar = "noise2self"
    info: ClassVar = Info(
        title="Noise2Self",
        idea="Hides a grid of pixels and learns to predict them from their neighbourhood.",
        assumes="noise that is zero on average and independent between pixels, or correlated no further than the structure",
        fails="on noise correlated beyond what is hidden (it is learnt), on single-pixel structures, on clipped pixels",
        source="Batson & Royer, Noise2Self: Blind Denoising by Self-Supervision, ICML 2019",
        url="https://arxiv.org/abs/1901.11365",
    )
    presets: ClassVar = {
        "fast": Preset(
            WarmTraining(steps=1000, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 300, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        "paper": Preset(
            WarmTraining(
                steps=500, rate=1e-2, schedule="constant", crop=0, crop_depth=0, batch=1, augment=False, average=0,
                holdout=0, scaling="range", precision="float32",
            ),
            {"architecture": "dncnn"},
        ),
        "warm": warm_preset(steps=25),
    }  # fmt: skip
    holds_out_pixels: ClassVar = True
    maps: ClassVar = {"mask": "mask", "filled input": "picture"}
    cost: ClassVar = Cost(step=1.35, predict=0.63, volume=13.5, volume_predict=3.5, nominal=0.4)

    architecture: str = knob(
        "unet", "Network: a small U-Net, or the eight-layer DnCNN of the notebook.", choices=("unet", "dncnn")
    )
    width: int = knob(16, "Channels of the U-Net's first level; DnCNN has four times as many.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the U-Net halves the image.", ge=1, le=4, step=1)
    norm: str = knob("none", "Normalisation in the U-Net.", choices=("batch", "none"))
    grid: int = knob(4, "One pixel in grid x grid is hidden at a time.", ge=2, le=8, step=1, unit="px")
    partition: str = knob(
        "grid", "How pixels are parted into sets that are hidden together.", choices=("grid", "random")
    )
    hide: str = knob(
        "all channels",
        "Whether a hidden pixel stays visible in the other channels, whose noise is its own, or is hidden in all of them.",
        choices=("one channel", "all channels"),
    )
    replacement: str = knob(
        "donut",
        "What hidden pixels are replaced by: the mean of their neighbours (or, where a structure hides these, values from "
        "random places of the image), zero, or random intensities.",
        choices=("donut", "zero", "random"),
    )
    inference: str = knob(
        "single",
        "One pass over the whole image, or one for each set of pixels so that no pixel is predicted from itself.",
        choices=("single", "j-invariant"),
    )
    structure: str = knob("pixel", blind_spots.STRUCTURE_DOC, choices=blind_spots.STRUCTURES)
    span: int = knob(2, blind_spots.SPAN_DOC, ge=1, le=16, step=1, unit="px")

    def __post_init__(self) -> None:
        super().__post_init__()
        blind_spots.check_room(self.structure, self.span, self.grid)

    @property
    def directional(self) -> bool:
        """Tell whether lines are hidden, which must keep their direction to the noise."""
        return self.structure in blind_spots.DIRECTED

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels).widened(1)
        return footprints.chain(4 * self.width, 7, head=3).widened(1)

    @property
    def expected_cost(self) -> Cost:
        """Return the cost; J-invariant inference takes a pass for each set of pixels."""
        passes = self.grid**2 if self.inference == "j-invariant" else 1
        return super().expected_cost.times(1.0, passes)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or DnCNN-8."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm=self.norm)
        return nets.Chain(
            channels, ndim, width=4 * self.width, layers=7, slope=0.0, head=3, norm="batch", residual=False
        )

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the error at the hidden pixels of this step's set."""
        mask = self._labels(crops, context.rng) == context.step % (self.grid**2 - 1)
        hidden = self._around(mask)
        filled = ops.hide(crops, hidden, self._fill(context.rng))
        loss = ops.masked_error(net(filled), crops, mask)
        shown = torch.where(mask, 1.0, 3.0 * hidden).expand(crops.shape).amax(1, keepdim=True)
        maps = {"mask": shown, "filled input": filled}
        return StepOutput({"hidden pixels": loss}, maps, {"sigma": loss.detach().sqrt()})

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the error at the set that is never trained: the true error plus the noise variance."""
        rng = torch.Generator(crops.device).manual_seed(0)
        mask = self._labels(crops, rng) == self.grid**2 - 1
        return ops.masked_error(net(ops.hide(crops, self._around(mask), self._fill(rng))), crops, mask)

    def predict(self, net: Network, image: Tensor, state: Any) -> Tensor:
        """Denoise in one pass, or by the J-invariant function: every pixel from the pass in which it was hidden."""
        if self.inference == "single":
            return net(image)
        rng = torch.Generator(image.device).manual_seed(0)
        return ops.j_invariant(net, image, self._labels(image, rng), self.grid**2, self._fill(rng), self._around)

    def preview(self, net: Network, image: Tensor, state: Any) -> Tensor:
        """Denoise in one pass, whatever the inference."""
        return net(image)

    def halo(self, net: Network) -> int:
        """Return what the network sees, and the neighbour that fills its farthest pixel."""
        return net.halo + 1

    def _labels(self, image: Tensor, rng: torch.Generator) -> Tensor:
        """Return the number of each pixel's set, (C, [Z], Y, X)."""
        count, channels = self.grid**2, image.shape[1]
        labels = ops.grid_labels(image, self.grid) if self.partition == "grid" else ops.random_labels(image, count, rng)
        step = self.grid + 1 if self.hide == "one channel" else 0  # the grids of two channels are a diagonal step apart
        shift = step * torch.arange(channels, device=image.device).view(-1, *[1] * labels.ndim)
        return (labels + shift) % count

    def _around(self, mask: Tensor) -> Tensor:
        """Return all that is hidden so that the pixels of a mask can be predicted."""
        return blind_spots.structured(mask, self.structure, self.span)

    def _fill(self, rng: torch.Generator) -> Fill:
        if self.replacement == "donut":
            return ops.donut_mean if self.structure == "pixel" else blind_spots.image_values(rng)
        return ops.zeros if self.replacement == "zero" else ops.random_fill(rng)
