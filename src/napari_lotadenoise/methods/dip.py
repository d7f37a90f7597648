"""Deep Image Prior: a network is fitted to the one image, and stopped before it fits the noise."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

from napari_lotadenoise import nets
from napari_lotadenoise._lazy import F, torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling
from napari_lotadenoise.contract.method import Info, Method, Preset, StepContext, StepOutput, Training
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.nets import footprints

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Largest value of the fixed random input.
HEIGHT = 0.1
#: Outputs after which their moving variance is one.
WARM = 100
#: Adam at 0.01 on the full frame, the last weights (the authors' notebook).
REFERENCE = Training(
    steps=3000, rate=1e-2, schedule="constant", crop=0, crop_depth=0, batch=1, augment=False, average=0, holdout=0,
    scaling="range", precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class DIP(Method):
    """Deep Image Prior (Ulyanov, Vedaldi & Lempitsky, CVPR 2018) with two blind rules of when to stop.

    An hourglass network maps a fixed random input z, with a little fresh noise n in each step, to the noisy image:

        L = |f(z + n) - y|^2.

    It learns the image first and its noise later. The result is m, the running mean of the outputs x,

    - where L has come down to the noise variance that was measured beforehand (Morozov's discrepancy principle), or
    - where the moving variance v of the outputs is least, since it falls while the image settles and rises when noise
      comes in (ES-EMV of Wang et al., TMLR 2023): v <- (1 - a) (v + a |x - m|^2), m <- m + a (x - m).
    """

    id: ClassVar = "dip"
    info: ClassVar = Info(
        title="Deep Image Prior",
        idea="Fits a network that has never seen an image to this one, and stops it before it has learnt the noise.",
        assumes="that a convolutional network learns the image before its noise; one image at a time, of moderate size",
        fails="on fine texture, which comes as late as the noise; slow, since every step draws the whole image",
        source="Ulyanov, Vedaldi & Lempitsky, Deep Image Prior, CVPR 2018; stopping by steadiness after Wang, Li, Zhuang, "
        "Chen, Liang & Sun, Early Stopping for Deep Image Prior, TMLR 2023",
        url="https://arxiv.org/abs/1711.10925",
    )
    presets: ClassVar = {
        "fast": Preset(
            Training(
                steps=500, rate=1e-2, schedule="constant", crop=0, crop_depth=0, batch=1, augment=False, average=0, holdout=0,
            ),
        ),
        "paper": Preset(
            REFERENCE,
            {"width": 128, "levels": 5, "inputs": 32, "jitter": 0.033, "memory": 0.99, "stop": "steadiness", "wait": 1000},
        ),
    }  # fmt: skip
    tiling: ClassVar = Tiling(whole=True)
    maps: ClassVar = {"output": "picture"}
    cost: ClassVar = Cost(step=0.82, predict=0.001, start=3.0, volume=5.8, volume_predict=1.0, nominal=0.01)

    width: int = knob(16, "Channels of the network.", ge=4, le=256, step=8)
    levels: int = knob(3, "Times that the network halves the image.", ge=1, le=6, step=1)
    inputs: int = knob(16, "Channels of the random input.", ge=1, le=64, step=4)
    jitter: float = knob(
        0.005, "Deviation of the noise that is added to the input in each step; more learns later.", ge=0, le=1, step=0.005
    )  # fmt: skip
    memory: float = knob(0.98, "Decay of the running mean and variance of the outputs.", ge=0.5, le=0.999, step=0.01)
    stop: str = knob(
        "noise level",
        "When training ends: where the output differs from the image by as much as the noise, where outputs are "
        "steadiest, or after all steps.",
        choices=("noise level", "steadiness", "never"),
    )
    wait: int = knob(
        150, "Steps without a steadier output after which the rule of steadiness ends the training.", ge=25, step=25
    )
    noise: float = knob(0.0, "Known noise deviation in intensities of the image; 0 measures it.", ge=0, step=1)

    @property
    def footprint(self) -> Footprint:
        """Describe the network."""
        return footprints.skip_net(self.inputs, self.width, self.levels)

    def network(self, channels: int, ndim: int) -> Network:
        """Make an hourglass with narrow skips."""
        return nets.SkipNet(self.inputs, channels, ndim, width=self.width, levels=self.levels)

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Draw the input, measure the noise, and be ready to average outputs."""
        from napari_lotadenoise.methods._recorruption import measured_law

        shape = (1, self.inputs, *training_images.shape[2:])
        z = HEIGHT * torch.rand(
            shape, generator=torch.Generator(training_images.device).manual_seed(0), device=training_images.device
        )
        variance = float(measured_law(training_images, "constant", self.noise / unit).offset.mean())
        nothing = torch.zeros((), device=training_images.device)
        return SimpleNamespace(
            input=z, noise=variance, count=0, mean=None, variance=nothing, misfit=nothing, least=float("inf"), at=0, kept=None,
        )  # fmt: skip

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the squared difference of the output from the noisy image."""
        jitter = torch.randn(state.input.shape, generator=context.rng, device=crops.device)
        output = net(state.input + self.jitter * jitter).float()
        loss = F.mse_loss(output, crops)
        # Measured beforehand; what the fit differs by is that only in the end.
        sigma = torch.tensor(state.noise, device=crops.device).sqrt()
        values = {"sigma": sigma, "sigma fit": loss.detach().sqrt(), "moving variance": state.variance}
        return StepOutput({"fit": loss}, {"output": output.detach()}, values)

    def after_step(self, step_output: StepOutput, state: SimpleNamespace) -> None:
        """Take the output into the running means."""
        output, loss = step_output.maps["output"], step_output.losses["fit"].detach()
        if state.mean is None:
            state.mean, state.misfit = output, loss
        weight = 1 - min(self.memory, (1 + state.count) / (10 + state.count))
        state.count += 1
        difference = output - state.mean
        state.variance = (1 - weight) * (state.variance + weight * difference.square().mean())
        state.mean, state.misfit = state.mean + weight * difference, state.misfit.lerp(loss, weight)

    def stop_reason(self, state: SimpleNamespace) -> str:
        """Say that it is time to stop; not that anything is wrong."""
        variance = float(state.variance)
        if self.stop != "steadiness" or state.count < WARM or variance < state.least:
            state.least = variance if state.count >= WARM else state.least
            state.at, state.kept = state.count, state.mean
        if self.stop == "steadiness" and state.count - state.at >= self.wait:
            return f"ended by its stopping rule: the outputs were steadiest at step {state.at}"
        if self.stop == "noise level" and float(state.misfit) <= state.noise:
            return "ended by its stopping rule: the output differs from the image by as much as the noise"
        return ""

    def healthy(self, state: SimpleNamespace) -> bool:
        """Tell whether the mean of now is the one that is kept."""
        return state.kept is state.mean

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the mean of the outputs that was kept."""
        return self.preview(net, image, state) if state.kept is None else state.kept

    def preview(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Return the mean of the outputs of now."""
        return net(state.input) if state.mean is None else state.mean
