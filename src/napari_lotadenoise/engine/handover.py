"""When the preview of a method that learns becomes better than that of the shipped network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from napari_lotadenoise import ops
from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.image.stack import middle
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.noise import Degree, measure_correlation
from napari_lotadenoise.normalisation.noise_normalisation import noise_of
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.pretrained.denoiser import ShippedDenoiser
from napari_lotadenoise.training.trainer import Trainer

#: Step of the divergence probe in noise deviations.
_STEP = 0.1
#: Crops that are scored where a method holds none out, and their side; side of the part that the noise is measured on.
_CROPS, _SIDE, _MEASURED = 4, 64, 512


class PreviewHandover:
    """Scores both networks by Stein's estimate of the squared error, on crops that the method does not train on.

    The estimate assumes independent noise and a function of the image. Stochastic methods, those that learn the image in one
    piece, those that need repeats and all that see correlated noise are not scored: they take over halfway. Methods that
    learn nothing take over at once.

    Parameters
    ----------
    trainer : Trainer
        Of the method; the noise of its training images is measured.
    """

    def __init__(self, trainer: Trainer) -> None:
        method, images = trainer.method, trainer.crops.training_images
        part = _middle_plane(images)
        planes = list(part.flatten(0, -3).cpu().numpy())
        self._over = not method.trained
        correlated = measure_correlation(planes).degree is Degree.CORRELATED
        self._halfway = method.tiling.whole or method.requires.repeats or passes_of(method) > 0 or correlated
        self._step = -1
        if self._over or self._halfway:
            return
        chance = torch.Generator(images.device).manual_seed(0)
        held_out = trainer.held_out
        self._crops = ops.random_crops(images, _SIDE, _CROPS, chance) if held_out is None else held_out
        fits = noise_of(part, dependent=True)
        variances = [fit.variance(channel) for fit, channel in zip(fits, self._crops.unbind(1), strict=True)]
        self._variance = torch.stack(variances, 1)
        self._signs = 2 * ops.bernoulli(self._crops.shape, 0.5, chance).to(images.dtype) - 1
        self._to_beat = self._error(_shipped(part))

    def happened(self, trainer: Trainer, predictor: Predictor) -> bool:
        """Tell whether the method is the better one by now; it stays so."""
        if self._over or trainer.step_number in (0, self._step):
            return self._over
        self._step = trainer.step_number
        if self._halfway:
            self._over = trainer.step_number >= trainer.training.planned / 2
        else:
            self._over = self._error(predictor.preview_parts) < self._to_beat
        return self._over

    def _error(self, denoise: Callable[[Tensor], Tensor]) -> float:
        """Return Stein's estimate, without the variance of the noise, which is the same for both (see `metrics.stein`)."""
        with torch.inference_mode():
            step = _STEP * self._variance.sqrt()
            clean = denoise(self._crops).float()
            change = (denoise(self._crops + step * self._signs).float() - clean) * self._signs / step
            return float(((clean - self._crops).square() + 2 * self._variance * change).mean())


def _shipped(part: Tensor) -> Callable[[Tensor], Tensor]:
    """Make the pass of the shipped network for images with the noise of a part."""
    net, denoiser = shipped.load(shipped.kind_for(part.ndim - 2)).to(part.device), ShippedDenoiser(part)

    def denoise(image: Tensor) -> Tensor:
        rows, columns = image.shape[-2:]
        return denoiser.denoise(net, ops.pad_to(image, net.multiple))[..., :rows, :columns]

    return denoise


def _middle_plane(images: Tensor) -> Tensor:
    """Return the middle of one plane of images (N, C, [Z], Y, X)."""
    part = images[len(images) // 2 :][:1]
    if part.ndim == 5:
        part = part[:, :, part.shape[2] // 2 :][:, :, :1]
    return middle(part, _MEASURED)
