"""Guard against collapse, for methods whose loss has the identity as a minimum."""

from __future__ import annotations

from torch import Tensor

#: Steps between two readings, and readings that one is compared with.
EVERY, READINGS = 25, 8
#: Share of the training after which the guard is armed: before it the residual falls anyway, as the network learns.
ARMED_AFTER = 0.2
#: It triggers where a reading falls below this share of the running median and of the noise expected, or, armed or not,
#: below the second share of the noise expected.
DROP, FAR_DROP = 0.9, 0.5
#: Weights are worth keeping while a reading is above these shares of the noise expected or of the running median.
NEAR, STEADY = 0.95, 0.97


class CollapseGuard:
    """Triggers when a network begins to copy the image: the deviation of its residual drops.

    Parameters
    ----------
    crops : tensor (N, C, [Z], Y, X)
        Crops that readings are taken on; always the same, since crops differ in their noise.
    expected : float
        Mean noise deviation that was estimated beforehand, in scaled units; a low estimate only makes the guard milder.
    """

    def __init__(self, crops: Tensor, expected: float) -> None:
        self.crops, self.expected = crops, expected
        self.armed, self.healthy = False, True
        self._recorded: list[Tensor] = []
        self._readings: list[float] = []

    def record(self, deviation: Tensor, progress: float) -> None:
        """Record the deviation of the residual, without waiting for the device."""
        self.armed = progress >= ARMED_AFTER
        self._recorded.append(deviation)

    def check(self) -> str:
        """Check the readings since the last time; return what is wrong, or nothing."""
        for reading in map(float, self._recorded):
            before = sorted(self._readings[-READINGS:])
            median = before[len(before) // 2] if before else reading
            self.healthy = reading >= min(NEAR * self.expected, STEADY * median)
            dropped = len(before) >= READINGS // 2 and reading < DROP * min(median, self.expected)
            self._readings += [reading] if self.armed else []
            if dropped or reading < FAR_DROP * self.expected:
                return "stopped: the network began to copy the image; went back to its last healthy weights"
        self._recorded = []
        return ""
