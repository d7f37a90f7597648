"""Which result is the best one, and where that is too close to call."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from napari_lotadenoise.comparison.contest import Outcome
from napari_lotadenoise.comparison.score import Score

#: Difference in dB below which two results are level, by a reference and by an estimate (docs/scores.md has what came of it).
LEVEL, LEVEL_ESTIMATED = 0.1, 0.1


@dataclass(frozen=True)
class Standing:
    """Where an outcome stands.

    Attributes
    ----------
    outcome : Outcome
    place : int or None
        From 1; None where it has no score to be ranked by.
    close : bool
        Whether it is too close to the best one to call; the best one is if any other is.
    """

    outcome: Outcome
    place: int | None
    close: bool


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
    close = [_level(outcome.score, ranked[0].score, fitted) for outcome in ranked]
    close[:1] = [any(close[1:])] if ranked else []
    found = [Standing(outcome, place, near) for place, (outcome, near) in enumerate(zip(ranked, close, strict=True), 1)]
    unranked = [outcome for outcome in outcomes if not any(outcome is other for other in ranked)]
    unranked.sort(key=lambda outcome: outcome.result is None)
    return (*found, *(Standing(outcome, None, False) for outcome in unranked))


def _error(score: Score | None, fitted: bool) -> float | None:
    """What is ranked by, the smaller the better."""
    if score is None:
        return None
    if score.psnr is not None:
        return -(score.fitted_psnr if fitted and score.fitted_psnr is not None else score.psnr)
    return None if score.risk is None else score.risk.mean


def _level(score: Score | None, best: Score | None, fitted: bool) -> bool:
    """Whether a score is as good as the best one, as far as can be told."""
    error, least = _error(score, fitted), _error(best, fitted)
    if best is None or error is None or least is None:
        return False
    if error == least:  # also where there is no error at all
        return True
    if best.psnr is not None:
        return error - least < LEVEL
    if least <= 0:  # the estimate has lost the error in the noise: nothing tells the two apart
        return error - least < abs(least)
    return 10 * math.log10(error / least) < LEVEL_ESTIMATED
