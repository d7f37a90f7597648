"""Amount of work of a run, counted before it starts, and how long that takes on a machine. Imports no torch."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from napari_lotadenoise.compute.speeds import Speeds
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling, passes_of
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.contract.training import WARM_COST, WARM_STEP, WARM_TILING, WarmTraining
from napari_lotadenoise.engine.clock import PREVIEW_EVERY, PREVIEW_SHARE
from napari_lotadenoise.engine.viewport import PREVIEW_SIDE
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.nets import footprints
from napari_lotadenoise.prediction.tiling import TileGeometry, pixels_read

#: How much longer a network takes in float32 than in the bfloat16 that its cost was measured in.
FLOAT32 = 1.6
#: Seconds to measure the noise of a channel, and microseconds a pixel of it to read, check and write.
MEASURING, PASSING = 0.05, 0.15
#: Planes whose middle is examined after a run, pixels of that, and microseconds for one of them.
EXAMINED_PLANES, EXAMINED_PIXELS, EXAMINING = 2, 512 * 512, 0.7
#: Seconds to measure the correlated noise of a channel more closely, and to examine a plane of it.
MEASURING_CORRELATED, EXAMINING_CORRELATED = 0.15, 0.25
#: Seconds to import torch, where that was not done yet.
IMPORT_SECONDS = 2.0
#: Pixels of a sample that methods measure before their first step, at most: of larger ones they take parts.
PREPARED = 1024 * 1024
#: Orientations of an ensemble; half of them where rows are not to become columns.
ORIENTATIONS = 8


@dataclass(frozen=True)
class Work:
    """The work of a run, counted.

    Attributes
    ----------
    method : Method
    training : Training
    cost : Cost
        Of a pixel with the present hyper-parameters; of a voxel in a volume.
    groups, joined, samples : int
        Networks that learn, channels that each of them sees, and images that each of them denoises.
    pixels, plane : int
        Of one sample, and of one of its planes.
    crop : int
        Pixels of one crop.
    read : int
        Pixels of all tiles of a sample, with their surroundings.
    in_view : int
        Pixels of a preview.
    volume : bool
    correlated : bool
        Whether the noise is known to be correlated.
    """

    method: Method
    training: Training
    cost: Cost
    groups: int
    joined: int
    samples: int
    pixels: int
    plane: int
    crop: int
    read: int
    in_view: int
    volume: bool
    correlated: bool

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        layout: Layout,
        method: Method,
        training: Training,
        *,
        predictable: float | None = None,
    ) -> Work:
        """Count the work on an image.

        `predictable` is the share of the noise that its neighbours tell, where it is measured.
        """
        sizes = dict(zip(layout.axes, shape, strict=True))
        spatial = tuple(sizes[axis] for axis in layout.spatial)
        tiling, footprint, cost = _of_network(method, training)
        joined = math.prod(sizes[axis] for axis in layout.joined)
        cost = _of_blocks(cost, joined, volume=layout.volume).times(1.0, method.network_passes(predictable))
        stride = training.spacing
        return cls(
            method, training, cost,
            groups=math.prod(sizes[axis] for axis in layout.grouped),
            joined=joined,
            samples=math.prod(sizes[axis] for axis in layout.sampled),
            pixels=math.prod(spatial),
            plane=math.prod(spatial[-2:]),
            crop=_crop_pixels(spatial, training, stride, whole=tiling.whole),
            read=pixels_read(spatial, tiling, cost, _geometry(footprint, tiling, stride)),
            in_view=math.prod(min(size, PREVIEW_SIDE) for size in spatial[-2:]),
            volume=layout.volume, correlated=bool(predictable),
        )  # fmt: skip

    def seconds(self, speeds: Speeds, *, predictions: int = 1, watched: bool = False) -> float:
        """Return the time of the run on a machine.

        Parameters
        ----------
        speeds : Speeds
        predictions : int
            How often the whole image is predicted.
        watched : bool
            Whether previews are made on the way.
        """
        training = self.training_seconds(speeds) * (1 + self.preview_share(speeds) if watched else 1)
        prediction = predictions * self.prediction_seconds(speeds)
        return speeds.correction * (self.overhead_seconds(speeds) + training + prediction)

    def training_seconds(self, speeds: Speeds) -> float:
        """Return the time of all steps."""
        speed = self._speed(speeds, auto=self.training.precision != "float32")
        pixels = 1e-6 * self.cost.step * (1 if self.method.tiling.whole else self.training.batch) * self.crop
        step = 1e-3 * self.cost.start / speeds.numpy + pixels * self._float32 / speed
        return self.groups * self.training.planned * step

    def prediction_seconds(self, speeds: Speeds) -> float:
        """Return the time of the result: all passes over all tiles of all samples."""
        passes = passes_of(self.method) or self._orientations
        return self.groups * self.samples * self.read * passes * self._pixel_seconds(speeds)

    def preview_share(self, speeds: Speeds) -> float:
        """Return the time of previews, compared with that of the steps between them."""
        seconds = self.in_view * self._pixel_seconds(speeds) if self.method.trained else 0.0
        return seconds / max(PREVIEW_EVERY, seconds / PREVIEW_SHARE)

    def overhead_seconds(self, speeds: Speeds) -> float:
        """Return the time of all that is neither step nor prediction."""
        importing = 0.0 if "torch" in sys.modules else IMPORT_SECONDS
        return (importing + self._surrounding_seconds + self._examination_seconds) / speeds.numpy

    @property
    def _surrounding_seconds(self) -> float:
        """Return the time to read, check, measure and write all channels on the reference machine."""
        pixels = self.samples * self.pixels
        measuring = MEASURING + MEASURING_CORRELATED * self.correlated
        return self.channels * (measuring + 1e-6 * (PASSING * pixels + self.cost.prepare * min(pixels, PREPARED)))

    @property
    def _examination_seconds(self) -> float:
        """Return the time to examine the residual on the reference machine."""
        planes = min(EXAMINED_PLANES, self.channels * self.samples * self.pixels // self.plane)
        each = 1e-6 * EXAMINING * min(self.plane, EXAMINED_PIXELS) + EXAMINING_CORRELATED * self.correlated
        return planes * each

    @property
    def channels(self) -> int:
        """Return the channels of the image."""
        return self.groups * self.joined

    @property
    def _float32(self) -> float:
        """Return how much longer it takes because it is exact where the `fast` preset is not; volumes are exact anyway."""
        usual = self.method.preset("fast").training.precision
        return FLOAT32 if self.training.precision == "float32" != usual and not self.volume else 1.0

    @property
    def _orientations(self) -> int:
        if not self.training.ensemble or self.method.tiling.whole:
            return 1
        return ORIENTATIONS // 2 if self.method.directional else ORIENTATIONS

    def _pixel_seconds(self, speeds: Speeds) -> float:
        seconds = 1e-6 * self.cost.predict
        if self.method.trained:  # what was learnt is applied in float32
            return seconds / self._speed(speeds, auto=False)
        return seconds * self._float32 / self._speed(speeds, auto=self.training.precision != "float32")

    def _speed(self, speeds: Speeds, *, auto: bool) -> float:
        if self.cost.numpy:
            return speeds.numpy
        return speeds.mixed if auto and not self.volume else speeds.exact


def _of_network(method: Method, training: Training) -> tuple[Tiling, Footprint, Cost]:
    """Return how the network that learns gets its image, what it sees, and what it costs."""
    if not (isinstance(training, WarmTraining) and training.warm):
        return method.tiling, method.footprint, method.expected_cost
    return WARM_TILING, footprints.INSTANT, WARM_COST._replace(step=WARM_STEP * method.cost.step)


def _of_blocks(cost: Cost, joined: int, *, volume: bool) -> Cost:
    """Return the cost of a pixel with all channels that are denoised together, in a plane or in a volume."""
    channels = joined if cost.each_channel else 1
    step, predict = (cost.volume, cost.volume_predict) if volume else (1.0, 1.0)
    return cost.times(channels * step, channels * predict)


def _geometry(footprint: Footprint, tiling: Tiling, stride: int) -> TileGeometry:
    return TileGeometry(
        halo=stride * footprint.halo,
        depth_halo=footprint.depth_halo,
        size_multiple=stride * footprint.multiple * tiling.size_multiple,
        border=None if footprint.border is None else stride * footprint.border,
        whole=tiling.whole,
    )


def _crop_pixels(spatial: tuple[int, ...], training: Training, stride: int, *, whole: bool) -> int:
    """Return the pixels of a crop; 0 in a schedule stands for all there are."""
    if whole:
        return math.prod(spatial)
    planes = (training.crop_depth,) if len(spatial) == 3 else ()
    there = (*spatial[:-2], *(-(-size // stride) for size in spatial[-2:]))
    return math.prod(
        min(size, side) if side else size
        for size, side in zip(there, (*planes, training.crop, training.crop), strict=True)
    )
