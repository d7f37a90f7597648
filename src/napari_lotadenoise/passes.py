"""Averages over passes: those of a method of chance, with how sure it is of them, and those over flips and rotations."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

#: Weight that the running average keeps of what it has seen, as the network goes on learning under it.
MEMORY = 0.85


def average_passes(sample: Callable[[], Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, pixel by pixel, of `count` outputs (Welford's update)."""
    mean = sample().float()
    squares = torch.zeros_like(mean)
    for number in range(2, count + 1):
        output = sample().float()
        difference = output - mean
        mean = mean + difference / number
        squares = squares + difference * (output - mean)
    return mean, (squares / max(1, count - 1)).sqrt()


def average_turns(function: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Mean of a function's outputs for the eight flips and rotations of an image in its plane, each turned back."""
    total = torch.zeros_like(image)
    for turn in range(8):
        turned = torch.rot90(image.flip(-1) if turn >= 4 else image, turn % 4, (-2, -1))
        output = torch.rot90(function(turned).float(), -(turn % 4), (-2, -1))
        total = total + (output.flip(-1) if turn >= 4 else output)
    return total / 8


class RunningPasses:
    """Exponential mean and deviation of the passes over one place; another place starts anew."""

    def __init__(self) -> None:
        self._place: Hashable = None
        self._mean = self._variance = torch.zeros(())
        self.count = 0

    def add(self, place: Hashable, output: Tensor) -> tuple[Tensor, Tensor]:
        """Take in one more pass over a place; returns mean and deviation so far."""
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
