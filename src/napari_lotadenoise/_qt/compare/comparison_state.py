"""One comparison as it stands: outcomes by entry, their pictures, and the ways to look at them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.compare.result_layers import Gallery
from napari_lotadenoise._qt.compare.views import Views
from napari_lotadenoise.comparison.runner import Outcome
from napari_lotadenoise.result import Snapshot

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise._qt.shared.layers import Source
    from napari_lotadenoise.comparison import Comparison, Plan
    from napari_lotadenoise.events import Preview


@dataclass(frozen=True)
class State:
    """What is shown of an entry: its result or a snapshot from the way, mixed with the input."""

    snapshot: Snapshot | None = None
    strength: float = 1.0


class Board(QObject):
    """Puts what a contest tells into layers and scores.

    Signals
    -------
    changed ()
        Another outcome, or another picture.
    altered ()
        The same picture, mixed or of another step.
    """

    changed = Signal()
    altered = Signal()

    def __init__(self, viewer: ViewerModel, source: Source, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.outcomes: dict[int, Outcome] = {}
        self._states: dict[int, State] = {}
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
        before = self.outcomes.get(number)
        if outcome.result is None and before is not None and before.result is not None:
            outcome = before  # what was run again and stopped is there still
        self.outcomes[number] = outcome
        self._states.pop(number, None)
        if outcome.result is None:
            self.gallery.forget(number)
        else:
            self.gallery.show(number, self.title(number), outcome.result.image, outcome.result.recipe.to_dict())
        self.changed.emit()

    def title(self, number: int) -> str:
        """Name of an entry with the score of what is shown of it."""
        outcome, state = self.outcomes[number], self.state(number)
        parts = [outcome.entry.label]
        if state.snapshot is not None:
            parts.append(f"step {state.snapshot.step}")
        if state.strength < 1:
            parts.append(f"strength {state.strength:.2f}")
        # The score is that of the result as it came out.
        score = self.comparison.decibels(outcome) if len(parts) == 1 else ""
        return " · ".join(part for part in (", ".join(parts), score) if part)

    def state(self, number: int) -> State:
        """What is shown of an entry."""
        return self._states.get(number, State())

    def set_state(self, number: int, state: State) -> str:
        """Show an entry otherwise; returns what is seen, in words."""
        result = self.outcomes[number].result
        if result is None:
            return ""
        self._states[number] = state
        recipe = result.recipe
        if state.snapshot is not None:
            training = {**recipe.training, "until": state.snapshot.step, "ensemble": False}
            recipe = dataclasses.replace(
                recipe,
                training=training,
                steps_done=(state.snapshot.step,) * len(recipe.steps_done),
                reason="all steps done",
            )
        recipe = dataclasses.replace(recipe, blend=state.strength)
        image = result.image if state.snapshot is None else state.snapshot.image
        self.gallery.show(number, self.title(number), image, recipe.to_dict(), state.strength)
        self.views.refresh()
        self.altered.emit()
        if state.snapshot is None:
            return "The result."
        score = self.plan.judge.decibels(state.snapshot.image)
        against = "" if score is None else f": {score:.2f} dB"
        return f"After {state.snapshot.step} steps{against}, without the averaging of the result."

    def picture(self, number: int | None) -> Image | None:
        """The layer of an entry, None where it has none."""
        return None if number is None else self.gallery.results.get(number)

    def write_figure(self, path: Path) -> None:
        """Write the comparison as a figure, PNG or PDF by its name, with a scale bar where the layer has a unit."""
        from napari_lotadenoise.comparison.figure import figure, save

        scale, unit = self.gallery.pixel
        save(figure(self.comparison, scale=scale, unit=unit), path)

    def close(self) -> None:
        """Leave the viewer as it was; the results stay, hidden."""
        self.gallery.drop_unfinished()
        self.views.step_aside()
