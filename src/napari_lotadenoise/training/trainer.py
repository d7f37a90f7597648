"""Training of one network: weights, optimiser, rate, running average, score. The loop is in the engine."""

from __future__ import annotations

import math
import threading
from collections import deque

import torch
from torch import Tensor

from napari_lotadenoise import ops
from napari_lotadenoise.compute.precision import arithmetic, uses_bfloat16
from napari_lotadenoise.contract.capabilities import Calibrating, Curve, Guarded
from napari_lotadenoise.contract.method import Method, StepContext, StepOutput, Training
from napari_lotadenoise.errors import TrainingError
from napari_lotadenoise.nets import Network
from napari_lotadenoise.pretrained.warm_start import WarmNet, is_warm
from napari_lotadenoise.training.crops import Crops
from napari_lotadenoise.training.optimiser import Adam, KeptWeights, WeightAverage, rate_at
from napari_lotadenoise.training.tracking import BestWeights, RunningMeans

#: Steps between two scorings on held-out pixels.
SCORE_EVERY = 25
#: Share by which the last score must be worse than the best one to go back to its weights.
TOLERANCE = 0.01
#: Steps that the noise deviation is averaged over: crops differ in brightness, and so in noise.
SIGMA_STEPS = 50

#: Weights are drawn from torch's one global generator: two runs must not seed it at the same time.
_INITIALISING = threading.Lock()


