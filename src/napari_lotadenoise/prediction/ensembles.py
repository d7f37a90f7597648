"""Averages over the passes of stochastic methods, with their deviation, and over flips and rotations."""

from __future__ import annotations

from collections.abc import Hashable

import torch
from torch import Tensor

#: Weight that the running average keeps of what it has seen, as the network goes on learning under it.
MEMORY = 0.85


class PassAverage:
    """Mean and standard deviation of outputs, pixel by pixel (Welford's update)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self._squares = torch.zeros(())

    def add(self, output: Tensor) -> None:
        """Add one output."""
        output = output.float()
        self.count += 1
        difference = output - self.mean
        self.mean = self.mean + difference / self.count
        self._squares = self._squares + difference * (output - self.mean)

    @property
    def deviation(self) -> Tensor:
        """Return the deviation of the outputs so far; 0 after a single one."""
        return (self._squares / max(1, self.count - 1)).sqrt()


class RunningPasses:
    """Exponential mean and deviation of the passes over one place; another place begins anew."""

    def __init__(self) -> None:
        self._place: Hashable = None
        self._mean = self._variance = torch.zeros(())
        self.count = 0

    def add(self, place: Hashable, output: Tensor) -> tuple[Tensor, Tensor]:
        """Add one more pass over a place; return mean and deviation so far."""
        output = output.float()
        if place != self._place or output.shape != self._mean.shape:
            self._place, self.count = place, 0
            self._mean, self._variance = torch.zeros_like(output), torch.zeros_like(output)
        weight = max(1 - MEMORY, 1 / (self.count + 1))
        difference = output - self._mean
        self._mean = self._mean + weight * difference
        self._variance = (1 - weight) * (self._variance + weight * difference.square())
        self.count += 1
        return self._mean, self._variance.sqrt()
