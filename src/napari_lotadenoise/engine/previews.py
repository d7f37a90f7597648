"""Previews of a run: the denoised place in view, and the maps of the method beside it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor

from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.engine.handover import PreviewHandover
from napari_lotadenoise.engine.instant_preview import InstantPreview
from napari_lotadenoise.engine.job import Job
from napari_lotadenoise.engine.viewport import PREVIEW_SIDE, Viewport
from napari_lotadenoise.errors import WeightsError
from napari_lotadenoise.events import Preview, ViewRequest
from napari_lotadenoise.nets import shipped
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.ensembles import RunningPasses
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import Tile, read_tile, tile_side
from napari_lotadenoise.pretrained import warm_start
from napari_lotadenoise.training.trainer import Trainer

#: Pixels of an image that one pass of the shipped network denoises in a moment.
_MOMENT = 1 << 21


class _Region(NamedTuple):
    """A tile in view, its prediction, and the deviation of the passes of a stochastic method."""

    tile: Tile
    output: Tensor
    deviation: Tensor | None


class PreviewMaker:
    """Makes the previews of a run.

    Where instant previews are wanted, the image is that of the shipped network until the one of the method is better; maps
    are the method's own.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        side = tile_side(*warm_start.tiling_of(job.method, job.training), largest=PREVIEW_SIDE)
        self.viewport = Viewport(job.stack, job.layout, side)
        level, threads = job.options.instant_preview, job.asked_threads
        # A method that is itself one pass of the shipped network has no use for it, where that pass takes but a moment.
        wanted = level > 0 and (not job.method.weights(job.stack.ndim) or math.prod(job.stack.array.shape) > _MOMENT)
        self._instant = InstantPreview(job.stack, job.layout, job.device, level, threads) if wanted else None
        self._previewed: ViewRequest | None = None
        self._handover: tuple[int, PreviewHandover] | None = None
        self._passes = RunningPasses()
        self._pass_count = 0

    def first(self, request: ViewRequest | None) -> Preview | None:
        """Make the instant preview of a place, where it is wanted and was not made yet."""
        if self._instant is None or request is None or request == self._previewed:
            return None
        self._previewed = request
        try:
            return self._instant.preview(request)
        except WeightsError:  # a run can do without
            self._instant = None
            return None

    def preview(self, request: ViewRequest, trainer: Trainer, scale: Scale, group: int, sample: int) -> Preview | None:
        """Make the preview of a place by the better of the two networks, with the maps; None where nothing is new."""
        predictor = Predictor.of(trainer, scale)
        instant = None if self._handed_over(trainer, predictor, group) else self._instant
        if instant is not None and not request.maps:
            return self.first(request)
        window = self.viewport.window(request)
        tile = read_tile(self._job.stack, predictor.geometry, scale, predictor.device, group, sample, window)
        region = self._region(predictor, tile, (group, sample, str(window)))
        by, clean = "", scale.inverse(region.output[tile.place].float().cpu().numpy())
        if instant is not None:
            by, clean = shipped.TITLE, instant.block(group, sample, window)
        blocks = self._maps(trainer, predictor, region, clean) if request.maps else {}
        maps = {name: self.viewport.plane(block) for name, block in blocks.items()}
        index = self.viewport.index(request, group, sample)
        return Preview(request, trainer.step_number, index, self.viewport.plane(clean), maps, by)

    def _handed_over(self, trainer: Trainer, predictor: Predictor, group: int) -> bool:
        if self._instant is None:
            return True
        if self._handover is None or self._handover[0] != group:
            self._handover = (group, PreviewHandover(trainer))
        return self._handover[1].happened(trainer, predictor)

    def _region(self, predictor: Predictor, tile: Tile, place: object) -> _Region:
        """Denoise a tile; a stochastic method shows the running mean of its passes over a place."""
        if not passes_of(predictor.method):
            return _Region(tile, predictor.preview(tile.image), None)
        self._pass_count += 1
        mean, deviation = self._passes.add(place, predictor.preview_pass(tile, self._pass_count))
        return _Region(tile, mean, deviation)

    def _maps(
        self, trainer: Trainer, predictor: Predictor, region: _Region, clean: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the residual, the method's own maps (pictures in intensities), and the deviation of its passes."""
        scale, tile = predictor.scale, region.tile
        maps = {"residual": scale.inverse(tile.image[tile.place].cpu().numpy()) - clean}
        for name, found in predictor.maps(tile.image, trainer.step_number, trainer.training.steps).items():
            block = found[tile.place].cpu().numpy()
            maps[name] = scale.inverse(block) if predictor.method.maps.get(name) == "picture" else block
        if region.deviation is not None:
            around = region.output[tile.place].float().cpu().numpy()
            maps["uncertainty"] = scale.stretch(region.deviation[tile.place].cpu().numpy(), around)
        return maps
