"""Filters whose one parameter is found on the image itself; what they share, so that each of their files has a formula."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_lotadenoise import nets, ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Curve, Footprint
from napari_lotadenoise.contract.method import Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: One pixel in GRID x GRID is hidden at a time.
GRID = 4


def scan_presets(
    trial_values: tuple[float, ...], fast: Mapping[str, Any], paper: Mapping[str, Any], **training: Any
) -> dict[str, Preset]:
    """Return the presets that try every candidate once on a few crops; `training` is where the paper's preset does otherwise."""
    schedule: dict[str, Any] = {
        "steps": len(trial_values), "crop": 128, "crop_depth": 4, "batch": 2, "augment": False, "average": 0, "holdout": 0,
        "schedule": "constant", "precision": "float32",
    }  # fmt: skip
    return {"fast": Preset(Training(**schedule), fast), "paper": Preset(Training(**{**schedule, **training}), paper)}


@dataclass(frozen=True)
class Calibrated(Method):
    """A filter with J-invariant calibration (Batson & Royer, ICML 2019, section 3); nothing is trained.

    Every step tries one value of the parameter `calibrates` on the same crops. Where no pixel is computed from itself,
    the mean squared difference L between the filtered and the noisy image is the true error plus the noise variance, so
    that it ranks the values without a clean image. Where the noise variance v is known, the best mix with the noisy
    image is also known: lambda * filtered + (1 - lambda) * noisy, lambda = v / L.

    This class is for filters that leave out the pixel itself; `CalibratedByHiding` is for all others.
    """

    trained: ClassVar[bool] = False
    #: Name of the hyper-parameter that is calibrated; 0 stands for "find it".
    calibrates: ClassVar[str] = "strength"
    trial_values: ClassVar[tuple[float, ...]]

    mix: bool = knob(
        False, "Mix the result with the noisy image, as much as the noise deviation says; finer detail, more noise."
    )
    noise: float = knob(
        0.0,
        "Known noise deviation in intensities of the image, for the mixing; 0 uses the blind estimate.",
        ge=0,
    )

    @abstractmethod
    def smooth(self, image: np.ndarray, value: float, sigma: float) -> np.ndarray:
        """Filter (C, [Z], Y, X), each channel by itself, with a value of the parameter; the noise deviation is `sigma`."""

    @property
    @abstractmethod
    def reach(self) -> int:
        """Return the pixels around one that the filter looks at."""

    @property
    def depth_reach(self) -> int:
        """Return the planes above and below one that the filter looks at."""
        return self.reach

    @property
    def footprint(self) -> Footprint:
        """Describe what the filter sees around a tile."""
        return Footprint(halo=self.reach, depth_halo=self.depth_reach)

    @property
    def expected_cost(self) -> Cost:
        """Return the cost of a step and of the result, each as many runs of the filter as it takes (`cost` is of one run)."""
        # A value that is given is judged in the first step, and remembered in all others.
        steps = 1 / len(self.trial_values) if self._given else 1.0
        return self.cost.times(steps * self.step_runs, self.predict_runs)

    @property
    def step_runs(self) -> float:
        """Return how often the filter runs over the crops of a step."""
        return 1.0

    @property
    def predict_runs(self) -> float:
        """Return how often the filter runs over a tile of the result."""
        return 1.0

    def network(self, channels: int, ndim: int) -> Network:
        """Return a stand-in for a network, with the reach of the filter."""
        net = nets.Unchanged()
        net.halo, net.depth_halo = self.reach, self.depth_reach
        return net

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise, and be ready to note what each value has brought."""
        from napari_lotadenoise.noise import laplacian_sigma, patch_sigma, typical_sigma, wavelet_sigma

        # The median of the wavelet estimate is 0 where more than half of the image is an even background.
        images = training_images.cpu().numpy()
        sigma = typical_sigma(images, wavelet_sigma) or typical_sigma(images, laplacian_sigma)
        # Mixing needs the mean variance; the wavelet estimate is that of the darker half of the pixels.
        known = (self.noise / unit or typical_sigma(images, patch_sigma)) if self.mix else 0.0
        return SimpleNamespace(
            sigma=sigma, variance=known**2, value=self._given or self.trial_values[0], loss=float("inf"), tried={}
        )

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Judge the next value; one that was judged before is remembered, the crops being always the same."""
        value = self._given or self.trial_values[context.step % len(self.trial_values)]
        loss = torch.tensor(state.tried[value]) if value in state.tried else self.loss(crops, value, state.sigma)
        return StepOutput(
            {"hidden pixels": loss},
            values={"sigma": torch.tensor(state.sigma), self.calibrates: torch.tensor(float(value))},
            stage=f"calibrating the {self.calibrates}",
        )

    def after_step(self, step_output: StepOutput, state: SimpleNamespace) -> None:
        """Note the loss, and keep the best value so far."""
        # A tensor rounds 0.3 to 0.300000012.
        value = self._given or round(float(step_output.values[self.calibrates]), 5)
        loss = float(step_output.losses["hidden pixels"])
        state.tried[value] = loss
        if loss < state.loss:
            state.loss, state.value = loss, value

    def curve(self, state: SimpleNamespace) -> Curve:
        """Return the values tried so far, in rising order, and their losses."""
        values = tuple(sorted(state.tried))
        return Curve(self.calibrates, values, tuple(state.tried[value] for value in values))

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep what was calibrated, and what the mixing needs."""
        return SimpleNamespace(sigma=state.sigma, variance=state.variance, value=state.value, loss=state.loss)

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Filter with the best value, and mix."""
        clean = self.blind(image, state.value, state.sigma)
        return self.mixed(clean, image, state) if self.mix else clean

    def mixed(self, clean: Tensor, noisy: Tensor, state: SimpleNamespace) -> Tensor:
        """Mix the filtered and the noisy image: lambda = noise variance / J-invariant loss of the former."""
        share = min(1.0, state.variance / state.loss) if state.loss > 0 else 1.0
        return share * clean + (1 - share) * noisy

    def blind(self, image: Tensor, value: float, sigma: float) -> Tensor:
        """Filter so that no pixel is computed from itself."""
        return self.filtered(image, value, sigma)

    def loss(self, crops: Tensor, value: float, sigma: float) -> Tensor:
        """Return the mean squared difference between the blindly filtered and the noisy crops."""
        return (self.blind(crops, value, sigma) - crops).square().mean()

    def filtered(self, image: Tensor, value: float, sigma: float) -> Tensor:
        """Apply the plain filter."""
        return ops.through_numpy(image, lambda sample: self.smooth(sample, value, sigma))

    @property
    def _given(self) -> float:
        return getattr(self, self.calibrates)


