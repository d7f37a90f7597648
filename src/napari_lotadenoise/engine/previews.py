"""What a run shows of itself: the picture of the place that is looked at, and the maps beside it."""

from __future__ import annotations

import numpy as np
import torch

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.engine.handover import Takeover
from napari_lotadenoise.engine.instant_preview import Glance
from napari_lotadenoise.engine.viewport import View
from napari_lotadenoise.errors import WeightsError
from napari_lotadenoise.events import Look, Preview
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.tiling import Sight, look_at
from napari_lotadenoise.training.trainer import Trainer


class Pictures:
    """Makes the previews of a run.

    With a `level` the picture is that of the shipped network until the one of the method is better; maps are the method's
    own.

    Parameters
    ----------
    view : View
        What is looked at of the run's stack.
    method : Method
    device : torch.device
    level : float
        Noise that the shipped network removes, as a multiple of what is measured; 0 does without it.
    threads : int, optional
        Processor threads of the shipped network; default: all.
    """

    def __init__(
        self, view: View, method: Method, device: torch.device, *, level: float, threads: int | None = None
    ) -> None:
        self.view, self._stack, self._method = view, view.stack, method
        wanted = level > 0 and not isinstance(method, Instant)
        self._glance = Glance(view.stack, view.layout, device, level, threads) if wanted else None
        self._takeover: tuple[int, Takeover] | None = None
        self._glanced: Look | None = None

    def first(self, look: Look | None) -> Preview | None:
        """The instant picture of a place, where it is wanted and was not shown yet."""
        if self._glance is None or look is None or look == self._glanced:
            return None
        self._glanced = look
        try:
            return self._glance.preview(look)
        except WeightsError:  # a run can do without
            self._glance = None
            return None

    def picture(self, look: Look, trainer: Trainer, scale: Scale, group: int, sample: int) -> Preview | None:
        """The picture of a place by the better of the two, with the maps; None where there is nothing new to show."""
        early = self._glance is not None and not self._taken_over(trainer, group)
        if early and not look.maps:
            return self.first(look)
        window = self.view.window(look)
        sight = look_at(self._stack, trainer, scale, group, sample, window)
        clean = self._glance.block(group, sample, window) if early and self._glance else sight.clean(scale)
        maps = self._maps(trainer, scale, sight, clean) if look.maps else {}
        index = self.view.index(look, group, sample)
        by = Instant.info.title if early else ""
        pictures = {name: self.view.plane(block) for name, block in maps.items()}
        return Preview(look, trainer.step_number, index, self.view.plane(clean), pictures, by)

    def _taken_over(self, trainer: Trainer, group: int) -> bool:
        if self._takeover is None or self._takeover[0] != group:
            self._takeover = (group, Takeover(trainer))
        return self._takeover[1].happened(trainer)

    def _maps(self, trainer: Trainer, scale: Scale, sight: Sight, clean: np.ndarray) -> dict[str, np.ndarray]:
        """The residual, the method's own maps, those that are pictures in intensities, and the deviation of its passes."""
        maps = {"residual": scale.back(sight.tile[sight.place].cpu().numpy()) - clean}
        for name, found in trainer.look_at_maps(sight.tile).items():
            block = found[sight.place].cpu().numpy()
            maps[name] = scale.back(block) if self._method.maps.get(name) == "picture" else block
        if sight.deviation is not None:
            around = sight.output[sight.place].float().cpu().numpy()
            maps["uncertainty"] = scale.stretch(sight.deviation[sight.place].cpu().numpy(), around)
        return maps
