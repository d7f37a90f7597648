"""Scores: against a known truth, and what can be said without one.

With a truth: `psnr`, `ssim`, `fitted_psnr`. Without: `heldout_error` and `masked_psnr`, `sure` and `pure`, `upsnr` with
repeats, `whiteness` of a residual, `frc` of two halves. Each says in its docstring what it assumes.
"""

from napari_lotadenoise.metrics.estimate import Blocks, Estimate
from napari_lotadenoise.metrics.heldout import HeldOut, heldout_error, masked_psnr
from napari_lotadenoise.metrics.repeats import upsnr
from napari_lotadenoise.metrics.rings import RingCorrelation, frc, halves, thinned
from napari_lotadenoise.metrics.risk import pure, stein, sure
from napari_lotadenoise.metrics.truth import fitted_psnr, psnr, ssim
from napari_lotadenoise.metrics.white import Whiteness, whiteness

__all__ = [
    "Blocks",
    "Estimate",
    "HeldOut",
    "RingCorrelation",
    "Whiteness",
    "fitted_psnr",
    "frc",
    "halves",
    "heldout_error",
    "masked_psnr",
    "psnr",
    "pure",
    "ssim",
    "stein",
    "sure",
    "thinned",
    "upsnr",
    "whiteness",
]