class Trainer:
    """Trains one network on one group of channels.

    Parameters
    ----------
    training_images : tensor (N, C, [Z], Y, X)
        Scaled images on the device.
    method : Method
    training : Training
    seed : int
        Of the weights, the crops and the method's own chance.
    unit : float
        Intensities of the image in one scaled unit.
    """

    def __init__(
        self, training_images: Tensor, method: Method, training: Training, seed: int, unit: float = 1.0
    ) -> None:
        self.method, self.training, self.device, self.seed = method, training, training_images.device, seed
        rng = torch.Generator().manual_seed(seed)
        self._chance = torch.Generator(self.device).manual_seed((seed * 1_000_003 + 1) % 2**63)
        self.net = self._initialised(training_images)
        size_multiple = method.tiling.size_multiple * self.net.multiple
        stride = training.spacing
        arranged = method.arrange_samples(training_images)
        images = ops.pixel_unshuffle(ops.pad_to(arranged, size_multiple * stride), stride)
        self.crops = Crops(images, training, size_multiple, rng, directional=method.directional)
        self.state = method.prepare(images, unit)
        self.held_out = self.crops.validation()
        if self.held_out is None and method.holds_out_pixels:
            self.held_out = images[:1]
        self._fixed = images if method.tiling.whole else None if method.trained else self.crops.draw()
        # Volumes may be seen by a network for planes.
        ndim = max((p.dim() for p in self.net.parameters()), default=images.ndim) - 2
        self.bfloat16 = uses_bfloat16(training.precision, self.device, ndim)
        self.learns = any(p.requires_grad for p in self.net.parameters())
        self._optimiser = Adam(self.net, clip=training.clip) if self.learns else None
        self._average = WeightAverage(self.net, training.average) if self.learns and training.average else None
        self.step_number, self.stage, self.stop_reason = 0, "", ""
        self._means, self._sigmas = RunningMeans(self.device), deque[Tensor](maxlen=SIGMA_STEPS)
        self._best, self._healthy = BestWeights(self.device), KeptWeights()
        self._healthy_sigmas: list[Tensor] = []
        if is_warm(training):
            self._take_score()

    @property
    def current(self) -> Network:
        """Return the network for prediction: averaged where the training averages, in evaluation mode."""
        return self.net.eval() if self._average is None else self._average.net

    @property
    def sigma(self) -> float | None:
        """Return the noise deviation in scaled units: a mean over the last steps, whenever it is read."""
        return float(torch.stack(list(self._sigmas)).mean()) if self._sigmas else None

    @property
    def curve(self) -> Curve | None:
        """Return what the calibration of the method has found so far."""
        return self.method.curve(self.state) if isinstance(self.method, Calibrating) else None

    @property
    def score(self) -> float | None:
        """Return the last score on held-out pixels, None where there is none; reading it waits for the device."""
        return self._best.score

    def step(self) -> None:
        """Take one training step."""
        context = StepContext(self.step_number, self.training.steps, self._chance)
        crops = self.crops.draw() if self._fixed is None else self._fixed
        self.net.train()
        self.method.before_step(self.net, self.state, context)
        with arithmetic(self.device, bfloat16=self.bfloat16):
            output = self.method.step(self.net, crops, self.state, context)
        if self._optimiser is not None:
            loss = sum(output.losses.values(), start=torch.zeros((), device=self.device))
            self._optimiser.step(loss, rate_at(self.step_number, self.training))
        if self._average is not None:
            self._average.update(self.net)
        self.method.after_step(output, self.state)
        self._record(output)
        self.step_number += 1
        if self.step_number % SCORE_EVERY == 0 or self.step_number == self.training.steps:
            self._take_score()
            self._check_health()

    def exhausted(self) -> bool:
        """Apply the stop rule: true where more steps will not help."""
        waited = self.step_number - self._best.step
        return 0 < self.training.patience * SCORE_EVERY <= waited and self.score is not None

    def report(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return mean loss terms and values since the last report; this is where the device is waited for.

        Raises
        ------
        TrainingError
            Where they are not finite any more.
        """
        means = self._means.take()
        if not all(math.isfinite(value) for value in means.values()):
            raise TrainingError("The loss is not a finite number any more; lower the rate or choose precision float32.")
        losses = {name[5:]: value for name, value in means.items() if name.startswith("loss:")}
        return losses, {name: value for name, value in means.items() if not name.startswith("loss:")}

    def restore_best(self) -> None:
        """Go back to the best weights where the last ones score clearly worse; after a stop to the last healthy ones.

        A score is that of a few crops; the last weights, learnt at the lowest rate, are trusted within its tolerance. After a
        warm start they are not: those that it began with may be the best.
        """
        if self.stop_reason:
            self._healthy.give_back(self.current)
            self._sigmas.extend(self._healthy_sigmas * (SIGMA_STEPS // max(1, len(self._healthy_sigmas)) + 1))
        else:
            self._best.restore(self.current, 0 if is_warm(self.training) else TOLERANCE)

    def _initialised(self, images: Tensor) -> Network:
        stride = self.training.spacing
        with _INITIALISING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            if is_warm(self.training):  # fitted to the noise of the images that it will see
                net: Network = WarmNet(ops.pixel_unshuffle(ops.pad_to(images, stride), stride))
            else:
                net = self.method.network(images.shape[1], images.ndim - 2)
        net = net.to(self.device)
        # Volumes may be seen by a network for planes.
        if any(weights.dim() == images.ndim for weights in net.parameters()):
            net.to(memory_format=ops.channels_last(images))  # type: ignore[call-overload]
        return net

    def _record(self, output: StepOutput) -> None:
        values = {"loss:" + name: value for name, value in output.losses.items()}
        values |= {name: value for name, value in output.values.items() if name != "sigma"}
        if "sigma" in output.values:
            self._sigmas.append(output.values["sigma"].detach())
        self._means.add(values)
        self.stage = output.stage

    def _take_score(self) -> None:
        if self.held_out is None or not self.learns:
            return
        with torch.inference_mode():
            score = self.method.score(self.current, self.held_out, self.state)
        if score is not None:
            self._best.take(self.current, score, self.step_number, watched=self.training.patience > 0)

    def _check_health(self) -> None:
        if not isinstance(self.method, Guarded):
            return
        self.stop_reason = self.stop_reason or self.method.stop_reason(self.state)
        if not self.stop_reason and self.method.healthy(self.state):
            self._healthy.take(self.current)
            self._healthy_sigmas = list(self._sigmas)
