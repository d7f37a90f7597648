"""Texture that was taken for noise: a noise level that was measured blindly, put right by what the shipped network says."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_lotadenoise.compute.process_settings import fast_bfloat16
from napari_lotadenoise.noise import VarianceFit
from napari_lotadenoise.normalisation.noise_whitening import Whitening
from napari_lotadenoise.pretrained import weights
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
def without_texture(fits: list[VarianceFit], pool: Tensor) -> list[VarianceFit]:
    """Lower the noise that was measured in images (N, C, [Z], Y, X) whose texture it seems to be.

    At the right level the network finds noise of about that level in most places. At one that is too high it still knows
    texture for what it is, and finds less.
    """
    removal, correlation = typical_removal(pool, Whitening(pool, fits))
    if math.isnan(removal) or correlation < FINEST:
        return fits
    share = min(max(1 - SLOPE * (ENOUGH - removal), LOWEST), 1.0)
    return [fit.scaled(share**2) for fit in fits]


def typical_removal(pool: Tensor, whitening: Whitening) -> tuple[float, float]:
    """Median variance, over small blocks, of what the network takes for noise of deviation 1, and its lag-one correlation.

    Parameters
    ----------
    pool : tensor (N, C, [Z], Y, X)
        Of which the middle sample and plane is looked at.
    whitening : Whitening
        By the noise that was measured.

    Returns
    -------
    float, float
        NaN where hardly a block says anything: tiny images, dim photon noise, blank and saturated places.
    """
    if min(pool.shape[-2:]) < 2 * BLOCK:
        return math.nan, math.nan
    windows = _windows(pool)
    telling = torch.stack([_telling(window, whitening) for window in windows])
    if telling.sum() < FEW:
        return math.nan, math.nan
    white = torch.stack([whitening.into(window) for window in windows])
    with torch.autocast(pool.device.type, torch.bfloat16, enabled=pool.device.type == "cuda" or fast_bfloat16()):
        noise = noise_in(white - white.mean((0, 2, 3), keepdim=True), weights.load("grey").to(pool.device))
    variances = _blocks(noise).var(-1).movedim(1, -1)[telling]
    noise = noise - noise.mean((2, 3), keepdim=True)
    along = (noise[..., 1:] * noise[..., :-1]).mean() + (noise[..., 1:, :] * noise[..., :-1, :]).mean()
    return float(variances.median()), float(along / 2 / noise.square().mean())


def _windows(pool: Tensor) -> Tensor:
    """Windows (M, C, Y, X) at the quarters of the middle plane, or all of a small one."""
    plane = pool[len(pool) // 2]
    plane = plane[:, plane.shape[1] // 2] if plane.ndim == 4 else plane
    rows, columns = (_parts(size) for size in plane.shape[1:])
    return torch.stack([plane[:, row, column] for row in rows for column in columns])


def _parts(size: int) -> list[slice]:
    if size <= 2 * WINDOW:
        return [slice(0, size // 16 * 16)]
    return [slice(middle - WINDOW // 2, middle + WINDOW // 2) for middle in (size // 4, 3 * size // 4)]


def _telling(window: Tensor, whitening: Whitening) -> Tensor:
    """Which blocks (y, x) of a window (C, Y, X) say something of the noise."""
    blocks = _blocks(window[None])[0]
    telling = (blocks.diff(dim=-1) == 0).float().mean(-1) < BLANK
    for channel, fit in enumerate(whitening.fits):
        if whitening.stabilised[channel]:
            telling[channel] &= fit.variance(blocks[channel].mean(-1)) > DIM * fit.gain**2
    return telling.all(0)


def _blocks(images: Tensor) -> Tensor:
    """Images (N, C, Y, X) as blocks (N, C, y, x, pixels)."""
    return images.unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK).flatten(-2)
