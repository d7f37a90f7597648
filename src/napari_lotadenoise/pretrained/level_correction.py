"""Correction of a blind noise level that was raised by texture, by means of the shipped network."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_lotadenoise.compute.process_settings import fast_bfloat16
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.noise import VarianceFit
from napari_lotadenoise.normalisation.noise_normalisation import NoiseNormaliser
from napari_lotadenoise.pretrained.one_pass import noise_in

#: Sides of the blocks whose variance is looked at, and of the windows that are looked at in large images.
BLOCK, WINDOW = 8, 128
#: Photo-electrons below which even noise alone is not of deviation 1 behind the transform, so that a block says nothing.
DIM = 4.0
#: Share of equal neighbours from which a block is blank or saturated, and number of blocks that are too few to judge by.
BLANK, FEW = 0.5, 16
#: Typical removal below which a level is too high, how fast it falls with it, and where it stops falling. Compared on
#: photographs of the training's sources; how far benchmark images had a part in it stands in docs/benchmarks.md.
ENOUGH, SLOPE, LOWEST = 0.62, 2.0, 0.35
#: Correlation of neighbours in what is removed, below which it is the finest part of correlated noise.
FINEST = -0.2


@torch.inference_mode()
def corrected_level(fits: list[VarianceFit], training_images: Tensor) -> list[VarianceFit]:
    """Lower the noise level measured in images (N, C, [Z], Y, X) where texture was taken for noise.

    At the right level the network removes noise of about that level in most places. At one that is too high it still
    recognises texture, and removes less.
    """
    removal, correlation = typical_removal(training_images, NoiseNormaliser(training_images, fits))
    if math.isnan(removal) or correlation < FINEST:
        return fits
    share = min(max(1 - SLOPE * (ENOUGH - removal), LOWEST), 1.0)
    return [fit.scaled(share**2) for fit in fits]


def typical_removal(training_images: Tensor, whitening: NoiseNormaliser) -> tuple[float, float]:
    """Measure what the network takes for noise of deviation 1: median variance over small blocks, and lag-one correlation.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
        The middle sample and plane is measured.
    whitening : NoiseNormaliser
        By the noise that was measured.

    Returns
    -------
    float, float
        NaN where too few blocks are usable: tiny images, dim photon noise, blank and saturated places.
    """
    if min(training_images.shape[-2:]) < 2 * BLOCK:
        return math.nan, math.nan
    windows = _windows(training_images)
    telling = torch.stack([_telling(window, whitening) for window in windows])
    if telling.sum() < FEW:
        return math.nan, math.nan
    white = torch.stack([whitening.forward(window) for window in windows])
    with torch.autocast(
        training_images.device.type, torch.bfloat16, enabled=training_images.device.type == "cuda" or fast_bfloat16()
    ):
        noise = noise_in(white - white.mean((0, 2, 3), keepdim=True), shipped.load("grey").to(training_images.device))
    variances = _blocks(noise).var(-1).movedim(1, -1)[telling]
    noise = noise - noise.mean((2, 3), keepdim=True)
    along = (noise[..., 1:] * noise[..., :-1]).mean() + (noise[..., 1:, :] * noise[..., :-1, :]).mean()
    return float(variances.median()), float(along / 2 / noise.square().mean())


def _windows(training_images: Tensor) -> Tensor:
    """Cut windows (M, C, Y, X) at the quarters of the middle plane, or take all of a small one."""
    plane = training_images[len(training_images) // 2]
    plane = plane[:, plane.shape[1] // 2] if plane.ndim == 4 else plane
    rows, columns = (_parts(size) for size in plane.shape[1:])
    return torch.stack([plane[:, row, column] for row in rows for column in columns])


def _parts(size: int) -> list[slice]:
    if size <= 2 * WINDOW:
        return [slice(0, size // 16 * 16)]
    return [slice(middle - WINDOW // 2, middle + WINDOW // 2) for middle in (size // 4, 3 * size // 4)]


def _telling(window: Tensor, whitening: NoiseNormaliser) -> Tensor:
    """Select the blocks (y, x) of a window (C, Y, X) in which noise can be measured."""
    blocks = _blocks(window[None])[0]
    telling = (blocks.diff(dim=-1) == 0).float().mean(-1) < BLANK
    for channel, fit in enumerate(whitening.fits):
        if whitening.stabilised[channel]:
            telling[channel] &= fit.variance(blocks[channel].mean(-1)) > DIM * fit.gain**2
    return telling.all(0)


def _blocks(images: Tensor) -> Tensor:
    """Cut images (N, C, Y, X) into blocks (N, C, y, x, pixels)."""
    return images.unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK).flatten(-2)
