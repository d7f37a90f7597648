"""Masks that hide pixels, what stands in their place, and errors on what is hidden. Axes are (N, C, [Z], Y, X)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_lotadenoise.ops.chance import bernoulli

#: Makes the values that stand in for hidden pixels, of the shape of the image.
Fill = Callable[[Tensor], Tensor]


def donut_mean(image: Tensor) -> Tensor:
    """Return the mean of the eight in-plane neighbours, nearer ones weighted double, the pixel itself left out.

    The fill of Noise2Self's single-shot notebook: weights 0.5, 1, 0.5 / 1, 0, 1 / 0.5, 1, 0.5, over 6. Edges reflect.
    """
    flat = image.reshape(-1, 1, *image.shape[-2:])
    kernel = flat.new_tensor([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]])[None, None] / 6
    return F.conv2d(F.pad(flat, (1, 1, 1, 1), mode="reflect"), kernel).reshape(image.shape)


def zeros(image: Tensor) -> Tensor:
    """Make a fill without information: zero, which is the mean of the image where intensities are scaled by their deviation."""
    return torch.zeros_like(image)


def random_fill(rng: torch.Generator) -> Fill:
    """Make a fill of uniform random values between the smallest and the largest of the image (Noise2Self, section 4)."""

    def fill(image: Tensor) -> Tensor:
        low, high = image.amin(), image.amax()
        return low + (high - low) * torch.rand(image.shape, generator=rng, device=image.device)

    return fill


def normal_fill(deviation: float, rng: torch.Generator) -> Fill:
    """Make a fill of normal random values around 0 (Noise2Same)."""

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
    """Draw one random pixel in every side x side box of each plane and channel; booleans of the shape of the image.

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


def hide(image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Replace the pixels of a mask, by default with the mean of their neighbours."""
    return torch.where(mask, fill(image), image)


def hidden_error(function: Callable[[Tensor], Tensor], image: Tensor, mask: Tensor, fill: Fill = donut_mean) -> Tensor:
    """Return the mean squared difference between the hidden pixels of a mask and what a function predicts for them.

    For noise that is independent between pixels its expectation is the function's true error plus the noise variance
    (Batson & Royer 2019, proposition 1).
    """
    return masked_error(function(hide(image, mask, fill)), image, mask)


def masked_error(prediction: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared difference between two images at the pixels of a mask, which may carry weights."""
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
