"""Instant: one pass through a small network that has learnt from other images; nothing is learnt from this one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._known_noise import KnownNoise, one_step
from napari_lotadenoise.pretrained import weights

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class Instant(KnownNoise):
    """A U-Net with shipped weights (`docs/instant.md`), behind a blind fit of the noise.

    The image is brought to noise of deviation 1, by the generalised Anscombe transform where the noise depends on the
    signal, so that the network needs to know one noise only. What it takes from a pixel is at most five deviations of the
    noise there: an image in which no noise is measured passes through, whatever the network thinks.

    Channels that are denoised together, such as colours, are turned into their principal components, which go through the
    network one by one. Volumes are seen through five neighbouring planes at a time.
    """

    id: ClassVar = "instant"
    info: ClassVar = Info(
        title="Instant (pre-trained)",
        idea="One pass through a small network that was trained on other images: drawings and photographs.",
        assumes="noise that is independent between pixels and about normal or Poisson; a fair estimate of its strength",
        fails="on correlated noise (it is kept), on content unlike its training images (fine detail may be lost or invented)",
        source="this project's own weights: a blind residual U-Net, see the model card in docs/instant.md; after Zhang et "
        "al., DRUNet, IEEE TPAMI 2022",
        url="https://arxiv.org/abs/2008.13751",
    )
    presets: ClassVar = {
        "fast": one_step({}, precision="auto"),
        "paper": one_step({"noise": "constant"}, precision="float32"),
    }
    smallest_tile: ClassVar[int] = 512
    largest_tile: ClassVar[int] = 1024
    cost: ClassVar = (0.1, 0.6)

    level: float = knob(
        1.0, "Noise that is removed, as a multiple of the noise that was measured (or told).", ge=0.25, le=4, step=0.05
    )
    self_ensemble: bool = knob(False, "Average the results for the eight flips and rotations of the image.")

    def weights(self, ndim: int) -> str:
        """Which file takes part."""
        return weights.SHIPPED[weights.kind_for(ndim)].words

    def network(self, channels: int, ndim: int) -> Network:
        """The shipped network for such images."""
        return weights.load(weights.kind_for(ndim))

    def prepare(self, pool: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise; the network has a say in it."""
        from napari_lotadenoise.normalisation.noise_whitening import mean_deviation, noise_of
        from napari_lotadenoise.pretrained.level_correction import without_texture
        from napari_lotadenoise.pretrained.one_pass import OnePass

        fits = noise_of(pool, unit=unit, sigma=self.sigma, dependent=self.noise == "signal-dependent")
        if not self.sigma:
            fits = without_texture(fits, pool)
        removed = [fit.scaled(self.level**2) for fit in fits]
        return SimpleNamespace(sigma=mean_deviation(fits, pool), through=OnePass(pool, removed))

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """One pass, or the mean of eight."""
        from napari_lotadenoise.pretrained.one_pass import noise_in

        turns = range(ops.TURNS if self.self_ensemble else 1)

        def noise(white: Tensor) -> Tensor:
            return torch.stack([ops.turned_back(noise_in(ops.turned(white, turn), net), turn) for turn in turns]).mean(
                0
            )

        return state.through.denoised(image, noise)
