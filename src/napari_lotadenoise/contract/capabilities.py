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


class Cost(NamedTuple):
    """Rough cost in microseconds a pixel on one CPU core: a training step, and a prediction (or one stochastic pass)."""

    step: float = 0.3
    predict: float = 0.05


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
