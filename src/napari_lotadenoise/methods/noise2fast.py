"""Noise2Fast: learns the black fields of a checkerboard from the white ones, on one image at full size."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

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
class Noise2Fast(Method):
    """Noise2Fast (Lequyer et al., Nature Machine Intelligence 2022).

    The black and the white fields of a checkerboard, squeezed along columns or along rows, make two pairs of images
    (u, v) of half the size with the full noise of the image. Each step learns one of the four directions, drawn at
    random. The loss is the squared error, or with "bce" as published the binary cross-entropy

        -mean [ v log f(u) + (1 - v) log(1 - f(u)) ],

    intensities from the smallest to the largest of the image taken as 0 to 1, with a sigmoid at the end of f.

    The stop rule of the paper is 100 steps without a new lowest mean squared difference between f(y) and the noisy image y
    (`judge` "image", `patience` 4 of 25 steps). It differs here in three things: y is looked at every 25 steps and not after
    each; with the averaged weights; and the result is the output of these running means of the weights, in place of the
    mean of the last hundred outputs, with which it agrees to first order.
    """

    id: ClassVar = "noise2fast"
    info: ClassVar = Info(
        title="Noise2Fast",
        idea="Parts the image into the fields of a checkerboard and learns the black ones from the white ones.",
        assumes="noise that is independent between neighbouring pixels and zero on average; content smooth over two pixels",
        fails="on correlated noise (it is kept), on single-pixel puncta (they are dimmed), on small images (it learns their "
        "noise)",
        source="Lequyer, Philip, Sharma, Hsu & Pelletier, A Fast Blind Zero-Shot Denoiser, Nature Machine Intelligence 2022",
        url="https://arxiv.org/abs/2108.10209",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=800, rate=3e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 400, "batch": 1, "crop": 48, "crop_depth": 16},
        ),
        "paper": Preset(
            Training(
                steps=5000, rate=1e-3, schedule="constant", crop=0, crop_depth=0, batch=1, augment=False, average=0.98,
                holdout=0, patience=4, scaling="range", precision="float32",
            ),
            {"loss": "bce", "judge": "image", "width": 64, "layers": 8},
        ),
    }  # fmt: skip
    tiling: ClassVar = Tiling(size_multiple=2)
    # The stop rule looks at the whole image; where crops are held out, the score is that of these.
    holds_out_pixels: ClassVar = True
    maps: ClassVar = {"pair a": "picture", "pair b": "picture"}
    cost: ClassVar = Cost(step=0.95, predict=0.97, start=3.0, volume=20.0, volume_predict=4.2, nominal=0.2)

    width: int = knob(32, "Channels of the hidden layers.", ge=4, le=256, step=8)
    layers: int = knob(6, "Hidden 3 x 3 layers; more of them see further and take longer.", ge=1, le=12, step=1)
    loss: str = knob(
        "squared",
        "Squared error, or binary cross-entropy with a sigmoid output as published.",
        choices=("squared", "bce"),
    )
    judge: str = knob(
        "pairs",
        "What the score is: the error of pairs from crops that are held out, or how far the result is from the noisy image, "
        "by which the paper stops.",
        choices=("pairs", "image"),
    )

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.chain(self.width, self.layers)

    def network(self, channels: int, ndim: int) -> Network:
        """Build 3 x 3 layers and a 1 x 1 head, which predict the image; with the squared error, the noise.

        Leaky ReLUs: plain ones die now and then, and the paper starts again where the result is flat.
        """
        return nets.Chain(channels, ndim, width=self.width, layers=self.layers, residual=self.loss == "squared")

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Remember the range of the intensities."""
        low = training_images.amin()
        return SimpleNamespace(low=low, span=(training_images.amax() - low).clamp_min(1e-6))

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the error of one of the four directions."""
        case = int(torch.randint(4, (), generator=context.rng, device=crops.device))
        a, b = pair_samplers.checkerboard(crops, -1 - case // 2)
        source, target = (a, b) if case % 2 else (b, a)
        out = net(source).float()
        error = F.mse_loss(self._image(out, state), target)
        loss = error if self.loss == "squared" else self._cross_entropy(out, target, state)
        return StepOutput({"pair": loss}, {"pair a": a, "pair b": b}, {"sigma": error.detach().sqrt()})

    def score(self, net: Network, crops: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the mean error of all four directions, or how far the result is from the noisy image."""
        if self.judge == "image":
            return F.mse_loss(self.predict(net, crops, state), crops)
        errors = []
        for axis in (-1, -2):
            a, b = pair_samplers.checkerboard(crops, axis)
            errors += [F.mse_loss(self.predict(net, u, state), v) for u, v in ((a, b), (b, a))]
        return torch.stack(errors).mean()

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep the range of the image, which the outputs are shares of."""
        return state

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Denoise the image as it is."""
        return self._image(net(image).float(), state)

    def _cross_entropy(self, out: Tensor, target: Tensor, state: SimpleNamespace) -> Tensor:
        return F.binary_cross_entropy_with_logits(out, (target - state.low) / state.span)

    def _image(self, out: Tensor, state: SimpleNamespace) -> Tensor:
        """Turn an output into intensities."""
        return out if self.loss == "squared" else state.low + state.span * torch.sigmoid(out)
