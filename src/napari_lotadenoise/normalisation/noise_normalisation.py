"""Noise brought to deviation 1 in channels that share no content, for methods that know of Gaussian noise only."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from napari_lotadenoise import ops
from napari_lotadenoise.noise import NoiseModel, VarianceFit, measure_images, typical_sigma
from napari_lotadenoise.normalisation.variance_stabilisation import Stabiliser

#: Noise below this share of the deviation of an image is taken for as much, so that nothing is divided by 0.
FAINTEST = 1e-3
#: Share of pixels that are like their neighbour, as in borders that were padded, from which these do not count for noise.
BLANK = 0.1
#: Pixels of training images from which the directions of the colours are found.
PIXELS = 1 << 18
#: Where the variance rises by less than this share over the whole image, the noise counts as constant.
FLAT = 1e-3


def models_of(training_images: Tensor) -> list[NoiseModel]:
    """Measure the noise of each channel of training images (N, C, [Z], Y, X)."""
    images = training_images.cpu().numpy()
    return [measure_images(images[:, c : c + 1]) for c in range(images.shape[1])]


def noise_of(
    training_images: Tensor,
    *,
    unit: float = 1.0,
    sigma: float = 0.0,
    dependent: bool = False,
    models: list[NoiseModel] | None = None,
) -> list[VarianceFit]:
    """Return the noise of each channel of training images (N, C, [Z], Y, X), as a line variance = gain * intensity + offset.

    Parameters
    ----------
    training_images : tensor
        Each channel is scaled by itself; one unit is about `unit` intensities of the image.
    unit : float
    sigma : float
        Known deviation in intensities; 0 estimates it.
    dependent : bool
        Whether the variance may rise with the intensity; where sigma is known, it is then that of the mean variance.
    models : list of NoiseModel, optional
        Of the channels, where they are measured already.
    """
    images = training_images.cpu().numpy()
    models = models or models_of(training_images)
    fits = [fit_of(model, images[:, c : c + 1], dependent=dependent) for c, model in enumerate(models)]
    means = [_mean_variance(fit, training_images[:, c]) for c, fit in enumerate(fits)]
    if not sigma:
        return fits
    # Channels of one deviation in intensities have different ones in scaled units, in the ratio of the blind estimates.
    spans = [1 / math.sqrt(mean) for mean in means]
    share = (sigma / unit * sum(spans) / len(spans)) ** 2
    return [fit.scaled(share) for fit in fits]


def fit_of(model: NoiseModel, channel: np.ndarray, *, dependent: bool) -> VarianceFit:
    """Return the noise of a channel (N, 1, [Z], Y, X) as a line, or as one level where its slope is no more than chance.

    Stabilising would then only lose digits.
    """
    fit = model.fit
    if dependent and fit.signal_dependent:
        return fit
    if not model.white:
        return VarianceFit(0.0, max(float(np.mean(fit.typical_variance(channel))), FAINTEST**2))
    if dependent and fit.level and (np.diff(channel) == 0).mean() > BLANK:
        return VarianceFit(0.0, max(fit.level, FAINTEST) ** 2)
    return VarianceFit(0.0, max(typical_sigma(channel), FAINTEST) ** 2)


def mean_deviation(fits: list[VarianceFit], training_images: Tensor) -> float:
    """Return the root of the mean noise variance of all channels, in scaled units."""
    return math.sqrt(sum(_mean_variance(fit, training_images[:, c]) for c, fit in enumerate(fits)) / len(fits))


def grey_levels(training_images: Tensor, deviation: float) -> float:
    """Return the noise deviation on the scale of an image that fills 0 to 255, on which papers quote it.

    The range of the image is that of its 4 x 4 block means, in which noise counts little.
    """
    blocks = ops.block_mean(training_images, 4).flatten()
    blocks = blocks[:: -(-len(blocks) // PIXELS)]
    low, high = torch.quantile(blocks.float(), torch.tensor([0.005, 0.995], device=training_images.device)).tolist()
    return 255 * deviation / max(high - low, FAINTEST)


class NoiseNormaliser:
    """Brings images to noise of deviation 1 and channels that share no content, and back.

    Each channel is divided by its noise deviation, or, where its variance rises with the intensity, stabilised by the
    generalised Anscombe transform. An orthonormal turn, which leaves white noise white, then puts the principal components
    of the colours in place of the channels: for photographs about the opponent colours of BM3D, luminance first, and right
    for any other channels.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
    fits : list of VarianceFit
        Noise of the channels.
    """

    def __init__(self, training_images: Tensor, fits: list[VarianceFit]) -> None:
        self.fits = fits
        self.deviations = [
            max(math.sqrt(_mean_variance(fit, training_images[:, c])), 1e-9) for c, fit in enumerate(fits)
        ]
        self.stabilisers = [Stabiliser(fit.gain or 1.0, fit.offset) for fit in fits]
        self.stabilised = [_rises(fit, training_images[:, c]) for c, fit in enumerate(fits)]
        self.turn: Tensor | None = None
        if len(fits) > 1:
            channels = torch.stack([self._channel(training_images[:, c].flatten(), c) for c in range(len(fits))])
            seen = channels[:, :: -(-channels.shape[1] // PIXELS)]
            self.turn = torch.linalg.eigh(torch.cov(seen)).eigenvectors.flip(1).T.contiguous()

    def forward(self, image: Tensor) -> Tensor:
        """Whiten an image (C, Y, X)."""
        return self._turned(torch.stack([self._channel(channel, c) for c, channel in enumerate(image)]))

    def inverse(self, image: Tensor) -> Tensor:
        """Undo `forward`, without the bias that the root would have."""
        turned = self._turned(image, back=True)
        return torch.stack([
            self.stabilisers[c].inverse(channel) if self.stabilised[c] else channel * self.deviations[c]
            for c, channel in enumerate(turned)
        ])  # fmt: skip

    def _channel(self, channel: Tensor, c: int) -> Tensor:
        return self.stabilisers[c].forward(channel) if self.stabilised[c] else channel / self.deviations[c]

    def _turned(self, image: Tensor, *, back: bool = False) -> Tensor:
        if self.turn is None:
            return image
        with torch.autocast(image.device.type, enabled=False):  # which would round intensities, not only what is learnt
            return torch.tensordot(self.turn.T if back else self.turn, image, 1)


def _mean_variance(fit: VarianceFit, channel: Tensor) -> float:
    thin = channel.flatten()[:: -(-channel.numel() // PIXELS)]
    return max(float(fit.variance(thin).mean()) if fit.gain else fit.offset, FAINTEST**2)


def _rises(fit: VarianceFit, channel: Tensor) -> bool:
    rise = fit.gain * float(channel.max() - channel.min())
    return rise > FLAT * _mean_variance(fit, channel)
