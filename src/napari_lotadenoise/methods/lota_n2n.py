"""LoTA-N2N: pair learning in two stages, the second held by a constraint on the local trace."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements, Tiling
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods.zs_n2n import REFERENCE, denoised_pair, pair_loss, sigma_bound
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class LoTAN2N(Method):
    """LoTA-N2N (arXiv 2403.12382 and its successor 2607.24135); the recipe is ours where the papers are silent.

    Sub-images a = x1 + n1 and b = x2 + n2 of one noisy image share no mean content, so that learning a -> b differs from
    supervised learning by the trace interaction Tr[(f(a) - x1)^T (b - x1)]. Stage 1 learns pairs as ZS-N2N does. Its
    network is then frozen; its outputs p = f1(a) stand in for x1, and stage 2 adds the magnitude of

        t = (f(a) - p) * (b - p)        (elementwise, summed over channels)

    averaged over patches: mean over patches of |mean of t in the patch|. The absolute value matters: a signed trace of
    weight 2 has exactly the gradient of copying the frozen network.

    `recorrupt` is ours: the half-size images have only 1 / sqrt(2) of the noise that the network meets in the whole
    image. Gaussian noise that is added to one half of the pair makes up for it, and is no bias, since the other half
    does not know it.
    """

    id: ClassVar = "lota-n2n"
    info: ClassVar = Info(
        title="LoTA-N2N",
        idea="Learns one diagonal of every 2 x 2 cell from the other, then goes on under a constraint on the local trace.",
        assumes="noise that is independent between neighbouring pixels and zero on average; content smooth over two pixels",
        fails="on correlated noise (it is kept), on single-pixel puncta (they are dimmed), on very strong noise (blotches)",
        source="Low-Trace Adaptation of Zero-shot Self-supervised Blind Image Denoising, arXiv 2403.12382; "
        "LoTA-N2N: Local Trace Adaptation for Zero-Shot Self-Supervised Image Denoising, arXiv 2607.24135",
        url="https://arxiv.org/abs/2403.12382",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(steps=1600, rate=3e-3, crop=64, batch=2, average=0.98, ensemble=True),
            {"width": 32, "layers": 3, "trace": 0.3, "recorrupt": 1.0},
            volume={"steps": 300, "batch": 1},
        ),
        "paper": Preset(REFERENCE),
    }
    maps: ClassVar = {"pair a": "picture", "pair b": "picture", "proxy a": "picture", "trace": "signed"}
    tiling: ClassVar = Tiling(size_multiple=2)
    requires: ClassVar = Requirements(constant_noise=True)  # the noise that is added is
    cost: ClassVar = Cost(step=0.42, predict=0.42, start=1.6, volume=4.0, volume_predict=4.2, nominal=0.1)

    width: int = knob(48, "Channels of the hidden layers.", ge=4, le=256, step=8)
    layers: int = knob(2, "Hidden 3 x 3 layers; more of them see further and take longer.", ge=1, le=12, step=1)
    trace: float = knob(1.0, "Weight of the trace constraint in stage 2.", ge=0, le=10, step=0.1)
    patch: int = knob(
        16,
        "Side of the patches that the trace is averaged over before its magnitude is taken.",
        ge=2,
        le=256,
        step=2,
        unit="px",
    )
    form: str = knob(
        "local", "Trace of each patch, or of the whole image, or with its sign.", choices=("local", "global", "signed")
    )
    recorrupt: float = knob(
        0.0, "Noise added to one half of the pair; with 1 it is as noisy as the whole image.", ge=0, le=2, step=0.1
    )
    stage_one: float = knob(0.5, "Share of the steps that belongs to stage 1.", ge=0.05, le=0.95, step=0.05)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.chain(self.width, self.layers)

    def network(self, channels: int, ndim: int) -> Network:
        """Predict the noise with the network of ZS-N2N."""
        return nets.Chain(channels, ndim, width=self.width, layers=self.layers)

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise, and be ready to keep the frozen network of stage 1."""
        from napari_lotadenoise.noise import typical_sigma

        # Variances add up: sigma^2 / 2 in a half, and as much again.
        added = self.recorrupt * typical_sigma(training_images.cpu().numpy()) / math.sqrt(2) if self.recorrupt else 0.0
        return SimpleNamespace(frozen=None, added=added)

    def before_step(self, net: Network, state: SimpleNamespace, context: StepContext) -> None:
        """Freeze the network where stage 1 ends."""
        if state.frozen is None and context.progress >= self.stage_one:
            state.frozen = copy.deepcopy(net).eval().requires_grad_(False)

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the pair loss, and in stage 2 the trace constraint."""
        a, b = ops.diagonal_pair(crops)
        if context.step % 2:  # each diagonal in turn is the one that noise is added to
            a, b = b, a
        clean_a, clean_b = net(torch.cat([ops.with_noise(a, state.added, context.rng), b])).float().chunk(2)
        pair = pair_loss(a, b, clean_a, clean_b)
        # What was learnt from more noise than there is says nothing of how much there is.
        values, maps = {"sigma": sigma_bound(F.mse_loss(clean_b, a))}, {"pair a": a, "pair b": b}
        if state.frozen is None:
            return StepOutput({"pair": pair}, maps, values, "stage 1: pairs")
        proxy_a, proxy_b = state.frozen(torch.cat([a, b])).float().chunk(2)
        trace_a = ((clean_a - proxy_a) * (b - proxy_a)).sum(1, keepdim=True)
        trace_b = ((clean_b - proxy_b) * (a - proxy_b)).sum(1, keepdim=True)
        local_a, local_b = (ops.block_mean(trace, max(1, self.patch // 2)) for trace in (trace_a, trace_b))
        values["cancellation"] = cancellation_index(local_a)
        losses = {"pair": pair, "trace": self.trace * self._magnitude(local_a, local_b)}
        values["trace global"], values["trace local"] = local_a.detach().mean(), local_a.detach().abs().mean()
        maps |= {"proxy a": proxy_a, "trace": local_a.detach()}
        return StepOutput(losses, maps, values, "stage 2: pairs and trace")

    def score(self, net: Network, crops: Tensor, state: Any) -> Tensor:
        """Return the pair loss on crops that were never trained on."""
        return pair_loss(*denoised_pair(net, crops))

    def _magnitude(self, local_a: Tensor, local_b: Tensor) -> torch.Tensor:
        if self.form == "local":
            return (local_a.abs().mean() + local_b.abs().mean()) / 2
        if self.form == "global":
            return (local_a.mean().abs() + local_b.mean().abs()) / 2
        return local_a.mean() + local_b.mean()


def cancellation_index(local_trace: Tensor) -> Tensor:
    """Return the share of the local traces that the global one hides: 1 - |mean t| / mean |t|.

    0 where all patches have the same sign, 1 where positive and negative patches cancel.
    """
    local_trace = local_trace.detach()
    return 1 - local_trace.mean().abs() / local_trace.abs().mean().clamp_min(1e-12)
