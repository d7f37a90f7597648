"""Noisier2Noise: learns the noisy image from a noisier one, and works out the clean one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise.contract.method import Info, Preset, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods.recorrupted2recorrupted import Recorrupted2Recorrupted

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.methods._recorruption import NoiseLaw
    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import Chance


@dataclass(frozen=True)
class Noisier2Noise(Recorrupted2Recorrupted):
    """Noisier2Noise (Moran, Schmidt, Zhong & Coady, CVPR 2020).

    The network learns y from z = y + alpha m, m drawn like the noise of y: f(z) -> E[y | z]. Of the noise in z the share
    1 / (1 + alpha^2) is that of y, so that

        E[x | z] = ((1 + alpha^2) f(z) - z) / alpha^2.

    The same holds for photons: with z the thinned counts, E[y | z] = (1 - s) z + s E[x | z], s = alpha^2 / (1 + alpha^2).
    """

    id: ClassVar = "noisier2noise"
    info: ClassVar = Info(
        title="Noisier2Noise",
        idea="Learns the noisy image from a noisier one and goes as far again in the same direction, to the clean one.",
        assumes="noise that is independent between pixels and whose strength is known or can be measured in flat regions",
        fails="where its noise level is wrong: set too low noise is kept, too high it blurs; correlated noise is kept",
        source="Moran, Schmidt, Zhong & Coady, Noisier2Noise: Learning to Denoise From Unpaired Noisy Data, CVPR 2020",
        url="https://openaccess.thecvf.com/content_CVPR_2020/html/"
        "Moran_Noisier2Noise_Learning_to_Denoise_From_Unpaired_Noisy_Data_CVPR_2020_paper.html",
    )
    presets: ClassVar = {
        "fast": Recorrupted2Recorrupted.presets["fast"],
        # Theirs is a schedule for a training set; this is of as many steps as others need for one image.
        "paper": Preset(
            Training(
                steps=20_000, rate=1e-3, schedule="halving", halve_every=5000, crop=64, crop_depth=8, batch=4, average=0,
                scaling="range", precision="float32",
            ),
            {"noise": "constant", "width": 48, "levels": 4, "passes": 50},
        ),
    }  # fmt: skip

    strength: float = knob(1.0, "alpha: how much noise is added to the input.", ge=0.05, le=5, step=0.05)

    def sample(self, net: Network, image: Tensor, state: NoiseLaw, rng: Chance) -> Tensor:
        """Work out the clean image from one noisier one."""
        from napari_lotadenoise.methods._recorruption import target_share

        noisier, _ = self.pair(image, state, rng)
        share = target_share(self.strength)
        return (self.expected(net, noisier) - (1 - share) * noisier) / share

    def expected(self, net: Network, seen: Tensor) -> Tensor:
        """Return the noisier image less what the network finds in it, which leaves it less to learn and less to be stretched."""
        return seen - net(seen).float()

    def pair(self, image: Tensor, law: NoiseLaw, rng: Chance) -> tuple[Tensor, Tensor]:
        """Return the noisier image, and the noisy one."""
        return law.split(image, self.strength, rng)[0], image