@dataclass(frozen=True)
class CalibratedByHiding(Calibrated):
    """A filter that would use the pixel itself: grids of pixels are replaced by the mean of their neighbours before it."""

    grids: int = knob(2, "Pixel grids that each value is judged on; 16 judges it on every pixel.", ge=1, le=16, step=1)
    inference: str = knob(
        "j-invariant",
        "The calibrated filter, in which no pixel is computed from itself (16 passes), or the plain filter (one pass, "
        "never mixed).",
        choices=("j-invariant", "single"),
    )

    @property
    def footprint(self) -> Footprint:
        """Describe what the filter sees around a tile, and the neighbour that fills the farthest pixel."""
        return super().footprint.widened(1)

    @property
    def step_runs(self) -> float:
        """Return one run for each grid."""
        return float(self.grids)

    @property
    def predict_runs(self) -> float:
        """Return one run for each of all grids, or a single one."""
        return 1.0 if self.inference == "single" else float(GRID**2)

    def network(self, channels: int, ndim: int) -> Network:
        """Return the stand-in of every filter; the neighbour that fills the farthest pixel is one further away."""
        net = super().network(channels, ndim)
        net.halo += 1
        return net

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Filter as it was judged, or in a single pass: mixing is for the former, whose loss is known."""
        if self.inference == "single":
            return self.filtered(image, state.value, state.sigma)
        return super().predict(net, image, state)

    def blind(self, image: Tensor, value: float, sigma: float) -> Tensor:
        """Filter once for each grid, in which it is hidden."""
        return ops.j_invariant(
            lambda hidden: self.filtered(hidden, value, sigma), image, ops.grid_labels(image, GRID), GRID**2
        )

    def loss(self, crops: Tensor, value: float, sigma: float) -> Tensor:
        """Return the error at the hidden pixels of a few grids."""
        labels = ops.grid_labels(crops, GRID)
        numbers = (index * GRID**2 // self.grids for index in range(self.grids))
        errors = [
            ops.hidden_error(lambda hidden: self.filtered(hidden, value, sigma), crops, labels == number)
            for number in numbers
        ]
        return torch.stack(errors).mean()
