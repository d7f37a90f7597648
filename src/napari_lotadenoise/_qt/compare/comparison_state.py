"""State of one comparison: outcomes by candidate, their layers and views."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_lotadenoise._qt.compare.result_layers import ResultLayers
from napari_lotadenoise._qt.compare.views import ComparisonViews
from napari_lotadenoise.comparison.runner import Outcome
from napari_lotadenoise.recipe import EndReason
from napari_lotadenoise.result import Snapshot

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lotadenoise._qt.shared.layers import Source
    from napari_lotadenoise.comparison import Comparison, ComparisonPlan
    from napari_lotadenoise.events import Preview


@dataclass(frozen=True)
class CandidateView:
    """What is shown of a candidate: its result or a snapshot of an earlier step, blended with the input."""

    snapshot: Snapshot | None = None
    blend: float = 1.0


class ComparisonState(QObject):
    """Turns the events of a comparison into layers and scores.

    Signals
    -------
    changed ()
        Another outcome, or another layer.
    altered ()
        The same layer, with another blend or step.
    """

    changed = Signal()
    altered = Signal()

    def __init__(self, viewer: ViewerModel, source: Source, plan: ComparisonPlan) -> None:
        super().__init__()
        self.plan = plan
        self.outcomes: dict[int, Outcome] = {}
        self._views_of: dict[int, CandidateView] = {}
        self.result_layers = ResultLayers(viewer, source, plan)
        self.views = ComparisonViews(viewer, self.result_layers)

    @property
    def comparison(self) -> Comparison:
        """Return what is known so far, in the order of the candidates."""
        return self.plan.finish(outcome for _, outcome in sorted(self.outcomes.items()))

    @property
    def numbers(self) -> dict[int, int]:
        """Return the numbers of the candidates by the identity of their outcomes."""
        return {id(outcome): number for number, outcome in self.outcomes.items()}

    @property
    def best(self) -> tuple[int | None, int | None]:
        """Return the numbers of the two best outcomes."""
        numbers = self.numbers
        ranked = [numbers[id(s.outcome)] for s in self.comparison.ranked if s.place is not None]
        return (*ranked, None, None)[0], (*ranked, None, None)[1]

    def preview(self, number: int, preview: Preview) -> None:
        """Show what a candidate has learnt so far."""
        known = len(self.result_layers.pictures)
        self.result_layers.preview(number, self.plan.candidates[number].label, preview)
        if len(self.result_layers.pictures) != known:
            self.changed.emit()

    def decide(self, number: int, outcome: Outcome) -> None:
        """Take in an outcome: show its result, if it has one."""
        before = self.outcomes.get(number)
        if outcome.result is None and before is not None and before.result is not None:
            outcome = before  # what was run again and stopped is there still
        self.outcomes[number] = outcome
        self._views_of.pop(number, None)
        if outcome.result is None:
            self.result_layers.forget(number)
        else:
            self.result_layers.show(number, self.title(number), outcome.result.image, outcome.result.recipe.to_dict())
        self.changed.emit()

    def title(self, number: int) -> str:
        """Return the name of a candidate with the score of what is shown of it."""
        outcome, view = self.outcomes[number], self.view_of(number)
        parts = [outcome.candidate.label]
        if view.snapshot is not None:
            parts.append(f"step {view.snapshot.step}")
        if view.blend < 1:
            parts.append(f"blend {view.blend:.2f}")
        # The score is that of the result as it came out.
        score = self.comparison.decibels(outcome) if len(parts) == 1 else ""
        return " · ".join(part for part in (", ".join(parts), score) if part)

    def view_of(self, number: int) -> CandidateView:
        """Return what is shown of a candidate."""
        return self._views_of.get(number, CandidateView())

    def set_view(self, number: int, view: CandidateView) -> str:
        """Show another step or blend of a candidate; return what is seen, in words."""
        result = self.outcomes[number].result
        if result is None:
            return ""
        self._views_of[number] = view
        recipe = result.recipe
        if view.snapshot is not None:
            training = {**recipe.training, "until": view.snapshot.step, "ensemble": False}
            recipe = dataclasses.replace(
                recipe,
                training=training,
                steps_done=(view.snapshot.step,) * len(recipe.steps_done),
                reason=EndReason.ALL_STEPS.value,
            )
        recipe = dataclasses.replace(recipe, blend=view.blend)
        image = result.image if view.snapshot is None else view.snapshot.image
        self.result_layers.show(number, self.title(number), image, recipe.to_dict(), view.blend)
        self.views.refresh()
        self.altered.emit()
        if view.snapshot is None:
            return "The result."
        score = self.plan.scorer.decibels(view.snapshot.image)
        against = "" if score is None else f": {score:.2f} dB"
        return f"After {view.snapshot.step} steps{against}, without the averaging of the result."

    def picture(self, number: int | None) -> Image | None:
        """Return the layer of a candidate, None where it has none."""
        return None if number is None else self.result_layers.results.get(number)

    def write_figure(self, path: Path) -> None:
        """Write the comparison as a figure, PNG or PDF by its name, with a scale bar where the layer has a unit."""
        from napari_lotadenoise.comparison.figure import figure, save

        scale, unit = self.result_layers.pixel
        save(figure(self.comparison, scale=scale, unit=unit), path)

    def close(self) -> None:
        """Leave the viewer as it was; the results stay, hidden."""
        self.result_layers.drop_unfinished()
        self.views.step_aside()
