"""Several methods on one image: who runs, how they are judged, what came out."""

from napari_lotadenoise.comparison.candidate import Candidate, sweep
from napari_lotadenoise.comparison.comparison import Comparison
from napari_lotadenoise.comparison.run import ComparisonPlan, compare, plan_comparison
from napari_lotadenoise.comparison.runner import CandidateEvent, Outcome, Skip, run_candidates

#: The name of before, which goes on working.
Entry = Candidate

__all__ = [
    "Candidate",
    "CandidateEvent",
    "Comparison",
    "ComparisonPlan",
    "Entry",
    "Outcome",
    "Skip",
    "compare",
    "plan_comparison",
    "run_candidates",
    "sweep",
]
