"""Timing of the events of a run, and of what is left of it. Nothing that is learnt depends on it."""

from __future__ import annotations

import time

#: Seconds between two reports and between two previews.
REPORT_EVERY, PREVIEW_EVERY = 0.1, 0.3
#: Previews take at most this share of the time.
PREVIEW_SHARE = 0.3


class Clock:
    """Clock of one run.

    Parameters
    ----------
    preview_share : float, optional
        Share of the time that previews may take, above 0.

    Attributes
    ----------
    start : float
        When the run began.
    paused : bool
        Whether the run was ever paused.
    """

    def __init__(self, preview_share: float | None = None) -> None:
        self._preview_share = preview_share
        self.start = self._last_report = time.perf_counter()
        self.paused = False
        self._elsewhere = 0.0
        self._next_preview = 0.0
        self._step_seconds: float | None = None
        self._reports = 0
        self._tile_seconds: float | None = None
        self._last_step = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the start of the run."""
        return time.perf_counter() - self.start

    @property
    def working(self) -> float:
        """Return the seconds of the run without those that its listener took for the events."""
        return self.elapsed - self._elsewhere

    def listened(self, seconds: float) -> None:
        """Record how long the listener took for an event."""
        self._elsewhere += seconds

    def training_begins(self) -> None:
        """Start timing the steps: what comes before them, such as an instant preview, does not count."""
        self._last_report = time.perf_counter()

    def report_due(self) -> bool:
        """Tell whether it is time for a report."""
        return time.perf_counter() - self._last_report >= REPORT_EVERY

    def preview_due(self) -> bool:
        """Tell whether it is time for a preview."""
        return time.perf_counter() >= self._next_preview

    def preview_now(self) -> None:
        """Make the next preview due at once, since the view has moved."""
        self._next_preview = 0.0

    def previewed(self, seconds: float) -> None:
        """Record the cost of a preview; the next one waits in proportion."""
        self._next_preview = time.perf_counter() + max(PREVIEW_EVERY, seconds / (self._preview_share or PREVIEW_SHARE))

    def rate(self, step: int) -> float:
        """Return the steps a second, smoothed; called with every report."""
        now = time.perf_counter()
        steps, seconds = step - self._last_step, now - self._last_report
        if steps > 0 and seconds > 0:
            fresh = seconds / steps
            # The very first steps are slow, and say nothing of the ones to come.
            known = fresh if self._reports < 2 or self._step_seconds is None else self._step_seconds
            self._step_seconds = 0.8 * known + 0.2 * fresh
            self._reports += 1
        self._last_step, self._last_report = step, now
        return 1 / self._step_seconds if self._step_seconds else 0.0

    def tiled(self, seconds: float) -> None:
        """Record the cost of a tile of the result."""
        known = self._tile_seconds
        self._tile_seconds = seconds if known is None else 0.9 * known + 0.1 * seconds

    def seconds_left(self, steps: int, tile_count: int) -> float | None:
        """Estimate the time of some steps and tiles; None before the first report, and while steps are left before the second."""
        if self._step_seconds is None or (steps > 0 and self._reports < 2):
            return None
        return steps * self._step_seconds + tile_count * (self._tile_seconds or 4 * self._step_seconds)
