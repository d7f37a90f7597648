"""Pure tensor functions that methods are made of: pair samplers, masks, donuts, local means. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Flips and rotations of a plane.
TURNS = 8
#: Makes the values that stand in for hidden pixels, of the shape of the image.
Fill = Callable[[Tensor], Tensor]


def diagonal_pair(image: Tensor) -> tuple[Tensor, Tensor]:
    """Split an image into two half-size ones: the means of both diagonals of each 2 x 2 cell in the plane.

    The sampler of ZS-N2N (Mansour & Heckel 2023). With independent noise of deviation sigma both have independent noise
    of deviation sigma / sqrt(2). Z is left alone.

    Parameters
    ----------
    image : tensor (N, C, [Z], Y, X)
        Y and X are even.

    Returns
    -------
    two tensors (N, C, [Z], Y/2, X/2)
        First the mean of the upper right and lower left pixels, then that of the upper left and lower right ones.
    """
    rising = (image[..., 0::2, 1::2] + image[..., 1::2, 0::2]) / 2
    falling = (image[..., 0::2, 0::2] + image[..., 1::2, 1::2]) / 2
    return rising, falling


def unshuffle(image: Tensor, stride: int) -> Tensor:
    """Part (N, C, [Z], Y, X) into its stride^2 interleaved images (N * stride^2, C, [Z], Y / stride, X / stride).

    Noise whose correlation ends before `stride` pixels is independent in each of them (Zhou et al., AAAI 2020).
    """
    if stride == 1:
        return image
    parts = [image[..., y::stride, x::stride] for y in range(stride) for x in range(stride)]
    return torch.stack(parts, 1).flatten(0, 1)


def shuffle(parts: Tensor, stride: int) -> Tensor:
    """Undo `unshuffle`."""
    if stride == 1:
        return parts
    *_, height, width = parts.shape
    grid = parts.unflatten(0, (-1, stride, stride)).movedim((1, 2), (-2, -1))  # (N, C, [Z], y, x, stride, stride)
    return grid.transpose(-3, -2).reshape(*grid.shape[:-4], height * stride, width * stride)


def with_noise(image: Tensor, sigma: float, rng: torch.Generator) -> Tensor:
    """Add Gaussian noise of deviation sigma, in the units of the image."""
    if not sigma:
        return image
    return image + sigma * torch.randn(image.shape, generator=rng, device=image.device, dtype=image.dtype)


def block_mean(image: Tensor, side: int) -> Tensor:
    """Mean over in-plane blocks of `side` x `side` pixels; what does not fill a block at the far edges is left out."""
    side_y, side_x = min(side, image.shape[-2]), min(side, image.shape[-1])
    if image.ndim == 4:
        return F.avg_pool2d(image, (side_y, side_x))
    return F.avg_pool3d(image, (1, side_y, side_x))


def donut_mean(image: Tensor) -> Tensor:
    """Mean of the eight in-plane neighbours, nearer ones weighted double, the pixel itself left out.

    The fill of Noise2Self's single-shot notebook: weights 0.5, 1, 0.5 / 1, 0, 1 / 0.5, 1, 0.5, over 6. Edges reflect.
    """
    flat = image.reshape(-1, 1, *image.shape[-2:])
    kernel = flat.new_tensor([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]])[None, None] / 6
    return F.conv2d(F.pad(flat, (1, 1, 1, 1), mode="reflect"), kernel).reshape(image.shape)


def zeros(image: Tensor) -> Tensor:
    """A fill that says nothing: zero, which is the mean of the image where intensities are scaled by their deviation."""
    return torch.zeros_like(image)


def random_fill(rng: torch.Generator) -> Fill:
    """A fill of uniform random values between the smallest and the largest of the image (Noise2Self, section 4)."""

    def fill(image: Tensor) -> Tensor:
        low, high = image.amin(), image.amax()
        return low + (high - low) * torch.rand(image.shape, generator=rng, device=image.device)

    return fill


def normal_fill(deviation: float, rng: torch.Generator) -> Fill:
    """A fill of normal random values around 0 (Noise2Same)."""

    def fill(image: Tensor) -> Tensor:
        return deviation * torch.randn(image.shape, generator=rng, device=image.device)

    return fill


def grid_labels(image: Tensor, side: int) -> Tensor:
    """Part the pixels into side x side grids of single pixels; returns the number of each pixel's grid, ([Z], Y, X).

    Grid i holds the rows with y % side == i % side and the columns with x % side == i // side % side (Noise2Self,
    single-shot notebook). From plane to plane the grids move on by side // 2 rows and one column, so that the neighbours
    above and below a hidden pixel are not hidden with it. Which pixels are hidden together does not depend on where a
    tile begins.
    """
    y, x = (torch.arange(n, device=image.device) for n in image.shape[-2:])
    z = torch.arange(image.shape[2], device=image.device)[:, None, None] if image.ndim == 5 else 0
    return (y[:, None] + side // 2 * z) % side + side * ((x[None, :] + z) % side)


def random_labels(image: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Part the pixels at random into `count` sets of about equal size; returns the number of each pixel's set."""
    return torch.randint(count, image.shape[2:], generator=rng, device=image.device)


