"""Running state of a training: mean losses since the last report, and the weights with the best score."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_lotadenoise.nets import Network
from napari_lotadenoise.training.optimiser import KeptWeights


class RunningMeans:
    """Sums of named scalars on the device, which is waited for only when they are read."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, values: dict[str, Tensor]) -> None:
        """Add the values of one step."""
        for name, value in values.items():
            value = value.detach().to(self._device)
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def take(self) -> dict[str, float]:
        """Return the means since the last call, and begin anew."""
        means = {name: float(total) / self._count for name, total in self._sums.items()} if self._count else {}
        self._sums, self._count = {}, 0
        return means


class BestWeights:
    """The weights with the lowest score on held-out pixels.

    Scores are compared on the device, which is not waited for unless a stop rule has to know.
    """

    def __init__(self, device: torch.device) -> None:
        self._kept = KeptWeights()
        self._last = self._best = torch.tensor(math.inf, device=device)
        self.step = 0

    @property
    def score(self) -> float | None:
        """Return the last score, None where there is none; reading it waits for the device."""
        score = float(self._last)
        return score if math.isfinite(score) else None

    def take(self, net: Network, score: Tensor, step: int, *, watched: bool) -> None:
        """Take in a score of the present weights; `watched` says that a stop rule needs the step of the best one."""
        better = score < self._best
        self._kept.take(net, better)
        self._last, self._best = score.detach(), torch.where(better, score, self._best).detach()
        if watched and bool(better):
            self.step = step

    def restore(self, net: Network, tolerance: float) -> None:
        """Go back to the best weights where the last score is worse by more than a share."""
        if float(self._last) > (1 + tolerance) * float(self._best):
            self._kept.give_back(net)
