"""Ways to view the results of a comparison: one class each, with the controls that it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from napari.layers import Image

from napari_lotadenoise.image.derived import Difference, Split

if TYPE_CHECKING:
    from napari_lotadenoise._qt.compare.views import ComparisonViews


class Mode(ABC):
    """A way to view results.

    Attributes
    ----------
    name : str
        For the user.
    pair : bool
        Whether it compares two results, A and B.
    toggles : bool
        Whether A and B take turns.
    derived : bool
        Whether it shows layers made from others, which must be made again when these change.
    """

    name: ClassVar[str]
    pair: ClassVar[bool] = False
    toggles: ClassVar[bool] = False
    derived: ClassVar[bool] = False

    @abstractmethod
    def show(self, views: ComparisonViews, a: Image | None, b: Image | None) -> str:
        """Show the results; return what is seen, in words."""


class SideBySide(Mode):
    """All results in a grid, the input first."""

    name = "side by side"

    def show(self, views: ComparisonViews, a: Image | None, b: Image | None) -> str:
        """Show all results in a grid."""
        views.show_only(views.layers.pictures)
        views.arrange_grid()
        return ""


class PairMode(Mode):
    """A way to compare two results."""

    pair = True

    def show(self, views: ComparisonViews, a: Image | None, b: Image | None) -> str:
        """Show the two, or the input until two are chosen."""
        if a is None or b is None:
            views.show_only(views.layers.pictures[:1])
            return "Choose two results, A and B."
        return self.show_pair(views, a, b)

    @abstractmethod
    def show_pair(self, views: ComparisonViews, a: Image, b: Image) -> str:
        """Show two results; return what is seen, in words."""


class Flicker(PairMode):
    """A and B in the same place, one after the other."""

    name = "flicker A / B"
    toggles = True

    def show_pair(self, views: ComparisonViews, a: Image, b: Image) -> str:
        """Show A; B comes when the user toggles."""
        views.show_only([a])
        return f"A: {a.name}"


class SplitView(PairMode):
    """A on the left of a line that can be dragged, B on its right."""

    name = "split A | B"
    derived = True

    def show_pair(self, views: ComparisonViews, a: Image, b: Image) -> str:
        """Show both on either side of a line."""
        split = Split(a.data, b.data, a.data.shape[a.ndim - 1] // 2, a.ndim - 1)
        views.show_split(split, a, f"{a.name} | {b.name}")
        return f"Left {a.name}, right {b.name}; drag the line."


class DifferenceView(PairMode):
    """A minus B."""

    name = "difference A - B"
    derived = True

    def show_pair(self, views: ComparisonViews, a: Image, b: Image) -> str:
        """Show the difference with a diverging colormap."""
        difference = Difference(a.data, b.data)
        values = np.asarray(difference[0] if difference.ndim > 2 else difference)
        spread = 3 * float(values.std()) or 1.0
        views.show_only([])
        views.add_signed(np.asarray(difference).mean(-1) if a.rgb else difference, f"{a.name} - {b.name}", spread)
        return f"{a.name} minus {b.name}: green where A is brighter."


class Residuals(Mode):
    """Input minus result, for every result, in a grid."""

    name = "residuals"
    derived = True

    def show(self, views: ComparisonViews, a: Image | None, b: Image | None) -> str:
        """Show the residuals on one scale."""
        views.show_only([])
        spread = 3 * views.layers.plan.scorer.sigma
        for layer in views.layers.results.values():
            data = Difference(views.layers.noisy.data, layer.data)
            name = f"residual of {layer.name.split(' · ')[0]}"
            views.add_signed(np.asarray(data).mean(-1) if layer.rgb else data, name, spread)
        views.arrange_grid()
        return "Input minus result: structure in it was lost."


#: All of them by name, in the order in which they are offered.
MODES: dict[str, Mode] = {
    mode.name: mode for mode in (SideBySide(), Flicker(), SplitView(), DifferenceView(), Residuals())
}
