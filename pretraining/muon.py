"""Muon: momentum whose matrices are made orthogonal before they are followed."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_lotadenoise.nets import Network
from napari_lotadenoise.training.optimiser import Adam

#: Fewest inputs and outputs of a layer that counts as a matrix; the stem, the head and the biases are left to Adam.
SMALLEST = 32
#: Rate of the matrices in units of that of the rest.
FASTER = 5.0
MOMENTUM = 0.95
#: Of the polynomial that pulls all singular values towards 1, and how often it is applied.
QUINTIC, TIMES = (3.4445, -4.7750, 2.0315), 5


class Muon(Adam):
    """Muon (Jordan et al. 2024) for convolutions, seen as matrices of outputs x (inputs x taps), and Adam for the rest.

    In a trial of 800 steps the held-out error was 0.2, 0.5 and 0.7 dB lower than with Adam alone, at noise of 15, 25, 50 of 255;
    that was with four times this rate, at which longer trainings became unstable.
    """

    def __init__(self, net: Network, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(net, betas)
        self._velocity = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, loss: Tensor, rate: float) -> None:
        """Take one step down the gradient of `loss`."""
        self.steps += 1
        gradients = torch.autograd.grad(loss, self.parameters)
        for number, (weights, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            if weights.dim() == 4 and min(weights.shape[:2]) >= SMALLEST:
                velocity = self._velocity[number].lerp_(gradient, 1 - MOMENTUM)
                step = orthogonal(gradient.lerp(velocity, MOMENTUM).flatten(1))
                longer = max(1, weights.shape[0] / weights[0].numel()) ** 0.5
                weights.sub_(step.view_as(weights), alpha=rate * FASTER * longer)
            else:
                self._adam(number, weights, gradient, rate)

    def _adam(self, number: int, weights: Tensor, gradient: Tensor, rate: float) -> None:
        first, second = self.betas
        mean = self._mean[number].lerp_(gradient, 1 - first)
        square = self._square[number].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        scale = (square / (1 - second**self.steps)).sqrt_().add_(self.epsilon)
        weights.addcdiv_(mean, scale, value=-rate / (1 - first**self.steps))

    def state(self) -> dict[str, object]:
        """Return all that the next step depends on."""
        return {"steps": self.steps, "mean": self._mean, "square": self._square, "velocity": self._velocity}

    def resume(self, state: dict[str, object]) -> None:
        """Go on from what `state` returned."""
        self.steps, self._mean, self._square = state["steps"], state["mean"], state["square"]
        self._velocity = state["velocity"]


def orthogonal(matrix: Tensor) -> Tensor:
    """Make a matrix of about the same singular vectors whose singular values are all about 1 (a Newton-Schulz iteration)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = QUINTIC
    for _ in range(TIMES):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).contiguous()
