"""Noise for training: of deviation 1 in what the network sees, since that is all it will ever be given."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from napari_lotadenoise.image.stack import reflected
from napari_lotadenoise.normalisation.variance_stabilisation import Stabiliser

#: Deviation of Gaussian noise, as a share of the range of the image: from one grey level of 255 to 100.
WEAKEST, STRONGEST = 1 / 255, 100 / 255
#: Photo-electrons at the brightest place of an image with Poisson noise.
DIMMEST, BRIGHTEST = 3.0, 3000.0
#: Shares of the crops: with photon noise behind the generalised Anscombe transform; of the others, with correlated noise.
PHOTONS, CORRELATED = 0.25, 0.15
#: Largest weight of a neighbour in correlated noise; the correlation of neighbours is about twice that.
BLEED = 0.12
#: Share of the crops of volumes that are seen as at the ends of a stack, where a plane meets its own noise again.
ENDS = 0.3


def noisy_pairs(
    clean: Tensor, rng: np.random.Generator, chance: torch.Generator, share: float = CORRELATED
) -> tuple[Tensor, Tensor]:
    """Return the noisy crops and what they should become.

    Parameters
    ----------
    clean : tensor (N, C, Y, X)
        From 0 to 1.
    rng, chance
        Sources of chance, for what is drawn once a crop and once a pixel.
    share : float
        Share of the crops with Gaussian noise in which neighbours have a part of it in common.

    Returns
    -------
    tensor, tensor (N, C, Y, X)
        Both in units of the noise deviation, less a constant of the crop: networks must not care for offsets.
    """
    pairs = [
        _photons(crop, rng, chance) if rng.uniform() < PHOTONS else _gaussian(crop, rng, chance, share)
        for crop in clean
    ]
    noisy, target = (torch.stack(images) for images in zip(*pairs, strict=True))
    low, high = target.amin((1, 2, 3), keepdim=True), target.amax((1, 2, 3), keepdim=True)
    where = torch.from_numpy(rng.uniform(0, 1, (len(clean), 1, 1, 1)).astype(np.float32))
    offset = torch.where(where < 0.5, low + 2 * where * (high - low), target.mean((1, 2, 3), keepdim=True))
    return noisy - offset, target - offset


def seen_at_ends(noisy: Tensor, rng: np.random.Generator, share: float = ENDS) -> Tensor:
    """Return the windows of planes (N, planes, Y, X), of which a share is mirrored as at the ends of a stack.

    The middle plane stays.
    """
    planes = noisy.shape[1]
    reach = planes // 2
    if not reach:
        return noisy
    indices = [np.arange(planes) for _ in noisy]
    for number in np.flatnonzero(rng.uniform(size=len(noisy)) < share):
        plane = int(rng.integers(reach))  # of a stack, counted from its end
        index = reflected(planes + reach, plane - reach, plane + reach + 1) - (plane - reach)
        indices[number] = index if rng.uniform() < 0.5 else planes - 1 - index[::-1]
    return torch.stack([crop[torch.from_numpy(index)] for crop, index in zip(noisy, indices, strict=True)])


def _gaussian(crop: Tensor, rng: np.random.Generator, chance: torch.Generator, share: float) -> tuple[Tensor, Tensor]:
    deviation = math.exp(rng.uniform(math.log(WEAKEST), math.log(STRONGEST)))
    noise = torch.randn(crop.shape, generator=chance)
    if rng.uniform() < share:
        noise = correlated(noise, torch.from_numpy(rng.uniform(0, BLEED, (3, 3)).astype(np.float32)))
    return crop / deviation + noise, crop / deviation


def correlated(noise: Tensor, neighbours: Tensor) -> Tensor:
    """Make independent noise (C, Y, X), each pixel of which takes a part of its neighbours' (3, 3), with the same deviation."""
    kernel = neighbours.clone()
    kernel[1, 1] = 1
    kernel = kernel[None, None] / kernel.square().sum().sqrt()
    return torch.nn.functional.conv2d(noise[:, None], kernel, padding=1)[:, 0]


def _photons(crop: Tensor, rng: np.random.Generator, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    peak = math.exp(rng.uniform(math.log(DIMMEST), math.log(BRIGHTEST)))
    readout = rng.choice([0.0, rng.uniform(0, 3)])
    mean = peak * (crop + rng.uniform(0, 0.05))
    counts = torch.poisson(mean, generator=chance) + readout * torch.randn(crop.shape, generator=chance)
    stabiliser = Stabiliser(1.0, readout**2)
    # What the inverse takes to the mean: the value that stabilised counts have on average.
    roots = np.linspace(0, float(stabiliser.forward(mean.max())) + 2, 4096)
    target = np.interp(mean.numpy(), stabiliser.inverse(roots), roots).astype(np.float32)
    return stabiliser.forward(counts), torch.from_numpy(target)
