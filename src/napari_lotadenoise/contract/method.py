"""The contract of a method: what one file in `methods/` has to say, and nothing about loops, devices, axes or files.

Tensors are (N, C, [Z], Y, X), float32, scaled by one map per channel that is undone at the end.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from napari_lotadenoise.contract.params import validate
from napari_lotadenoise.contract.training import Interleaving, Preset, Training
from napari_lotadenoise.errors import MethodError

if TYPE_CHECKING:
    import torch

    from napari_lotadenoise.nets import Network


@dataclass(frozen=True)
class Info:
    """What people should know of a method before they use it."""

    title: str
    idea: str
    assumes: str
    fails: str
    source: str
    url: str
    dimensions: tuple[int, ...] = (2, 3)


class Terms(NamedTuple):
    """What one training step, or one look at a region, has found.

    Attributes
    ----------
    losses : mapping of str to scalar tensor
        Weighted terms; they add up to the loss.
    maps : mapping of str to tensor (N, C or 1, [Z], y, x)
        Pictures for the user, each declared in `Method.maps`; y and x may be an integer fraction of the input's.
    values : mapping of str to scalar tensor
        Numbers for the user. Those that begin with ``sigma`` are in scaled units, the engine turns them into intensities.
    stage : str
        What the method is doing at the moment, where it has stages.
    """

    losses: Mapping[str, torch.Tensor]
    maps: Mapping[str, torch.Tensor] = {}
    values: Mapping[str, torch.Tensor] = {}
    stage: str = ""


class Curve(NamedTuple):
    """How a loss depends on one parameter that is being calibrated; the best value is the one of the lowest loss."""

    parameter: str
    values: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> float:
        """The value of the lowest loss."""
        return self.values[self.losses.index(min(self.losses))]


class Moment(NamedTuple):
    """Where in the training a step is, and its source of chance, which lives on the device of the crops."""

    step: int
    of: int
    rng: torch.Generator

    @property
    def progress(self) -> float:
        """Share of the training that is done before this step, 0 to 1."""
        return self.step / self.of


@dataclass(frozen=True)
class Method(ABC):
    """A denoising method: a frozen dataclass of hyper-parameters that knows its network, its loss and its prediction.

    The engine calls, in this order: `network`, `arrange`, `prepare`, then `begin`, `step` and `settle` once a step, `score` and
    `alarm` now and then, and in the end (and for previews) `predict`, or `sample` many times.
    """

    id: ClassVar[str]
    info: ClassVar[Info]
    presets: ClassVar[Mapping[str, Preset]]
    trained: ClassVar[bool] = True
    #: Whether `score` looks at pixels that no step trains on, whatever crops it is given.
    holds_out_pixels: ClassVar[bool] = False
    #: Whether it takes the noise of neighbouring pixels for independent, and of equal strength everywhere. Only where it
    #: does the latter is the variance stabilised unasked: to all others averaging roots does more harm (measured).
    needs_independence: ClassVar[bool] = True
    needs_constant: ClassVar[bool] = False
    #: Whether it learns from several frames of one scene: the only sampled axis must be time, with two frames or more.
    needs_repeats: ClassVar[bool] = False
    #: Whether it learns one image in one piece: steps get the whole image as it is, and so does `predict`, with no halo.
    whole: ClassVar[bool] = False
    #: The maps that `step` shows, and how they are to be read: "mask" (0 left alone, 1 hidden, 2 retained, 3 added),
    #: "picture" (intensities), "magnitude" (0 and above) or "signed".
    maps: ClassVar[Mapping[str, str]] = {}
    #: Name of an optional package, without which the method is not offered.
    package: ClassVar[str] = ""
    #: Side below which tiles do not pay, since each is read with wide surroundings.
    smallest_tile: ClassVar[int] = 64
    #: Side above which tiles are not made, so that a run can be stopped between two of them.
    largest_tile: ClassVar[int] = 256
    #: Image sides that a step works on must be multiples of this.
    grain: ClassVar[int] = 1
    #: Rough cost in microseconds a pixel on one CPU core: one training step, one prediction (or one stochastic pass).
    cost: ClassVar[tuple[float, float]] = (0.3, 0.05)

    def __post_init__(self) -> None:
        validate(self)

    @abstractmethod
    def network(self, channels: int, ndim: int) -> Network:
        """Build the network for images of `channels` channels in 2 or 3 dimensions."""

    def weights(self, ndim: int) -> str:
        """Name of the pre-trained weights that take part, or nothing."""
        return ""

    def arrange(self, pool: torch.Tensor) -> torch.Tensor:
        """Return what crops are drawn from, where it is not the scaled samples (N, C, [Z], Y, X) as they are."""
        return pool

    def prepare(self, pool: torch.Tensor, unit: float = 1.0) -> Any:
        """Return whatever the run has to remember between two steps.

        `pool` (N, C, [Z], Y, X) is what crops are drawn from; one of its units is `unit` intensities of the image.
        """
        return None

    def begin(self, net: Network, state: Any, moment: Moment) -> None:  # noqa: B027 - most methods have nothing to do
        """Do what is due before a step, such as freezing a copy of the network where a stage ends."""

    @abstractmethod
    def step(self, net: Network, crops: torch.Tensor, state: Any, moment: Moment) -> Terms:
        """Return the loss of some crops (N, C, [Z], Y, X). Changes neither `net` nor `state`."""

    def settle(self, terms: Terms, state: Any) -> None:  # noqa: B027 - most methods have nothing to do
        """Remember in `state` what a step has found."""

    def score(self, net: Network, crops: torch.Tensor, state: Any) -> torch.Tensor | None:
        """Return a score of crops that were held out (lower is better), or None where there is no honest one."""
        return None

    def predict(self, net: Network, image: torch.Tensor, state: Any) -> torch.Tensor:
        """Denoise (N, C, [Z], Y, X) with sides that the network accepts."""
        return net(image)

    def preview(self, net: Network, image: torch.Tensor, state: Any) -> torch.Tensor:
        """Denoise for a picture while training; only to be replaced where `predict` is slow."""
        return self.predict(net, image, state)

    @property
    def oriented(self) -> bool:
        """Whether rows are not as columns to it: then images are mirrored, but never turned by a right angle."""
        return False

    @property
    def stochastic_passes(self) -> int:
        """How many outputs of `sample` are averaged to the result; 0 where `predict` is all there is."""
        return 0

    def sample(self, net: Network, image: torch.Tensor, state: Any, rng: torch.Generator) -> torch.Tensor:
        """Denoise (N, C, [Z], Y, X) once, by chance; the mean of many is the result, their spread its uncertainty."""
        raise NotImplementedError(f"{self.info.title} has no stochastic passes.")

    def alarm(self, state: Any) -> str:
        """Say in one sentence why training must end and go back to its last healthy weights, or nothing."""
        return ""

    def healthy(self, state: Any) -> bool:
        """Whether the weights of now are worth going back to after an alarm; asked after `alarm`."""
        return True

    def curve(self, state: Any) -> Curve | None:
        """Return what a calibration has found so far, where there is one."""
        return None

    def halo(self, net: Network) -> int:
        """Pixels around a tile that its prediction depends on."""
        return net.halo

    @classmethod
    def preset(cls, name: str) -> Preset:
        """Return one of the presets, ``fast`` or ``paper``.

        Raises
        ------
        MethodError
            Where there is no preset of this name.
        """
        if name not in cls.presets:
            raise MethodError(f"{cls.info.title} has no preset {name!r}; there is {' and '.join(cls.presets)}.")
        return cls.presets[name]


def settings(method: Method, training: Training) -> tuple[Any, ...]:
    """What a user may change of a method and its training: of those that learn nothing, only how the image is taken apart."""
    return method, training if method.trained else Interleaving(training.stride)


def configure(
    method: type[Method], preset: str = "fast", *, volume: bool = False, **options: Any
) -> tuple[Method, Training]:
    """Set up a method: take a preset, then change what `options` names, be it of the method or of its training.

    Parameters
    ----------
    method : type of Method
    preset : "fast", "paper" or "warm"
    volume : bool
        Whether the schedule is to be the one for 3-D networks.
    **options
        Hyper-parameters of the method or of its training.

    Raises
    ------
    ParameterError
        Where an option is neither a hyper-parameter of the method nor one of the training, or is out of bounds.
    """
    from napari_lotadenoise.errors import ParameterError

    chosen = method.preset(preset)
    own = {f.name for f in dataclasses.fields(method)}
    schedule = {f.name for f in dataclasses.fields(chosen.training)}
    unknown = sorted(set(options) - own - schedule)
    if unknown:
        known = ", ".join(sorted(own | schedule))
        raise ParameterError(f"{method.info.title} has no parameter {', '.join(unknown)}; it has {known}.")
    mine = {name: value for name, value in options.items() if name in own}
    training = {name: value for name, value in options.items() if name in schedule}
    return method(**{**chosen.parameters, **mine}), dataclasses.replace(chosen.schedule(volume=volume), **training)
