"""Instant: one pass through a small network that has learnt from other images; nothing is learnt from this one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import pretrained
from napari_lotadenoise.known import KnownNoise, one_step
from napari_lotadenoise.lazy import F, ops, torch
from napari_lotadenoise.method import Info
from napari_lotadenoise.noise import VarianceFit
from napari_lotadenoise.params import knob

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Noise deviations beyond which nothing is taken from a pixel: what the network wants to remove there is no noise.
FARTHEST = 5.0
#: Noise deviations by which a pixel may stand out from all its neighbours before the network is shown less of it.
ISOLATED = 5.0


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
        return pretrained.SHIPPED[pretrained.kind_for(ndim)].words

    def network(self, channels: int, ndim: int) -> Network:
        """The shipped network for such images."""
        return pretrained.load(pretrained.kind_for(ndim))

    def prepare(self, pool: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise."""
        from napari_lotadenoise.whitening import Whitening, mean_deviation, noise_of

        fits = noise_of(pool, unit=unit, sigma=self.sigma, dependent=self.noise == "signal-dependent")
        share = self.level**2
        fits = [VarianceFit(fit.gain * share, fit.offset * share) for fit in fits]
        whitening = Whitening(pool, fits)
        # Whatever the offset of an image: the network is shown differences from its middle.
        middle = torch.stack([whitening.into(sample).flatten(1).mean(1) for sample in pool]).mean(0)
        return SimpleNamespace(sigma=mean_deviation(fits, pool) / self.level, whitening=whitening, middle=middle)

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """One pass, or the mean of eight."""
        white = torch.stack([state.whitening.into(sample) for sample in image.float()])
        centred = white - state.middle.view(-1, *[1] * (white.ndim - 2))
        turns = range(ops.TURNS if self.self_ensemble else 1)
        found = [ops.turned_back(noise_in(ops.turned(centred, turn), net), turn) for turn in turns]
        clean = white - torch.stack(found).mean(0).clamp(-FARTHEST, FARTHEST)
        return torch.stack([state.whitening.back(sample) for sample in clean])


def noise_in(white: Tensor, net: Any) -> Tensor:
    """What an `InstantNet` takes for noise in images (N, C, [Z], Y, X) whose noise has the deviation 1.

    Their sides are multiples of `net.multiple`.
    """
    if white.ndim == 5:
        stacks = without_hot_pixels(white).flatten(0, 1)
        return torch.stack([_noise_in_stack(stack, net) for stack in stacks]).view_as(white)
    white = without_hot_pixels(white)
    parts = white.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
    return net(parts).float().view_as(white)


def without_hot_pixels(white: Tensor) -> Tensor:
    """Images (..., Y, X) whose isolated pixels stand out by `ISOLATED` only, or the network would see them far around."""
    flat = white.flatten(0, -3)[:, None]
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    rows, columns = flat.shape[-2:]
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    low = high = padded[..., :rows, :columns]
    for y, x in shifts[1:]:
        neighbour = padded[..., y : y + rows, x : x + columns]
        low, high = torch.minimum(low, neighbour), torch.maximum(high, neighbour)
    return flat.clamp(low - ISOLATED, high + ISOLATED).view_as(white)


def _noise_in_stack(stack: Tensor, net: Any) -> Tensor:
    """Plane by plane: each is seen with its neighbours, beyond the ends mirrored ones."""
    from napari_lotadenoise.image import reflected

    reach = net.planes // 2
    around = stack[torch.from_numpy(reflected(len(stack), -reach, len(stack) + reach)).to(stack.device)]
    windows = (around[None, z : z + net.planes] for z in range(len(stack)))
    return torch.cat([net(window.contiguous(memory_format=torch.channels_last)).float()[:, 0] for window in windows])
