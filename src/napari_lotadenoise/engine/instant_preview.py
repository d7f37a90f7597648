"""The instant picture of a place: the shipped network on what is looked at, and nothing else of the image."""

from __future__ import annotations

import numpy as np
import torch

from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine.viewport import View
from napari_lotadenoise.events import Look, Preview
from napari_lotadenoise.image.checks import check_place
from napari_lotadenoise.image.stack import Layout, Stack, Window, middle, read_with_halo
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.normalisation import affine
from napari_lotadenoise.prediction.tiling import look_at
from napari_lotadenoise.training.trainer import Trainer

#: Side of the middle of a place on which its noise is measured.
_MEASURED = 512


class Glance:
    """Denoises one plane at a time with the method `instant`; its noise is measured on that plane alone.

    Parameters
    ----------
    stack : Stack
    layout : Layout
    device : torch.device
    level : float
        Noise that is removed, as a multiple of what is measured.
    threads : int, optional
        Processor threads; default: all that the process may use, since it is waited for.
    """

    def __init__(
        self, stack: Stack, layout: Layout, device: torch.device, level: float = 1.0, threads: int | None = None
    ) -> None:
        self._stack, self._device, self.level, self._threads = stack, device, level, threads
        self.view = View(stack, layout, Instant())
        self._shown: tuple[tuple[object, ...], np.ndarray] | None = None

    def preview(self, look: Look) -> Preview:
        """The picture of the plane that a look asks for."""
        group, sample = self._stack.locate(look.point)
        window = self.view.window(look)
        clean = self.block(group, sample, window)
        maps = {"residual": self.view.plane(self._noisy(group, sample, window) - clean)} if look.maps else {}
        index = self.view.index(look, group, sample)
        return Preview(look, 0, index, self.view.plane(clean), maps, Instant.info.title)

    def block(self, group: int, sample: int, window: Window) -> np.ndarray:
        """A window of a sample (C, [Z], Y, X), denoised; one that was asked for last is remembered."""
        asked = (group, sample, str(window), self.level)
        if self._shown is None or self._shown[0] != asked:
            with process_settings.all_hands(self._threads):
                self._shown = (asked, self._denoised(group, sample, window))
        return self._shown[1]

    def _noisy(self, group: int, sample: int, window: Window) -> np.ndarray:
        return read_with_halo(self._stack, group, sample, window, [(0, 0)] * len(window))

    def _denoised(self, group: int, sample: int, window: Window) -> np.ndarray:
        block = self._noisy(group, sample, window)
        check_place(block)
        if block.min() == block.max():
            return block
        scale = affine.of_values(block.reshape(len(block), -1))
        method, training = configure(Instant, level=self.level)
        pool = torch.from_numpy(middle(scale.into(block), _MEASURED))[None].to(self._device)
        trainer = Trainer(pool, method, training, 0, scale.unit)
        return look_at(self._stack, trainer, scale, group, sample, window).clean(scale)
