"""Training schedules, and presets: named schedules with the hyper-parameters that belong to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_lotadenoise.contract.capabilities import Cost, Tiling
from napari_lotadenoise.contract.params import knob, validate


@dataclass(frozen=True)
class Interleaving:
    """Splitting of an image into interleaved ones; for every method, trained or not."""

    stride: int = knob(
        0,
        "Denoise the interleaved images of every n-th pixel instead, for noise that is correlated between neighbours; 1 does "
        "not. auto (0) chooses by the noise, but for the paper preset, where it is 1.",
        ge=0,
        le=8,
        step=1,
        unit="px",
        aliases={"auto": 0},
    )

    @property
    def spacing(self) -> int:
        """Return the distance of the pixels of the interleaved images; where the stride is not chosen yet, 1."""
        return self.stride or 1


@dataclass(frozen=True)
class Training(Interleaving):
    """Schedule of a training: a preset suggests it, a user may change it."""

    steps: int = knob(400, "Number of training steps.", ge=1, le=1_000_000, step=50)
    until: int = knob(
        0, "Step at which to stop a schedule that is longer; 0 goes on to its end.", ge=0, le=1_000_000, step=50
    )
    rate: float = knob(
        3e-3, "Learning rate of Adam; the peak of it where the schedule has one.", ge=1e-6, le=1, step=1e-4
    )
    schedule: str = knob(
        "one-cycle",
        "How the learning rate changes: one rise and fall, halved every so often, or not at all.",
        choices=("one-cycle", "halving", "constant"),
    )
    halve_every: int = knob(1000, "Steps after which the halving schedule halves the rate.", ge=1, le=100_000, step=100)
    crop: int = knob(64, "Side of the random square crops; 0 trains on full frames.", ge=0, le=4096, step=16, unit="px")
    crop_depth: int = knob(
        8, "Planes in a crop of a volume; 0 takes all of them.", ge=0, le=1024, step=1, unit="planes"
    )
    batch: int = knob(4, "Crops (or frames) in one step.", ge=1, le=1024, step=1)
    augment: bool = knob(True, "Flip and rotate the crops at random.")
    average: float = knob(
        0.98, "Decay of the running average of the weights; 0 uses the last weights.", ge=0, le=0.9999, step=0.005
    )
    ensemble: bool = knob(False, "Average the results for the eight flips and rotations of the image.")
    clip: float = knob(
        0.0,
        "Largest norm of a gradient, longer ones are shortened to it; 0 leaves them as they are.",
        ge=0,
        le=1000,
        step=0.5,
    )
    holdout: int = knob(
        4, "Crops that are kept away from training, to score the network on; 0 keeps none.", ge=0, le=256, step=1
    )
    patience: int = knob(
        0,
        "Scorings without a better one after which training stops (a score every 25 steps); 0 never stops early.",
        ge=0,
        le=1000,
        step=1,
    )
    scaling: str = knob(
        "deviation",
        "Intensities that the network sees: mean 0 and deviation 1, or the bulk of the histogram between 0 and 1.",
        choices=("deviation", "range"),
    )
    precision: str = knob(
        "auto",
        "Arithmetic of the training; auto takes bfloat16 where the processor is fast at it.",
        choices=("auto", "float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def planned(self) -> int:
        """Return the number of steps that are taken, unless a rule or the user ends the training before."""
        return min(self.steps, self.until or self.steps)


#: Names of presets: the default, the published schedule, and where it fits one that begins with pre-trained weights.
PRESETS = ("fast", "paper", "warm")
#: Steps of the shipped network, compared with those of the small U-Net of the methods that can begin with it.
WARM_STEP = 1.75
#: The rest of `Method.cost` where the shipped network is the one that learns, and how its image is cut.
WARM_COST = Cost(predict=0.92, start=8.0, prepare=0.6, volume=1.2, volume_predict=1.2, each_channel=True, nominal=0.6)
WARM_TILING = Tiling(smallest=512, largest=1024)


@dataclass(frozen=True)
class WarmTraining(Training):
    """Schedule for methods that can begin with the shipped network instead of a new one."""

    warm: bool = knob(
        False, "Begin with the shipped network (pre-trained weights, which then learn on) instead of a new one."
    )


@dataclass(frozen=True)
class Preset:
    """A named way to use a method.

    Attributes
    ----------
    training : Training
        Its schedule.
    parameters : mapping
        Hyper-parameters of the method in which it differs from the defaults.
    volume : mapping
        Fields of the schedule that are different for 3-D networks, whose steps see many planes at once.
    """

    training: Training = field(default_factory=Training)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    volume: Mapping[str, Any] = field(default_factory=dict)

    def schedule(self, *, volume: bool = False) -> Training:
        """Return the schedule for planes or for volumes."""
        return dataclasses.replace(self.training, **self.volume) if volume else self.training


def warm_preset(steps: int = 100) -> Preset:
    """Make the preset of a warm start: few steps at a low rate, since more of them unlearn what was known (measured)."""
    training = WarmTraining(steps=steps, rate=1e-4, crop=96, batch=2, average=0.95, warm=True)
    return Preset(training, volume={"steps": max(1, steps // 2), "batch": 1, "crop": 64})
