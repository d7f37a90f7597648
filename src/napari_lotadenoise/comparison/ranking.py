"""Which result is the best one, and where that cannot be told."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from napari_lotadenoise.comparison.runner import Outcome
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.metrics import Blocks

#: Difference in dB below which two results are level by a reference.
LEVEL = 0.1
#: Without one: difference of the estimated errors, and squared difference of the pictures, in units of the error, below which
#: two results are level. Pictures that differ more may be of very different quality at the same estimate.
_ALIKE, _NEAR = 0.03, 0.1
#: Difference of the estimated errors in units of the error within which estimates have been wrong (docs/scores.md), and in
#: standard errors.
_DOUBT, _SPREAD = 0.15, 2.0


class Closeness(enum.Enum):
    """How a result compares with a better one."""

    LEVEL = "too close to call"
    UNSURE = "perhaps as good"
    APART = ""


@dataclass(frozen=True)
class Standing:
    """Where an outcome stands.

    Attributes
    ----------
    outcome : Outcome
    place : int or None
        From 1; None where it has no score to be ranked by.
    closeness : Closeness
        To the best one; the best one is level where any other is level with it.
    """

    outcome: Outcome
    place: int | None
    closeness: Closeness = Closeness.APART

    @property
    def close(self) -> bool:
        """Tell whether it is too close to the best one to call."""
        return self.closeness is Closeness.LEVEL


def rank(outcomes: Iterable[Outcome], *, fitted: bool = False) -> tuple[Standing, ...]:
    """Put outcomes in order, the best one first: by the reference where there is one, else by Stein's estimate.

    Results that cannot be ranked come after all others, and what has no result comes last.

    Parameters
    ----------
    outcomes : iterable of Outcome
    fitted : bool
        Whether the reference has another exposure, so that `Score.fitted_psnr` counts.
    """
    outcomes = list(outcomes)
    errors = [(error, number) for number, o in enumerate(outcomes) if (error := _error(o.score, fitted)) is not None]
    ranked = [outcomes[number] for _, number in sorted(errors)]
    near = [_near(outcome, ranked[0], fitted) for outcome in ranked[1:]]
    first = Closeness.LEVEL if Closeness.LEVEL in near else Closeness.APART
    found = [Standing(o, place, how) for place, (o, how) in enumerate(zip(ranked, [first, *near], strict=False), 1)]
    unranked = [outcome for outcome in outcomes if not any(outcome is other for other in ranked)]
    unranked.sort(key=lambda outcome: outcome.result is None)
    return (*found, *(Standing(outcome, None) for outcome in unranked))


def closeness(worse: Blocks, better: Blocks, distance: float) -> Closeness:
    """Compare two results without a reference.

    Parameters
    ----------
    worse, better : Blocks
        Their squared errors by Stein's estimate.
    distance : float
        Mean squared difference of the two pictures.
    """
    apart = worse - better
    error = (worse.mean + better.mean) / 2
    if apart.mean == distance == 0 or (error > 0 and apart.mean < _ALIKE * error and distance < _NEAR * error):
        return Closeness.LEVEL
    unsure = apart.mean < max(_DOUBT * error, _SPREAD * apart.standard_error)
    return Closeness.UNSURE if unsure else Closeness.APART


def _error(score: Score | None, fitted: bool) -> float | None:
    """Return the value that ranks, the smaller the better."""
    if score is None:
        return None
    if score.psnr is not None:
        return -(score.fitted_psnr if fitted and score.fitted_psnr is not None else score.psnr)
    return None if score.risk is None else score.risk.mean


def _near(outcome: Outcome, best: Outcome, fitted: bool) -> Closeness:
    one, other = _estimated(outcome), _estimated(best)
    if one is not None and other is not None:
        return closeness(one[0], other[0], float(np.mean((one[1] - other[1]) ** 2)))
    error, least = _error(outcome.score, fitted), _error(best.score, fitted)
    level = error == least or (
        error is not None and least is not None and error - least < LEVEL
    )  # both may be infinite
    return Closeness.LEVEL if level else Closeness.APART


def _estimated(outcome: Outcome) -> tuple[Blocks, np.ndarray] | None:
    """Return the estimated errors and the image of an outcome that is ranked without a reference."""
    score, result = outcome.score, outcome.result
    if score is None or score.psnr is not None or score.risk is None or result is None:
        return None
    return score.risk, result.image
