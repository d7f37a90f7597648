"""Several methods on one image: who runs, how they are judged, what came out."""

from napari_lotadenoise.comparison.candidate import Entry, sweep
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.run import Plan, compare, plan
from napari_lotadenoise.comparison.runner import Outcome, Skip, Turn, contest

__all__ = ["Comparison", "Entry", "Outcome", "Plan", "Skip", "Turn", "compare", "contest", "plan", "sweep"]
