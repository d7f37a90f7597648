"""What methods share that learn nothing but have to know the noise: how it is told or measured, and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.method import Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


def one_step(parameters: Mapping[str, Any], precision: str = "float32") -> Preset:
    """Make a preset of a method whose one step measures the noise."""
    training = Training(steps=1, crop=64, batch=1, augment=False, average=0, holdout=0, precision=precision)
    return Preset(training, parameters)


@dataclass(frozen=True)
class NoiseAware(Method):
    """A method that learns nothing and has to know the noise; it gets images with noise of deviation 1 (`NoiseNormaliser`)."""

    presets: ClassVar = {"fast": one_step({}), "paper": one_step({"noise": "constant"})}
    trained: ClassVar[bool] = False

    sigma: float = knob(0.0, "Known noise deviation in intensities of the image; 0 estimates it blindly.", ge=0, step=1)
    noise: str = knob(
        "signal-dependent",
        "Whether the noise is equally strong everywhere, or its variance a line over the intensity, fitted on the image.",
        choices=("constant", "signal-dependent"),
    )

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> Any:
        """Measure the noise."""
        from napari_lotadenoise.normalisation.noise_normalisation import NoiseNormaliser, mean_deviation, noise_of

        fits = noise_of(training_images, unit=unit, sigma=self.sigma, dependent=self.noise == "signal-dependent")
        return SimpleNamespace(
            sigma=mean_deviation(fits, training_images), whitening=NoiseNormaliser(training_images, fits)
        )

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the measured noise; nothing is learnt."""
        sigma = torch.tensor(state.sigma)
        return StepOutput({"noise variance": sigma.square()}, values={"sigma": sigma}, stage="measuring the noise")

    def for_prediction(self, state: Any) -> Any:
        """Keep all: the state is what was measured."""
        return state
