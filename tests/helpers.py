"""What several tests share: scenes, quick settings, comparisons made by hand, folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from napari_lotadenoise import METHODS
from napari_lotadenoise.comparison import Candidate, Comparison, Outcome
from napari_lotadenoise.comparison.score import Score
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.metrics import Blocks, fitted_psnr, psnr, ssim
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import Tile
from napari_lotadenoise.recipe import EndReason, Recipe, fingerprint
from napari_lotadenoise.result import Result
from napari_lotadenoise.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
#: Development images; tests that need them are skipped without them.
DATA = ROOT.parent / "shared" / "data"
#: The map that changes nothing.
UNSCALED = Scale(np.zeros(1, np.float32), np.ones(1, np.float32))
#: Methods that are content with one image; the others have contract tests of their own.
SINGLE = [name for name, kind in METHODS.items() if not kind.requires.repeats]


def quick(method: str, **options: Any) -> dict[str, Any]:
    """Options that make a method quick on small images: few steps, half as wide a network, few passes; then `options`.

    Filters that learn nothing are quick as they are.
    """
    kind = METHODS[method]
    if not kind.trained:
        return options
    defaults = {parameter.name: parameter.default for parameter in parameters(kind)}
    # What GR2R removes at first is the whole image, and Noisier2Noise stretches what its network has not learnt yet.
    steps = 300 if method in ("gr2r", "noisier2noise") else 150
    chosen: dict[str, Any] = {"steps": steps, "ensemble": False, "width": defaults["width"] // 2}
    return {**chosen, **({"passes": 4} if "passes" in defaults else {}), **options}


def few_passes(options: dict[str, Any]) -> dict[str, Any]:
    """The same options, with as few stochastic passes as there can be; for tests of bits and not of quality."""
    return {**options, **({"passes": 2} if "passes" in options else {})}


def assert_same_bits(one: np.ndarray, other: np.ndarray, method: str) -> None:
    """Assert that two results are the same, bit for bit; the package bm3d does not repeat its last bits on a busy machine."""
    if method == "bm3d":
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * float(np.ptp(other)))
    else:
        np.testing.assert_array_equal(one, other)


def scene(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A smooth random scene between about 40 and 200."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 4.0)
    return (120 + 40 * field / field.std()).astype(np.float32)


def comparison_of(
    image: np.ndarray,
    results: Iterable[tuple[Candidate, np.ndarray | str]],
    axes: str = "YX",
    reference: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    **settings: Any,
) -> Comparison:
    """A comparison with these results; a text instead of an image says why there is none.

    Scores are those against the reference; without one, the error against `truth` stands for its estimate.
    """
    outcomes = []
    for candidate, found in results:
        if isinstance(found, str):
            outcomes.append(Outcome(candidate, reason=found))
            continue
        recipe = Recipe(
            method=candidate.method, parameters=dict(candidate.options), training={}, axes=axes, device="cpu",
            precision="float32", image=fingerprint(image), seconds=1.5,
        )  # fmt: skip
        against = (None, None, None)
        if reference is not None:
            against = psnr(found, reference, 255), ssim(found, reference, 255, axes), fitted_psnr(found, reference, 255)
        score = Score(
            psnr=against[0], ssim=against[1], fitted_psnr=against[2], peak=255.0, whiteness=0.9, structure=0.01, ratio=1.0,
            risk=None if truth is None else Blocks.of((found - truth) ** 2), sentence="", seconds=1.5,
        )  # fmt: skip
        result = Result(found.astype(np.float32), image, None, {}, recipe)
        outcomes.append(Outcome(candidate, result, score, EndReason.ALL_STEPS.value))
    return Comparison(image, axes, tuple(outcomes), reference, **settings)


def outputs(trainer: Trainer, image: torch.Tensor) -> Iterator[torch.Tensor]:
    """What the network of a trainer makes of a scaled image (1, C, [Z], Y, X), output by output."""
    return Predictor.of(trainer, UNSCALED).outputs(Tile.whole(image))
