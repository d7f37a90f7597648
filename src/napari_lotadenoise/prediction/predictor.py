"""Trained network with all that a prediction needs, and nothing of the training."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from napari_lotadenoise import ops
from napari_lotadenoise.compute.precision import arithmetic
from napari_lotadenoise.contract.capabilities import Stochastic, passes_of
from napari_lotadenoise.contract.method import Method, StepContext
from napari_lotadenoise.nets import Network
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.ops import RandomField
from napari_lotadenoise.prediction.tiling import Tile, TileGeometry
from napari_lotadenoise.training.trainer import Trainer

#: Numbers that keep the chance of previews and of results apart.
_RESULT, _PREVIEW = 1, 2


@dataclass(frozen=True)
class Predictor:
    """Denoises tiles with a network that has learnt.

    Attributes
    ----------
    net : Network
        In evaluation mode, on `device`.
    method : Method
    state : object
        What `Method.prepare` returned and the training changed.
    scale : Scale
        Map from intensities to what the network sees.
    device : torch.device
    seed : int
        Source of chance, with sample and place.
    stride : int
        Distance in pixels of the interleaved images that are denoised apart.
    bfloat16 : bool
        Arithmetic of previews, and of results where nothing was learnt.
    ensemble : bool
        Whether results average the eight flips and rotations.
    """

    net: Network
    method: Method
    state: Any
    scale: Scale
    device: torch.device
    seed: int = 0
    stride: int = 1
    bfloat16: bool = False
    ensemble: bool = False

    @classmethod
    def of(cls, trainer: Trainer, scale: Scale) -> Predictor:
        """Take over the network of a trainer, as it is now; weights that learn on are not copied."""
        return cls(
            trainer.current, trainer.method, trainer.state, scale, trainer.device, trainer.seed,
            trainer.training.spacing, trainer.bfloat16, trainer.training.ensemble,
        )  # fmt: skip

    def without_training(self) -> Predictor:
        """Return the predictor with the part of the method's state that predictions read, and nothing of the training."""
        return dataclasses.replace(self, state=self.method.for_prediction(self.state))

    @property
    def geometry(self) -> TileGeometry:
        """Return how its tiles are cut."""
        return TileGeometry(
            halo=self.stride * self.method.halo(self.net),
            depth_halo=self.net.depth_halo,
            size_multiple=self.stride * self.net.multiple * self.method.tiling.size_multiple,
            border=None if self.net.border is None else self.stride * self.net.border,
            whole=self.method.tiling.whole,
        )

    def preview(self, image: Tensor) -> Tensor:
        """Denoise (N, C, [Z], Y, X) without chance, in the arithmetic of the training: previews are for the eye, and frequent."""
        return ops.pixel_shuffle(self.preview_parts(ops.pixel_unshuffle(image, self.stride)), self.stride)

    def preview_parts(self, parts: Tensor) -> Tensor:
        """Denoise interleaved images, such as the crops of the training, in the same way."""
        with torch.inference_mode(), arithmetic(self.device, bfloat16=self.bfloat16):
            return self.method.preview(self.net, parts, self.state)

    def preview_pass(self, tile: Tile, number: int) -> Tensor:
        """Denoise a tile once by chance, in the arithmetic of the training; for stochastic methods only."""
        assert isinstance(self.method, Stochastic)
        with torch.inference_mode(), arithmetic(self.device, bfloat16=self.bfloat16):
            parts = ops.pixel_unshuffle(tile.image, self.stride)
            output = self.method.sample(self.net, parts, self.state, self._field(tile, _PREVIEW, number))
            return ops.pixel_shuffle(output, self.stride)

    def maps(self, image: Tensor, step: int, steps: int) -> dict[str, Tensor]:
        """Return the method's maps of an image, each (N, C or 1, [Z], Y, X), with chance from the step of the training."""
        if not self.method.maps:
            return {}
        rng = torch.Generator(self.device).manual_seed((self.seed * 1_000_003 + step) % 2**63)
        with torch.inference_mode():
            parts = ops.pixel_unshuffle(image, self.stride)
            maps = self.method.step(self.net, parts, self.state, StepContext(step, steps, rng)).maps
        grown = {
            name: nn.functional.interpolate(m.float(), parts.shape[2:], mode="nearest") for name, m in maps.items()
        }
        return {name: ops.pixel_shuffle(m, self.stride) for name, m in grown.items()}

    def outputs(self, tile: Tile) -> Iterator[Tensor]:
        """Denoise a tile for the result, which is the mean of what this yields.

        One output, or one for each flip and rotation of an ensemble, or one for each pass of a stochastic method; the passes
        of an ensemble alternate between orientations.
        """
        orientations = self._orientations()
        for count in range(passes_of(self.method) or len(orientations)):
            orientation = orientations[count % len(orientations)]
            function: Callable[..., Tensor] = self.method.predict
            if isinstance(self.method, Stochastic):
                function = partial(self.method.sample, rng=self._field(tile, _RESULT, count, orientation))
            output = self._infer(function, ops.flip_rotate(tile.image, orientation))
            yield ops.undo_flip_rotate(output, orientation)

    def _orientations(self) -> range:
        if not self.ensemble or self.method.tiling.whole:
            return range(1)
        # Of the eight orientations the odd ones swap rows and columns.
        return range(0, ops.ORIENTATIONS, 2 if self.method.directional else 1)

    def _infer(self, function: Callable[..., Tensor], image: Tensor) -> Tensor:
        # What a network has learnt in float32 is not rounded for its result; one that learns nothing here computes as it may.
        exact = contextlib.nullcontext() if self.method.trained else arithmetic(self.device, bfloat16=self.bfloat16)
        with torch.inference_mode(), exact:
            parts = ops.pixel_unshuffle(image, self.stride)
            return ops.pixel_shuffle(function(self.net, parts, self.state), self.stride)

    def _field(self, tile: Tile, purpose: int, number: int, orientation: int = 0) -> RandomField:
        """Make the random field of one pass: the same wherever the tile begins."""
        shrink = [1] * (len(tile.origin) - 2) + [self.stride] * 2
        origin = [start // by for start, by in zip(tile.origin, shrink, strict=True)]
        size = [side // by for side, by in zip(tile.image.shape[2:], shrink, strict=True)]
        return RandomField((self.seed, tile.sample, purpose, number), origin, size, self.device, orientation)
