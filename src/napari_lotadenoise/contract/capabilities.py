"""Properties of a method: requirements, tiling and cost; and its capabilities beyond the contract, as protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

    from napari_lotadenoise.contract.method import Method
    from napari_lotadenoise.nets import Network
    from napari_lotadenoise.ops import Chance


@dataclass(frozen=True)
class Requirements:
    """Requirements of a method on an image.

    Attributes
    ----------
    independent_noise : bool
        Noise that is independent between neighbouring pixels.
    constant_noise : bool
        Noise of equal strength everywhere. Only for such methods is the variance stabilised unasked: for all others,
        averaging roots does more harm than good (measured).
    repeats : bool
        Several frames of one scene: the only sampled axis must be time, with two frames or more.
    package : str
        Optional package without which the method is not offered.
    """

    independent_noise: bool = True
    constant_noise: bool = False
    repeats: bool = False
    package: str = ""


@dataclass(frozen=True)
class Tiling:
    """Division of an image into tiles for a method.

    Attributes
    ----------
    smallest : int
        Side in pixels below which tiles do not pay, since each is read with its halo.
    largest : int
        Side in pixels above which no tiles are made, so that a run can be stopped between two of them.
    size_multiple : int
        Number that the sides of every crop and tile are multiples of.
    whole : bool
        Learn and predict one image in one piece: steps and `predict` get all of it, with no halo.
    """

    smallest: int = 64
    largest: int = 256
    size_multiple: int = 1
    whole: bool = False


class Footprint(NamedTuple):
    """What a network computes at a pixel and how far it sees, without building it.

    Attributes
    ----------
    work : float
        Multiplications of one pixel, each counted by how long it takes compared with one of a small U-Net; 0 where there is no
        network whose size may be changed.
    halo, depth_halo : int
        Pixels around a tile, and planes above and below it, that are read with it.
    multiple : int
        Number that the sides of what is read are multiples of.
    border : int or None
        Pixels beyond the image that may be read; None for as many as the halo.
    """

    work: float = 0.0
    halo: int = 0
    depth_halo: int = 0
    multiple: int = 1
    border: int | None = None

    def widened(self, pixels: int) -> Footprint:
        """Return the footprint of a method that looks some pixels further than its network."""
        return self._replace(halo=self.halo + pixels)


class Cost(NamedTuple):
    """Processor time of a method in its `fast` preset, on one core of the reference machine (`compute.speeds`).

    Attributes
    ----------
    step : float
        Microseconds a pixel of the crops in a training step.
    predict : float
        Microseconds a pixel that is read for a prediction, or for one stochastic pass.
    start : float
        Milliseconds of a step whatever the size of its crops.
    prepare : float
        Microseconds a pixel of the training images before the first step.
    volume : float
        How many times as long a voxel takes in a volume, in a step.
    volume_predict : float
        How many times as long a voxel takes in a volume, in a prediction.
    numpy : bool
        Whether it computes by numpy and scipy, with one thread on the processor.
    each_channel : bool
        Whether the cost is that of each channel that is denoised together with others.
    nominal : float
        What `predict` is taken for where tiles are cut, 0 for `predict` itself. Rounding depends on the tiles, so this stays
        as it is where `predict` is measured anew.
    """

    step: float = 1.3
    predict: float = 0.6
    start: float = 5.0
    prepare: float = 0.1
    volume: float = 4.0
    volume_predict: float = 4.0
    numpy: bool = False
    each_channel: bool = False
    nominal: float = 0.0

    @property
    def of_tiles(self) -> float:
        """Return the microseconds a pixel by which tiles are cut."""
        return self.nominal or self.predict

    def times(self, step: float, predict: float) -> Cost:
        """Return the cost of a method whose steps and predictions take so many times as long."""
        return self._replace(step=step * self.step, predict=predict * self.predict)


class Curve(NamedTuple):
    """Loss over the values of one parameter that is being calibrated; the best value has the lowest loss."""

    parameter: str
    values: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> float:
        """Return the value of the lowest loss."""
        return self.values[self.losses.index(min(self.losses))]


@runtime_checkable
class Stochastic(Protocol):
    """A method whose result is the mean of many random outputs; their spread is its uncertainty."""

    @property
    def stochastic_passes(self) -> int:
        """Return the number of outputs that are averaged to the result."""

    def sample(self, net: Network, image: torch.Tensor, state: Any, rng: Chance) -> torch.Tensor:
        """Denoise (N, C, [Z], Y, X) once, with chance from `rng` alone."""


@runtime_checkable
class Calibrating(Protocol):
    """A method that finds a parameter on the image itself."""

    def curve(self, state: Any) -> Curve | None:
        """Return the losses of the values tried so far."""


@runtime_checkable
class Guarded(Protocol):
    """A method that can end its training, by a stop rule or because it went wrong."""

    def stop_reason(self, state: Any) -> str:
        """Say in one sentence why training must end and go back to its last healthy weights; empty to go on."""

    def healthy(self, state: Any) -> bool:
        """Tell whether the present weights are worth going back to; called after `stop_reason`."""


def passes_of(method: Method) -> int:
    """Return the stochastic passes of a method, 0 where `predict` is all there is."""
    return method.stochastic_passes if isinstance(method, Stochastic) else 0
