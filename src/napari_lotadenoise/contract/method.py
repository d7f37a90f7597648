"""The contract of a method: one file in `methods/` fulfils it, and knows nothing of loops, devices, axes or files.

Tensors are (N, C, [Z], Y, X), float32, scaled by one map per channel that is undone at the end.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from napari_lotadenoise.contract.capabilities import Cost, Footprint, Requirements, Tiling
from napari_lotadenoise.contract.params import validate
from napari_lotadenoise.contract.training import Interleaving, Preset, Training
from napari_lotadenoise.errors import MethodError

if TYPE_CHECKING:
    import torch

    from napari_lotadenoise.nets import Network

#: Power of the work of a network with which its time grows: wide layers use a processor better (measured).
NETWORK_EXPONENT = 0.9


@dataclass(frozen=True)
class Info:
    """Description of a method, for people: what it does, assumes, where it fails, and its source."""

    title: str
    idea: str
    assumes: str
    fails: str
    source: str
    url: str
    dimensions: tuple[int, ...] = (2, 3)


class StepOutput(NamedTuple):
    """Losses, maps and values of one training step.

    Attributes
    ----------
    losses : mapping of str to scalar tensor
        Weighted terms; they add up to the loss.
    maps : mapping of str to tensor (N, C or 1, [Z], y, x)
        Pictures for the user, each declared in `Method.maps`; y and x may be an integer fraction of the input's.
    values : mapping of str to scalar tensor
        Numbers for the user. Those that begin with ``sigma`` are in scaled units, the engine turns them into intensities.
    stage : str
        Stage of the method, where it has stages.
    """

    losses: Mapping[str, torch.Tensor]
    maps: Mapping[str, torch.Tensor] = {}
    values: Mapping[str, torch.Tensor] = {}
    stage: str = ""


class StepContext(NamedTuple):
    """Position of a step in the training, and its source of chance, on the device of the crops."""

    step: int
    of: int
    rng: torch.Generator

    @property
    def progress(self) -> float:
        """Return the share of the training that is done before this step, 0 to 1."""
        return self.step / self.of


@dataclass(frozen=True)
class Method(ABC):
    """A denoising method: a frozen dataclass of hyper-parameters with a network, a loss and a prediction.

    The engine calls, in this order: `network`, `arrange_samples`, `prepare`, then `before_step`, `step` and `after_step` once
    a step, `score` now and then, and in the end (and for previews) `predict`. Methods that can do more follow one of the
    protocols in `contract.capabilities`: `Stochastic`, `Calibrating`, `Guarded`.
    """

    id: ClassVar[str]
    info: ClassVar[Info]
    presets: ClassVar[Mapping[str, Preset]]
    requires: ClassVar[Requirements] = Requirements()
    tiling: ClassVar[Tiling] = Tiling()
    cost: ClassVar[Cost] = Cost()
    #: Whether weights are learnt; methods that learn nothing take their steps to measure or to calibrate.
    trained: ClassVar[bool] = True
    #: Whether `score` uses pixels that no step trains on, whatever crops it gets.
    holds_out_pixels: ClassVar[bool] = False
    #: Maps that `step` returns, and how to show them: "mask" (0 left alone, 1 hidden, 2 retained, 3 added), "picture"
    #: (intensities), "magnitude" (0 and above) or "signed".
    maps: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        validate(self)

    @abstractmethod
    def network(self, channels: int, ndim: int) -> Network:
        """Build the network for images of `channels` channels in 2 or 3 dimensions."""

    def weights(self, ndim: int) -> str:
        """Name the pre-trained weights that take part; empty where there are none."""
        return ""

    def more_weights(self, state: Any) -> str:
        """Name the pre-trained weights beside those of `weights` that a state uses; empty where there are none."""
        return ""

    def arrange_samples(self, training_images: torch.Tensor) -> torch.Tensor:
        """Return the images that crops are drawn from, where they are not the scaled samples (N, C, [Z], Y, X) themselves."""
        return training_images

    def prepare(self, training_images: torch.Tensor, unit: float = 1.0) -> Any:
        """Return the state that the run keeps between steps.

        `training_images` (N, C, [Z], Y, X) is what crops are drawn from; one of its units is `unit` intensities of the image.
        """
        return None

    def before_step(self, net: Network, state: Any, context: StepContext) -> None:  # noqa: B027 - most methods have nothing to do
        """Prepare a step, for example freeze a copy of the network where a stage ends."""

    @abstractmethod
    def step(self, net: Network, crops: torch.Tensor, state: Any, context: StepContext) -> StepOutput:
        """Return the loss of some crops (N, C, [Z], Y, X). Changes neither `net` nor `state`."""

    def after_step(self, step_output: StepOutput, state: Any) -> None:  # noqa: B027 - most methods have nothing to do
        """Update `state` by the output of a step."""

    def score(self, net: Network, crops: torch.Tensor, state: Any) -> torch.Tensor | None:
        """Return a score of held-out crops (lower is better), or None where there is no valid one."""
        return None

    def predict(self, net: Network, image: torch.Tensor, state: Any) -> torch.Tensor:
        """Denoise (N, C, [Z], Y, X) with sides that the network accepts."""
        return net(image)

    def preview(self, net: Network, image: torch.Tensor, state: Any) -> torch.Tensor:
        """Denoise for a preview while training; override it only where `predict` is slow."""
        return self.predict(net, image, state)

    def for_prediction(self, state: Any) -> Any:
        """Return the part of a state that predictions read, which is what a saved model holds of it.

        It consists of numbers, texts, tensors, networks, and containers and namespaces of these.
        """
        return None

    @property
    def footprint(self) -> Footprint:
        """Describe the network without building it, for the time of a run; by default it sees nothing around a tile."""
        return Footprint()

    @property
    def expected_cost(self) -> Cost:
        """Return the cost with the present hyper-parameters: `cost`, times what the size of the network makes of it.

        Override it where others count too, such as the passes of an inference.
        """
        usual = type(self)(**self.preset("fast").parameters).footprint.work
        if not usual:
            return self.cost
        size = (self.footprint.work / usual) ** NETWORK_EXPONENT
        return self.cost.times(size, size)

    def network_passes(self, predictable: float | None) -> float:
        """Return how many networks a prediction goes through one after the other, for the time of a run.

        `predictable` is the share of the noise that its neighbours tell; None where it is not measured yet.
        """
        return 1.0

    @property
    def directional(self) -> bool:
        """Tell rows from columns: images are then mirrored, but never rotated by a right angle."""
        return False

    def halo(self, net: Network) -> int:
        """Return the pixels around a tile that its prediction depends on."""
        return net.halo

    @classmethod
    def preset(cls, name: str) -> Preset:
        """Return one of the presets, ``fast`` or ``paper``; the latter leaves images whole, as papers do.

        Raises
        ------
        MethodError
            Where there is no preset of this name.
        """
        if name not in cls.presets:
            raise MethodError(f"{cls.info.title} has no preset {name!r}; there is {' and '.join(cls.presets)}.")
        preset = cls.presets[name]
        whole = name == "paper" and not preset.training.stride
        return dataclasses.replace(preset, training=dataclasses.replace(preset.training, stride=1)) if whole else preset


def settings(method: Method, training: Training) -> tuple[Any, ...]:
    """Return the settings that a user may change: the method and its training; without a training, only the stride."""
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
