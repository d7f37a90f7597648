"""Watches the deviation of the residual, for methods whose loss has the identity as a minimum."""

from __future__ import annotations

from torch import Tensor

#: Steps between two readings, and readings that one is compared with.
EVERY, READINGS = 25, 8
#: Share of the training in which the dog sleeps: the residual falls then anyway, as the network learns.
ASLEEP = 0.2
#: It barks where a reading falls below this share of the running median, or, awake or not, of the noise expected.
DROP, FAR_DROP = 0.9, 0.5


class Watchdog:
    """Barks when a network begins to copy the image.

    Parameters
    ----------
    crops : tensor (N, C, [Z], Y, X)
        What readings are taken on; always the same, since crops differ in their noise.
    expected : float
        Noise deviation that was estimated beforehand, in scaled units; a low estimate only makes the dog milder.
    """

    def __init__(self, crops: Tensor, expected: float) -> None:
        self.crops, self.expected = crops, expected
        self.awake = False
        self._readings: list[Tensor] = []
        self._seen = 0

    def note(self, deviation: Tensor, progress: float) -> None:
        """Take down the deviation of the residual; does not wait for the device."""
        self.awake = progress >= ASLEEP
        self._readings.append(deviation)

    def read(self) -> str:
        """Look at the newest reading; says what is wrong, or nothing."""
        if self._seen == len(self._readings):
            return ""
        reading = float(self._readings[-1])
        before = sorted(float(r) for r in self._readings[-READINGS - 1 : -1])
        self._seen = len(self._readings)
        dropped = len(before) >= READINGS // 2 and reading < DROP * before[len(before) // 2]
        if not self.awake:
            self._readings, self._seen = [], 0
        if reading < FAR_DROP * self.expected or (self.awake and dropped):
            return "stopped: the network began to copy the image; went back to its last healthy weights"
        return ""
