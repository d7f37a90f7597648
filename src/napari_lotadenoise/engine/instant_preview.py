"""The instant preview of a place: one pass of the shipped network over what is in view, and nothing else of the image."""

from __future__ import annotations

import numpy as np
import torch

from napari_lotadenoise import ops
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.compute.precision import arithmetic, uses_bfloat16
from napari_lotadenoise.engine.viewport import PREVIEW_SIDE, Viewport
from napari_lotadenoise.events import Preview, ViewRequest
from napari_lotadenoise.image.checks import check_place
from napari_lotadenoise.image.outliers import isolation_of
from napari_lotadenoise.image.stack import Layout, Stack, Window, middle, read_with_halo
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.normalisation import affine
from napari_lotadenoise.prediction.tiling import TileGeometry, read_tile, tile_side
from napari_lotadenoise.pretrained.denoiser import ShippedDenoiser

#: Side of the middle of a place on which its noise is measured.
_MEASURED = 512


class InstantPreview:
    """Denoises one plane at a time with the shipped network; its noise is measured on that plane alone.

    Parameters
    ----------
    stack : Stack
    layout : Layout
    device : torch.device
    level : float
        Noise that is removed, as a multiple of the measured one.
    threads : int, optional
        Processor threads; default: all that the process may use, since somebody waits for it.
    """

    def __init__(
        self, stack: Stack, layout: Layout, device: torch.device, level: float = 1.0, threads: int | None = None
    ) -> None:
        self._stack, self._device, self.level, self._threads = stack, device, level, threads
        side = tile_side(shipped.TILING, shipped.COST, largest=PREVIEW_SIDE)
        self.viewport = Viewport(stack, layout, side)
        self._measures = stack.isolation is None
        self._shown: tuple[tuple[object, ...], np.ndarray] | None = None

    def preview(self, request: ViewRequest) -> Preview:
        """Denoise the plane in view."""
        group, sample = self._stack.locate(request.point)
        window = self.viewport.window(request)
        clean = self.block(group, sample, window)
        maps = {}
        if request.maps:
            maps["residual"] = self.viewport.plane(self._noisy(group, sample, window) - clean)
        index = self.viewport.index(request, group, sample)
        return Preview(request, 0, index, self.viewport.plane(clean), maps, shipped.TITLE)

    def block(self, group: int, sample: int, window: Window) -> np.ndarray:
        """Denoise a window of a sample (C, [Z], Y, X); the last one is remembered."""
        key = (group, sample, str(window), self.level)
        if self._shown is None or self._shown[0] != key:
            with process_settings.all_cores(self._threads):
                self._shown = (key, self._denoised(group, sample, window))
        return self._shown[1]

    def _noisy(self, group: int, sample: int, window: Window) -> np.ndarray:
        return read_with_halo(self._stack, group, sample, window, [(0, 0)] * len(window))

    def _denoised(self, group: int, sample: int, window: Window) -> np.ndarray:
        self._look_for_outliers(group, sample, window)
        block = self._noisy(group, sample, window)
        check_place(block)
        if block.min() == block.max():
            return block
        scale = affine.of_values(block.reshape(len(block), -1))
        net = shipped.load(shipped.kind_for(self._stack.ndim)).to(self._device)
        images = torch.from_numpy(middle(scale.forward(block), _MEASURED))[None].to(self._device)
        denoiser = ShippedDenoiser(ops.pad_to(images, net.multiple), unit=scale.unit, level=self.level)
        tile = read_tile(self._stack, TileGeometry.of(net), scale, self._device, group, sample, window)
        bfloat16 = uses_bfloat16("auto", self._device, 2)  # volumes too go through 2-D convolutions
        with torch.inference_mode(), arithmetic(self._device, bfloat16=bfloat16):
            output = denoiser.denoise(net, tile.image)
        return scale.inverse(output[tile.place].float().cpu().numpy())

    def _look_for_outliers(self, group: int, sample: int, window: Window) -> None:
        """Measure from when a pixel is an outlier in what is in view, where that was not measured on the whole image."""
        if self._measures:
            block = self._stack.read_raw(
                group,
                sample,
                tuple(
                    slice(part.start, min(part.stop, n)) for part, n in zip(window, self._stack.spatial, strict=True)
                ),
            )
            here = tuple(isolation_of(list(channel.reshape(-1, *channel.shape[-2:]))) for channel in block)
            self._stack.isolation = (here,) * self._stack.groups
