"""Pixel2Pixel: pairs of noisy images whose pixels come from places that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, nn, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Pixels of the training images for which similar ones are looked for, and the side of the parts of images that have more.
PIXELS, PART = 1 << 20, 512
#: Pixels of a bank that are used, by the noise deviation on the scale of 0 to 255 (as the authors choose by the true one).
DEPTHS = {15.0: 2, 35.0: 4, float("inf"): 8}


@dataclass(frozen=True)
class Pixel2Pixel(Method):
    """Pixel2Pixel (Ma et al., IEEE TPAMI 2025).

    For each pixel the bank holds the centres of the m patches that look most like the one around it, itself first. A
    step draws two of them for each pixel, which makes two noisy images of one scene, and learns one from the other:
    |f(x1) - x2|^2. Pixels of a bank are far apart, so that noise that neighbours share is partly broken up.

    The bank is made once. Of training images of more than a megapixel it holds as many whole planes, or random parts of
    512 x 512, as a megapixel allows. Steps draw from the bank, and take from their crops only how large they are.
    """

    id: ClassVar = "pixel2pixel"
    info: ClassVar = Info(
        title="Pixel2Pixel",
        idea="Puts together pairs of noisy images from pixels whose surroundings look alike, and learns one from the other.",
        assumes="noise that is zero on average and hardly shared by distant pixels; content that repeats itself nearby",
        fails="on content that is nowhere repeated (it is blurred), on strong noise, where what looks alike is chance",
        source="Ma et al., Pixel2Pixel: A Pixelwise Approach for Zero-Shot Single Image Denoising, IEEE TPAMI 2025",
        url="https://doi.org/10.1109/TPAMI.2025.3530243",
        dimensions=(2,),
    )
    presets: ClassVar = {
        "fast": Preset(Training(steps=700, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True, holdout=0)),
        "paper": Preset(
            Training(
                steps=3000, rate=1e-3, schedule="halving", halve_every=1000, crop=0, batch=1, augment=False, average=0,
                holdout=0, precision="float32",
            ),
            {"architecture": "chain", "window": 41, "turns": False},
        ),
    }  # fmt: skip
    cost: ClassVar = Cost(step=1.2, predict=0.66, prepare=2.7, nominal=0.4)

    architecture: str = knob(
        "unet", "Network: a small U-Net, or the authors' five convolutions in a row.", choices=("unet", "chain")
    )
    width: int = knob(
        16, "Channels of the U-Net's first level; the chain has four times as many.", ge=4, le=128, step=4
    )
    levels: int = knob(2, "Times that the U-Net halves the image.", ge=1, le=4, step=1)
    depth: int = knob(
        0, "Pixels of a bank that pairs are drawn from; 0 chooses 2 to 8 by the noise.", ge=0, le=64, step=1
    )
    patch: int = knob(7, "Side of the patches that are compared.", ge=3, le=15, step=2, unit="px")
    window: int = knob(21, "Side of the window in which similar pixels are looked for.", ge=5, le=99, step=2, unit="px")
    differences: str = knob(
        "squared",
        "Differences that patches and outputs are judged by: squared ones, or absolute ones for sparse noise.",
        choices=("squared", "absolute"),
    )

    turns: bool = knob(True, "Flip and rotate what is drawn from the bank.")

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels)
        return footprints.chain(4 * self.width, 5)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or the chain with orthogonal weights."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        net = nets.Chain(channels, ndim, width=4 * self.width, layers=5, residual=False)
        for weights in net.parameters():
            if weights.ndim > 1:
                nn.init.orthogonal_(weights)
        return net

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Make the bank, (N, C, m, Y, X)."""
        from napari_lotadenoise.noise import typical_sigma
        from napari_lotadenoise.normalisation.noise_normalisation import grey_levels

        level = grey_levels(training_images, typical_sigma(training_images.cpu().numpy()))
        depth = max(2, self.depth or next(m for top, m in DEPTHS.items() if level <= top))
        return SimpleNamespace(bank=torch.stack([self.bank(image, depth) for image in _chosen(training_images)]))

    def bank(self, image: Tensor, depth: int) -> Tensor:
        """Find, for each pixel of (C, Y, X), the `depth` pixels with the most similar surroundings, (C, m, Y, X)."""
        from napari_lotadenoise.ops import patches

        reach, half = self.window // 2, self.patch // 2
        wide = patches.mirrored(image, reach + half)
        rows, columns = (range(reach, reach + size) for size in image.shape[-2:])
        found = []
        for part in patches.row_blocks(rows, columns, reach, self.patch):
            options = {"absolute": self.differences == "absolute"}
            places = patches.similar(wide, part, columns, self.patch, reach, depth, **options)
            # A place is that of the corner of a patch.
            found.append(wide.flatten(1)[:, places + half * (wide.shape[-1] + 1)])
        return torch.cat(found, 1).movedim(-1, 1).contiguous()

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the error of one of the two images, predicted from the other."""
        _, channels, depth, *_ = state.bank.shape
        drawn = ops.random_crops(state.bank.flatten(1, 2), max(crops.shape[-2:]), len(crops), context.rng)
        turn = int(torch.randint(ops.ORIENTATIONS, (), generator=context.rng, device=drawn.device))
        drawn = ops.flip_rotate(drawn, turn) if self.turns else drawn
        one, other = drawn_pair(drawn.unflatten(1, (channels, depth)), context.rng)
        clean = net(one).float()
        squared = F.mse_loss(clean, other)
        loss = squared if self.differences == "squared" else F.l1_loss(clean, other)
        return StepOutput({"pair": loss}, values={"sigma": squared.detach().sqrt()})


def drawn_pair(bank: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw two different ones of the m values of each pixel of (N, C, m, Y, X), in all channels alike."""
    depth, shape = bank.shape[2], (len(bank), 1, 1, *bank.shape[3:])
    first = torch.randint(depth, shape, generator=rng, device=bank.device)
    second = (first + 1 + torch.randint(depth - 1, shape, generator=rng, device=bank.device)) % depth
    one, other = (bank.gather(2, index.expand(-1, bank.shape[1], -1, -1, -1))[:, :, 0] for index in (first, second))
    return one, other


def _chosen(training_images: Tensor) -> Tensor:
    """Return the planes of training images, or parts of them, of at most `PIXELS` pixels."""
    planes = PIXELS // (training_images.shape[-2] * training_images.shape[-1])
    if planes:
        return training_images[:: -(-len(training_images) // planes)]
    return ops.random_crops(
        training_images, PART, PIXELS // PART**2, torch.Generator(training_images.device).manual_seed(0)
    )
