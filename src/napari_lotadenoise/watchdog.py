"""Watches the deviation of the residual, for methods whose loss has the identity as a minimum."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

#: Steps that one reading averages, and readings that it is compared with.
STEPS, READINGS = 25, 8
#: Share of the training in which the dog sleeps: the residual falls then anyway, as the network learns.
ASLEEP = 0.2
#: It barks where a reading falls below this share of the running median, or, awake or not, of the noise expected.
DROP, FAR_DROP = 0.9, 0.5


class Watchdog:
    """Barks when a network begins to copy the image.

    Parameters
    ----------
    expected : float
        Noise deviation that was estimated beforehand, in scaled units; a low estimate only makes the dog milder.
    """

    def __init__(self, expected: float) -> None:
        self.expected, self.progress = expected, 0.0
        self.readings: list[float] = []
        self._recent: deque[Tensor] = deque(maxlen=STEPS)

    def note(self, deviation: Tensor) -> None:
        """Take down the deviation of the residual in one step; does not wait for the device."""
        self._recent.append(deviation)

    def read(self) -> str:
        """Take a reading; says what is wrong, or nothing."""
        if len(self._recent) < STEPS:
            return ""
        reading = float(torch.stack(list(self._recent)).mean())
        before = sorted(self.readings[-READINGS:])
        if self.progress >= ASLEEP:
            self.readings.append(reading)
        dropped = len(before) >= READINGS // 2 and reading < DROP * before[len(before) // 2]
        if reading < FAR_DROP * self.expected or dropped:
            return "stopped: the network began to copy the image; went back to its last healthy weights"
        return ""
