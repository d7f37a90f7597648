"""One comparison as it stands: outcomes by entry, their pictures, and the ways to look at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.gallery import Gallery
from napari_lotadenoise._qt.views import Views
from napari_lotadenoise.comparison.contest import Outcome
from napari_lotadenoise.metrics import psnr

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise._qt.layers import Source
    from napari_lotadenoise.comparison import Comparison, Plan
    from napari_lotadenoise.events import Preview


class Board(QObject):
    """Puts what a contest tells into layers and scores.

    Signals
    -------
    changed ()
        Another outcome, or another picture.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, source: Source, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.outcomes: dict[int, Outcome] = {}
        self.strengths: dict[int, float] = {}
        self.gallery = Gallery(viewer, source, plan)
        self.views = Views(viewer, self.gallery)

    @property
    def comparison(self) -> Comparison:
        """What is known so far, in the order of the entries."""
        return self.plan.finish(outcome for _, outcome in sorted(self.outcomes.items()))

    @property
    def numbers(self) -> dict[int, int]:
        """Numbers of the entries by the identity of their outcomes."""
        return {id(outcome): number for number, outcome in self.outcomes.items()}

    @property
    def best(self) -> tuple[int | None, int | None]:
        """Numbers of the two best outcomes."""
        numbers = self.numbers
        ranked = [numbers[id(s.outcome)] for s in self.comparison.ranked if s.place is not None]
        return (*ranked, None, None)[0], (*ranked, None, None)[1]

    def preview(self, number: int, preview: Preview) -> None:
        """Show what an entry has learnt so far."""
        known = len(self.gallery.pictures)
        self.gallery.preview(number, self.plan.entries[number].label, preview)
        if len(self.gallery.pictures) != known:
            self.changed.emit()

    def decide(self, number: int, outcome: Outcome) -> None:
        """Take an outcome: its picture, or none where there is no result."""
        self.outcomes[number] = outcome
        self.strengths.pop(number, None)
        if outcome.result is None:
            self.gallery.forget(number)
        else:
            self.gallery.show(number, self.title(number), outcome.result.image, outcome.result.recipe.to_dict())
        self.changed.emit()

    def withdraw(self, number: int) -> None:
        """Take an outcome back, because its entry runs again."""
        self.outcomes.pop(number, None)
        self.gallery.forget(number)
        self.changed.emit()

    def title(self, number: int) -> str:
        """Name of an entry with its score."""
        outcome = self.outcomes[number]
        score, label = outcome.score, outcome.entry.label
        if score is None:
            return label
        if score.psnr is not None:
            return f"{label} · {score.psnr if self.plan.judge.same_exposure else score.fitted_psnr:.2f} dB"
        estimate = score.estimate.psnr if score.estimate is not None and self.plan.judge.independent else None
        return label if estimate is None else f"{label} · est. {estimate:.2f} dB"

    def mix(self, number: int, strength: float) -> None:
        """Show the result of an entry mixed with the input."""
        result = self.outcomes[number].result
        if result is None:
            return
        self.strengths[number] = strength
        self.gallery.mix(number, result, strength)
        self._rename(number, "" if strength == 1 else f", strength {strength:.2f}")

    def step(self, number: int, index: int) -> str:
        """Show a snapshot of an entry, or its result (-1); returns what is seen, in words."""
        result = self.outcomes[number].result
        if result is None:
            return ""
        if index < 0:
            self.gallery.show(number, self.title(number), result.image, result.recipe.to_dict())
            return "The result."
        snapshot = result.snapshots[index]
        self.gallery.show(number, "", snapshot.image, result.recipe.to_dict())
        self._rename(number, f", step {snapshot.step}")
        return f"After {snapshot.step} steps{self._against(snapshot.image)}, without the averaging of the result."

    def picture(self, number: int | None) -> Image | None:
        """The layer of an entry, None where it has none."""
        return None if number is None else self.gallery.results.get(number)

    def write_figure(self, path: Path) -> None:
        """Write the comparison as a figure, PNG or PDF by its name, with a scale bar where the layer has a unit."""
        from napari_lotadenoise.comparison.figure import figure, save

        scale, unit = self.gallery.pixel
        save(figure(self.comparison, scale=scale, unit=unit), path)

    def close(self) -> None:
        """Leave the viewer as it was; the results stay."""
        self.views.close()

    def _rename(self, number: int, words: str) -> None:
        layer: Any = self.picture(number)
        if layer is not None:
            layer.name = self.title(number) if not words else f"{self.plan.entries[number].label}{words}"

    def _against(self, image: np.ndarray) -> str:
        reference = self.plan.reference
        if reference is None:
            return ""
        return f": {psnr(image, reference, self.plan.judge.peak):.2f} dB"
