"""What a comparison has found: results, scores, who is best."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.comparison.columns import Column, columns, headline
from napari_lotadenoise.comparison.ranking import Closeness, Standing, rank
from napari_lotadenoise.comparison.runner import Outcome
from napari_lotadenoise.metrics import fitted_psnr, psnr


@dataclass(frozen=True)
class Comparison:
    """Results of several methods on one image.

    Attributes
    ----------
    image : ndarray
        What was compared on: the image, or the part of it.
    axes : str
        One letter an axis.
    outcomes : tuple of Outcome
        One an entry, in the order they were asked for.
    reference : ndarray or None
        Of the image's shape.
    peak : float
        Largest intensity of the scale, for PSNR.
    same_exposure : bool
        Whether reference and image have one scale of intensities; where not, the fitted PSNR ranks.
    independent : bool
        Whether there is an estimate without a reference: not where the noise is correlated, or there is hardly any.
    caution : str
        Why there is none, or why it may mislead; empty where nothing speaks against it.
    crop : tuple of slice or None
        Where the part is in the whole image.
    """

    image: np.ndarray
    axes: str
    outcomes: tuple[Outcome, ...]
    reference: np.ndarray | None = None
    peak: float = 255.0
    same_exposure: bool = True
    independent: bool = True
    crop: tuple[slice, ...] | None = None
    caution: str = ""

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Return all outcomes, the best one first, those without a score last."""
        return rank(self.outcomes, fitted=not self.same_exposure)

    @property
    def best(self) -> Outcome | None:
        """Return the first of them, None where nothing could be ranked."""
        ranked = self.ranked
        return ranked[0].outcome if ranked and ranked[0].place is not None else None

    @property
    def summary(self) -> str:
        """Name the best in a sentence."""
        ranked = [standing for standing in self.ranked if standing.place is not None]
        if not ranked:
            return "No method came to a result that can be ranked."
        first = ranked[0].outcome.candidate.label
        level = [standing.outcome.candidate.label for standing in ranked[1:] if standing.close]
        unsure = [s.outcome.candidate.label for s in ranked[1:] if s.closeness is Closeness.UNSURE]
        if level:
            return f"Too close to call: {', '.join([first, *level])}."
        by = "" if self.reference is not None else " by estimate"
        doubt = f"; perhaps as good: {', '.join(unsure)}" if unsure else ""
        return f"Best{by}: {first}{doubt}."

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the score table."""
        return columns(
            reference=self.reference is not None, fitted=not self.same_exposure, estimated=self.independent
        )  # fmt: skip

    def headline(self, outcome: Outcome) -> str:
        """Return the ranking score of an outcome, in words; empty where there is none."""
        return headline(outcome.score, fitted=not self.same_exposure, estimated=self.independent)

    def decibels(self, outcome: Outcome) -> str:
        """Return the ranking score of an outcome, for a narrow place: "37.93 dB", "est. 37.93 dB", or nothing."""
        score = outcome.score
        if score is None:
            return ""
        truth = score.psnr if self.same_exposure else score.fitted_psnr
        if truth is not None:
            return f"{truth:.2f} dB"
        found = score.estimate.psnr if score.estimate is not None and self.independent else None
        return "" if found is None else f"est. {found:.2f} dB"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return the remarks needed to read the table, one sentence each."""
        found = [] if self.reference is None else [f"The noisy input has {self._noisy_psnr(self.reference):.2f} dB."]
        if any(o.result is not None and o.result.recipe.finished_early for o in self.outcomes):
            found.append("Trainings that were finished early may do better with more time.")
        if not self.same_exposure:
            found.append(
                "Image and reference have different exposures: PSNR is ranked after the best gain and offset (fitted)."
            )
        if self.caution or not self.independent:
            found.append(self.caution or "No score without a reference can be believed here, so none is shown.")
        if self.reference is None and self.independent:
            found.append(
                "Without a reference, methods are ranked by Stein's estimate of their error; look at the images first."
            )
        return tuple(found)

    def _noisy_psnr(self, reference: np.ndarray) -> float:
        score = psnr if self.same_exposure else fitted_psnr
        return score(np.nan_to_num(self.image), reference, self.peak)

    def rows(self) -> list[dict[str, Any]]:
        """Return the table as numbers and texts, one dictionary an entry, the best one first."""
        return [{column.name: column.value(standing) for column in self.columns} for standing in self.ranked]

    def text(self) -> str:
        """Return the table for a terminal."""
        shown = [[column.title for column in self.columns]]
        shown += [[column.show(standing) for column in self.columns] for standing in self.ranked]
        widths = [max(map(len, cells)) for cells in zip(*shown, strict=True)]
        # Numbers stand right, words left.
        left = [column.name in ("method", "verdict") for column in self.columns]
        lines = [
            "  ".join(
                c.ljust(w) if to_left else c.rjust(w) for c, w, to_left in zip(cells, widths, left, strict=True)
            ).rstrip()
            for cells in shown
        ]
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """Return the table with full precision, for a spreadsheet."""
        out = io.StringIO()
        writer = csv.DictWriter(out, [column.name for column in self.columns], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        return out.getvalue()

    def to_json(self) -> str:
        """Return the table and the recipes of all results; infinite numbers, which JSON lacks, are the text "inf"."""
        recipes = {o.candidate.key: o.result.recipe.to_dict() for o in self.outcomes if o.result is not None}
        crop = None if self.crop is None else [[part.start, part.stop] for part in self.crop]
        told = {
            "axes": self.axes,
            "shape": list(self.image.shape),
            "crop": crop,
            "peak": self.peak,
            "remarks": self.remarks,
        }
        return json.dumps(_sayable({**told, "table": self.rows(), "recipes": recipes}), indent=2, allow_nan=False)


def _sayable(value: Any) -> Any:
    """Replace what JSON has no words for: infinite numbers by texts, which `float` reads, and NaN by null."""
    if isinstance(value, dict):
        return {name: _sayable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
