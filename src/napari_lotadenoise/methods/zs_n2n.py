"""ZS-N2N: Zero-Shot Noise2Noise, the pair sampler and the tiny network that LoTA-N2N builds on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Full frames, Adam at 1e-3 halved every 1000 steps, 2000 steps, last weights (the reference notebook's schedule).
REFERENCE = Training(
    steps=2000, rate=1e-3, schedule="halving", halve_every=1000, crop=0, crop_depth=0, batch=1, augment=False,
    average=0, holdout=0, scaling="range", precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class ZSN2N(Method):
    """Zero-Shot Noise2Noise (Mansour & Heckel, CVPR 2023).

    Both diagonals of each 2 x 2 cell make a pair of half-size images a and b with independent noise. The network g
    predicts noise, f(v) = v - g(v), and learns by

    - the pair loss (eq. 4), 1/2 [ |f(a) - b|^2 + |f(b) - a|^2 ], and
    - the consistency loss (eq. 5), 1/2 [ |f(a) - a(f(y))|^2 + |f(b) - b(f(y))|^2 ], where a(.) and b(.) sample the
      denoised image in the same way.
    """

    id: ClassVar = "zs-n2n"
    info: ClassVar = Info(
        title="ZS-N2N",
        idea="Learns to predict one diagonal of every 2 x 2 cell of pixels from the other one.",
        assumes="noise that is independent between neighbouring pixels and zero on average; content smooth over two pixels",
        fails="on correlated noise (it is kept), on single-pixel puncta (they are dimmed), on very strong noise (blotches)",
        source="Mansour & Heckel, Zero-Shot Noise2Noise: Efficient Image Denoising without any Data, CVPR 2023",
        url="https://arxiv.org/abs/2303.11253",
    )
    presets: ClassVar = {
        # No flips or rotations: scanners leave a little correlation along their lines, and a network that is taught to
        # ignore directions does worse on it (0.3 dB on a two-photon frame, measured).
        "fast": Preset(
            Training(steps=600, rate=6e-3, crop=96, batch=1, augment=False, average=0.95),
            volume={"steps": 300, "crop": 64},
        ),
        "paper": Preset(REFERENCE),
    }
    tiling: ClassVar = Tiling(size_multiple=2)
    cost: ClassVar = Cost(step=1.25, predict=0.44, start=2.1, volume=4.8, volume_predict=4.2, nominal=0.1)

    width: int = knob(48, "Channels of the hidden layers.", ge=4, le=256, step=8)
    layers: int = knob(2, "Hidden 3 x 3 layers; more of them see further and take longer.", ge=1, le=12, step=1)
    consistency: float = knob(1.0, "Weight of the consistency between both resolutions.", ge=0, le=10, step=0.1)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.chain(self.width, self.layers)

    def network(self, channels: int, ndim: int) -> Network:
        """Build two 3 x 3 layers and a 1 x 1 head that predict the noise."""
        return nets.Chain(channels, ndim, width=self.width, layers=self.layers)

    def step(self, net: Network, crops: Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the pair loss and consistency loss."""
        a, b, clean_a, clean_b = denoised_pair(net, crops)
        pair = pair_loss(a, b, clean_a, clean_b)
        losses = {"pair": pair}
        if self.consistency:
            full_a, full_b = ops.diagonal_pair(net(crops).float())
            consistent = (F.mse_loss(clean_a, full_a) + F.mse_loss(clean_b, full_b)) / 2
            losses["consistency"] = self.consistency * consistent
        return StepOutput(losses, values={"sigma": sigma_bound(pair)})

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the pair loss on crops that were never trained on."""
        return pair_loss(*denoised_pair(net, crops))


def denoised_pair(net: Network, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sample the pair (a, b) from `image` and denoise both in one pass: a, b, f(a), f(b)."""
    a, b = ops.diagonal_pair(image)
    clean_a, clean_b = net(torch.cat([a, b])).float().chunk(2)
    return a, b, clean_a, clean_b


def pair_loss(a: Tensor, b: Tensor, clean_a: Tensor, clean_b: Tensor) -> Tensor:
    """Return the mean squared difference of each denoised half from the other noisy half, averaged over both directions."""
    return (F.mse_loss(clean_a, b) + F.mse_loss(clean_b, a)) / 2


def sigma_bound(pair: Tensor) -> Tensor:
    """Return the noise deviation that a pair loss implies.

    The loss is the variance of the noise in one half, sigma^2 / 2, plus the squared error that is left: an upper bound
    that gets tight as the network learns.
    """
    return (2 * pair.detach()).sqrt()