def box_mask(image: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """One random pixel in every side x side box of each plane and channel; booleans of the shape of the image.

    Noise2Same hides pixels in this way (Xie, Wang & Ji, NeurIPS 2020): as random as a Bernoulli mask, but never two in
    one box. Boxes that the far edges cut may stay without one.
    """
    rows, columns = image.shape[-2:]
    boxes = (*image.shape[:-2], -(-rows // side), -(-columns // side))

    def spread(box: Tensor) -> Tensor:
        whole = box.repeat_interleave(side, -2).repeat_interleave(side, -1)
        return whole[..., :rows, :columns]

    y, x = (torch.arange(n, device=image.device) % side for n in (rows, columns))
    chosen = torch.randint(side * side, boxes, generator=rng, device=image.device)
    return spread(chosen) == y[:, None] * side + x[None, :]


def bernoulli(shape: Sequence[int], probability: float, rng: torch.Generator) -> Tensor:
    """Booleans that are true with a probability, which is rounded to a whole number of 256ths.

    One random byte each, eight drawn at once: five to twenty times faster than torch's own on a CPU, where a network
    with dropout would otherwise spend more time on chance than on convolutions.
    """
    count, threshold = math.prod(shape), round(256 * probability)
    if threshold > 255:  # a byte cannot be compared with it
        return torch.ones(tuple(shape), dtype=torch.bool, device=rng.device)
    words = torch.empty(-(-count // 8), dtype=torch.int64, device=rng.device)
    words.random_(-(2**63), None, generator=rng)  # without bounds the sign bit would always be 0
    return (words.view(torch.uint8)[:count] < threshold).view(shape)


class DualMask(NamedTuple):
    """Which pixels are hidden, which are shown for their detail, which are hidden in their place, and the weights."""

    hidden: Tensor
    retained: Tensor
    added: Tensor
    weight: Tensor


def dual_mask(image: Tensor, detail: Tensor, share: float, retained: float, rng: torch.Generator) -> DualMask:
    """Hide a share of the pixels, but fewer of the detail and more of the rest (Blind2Grad, eq. 3.2 and 3.3).

    Parameters
    ----------
    image : tensor (N, C, [Z], Y, X)
    detail : tensor (N, 1, [Z], Y, X)
        1 where a pixel is detail, else 0.
    share : float
        Of the pixels that are hidden, which stays what it is.
    retained : float
        Share of the hidden detail that is shown again.
    rng : torch.Generator

    Returns
    -------
    DualMask
        Zeros and ones of the shape of the image; `weight` is the share over each pixel's chance of being hidden, so that
        a weighted mean over hidden pixels counts all pixels alike.
    """
    first = bernoulli(image.shape, share, rng).to(image.dtype)
    shown = first * detail * bernoulli(image.shape, retained, rng).to(image.dtype)
    flat = (1 - first) * (1 - detail)
    axes = tuple(range(1, image.ndim))
    chance = shown.sum(axes, keepdim=True) / flat.sum(axes, keepdim=True).clamp_min(1)
    added = flat * (torch.rand(image.shape, generator=rng, device=image.device) < chance)
    hiding = detail * share * (1 - retained) + (1 - detail) * (share + (1 - share) * chance)
    return DualMask(first - shown + added, shown, added, share / hiding.clamp_min(0.01))


def forward_difference(image: Tensor) -> tuple[Tensor, Tensor]:
    """In-plane gradient by forward differences along y and x, 0 across the last row and column."""
    down, right = torch.diff(image, dim=-2), torch.diff(image, dim=-1)
    return F.pad(down, (0, 0, 0, 1)), F.pad(right, (0, 1))


def gradient_magnitude(image: Tensor) -> Tensor:
    """Length of the in-plane gradient, pixel by pixel."""
    down, right = forward_difference(image)
    return (down.square() + right.square() + 1e-12).sqrt()  # the root of 0 has no gradient


def hide(image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Replace the pixels of a mask, by default with the mean of their neighbours."""
    return torch.where(mask, fill(image), image)


def hidden_error(function: Callable[[Tensor], Tensor], image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Mean squared difference between the hidden pixels of a mask and what a function predicts for them.

    For noise that is independent between pixels its expectation is the function's true error plus the noise variance
    (Batson & Royer 2019, proposition 1).
    """
    return masked_error(function(hide(image, mask, fill)), image, mask)


def masked_error(prediction: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference between two images at the pixels of a mask, which may carry weights."""
    # A weighted mean, not an index: how many pixels are hidden is known on the device alone.
    weight = mask.to(image.dtype).expand(image.shape)
    return ((prediction.float() - image).square() * weight).sum() / weight.sum().clamp_min(1)


def j_invariant(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    labels: Tensor,
    count: int,
    fill: Fill = donut_mean,
    around: Callable[[Tensor], Tensor] = lambda mask: mask,
) -> Tensor:
    """Apply a function so that no pixel is computed from itself: one pass for each of `count` sets, which hides it.

    sum over sets J of 1_J f(image without J), the J-invariant version of f (Batson & Royer 2019, section 3). What is
    hidden for a set may be more than the set: `around` says what.
    """
    out = torch.zeros_like(image)
    for number in range(count):
        mask = labels == number
        out = torch.where(mask, function(hide(image, around(mask), fill)), out)
    return out


def turned(image: Tensor, turn: int) -> Tensor:
    """One of the `TURNS` flips and rotations of an image in its plane."""
    return torch.rot90(image.flip(-1) if turn >= 4 else image, turn % 4, (-2, -1))


def turned_back(image: Tensor, turn: int) -> Tensor:
    """Undo `turned`."""
    image = torch.rot90(image, -(turn % 4), (-2, -1))
    return image.flip(-1) if turn >= 4 else image


def through_numpy(image: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Apply an array function to each (C, [Z], Y, X) image of a batch; for filters that libraries offer for arrays only."""
    arrays = [function(sample).reshape(sample.shape) for sample in image.detach().cpu().numpy()]
    return torch.from_numpy(np.stack(arrays)).to(image.device, image.dtype)


def random_crops(pool: Tensor, side: int, count: int, rng: torch.Generator) -> Tensor:
    """Cut `count` random side x side windows (all planes of them) from a pool (N, C, [Z], Y, X)."""
    rows, columns = (min(side, n) for n in pool.shape[-2:])
    limits = (len(pool), pool.shape[-2] - rows + 1, pool.shape[-1] - columns + 1)
    places = [torch.randint(limit, (count,), generator=rng, device=pool.device).tolist() for limit in limits]
    return torch.stack([pool[n, ..., y : y + rows, x : x + columns] for n, y, x in zip(*places, strict=True)])


def removed_noise_spread(removed: Tensor, draws: int, rng: torch.Generator) -> Tensor:
    """How far the noise removed from single patches is from the noise removed from all of them (Noise2Info, algorithm 1).

    The squared Wasserstein distance between the values of a patch and as many values drawn from the pool of all patches,
    in both of which the k-th smallest are matched; the mean over patches and draws, per pixel. About 0 where all patches
    lose the same kind of noise, larger where noise depends on the signal.

    Parameters
    ----------
    removed : tensor (patches, pixels)
        Output minus input of each patch.
    draws : int
        Random draws from the pool (k_mc).
    rng : torch.Generator
    """
    rows = removed.float().sort(1).values
    pool = removed.float().flatten()
    total = torch.zeros((), device=removed.device)
    for _ in range(draws):
        chosen = torch.randint(len(pool), (rows.shape[1],), generator=rng, device=removed.device)
        total = total + (rows - pool[chosen].sort().values).square().mean()
    return total / draws


def noise_bound(reconstruction: Tensor, invariance: Tensor, spread: Tensor) -> Tensor:
    """Upper bound of the noise deviation per pixel, sqrt(I) + sqrt(max(I + R - E, 0)) (Noise2Info, eq. 6)."""
    return invariance.sqrt() + (invariance + reconstruction - spread).clamp_min(0).sqrt()
