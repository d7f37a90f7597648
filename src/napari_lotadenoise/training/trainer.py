"""One network on its way: weights, optimiser, rate, running average, score. Holds no loop; the engine has that."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from napari_lotadenoise import ops
from napari_lotadenoise.compute.process_settings import fast_bfloat16
from napari_lotadenoise.contract.method import Curve, Method, Moment, Terms, Training
from napari_lotadenoise.errors import TrainingError
from napari_lotadenoise.nets import Network
from napari_lotadenoise.ops.tensor import channels_last
from napari_lotadenoise.prediction.ensembles import RunningPasses
from napari_lotadenoise.pretrained.warm_start import WarmNet, is_warm
from napari_lotadenoise.training.crops import Crops
from napari_lotadenoise.training.optimiser import Adam, Kept, WeightAverage, rate_at

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
    pool : tensor (N, C, [Z], Y, X)
        Scaled images on the device.
    method, training
        What to learn and how.
    seed : int
        Of the weights, the crops and the method's own chance.
    unit : float
        Intensities of the image in one scaled unit.
    """

    def __init__(self, pool: Tensor, method: Method, training: Training, seed: int, unit: float = 1.0) -> None:
        self.method, self.training, self.device, self.seed = method, training, pool.device, seed
        self.warm, self.stride = is_warm(training), training.stride
        self.rng = torch.Generator().manual_seed(seed)
        self._chance, self._looking = self._generator(1), self._generator(2)
        with _INITIALISING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = self._warm_net(pool) if self.warm else method.network(pool.shape[1], pool.ndim - 2)
        self.net: Network = net.to(self.device)
        if any(
            weights.dim() == pool.ndim for weights in self.net.parameters()
        ):  # volumes may be seen by one for planes
            self.net.to(memory_format=channels_last(pool))  # type: ignore[call-overload]
        self.learns = any(p.requires_grad for p in self.net.parameters())
        grain = method.grain * self.net.multiple
        pool = ops.unshuffle(ops.pad_to(method.arrange(pool), grain * self.stride), self.stride)
        self.crops = Crops(pool, training, grain, self.rng, oriented=method.oriented)
        self.state = method.prepare(pool, unit)
        self.step_number, self.best_step = 0, 0
        self._best, self._healthy = Kept(), Kept()
        self._score = self._best_score = torch.tensor(math.inf, device=self.device)
        self._healthy_sigmas: list[Tensor] = []
        self.alarm = ""
        self._sums: dict[str, Tensor] = {}
        self._summed = 0
        self._sigmas: deque[Tensor] = deque(maxlen=SIGMA_STEPS)
        self.stage = ""
        self._validation = self.crops.validation()
        if self._validation is None and method.holds_out_pixels:
            self._validation = self.crops.pool[:1]
        self._fixed = pool if method.whole else None if method.trained else self.crops.draw()
        self._running = RunningPasses()
        # Volumes may be seen by a network for planes.
        ndim = max((p.dim() for p in self.net.parameters()), default=pool.ndim) - 2
        self.bfloat16 = uses_bfloat16(training, self.device, ndim)
        if self.learns:
            self.optimiser = Adam(self.net, clip=training.clip)
            self.average = WeightAverage(self.net, training.average) if training.average else None
        if self.warm:
            self._take_score()

    @property
    def current(self) -> Network:
        """The network as it would be used now: averaged where the training averages, in evaluation mode."""
        if self.learns and self.average is not None:
            return self.average.net
        return self.net.eval()

    def step(self) -> None:
        """Take one training step."""
        moment = Moment(self.step_number, self.training.steps, self._chance)
        crops = self.crops.draw() if self._fixed is None else self._fixed
        self.net.train()
        self.method.begin(self.net, self.state, moment)
        with self._arithmetic():
            terms = self.method.step(self.net, crops, self.state, moment)
        if self.learns:
            self._learn(sum(terms.losses.values(), start=torch.zeros((), device=self.device)))
        self.method.settle(terms, self.state)
        self._record(terms)
        self.step_number += 1
        if self.step_number % SCORE_EVERY == 0 or self.step_number == self.training.steps:
            self._take_score()
            self._check_health()

    @property
    def held_out(self) -> Tensor | None:
        """The crops that are kept away from training, (N, C, [Z], Y, X), or None."""
        return self._validation

    @property
    def sigma(self) -> float | None:
        """Noise deviation in scaled units, over the last steps: a matter of the steps alone, not of when it is asked for."""
        return float(torch.stack(list(self._sigmas)).mean()) if self._sigmas else None

    @property
    def curve(self) -> Curve | None:
        """What the method's calibration has found so far."""
        return self.method.curve(self.state)

    def exhausted(self) -> bool:
        """Whether the stop rule says that more steps will not help."""
        waited = self.step_number - self.best_step
        return 0 < self.training.patience * SCORE_EVERY <= waited and self.score is not None

    @property
    def score(self) -> float | None:
        """Last score on held-out pixels, None where there is none; asking for it waits for the device."""
        score = float(self._score)
        return score if math.isfinite(score) else None

    def report(self) -> tuple[dict[str, float], dict[str, float]]:
        """Mean loss terms and values since the last report; this is where the device is waited for.

        Raises
        ------
        TrainingError
            Where they are not finite any more.
        """
        means = {name: float(total) / self._summed for name, total in self._sums.items()} if self._summed else {}
        self._sums, self._summed = {}, 0
        if not all(math.isfinite(value) for value in means.values()):
            raise TrainingError("The loss is not a finite number any more; lower the rate or choose precision float32.")
        losses = {name[5:]: value for name, value in means.items() if name.startswith("loss:")}
        return losses, {name: value for name, value in means.items() if not name.startswith("loss:")}

    def keep_best(self) -> None:
        """Go back to the best weights where the last ones score clearly worse, after an alarm to the last healthy ones.

        A score is that of a few crops; the last weights, learnt at the lowest rate, are trusted within its tolerance. After a
        warm start they are not: those that it began with may be the best.
        """
        if self.alarm:
            self._healthy.give_back(self.current)
            self._sigmas.extend(self._healthy_sigmas * (SIGMA_STEPS // max(1, len(self._healthy_sigmas)) + 1))
        elif float(self._score) > (1 if self.warm else 1 + TOLERANCE) * float(self._best_score):
            self._best.give_back(self.current)

    def look(self, image: Tensor, place: Hashable = None) -> tuple[Tensor, Tensor | None]:
        """Denoise (N, C, [Z], Y, X) for a preview, in the arithmetic of the training: it is for the eye, and often.

        A method of chance shows the running mean of its passes over a place, and their deviation.
        """
        with torch.inference_mode(), self._arithmetic():
            parts = ops.unshuffle(image, self.stride)
            if not self.method.stochastic_passes:
                return ops.shuffle(self.method.preview(self.current, parts, self.state), self.stride), None
            output = self.method.sample(self.current, parts, self.state, self._looking)
            return self._running.add(place, ops.shuffle(output, self.stride))

    def look_at_maps(self, image: Tensor) -> dict[str, Tensor]:
        """Return the method's maps for an image, each (N, C or 1, [Z], Y, X), with chance of their own."""
        if not self.method.maps:
            return {}
        moment = Moment(self.step_number, self.training.steps, self._generator(self.step_number))
        with torch.inference_mode():
            parts = ops.unshuffle(image, self.stride)
            maps = self.method.step(self.current, parts, self.state, moment).maps
        grown = {
            name: nn.functional.interpolate(m.float(), parts.shape[2:], mode="nearest") for name, m in maps.items()
        }
        return {name: ops.shuffle(m, self.stride) for name, m in grown.items()}

    def outputs(self, image: Tensor, number: int = 0) -> Iterator[Tensor]:
        """Denoise tile `number` (N, C, [Z], Y, X) for the result, which is the mean of what comes out.

        One output, or one for each flip and rotation of an ensemble, or one for each stochastic pass of the method; the
        passes of an ensemble take turns.
        """
        function, passes = self.method.predict, self.method.stochastic_passes
        if passes:
            function = partial(self.method.sample, rng=self._generator(number))
        # Of the eight turns the odd ones swap rows and columns.
        turns = range(0, ops.TURNS, 2 if self.method.oriented else 1)
        turns = turns if self.training.ensemble and not self.method.whole else range(1)
        for count in range(passes or len(turns)):
            turn = turns[count % len(turns)]
            yield ops.turned_back(self._infer(function, ops.turned(image, turn)), turn)

    def _infer(self, function: Callable[..., Tensor], image: Tensor) -> Tensor:
        # What a network has learnt in float32 is not rounded for its result; one that learns nothing here is told how to compute.
        exact = contextlib.nullcontext() if self.method.trained else self._arithmetic()
        with torch.inference_mode(), exact:
            return ops.shuffle(function(self.current, ops.unshuffle(image, self.stride), self.state), self.stride)

    def _warm_net(self, pool: Tensor) -> Network:
        return WarmNet(ops.unshuffle(ops.pad_to(pool, self.stride), self.stride))  # the images whose noise it will see

    def _learn(self, loss: Tensor) -> None:
        self.optimiser.step(loss, rate_at(self.step_number, self.training))
        if self.average is not None:
            self.average.update(self.net)

    def _record(self, terms: Terms) -> None:
        for name, value in terms.losses.items():
            self._add("loss:" + name, value)
        for name, value in terms.values.items():
            if name == "sigma":
                self._sigmas.append(value.detach())
            else:
                self._add(name, value)
        self._summed += 1
        self.stage = terms.stage

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach().to(self.device)
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _take_score(self) -> None:
        crops = self._validation
        if crops is None or not self.learns:
            return
        with torch.inference_mode():
            score = self.method.score(self.current, crops, self.state)
        if score is None:
            return
        # Compared on the device, which is not waited for unless the stop rule has to know.
        better = score < self._best_score
        self._best.take(self.current, better)
        self._score, self._best_score = score.detach(), torch.where(better, score, self._best_score).detach()
        if self.training.patience and bool(better):
            self.best_step = self.step_number

    def _check_health(self) -> None:
        self.alarm = self.alarm or self.method.alarm(self.state)
        if not self.alarm and self.method.healthy(self.state):
            self._healthy.take(self.current)
            self._healthy_sigmas = list(self._sigmas)

    def _generator(self, number: int) -> torch.Generator:
        """Chance that depends on the seed and a number alone."""
        return torch.Generator(self.device).manual_seed((self.seed * 1_000_003 + number) % 2**63)

    def _arithmetic(self) -> contextlib.AbstractContextManager[Any]:
        if not self.bfloat16:
            return contextlib.nullcontext()
        # The cache of cast weights is one for all threads: a second run would empty it in the middle of a step, and the
        # gradients of a weight that is used twice would be added in another precision.
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)


def uses_bfloat16(training: Training, device: torch.device, ndim: int) -> bool:
    """Whether training runs in bfloat16 on a device.

    Volumes do so on a GPU only: on a CPU the 3-D convolutions of oneDNN give NaN in bfloat16 where there are fewer than
    four planes (seen with torch 2.13).
    """
    if training.precision != "auto":
        return training.precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and ndim == 2 and fast_bfloat16()
