"""Noise2Detail: ZS-N2N, whose result is smoothed across scales and then learnt back into the noisy image."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods.zs_n2n import pair_loss, sigma_bound
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Steps of the third stage in which its network is too raw to be shown.
RAW = 50
#: Distances of the pixels that share a sub-image in the second stage.
SCALES = (2, 4)


@dataclass(frozen=True)
class Noise2Detail(Method):
    """Noise2Detail (Chobola, Schnabel & Peng, MICCAI 2025).

    1. ZS-N2N learns f from the diagonal means D1 y and D2 y of the noisy image y.
    2. Nothing is learnt: for k = 2 and 4 each of the k^2 images of every k-th pixel is denoised by f, put together again
       and denoised once more, which breaks up noise that f has left in lumps. The mean of both and of f(y) is the smooth
       image s.
    3. A new network g of the same size predicts the image, not the noise, and learns detail back from y:

           1/2 [ |g(D1 s) - D2 y|^2 + |g(D2 s) - D1 y|^2 ]  +  1/2 [ |g(D1 s) - D1 g(s)|^2 + |g(D2 s) - D2 g(s)|^2 ].

    The result is g(s). Stage 2 keeps within the range of the noisy image. One schedule runs through both trainings.
    """

    id: ClassVar = "noise2detail"
    info: ClassVar = Info(
        title="Noise2Detail",
        idea="Denoises with ZS-N2N, smooths the result across scales, and learns the lost detail back from the noisy image.",
        assumes="noise that is independent between neighbouring pixels and zero on average; content smooth over two pixels",
        fails="on correlated noise (it is kept), on single-pixel puncta (they are dimmed), where ZS-N2N sees no structure",
        source="Chobola, Schnabel & Peng, Lightweight Data-Free Denoising for Detail-Preserving Biomedical Image Restoration, "
        "MICCAI 2025",
        url="https://arxiv.org/abs/2510.15611",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=1000, rate=4e-3, crop=64, batch=2, average=0.98, ensemble=True, holdout=0),
            volume={"steps": 300, "batch": 1},
        ),
        # Twice the 2000 steps of ZS-N2N, in each of which the paper halves the rate of 1e-3 once.
        "paper": Preset(
            Training(
                steps=4000, rate=1e-3, schedule="halving", halve_every=2000, crop=0, crop_depth=0, batch=1, augment=False,
                average=0, holdout=0, scaling="range", precision="float32",
            ),
        ),
    }  # fmt: skip
    maps: ClassVar = {"smooth image": "picture"}
    tiling: ClassVar = Tiling(size_multiple=4)
    cost: ClassVar = Cost(step=1.3, predict=0.46, start=2.5, volume=5.5, volume_predict=5.5, nominal=0.6)

    width: int = knob(48, "Channels of the hidden layers.", ge=4, le=256, step=8)
    layers: int = knob(2, "Hidden 3 x 3 layers; more of them see further and take longer.", ge=1, le=12, step=1)
    consistency: float = knob(1.0, "Weight of the consistency between both resolutions.", ge=0, le=10, step=0.1)
    stage_one: float = knob(0.5, "Share of the steps that belongs to ZS-N2N.", ge=0.05, le=0.95, step=0.05)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.chain(self.width, self.layers)._replace(
            halo=(max(SCALES) + 2) * self.layers, depth_halo=3 * self.layers
        )

    def network(self, channels: int, ndim: int) -> Network:
        """Build the chain of ZS-N2N; the stage decides whether it predicts the noise."""
        net = nets.Chain(channels, ndim, width=self.width, layers=self.layers, residual=False)
        # The coarsest sub-images, denoised twice, then the network of stage 3; planes are never taken apart.
        net.halo, net.depth_halo = (max(SCALES) + 2) * net.halo, 3 * net.depth_halo
        return net

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Remember the range of the image, the first weights, and the network of stage 1 as soon as it is learnt."""
        return SimpleNamespace(
            range=(training_images.amin(), training_images.amax()), first=None, frozen=None, learnt=0
        )

    def before_step(self, net: Network, state: SimpleNamespace, context: StepContext) -> None:
        """Freeze the network where stage 1 ends, and start anew for stage 3."""
        if state.first is None:
            state.first = copy.deepcopy(net.state_dict())
        if state.frozen is None and context.progress >= self.stage_one:
            state.frozen = copy.deepcopy(net).eval().requires_grad_(False)
            net.load_state_dict(state.first)

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the pair loss and consistency loss, of the noisy image in stage 1 and of the smooth one in stage 3."""
        a, b = ops.diagonal_pair(crops)
        with torch.no_grad():
            source = crops if state.frozen is None else self.smooth(state.frozen, crops, state)
        clean_a, clean_b = self._stage(net, torch.cat(ops.diagonal_pair(source)), state).float().chunk(2)
        pair = pair_loss(a, b, clean_a, clean_b)
        losses = {"pair": pair}
        if self.consistency:
            full_a, full_b = ops.diagonal_pair(self._stage(net, source, state).float())
            losses["consistency"] = self.consistency * (F.mse_loss(clean_a, full_a) + F.mse_loss(clean_b, full_b)) / 2
        stage = "stage 1: pairs" if state.frozen is None else "stage 3: detail"
        return StepOutput(losses, {"smooth image": source}, {"sigma": sigma_bound(pair)}, stage)

    def after_step(self, step_output: StepOutput, state: SimpleNamespace) -> None:
        """Count the steps of stage 3."""
        state.learnt += state.frozen is not None

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep the range and the network of stage 1, and how long that of stage 3 has learnt."""
        return SimpleNamespace(range=state.range, frozen=state.frozen, learnt=state.learnt)

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the result of the stage that the training is in, of the one before while the network is raw."""
        if state.frozen is None:
            return self._stage(net, image, state)
        smooth = self.smooth(state.frozen, image, state)
        return smooth if state.learnt < RAW else self._stage(net, smooth, state)

    def smooth(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the result of stage 2: the mean of the denoised image and of those that were denoised in parts first."""

        def clean(noisy: Tensor) -> Tensor:
            return (noisy - net(noisy)).float().clamp(*state.range)

        whole = [clean(join(clean(parts(image, k)), k)) for k in SCALES]
        return torch.stack([clean(image), *whole]).mean(0)

    def _stage(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Apply the network, which predicts the noise in stage 1 and the image in stage 3."""
        return image - net(image) if state.frozen is None else net(image)


def parts(image: Tensor, k: int) -> Tensor:
    """Return the k^2 images of every k-th row and column, one after the other along the batch: (k^2 N, C, [Z], Y/k, X/k)."""
    return torch.cat([image[..., y::k, x::k] for y in range(k) for x in range(k)])


def join(images: Tensor, k: int) -> Tensor:
    """Put together what `parts` has taken apart."""
    count, *rest, rows, columns = images.shape
    cells = images.reshape(k, k, count // k**2, *rest, rows, columns)
    last = cells.ndim - 2
    order = [*range(2, last), last, 0, last + 1, 1]
    return cells.permute(order).reshape(count // k**2, *rest, rows * k, columns * k)
