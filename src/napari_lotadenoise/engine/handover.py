"""When the picture of a method that learns becomes better than that of the shipped network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from napari_lotadenoise import ops
from napari_lotadenoise.image.stack import middle
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.noise import INDEPENDENT_ENOUGH, is_independent
from napari_lotadenoise.normalisation import noise_whitening
from napari_lotadenoise.ops.tensor import pad_to
from napari_lotadenoise.training.trainer import Trainer

#: Size of the probe in noise deviations.
_STEP = 0.1
#: Crops that are judged where a method holds none out, and their side; side of the part that the noise is measured on.
_CROPS, _SIDE, _MEASURED = 4, 64, 512


class Takeover:
    """Judges both by Stein's estimate of the squared error, on the crops that the method does not train on.

    The estimate asks for independent noise and for a function of the image: methods of chance, those that learn the image
    in one piece and all methods on correlated noise are not judged. They take over halfway, those that learn nothing at
    once, as does every method on correlated noise, of which the shipped network keeps much.

    Parameters
    ----------
    trainer : Trainer
        Of the method; its pool is measured.
    """

    def __init__(self, trainer: Trainer) -> None:
        method, pool = trainer.method, trainer.crops.pool
        part = _middle_plane(pool)
        planes = list(part.flatten(0, -3).cpu().numpy())
        self._over = not (method.trained and is_independent(planes, *INDEPENDENT_ENOUGH))
        self._halfway = method.whole or method.needs_repeats or method.stochastic_passes > 0
        self._step = -1
        if self._over or self._halfway:
            return
        chance = torch.Generator(pool.device).manual_seed(0)
        crops = trainer.held_out
        self._crops = ops.random_crops(pool, _SIDE, _CROPS, chance) if crops is None else crops
        instant = Instant()
        fits = noise_whitening.noise_of(part, dependent=True)
        variances = [fit.variance(channel) for fit, channel in zip(fits, self._crops.unbind(1), strict=True)]
        self._variance = torch.stack(variances, 1)
        self._signs = 2 * ops.bernoulli(self._crops.shape, 0.5, chance).to(pool.dtype) - 1
        net, state = instant.network(pool.shape[1], pool.ndim - 2).to(pool.device), instant.prepare(part)
        self._bar = self._error(lambda image: cut_to(instant.predict(net, pad_to(image, net.multiple), state), image))

    def happened(self, trainer: Trainer) -> bool:
        """Whether the method is the better one by now; it stays so."""
        if self._over or trainer.step_number in (0, self._step):
            return self._over
        self._step = trainer.step_number
        if self._halfway:
            self._over = trainer.step_number >= trainer.training.planned / 2
        else:
            self._over = self._error(lambda image: trainer.look(image)[0]) < self._bar
        return self._over

    def _error(self, denoise: Callable[[Tensor], Tensor]) -> float:
        """Stein's estimate, without the variance of the noise, which is the same for both (see `metrics.stein`)."""
        with torch.inference_mode():
            step = _STEP * self._variance.sqrt()
            clean = denoise(self._crops).float()
            change = (denoise(self._crops + step * self._signs).float() - clean) * self._signs / step
            return float(((clean - self._crops).square() + 2 * self._variance * change).mean())


def cut_to(image: Tensor, wanted: Tensor) -> Tensor:
    """The first rows and columns of an image, as many as another one has."""
    return image[..., : wanted.shape[-2], : wanted.shape[-1]]


def _middle_plane(pool: Tensor) -> Tensor:
    """The middle of one plane of a pool (N, C, [Z], Y, X)."""
    part = pool[len(pool) // 2 :][:1]
    if part.ndim == 5:
        part = part[:, :, part.shape[2] // 2 :][:, :, :1]
    return middle(part, _MEASURED)
