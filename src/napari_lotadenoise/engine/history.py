"""Reports of a run, as columns."""

from __future__ import annotations

from collections.abc import Mapping


class History:
    """Rows of numbers, some of which may be missing, kept as columns of one length."""

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {"step": []}

    def add(self, row: Mapping[str, float | None]) -> None:
        """Add a row; what it lacks, and what the rows before it lacked, is NaN."""
        nan = float("nan")
        length = len(self.columns["step"])
        for name in {*self.columns, *row}:
            value = row.get(name)
            self.columns.setdefault(name, [nan] * length).append(nan if value is None else value)
