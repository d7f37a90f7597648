"""Two images with independent noise from one: recorruption, for methods that know or measure how the noise varies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_lotadenoise import ops
from napari_lotadenoise.noise import measure_images
from napari_lotadenoise.ops import Chance

#: Side of the window whose mean stands for the intensity at a pixel, and pixels that it reaches beyond it.
WINDOW = 5
REACH = WINDOW // 2
#: Share of the mean variance below which no variance falls, and share of its root that a photon counts at least.
FLOOR, SMALLEST_GAIN = 1e-3, 1e-3


def target_share(strength: float) -> float:
    """Return the weight s of the second image in y = (1 - s) y1 + s y2, for y1 = y + strength * m and y2 = y - m / strength."""
    return strength**2 / (1 + strength**2)


@dataclass(frozen=True)
class NoiseLaw:
    """How strong the noise is: variance = gain * intensity + offset, a gain and an offset for each channel.

    Attributes
    ----------
    kind : "constant", "signal-dependent" or "photons"
    gain, offset : tensors (C, 1, 1, [1])
        In scaled units; a constant law has gain 0, photons always have some.
    floor : float
        The variance is nowhere less.
    """

    kind: str
    gain: Tensor
    offset: Tensor
    floor: float

    def variance(self, image: Tensor) -> Tensor:
        """Return the noise variance at each pixel, the intensity taken from the mean of its neighbourhood in the plane."""
        if self.kind == "constant":
            return self.offset.expand(image.shape).clamp_min(self.floor)
        return (self.gain * _local_mean(image) + self.offset).clamp_min(self.floor)

    def split(self, image: Tensor, strength: float, rng: Chance) -> tuple[Tensor, Tensor]:
        """Split y into y1 and y2 of independent noise, y = (1 - s) y1 + s y2 with s = `target_share(strength)`.

        Gaussian noise: y1 = y + strength * m and y2 = y - m / strength, where m is normal noise with the variance of the
        law (Pang et al. 2021, eq. 8 with D = strength * 1); the covariance of both is the variance of the noise less that
        of m. Photons: each goes to y2 with probability s, else to y1 (binomial thinning; Monroy et al. 2025), which makes
        two independent Poisson counts of one. What rounding to whole photons leaves goes to y2, so that the sum is exact.
        """
        if self.kind == "photons":
            return self._thinned(image, target_share(strength), rng)
        noise = ops.normal(image, rng) * self.variance(image).sqrt()
        return image + strength * noise, image - noise / strength

    def _thinned(self, image: Tensor, share: float, rng: Chance) -> tuple[Tensor, Tensor]:
        zero = -self.offset / self.gain
        photons = ((image - zero) / self.gain).float()
        kept = ops.binomial(photons.round().clamp_min(0), 1 - share, rng)
        return zero + self.gain * kept / (1 - share), zero + self.gain * (photons - kept) / share


def measured_law(training_images: Tensor, kind: str, known: float = 0.0) -> NoiseLaw:
    """Measure the noise of training images (N, C, [Z], Y, X) blindly.

    Parameters
    ----------
    training_images : tensor
    kind : "constant", "signal-dependent" or "photons"
    known : float
        Noise deviation in the units of the images, to which the mean of the law is brought; 0 keeps the one that was found.
    """
    images = training_images.cpu().numpy()
    gains, offsets, means = [], [], []
    for channel in range(training_images.shape[1]):
        fit = measure_images(images[:, channel : channel + 1]).fit
        mean = float(fit.variance(images[:, channel]).mean())
        factor = known**2 / mean if known else 1.0
        gains.append(0.0 if kind == "constant" else factor * max(fit.gain, 0.0))
        offsets.append(factor * (mean if kind == "constant" else fit.offset))
        means.append(factor * mean)
    shape = (-1, *[1] * (training_images.ndim - 2))
    gain, offset, variance = (training_images.new_tensor(numbers).reshape(shape) for numbers in (gains, offsets, means))
    if kind == "photons":
        # Where the noise does not grow with the signal, many small photons are as good as normal noise.
        gain = torch.maximum(gain, SMALLEST_GAIN * variance.sqrt())
    return NoiseLaw(kind, gain, offset, FLOOR * float(variance.mean()))


def _local_mean(image: Tensor) -> Tensor:
    flat = image.reshape(-1, 1, *image.shape[-2:])
    return F.avg_pool2d(flat, WINDOW, stride=1, padding=REACH, count_include_pad=False).reshape(image.shape)
