"""The columns of the score table, for text, CSV, JSON and the dock alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_lotadenoise.comparison.ranking import Standing
from napari_lotadenoise.comparison.runner import Outcome
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.recipe import EndReason

Value = float | int | str | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        For CSV and JSON.
    title : str
        For people, with the unit.
    about : str
        What it means, in one sentence.
    value : callable
        From a standing to a number, a text or None.
    text : str
        How numbers are written, as for `format`.
    better : int
        1 where more is better, -1 where less is, 0 where neither is.
    """

    name: str
    title: str
    about: str
    value: Callable[[Standing], Value]
    text: str = ""
    better: int = 0

    def show(self, standing: Standing) -> str:
        """Return the value as people read it; empty where there is none."""
        value = self.value(standing)
        return "" if value is None else format(value, self.text) if isinstance(value, float | int) else str(value)


def _scored(get: Callable[[Score], Value]) -> Callable[[Standing], Value]:
    def value(standing: Standing) -> Value:
        return None if standing.outcome.score is None else get(standing.outcome.score)

    return value


def verdict(standing: Standing) -> str:
    """Say in words where an outcome stands."""
    outcome = standing.outcome
    if outcome.score is None:
        return outcome.reason
    first = standing.place == 1 and not standing.close
    where = "not ranked" if standing.place is None else "best" if first else standing.closeness.value
    return ", ".join(words for words in (where, _cut_short(outcome)) if words)


def _cut_short(outcome: Outcome) -> str:
    """Describe how far a training came that was finished early."""
    if outcome.result is None or not outcome.result.recipe.finished_early:
        return ""
    recipe = outcome.result.recipe
    return f"{EndReason.FINISHED_EARLY.value} ({max(recipe.steps_done)} of {recipe.training['steps']} steps)"


def headline(score: Score | None, *, fitted: bool = False, estimated: bool = True) -> str:
    """Say the score that is ranked by: "PSNR 37.9 dB, SSIM 0.94", "est. 37.9 dB"; empty where there is none.

    Parameters
    ----------
    score : Score or None
    fitted, estimated : bool
        As for `columns`.
    """
    if score is None:
        return ""
    psnr = score.fitted_psnr if fitted else score.psnr
    if psnr is not None and score.ssim is not None:
        return f"{'fitted ' if fitted else ''}PSNR {psnr:.1f} dB, SSIM {score.ssim:.2f}"
    estimate = score.estimate if estimated else None
    if estimate is None or estimate.low is None:
        return ""
    return f"est. above {estimate.low:.1f} dB" if estimate.psnr is None else f"est. {estimate.psnr:.1f} dB"


def _estimated(score: Score) -> float | None:
    return score.estimate.psnr if score.estimate is not None else None


def _spread(score: Score) -> str | None:
    estimate = score.estimate
    if estimate is None:
        return None
    low = "?" if estimate.low is None else f"{estimate.low:.1f}"
    return f"{low} to {estimate.high:.1f}"


_METHOD = Column("method", "Method", "What was done.", lambda s: s.outcome.candidate.label)
_PLACE = Column(
    "place",
    "Place",
    "By the first score of the table.",
    lambda s: s.place,
    "",
    -1,
)
_PSNR = Column("psnr", "PSNR (dB)", "Against the reference.", _scored(lambda s: s.psnr), ".2f", 1)
_FITTED = Column(
    "psnr_fitted", "PSNR, fitted (dB)", "Against the reference, after the best gain and offset.",
    _scored(lambda s: s.fitted_psnr), ".2f", 1,
)  # fmt: skip
_SSIM = Column(
    "ssim", "SSIM", "Structural similarity with the reference, up to 1.", _scored(lambda s: s.ssim), ".3f", 1
)
_ESTIMATE = Column(
    "psnr_estimated", "est. PSNR (dB)",
    "Without a reference: Stein's estimate of the error. Differences mean more than the number.",
    _scored(_estimated), ".2f", 1,
)  # fmt: skip
_SPREAD = Column("psnr_spread", "spread", "Two standard errors to each side of the estimate, dB.", _scored(_spread))
_WHITENESS = Column(
    "whiteness", "Whiteness", "Share of its spectrum that the residual fills; 1 is white noise.",
    _scored(lambda s: s.whiteness), ".2f", 1,
)  # fmt: skip
_STRUCTURE = Column(
    "structure", "Structure lost", "Share of the image in which structure was removed with the noise.",
    _scored(lambda s: s.structure), ".1%", -1,
)  # fmt: skip
_RATIO = Column(
    "ratio", "Residual / noise", "Deviation of what was removed over that of the noise; 1 is right.",
    _scored(lambda s: s.ratio), ".2f",
)  # fmt: skip
_SECONDS = Column("seconds", "Time (s)", "Of the run.", _scored(lambda s: s.seconds), ".1f", -1)
_VERDICT = Column("verdict", "", "Where it stands, or what went wrong.", verdict)


def columns(*, reference: bool, fitted: bool = False, estimated: bool = True) -> tuple[Column, ...]:
    """Return the columns of a table with or without a reference; that by which is ranked is the first score.

    Parameters
    ----------
    reference : bool
    fitted : bool
        Whether the reference has another exposure than the image.
    estimated : bool
        Whether Stein's estimate may be shown: not where the noise is correlated between pixels.
    """
    truth = ((_FITTED, _PSNR) if fitted else (_PSNR, _FITTED)) if reference else ()
    ssim = (_SSIM,) if reference else ()
    estimate = (_ESTIMATE, _SPREAD) if estimated else ()
    return (_PLACE, _METHOD, *truth, *ssim, *estimate, _WHITENESS, _STRUCTURE, _RATIO, _SECONDS, _VERDICT)
