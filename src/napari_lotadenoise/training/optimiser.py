"""Adam, its rate and the running average of weights.

torch has all three, but building any `torch.optim` optimiser imports its compiler, a second that would be missing
between the click on *Denoise* and the first preview; the tests hold these against torch's own.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from napari_lotadenoise.contract.method import Training
from napari_lotadenoise.nets import Network

#: Share of a one-cycle schedule in which the rate rises, and what part of the peak it starts from.
RISE, START = 0.15, 1 / 25


class Adam:
    """Adam without weight decay (Kingma & Ba 2015, algorithm 1), the norm of the whole gradient held below `clip`."""

    def __init__(
        self, net: Network, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8, clip: float = 0.0
    ) -> None:
        self.clip = clip
        self.parameters: list[Tensor] = [p for p in net.parameters() if p.requires_grad]
        self.betas, self.epsilon, self.steps = betas, epsilon, 0
        self._mean = [torch.zeros_like(p) for p in self.parameters]
        self._square = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, loss: Tensor, rate: float) -> None:
        """Take one step down the gradient of `loss`."""
        gradients = list(torch.autograd.grad(loss, self.parameters))
        if self.clip:
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            torch._foreach_mul_(gradients, (self.clip / norm.clamp_min(1e-12)).clamp_max(1.0))
        self.steps += 1
        first, second = self.betas
        torch._foreach_lerp_(self._mean, gradients, 1 - first)
        torch._foreach_mul_(self._square, second)
        torch._foreach_addcmul_(self._square, gradients, gradients, 1 - second)
        scale = torch._foreach_sqrt(self._square)
        torch._foreach_div_(scale, math.sqrt(1 - second**self.steps))
        torch._foreach_add_(scale, self.epsilon)
        torch._foreach_addcdiv_(self.parameters, self._mean, scale, -rate / (1 - first**self.steps))


def rate_at(step: int, training: Training) -> float:
    """Return the learning rate of a step: constant, halved every so often, or one cosine rise and fall (Smith & Topin 2018)."""
    if training.schedule == "halving":
        return training.rate * 0.5 ** (step // training.halve_every)
    if training.schedule == "constant":
        return training.rate
    done = step / max(1, training.steps - 1)
    if done < RISE:
        return training.rate * (START + (1 - START) * _ease(done / RISE))
    return training.rate * _ease((1 - done) / (1 - RISE))


class WeightAverage:
    """Copy of a network whose weights and normalisation are exponential means.

    The mean is short at first, (1 + n) / (10 + n) instead of `decay`, so that an early picture is not that of the
    untrained weights.
    """

    def __init__(self, net: Network, decay: float) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.decay, self.count = decay, 0

    @torch.no_grad()
    def update(self, net: Network) -> None:
        """Take in the weights after a step."""
        weight = 1 - min(self.decay, (1 + self.count) / (10 + self.count))
        self.count += 1
        torch._foreach_lerp_(list(self.net.parameters()), list(net.parameters()), weight)
        for mean, new in zip(self.net.buffers(), net.buffers(), strict=True):
            mean.lerp_(new, weight) if mean.is_floating_point() else mean.copy_(new)


class KeptWeights:
    """Copy of the weights of a network, to go back to."""

    def __init__(self) -> None:
        self._weights: dict[str, Tensor] | None = None

    @torch.no_grad()
    def take(self, net: Network, better: Tensor | None = None) -> None:
        """Keep the weights of now; where `better`, a boolean on the device, says no, those of before stay."""
        if self._weights is None:
            self._weights = copy.deepcopy(net.state_dict())
            return
        for name, new in net.state_dict().items():
            old = self._weights[name]
            old.copy_(new if better is None else torch.where(better, new, old))

    def give_back(self, net: Network) -> None:
        """Put the kept weights into a network; nothing where none were kept."""
        if self._weights is not None:
            net.load_state_dict(self._weights)


def _ease(part: float) -> float:
    """Return a cosine that rises from 0 to 1."""
    return (1 - math.cos(math.pi * part)) / 2
