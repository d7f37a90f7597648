"""Recorrupted-to-Recorrupted: more noise is added so that two images with independent noise come of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import nets
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.contract.training import WarmTraining, warm_preset
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.methods._recorruption import NoiseLaw
    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import Chance

#: Pixels around one that tell its intensity (`_recorruption.REACH`).
REACH = 2


@dataclass(frozen=True)
class Recorrupted2Recorrupted(Method):
    """Recorrupted-to-Recorrupted (Pang, Zheng, Quan & Ji, CVPR 2021), with the splits of Generalized R2R (CVPR 2025).

    With m drawn like the noise of y, the images

        y1 = y + alpha m,    y2 = y - m / alpha

    have independent noise, so that |f(y1) - y2|^2 is the true error of f(y1) plus a constant. The result is the mean of
    f(y + alpha m) over draws of m. Published for a known deviation; here it is measured where it is not given, and
    photon counts are split exactly, by thinning (see `recorruption`).
    """

    id: ClassVar = "recorrupted2recorrupted"
    info: ClassVar = Info(
        title="Recorrupted-to-Recorrupted",
        idea="Adds noise in two ways so that two images with independent noise come of one, and learns one from the other.",
        assumes="noise that is independent between pixels and whose strength is known or can be measured in flat regions",
        fails="where its noise level is wrong: set too low noise is kept, too high it blurs; correlated noise is kept",
        source="Pang, Zheng, Quan & Ji, Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising, "
        "CVPR 2021; thinning of photons after Monroy, Bacca & Tachella, Generalized Recorrupted-to-Recorrupted, CVPR 2025",
        url="https://openaccess.thecvf.com/content/CVPR2021/html/"
        "Pang_Recorrupted-to-Recorrupted_Unsupervised_Deep_Learning_for_Image_Denoising_CVPR_2021_paper.html",
    )
    presets: ClassVar = {
        "fast": Preset(
            WarmTraining(steps=1000, rate=4e-3, crop=64, batch=2, average=0.98, clip=1.0, ensemble=True),
            volume={"steps": 300, "batch": 1, "crop": 40, "crop_depth": 16},
        ),
        # Their 50 epochs over a training set, as steps on one image.
        "paper": Preset(
            WarmTraining(
                steps=20_000, rate=1e-3, schedule="halving", halve_every=5000, crop=40, crop_depth=8, batch=16, average=0,
                scaling="range", precision="float32",
            ),
            {"architecture": "dncnn", "noise": "constant", "passes": 50},
        ),
        "warm": warm_preset(),
    }  # fmt: skip
    maps: ClassVar = {"input": "picture", "target": "picture", "noise level": "magnitude"}
    cost: ClassVar = Cost(step=1.45, predict=0.77, volume=12.0, volume_predict=3.0, nominal=0.45)

    architecture: str = knob("unet", "Network: a small U-Net, or DnCNN-17.", choices=("unet", "dncnn"))
    width: int = knob(16, "Channels of the U-Net's first level; DnCNN has four times as many.", ge=4, le=128, step=4)
    levels: int = knob(2, "Times that the U-Net halves the image.", ge=1, le=4, step=1)
    noise: str = knob(
        "photons",
        "How the noise varies: as that of single photons, which are thinned, or as normal noise whose variance grows with "
        "the intensity, or is the same everywhere.",
        choices=("photons", "signal-dependent", "constant"),
    )
    sigma: float = knob(
        0.0, "Known noise deviation in intensities of the image, its mean where it varies; 0 measures it.", ge=0, step=1
    )
    strength: float = knob(0.5, "alpha: how much noise is added to the input.", ge=0.05, le=5, step=0.05)
    passes: int = knob(8, "Draws of the noise that the result averages.", ge=1, le=1000, step=8)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        if self.architecture == "unet":
            return footprints.unet(self.width, self.levels).widened(REACH)
        return footprints.chain(4 * self.width, 16, head=3).widened(REACH)

    def network(self, channels: int, ndim: int) -> Network:
        """Make a small U-Net, or DnCNN-17."""
        if self.architecture == "unet":
            return nets.UNet(channels, ndim, width=self.width, levels=self.levels, norm="none")
        return nets.Chain(channels, ndim, width=4 * self.width, layers=16, slope=0.0, head=3, norm="batch")

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> NoiseLaw:
        """Measure the noise."""
        from napari_lotadenoise.methods._recorruption import measured_law

        return measured_law(training_images, self.noise, self.sigma / unit)

    @property
    def stochastic_passes(self) -> int:
        """Return how many draws the result averages."""
        return self.passes

    def step(self, net: Network, crops: Tensor, state: NoiseLaw, context: StepContext) -> StepOutput:
        """Return the error of one half predicted from the other."""
        seen, target = self.pair(crops, state, context.rng)
        variance = state.variance(crops)
        maps = {"input": seen, "target": target, "noise level": variance.mean(1, keepdim=True).sqrt()}
        return StepOutput(
            {"pair": F.mse_loss(self.expected(net, seen), target)}, maps, {"sigma": variance.mean().sqrt()}
        )

    def score(self, net: Network, crops: Tensor, state: NoiseLaw) -> Tensor:
        """Return the same error on crops that were never trained on, with noise that stays."""
        seen, target = self.pair(crops, state, torch.Generator(crops.device).manual_seed(0))
        return F.mse_loss(self.expected(net, seen), target)

    def for_prediction(self, state: NoiseLaw) -> NoiseLaw:
        """Keep all: noise is added for every result."""
        return state

    def sample(self, net: Network, image: Tensor, state: NoiseLaw, rng: Chance) -> Tensor:
        """Denoise with one draw of noise added."""
        return self.expected(net, self.pair(image, state, rng)[0])

    def expected(self, net: Network, seen: Tensor) -> Tensor:
        """Predict the mean of the target from the input."""
        return net(seen).float()

    def halo(self, net: Network) -> int:
        """Return what the network sees, and what tells the intensity at its farthest pixel."""
        return net.halo + REACH

    def pair(self, image: Tensor, law: NoiseLaw, rng: Chance) -> tuple[Tensor, Tensor]:
        """Return the input and target of the network."""
        return law.split(image, self.strength, rng)
