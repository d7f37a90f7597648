"""Probes of the speed of a device: a small training step and a filter, timed against the reference machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_lotadenoise.compute import process_settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Seconds of one run of each probe on the reference machine; the names are those of `Speeds`.
REFERENCE = {"exact": 6.5e-3, "mixed": 4.2e-3, "numpy": 0.4e-3}
#: Seconds for which each probe is repeated.
PROBE_SECONDS = 0.06
#: Channels in and out of the convolutions of the network, as wide as those of the fast presets.
_LAYERS = ((16, 16), (16, 32), (32, 16))


def measure(device: torch.device, threads: int) -> dict[str, float]:
    """Return the speed of each probe on a device, relative to the reference machine."""
    from napari_lotadenoise.compute.precision import uses_bfloat16

    with process_settings.applied(threads):
        exact = _seconds(_training_step(device, bfloat16=False))
        fast = uses_bfloat16("auto", device, 2)
        mixed = _seconds(_training_step(device, bfloat16=True)) if fast else exact
        times = {"exact": exact, "mixed": mixed, "numpy": _seconds(_filter_step())}
    return {name: reference / max(times[name], 1e-7) for name, reference in REFERENCE.items()}


def _seconds(function: Callable[[], None]) -> float:
    """Return the shortest time of some calls after a first one: what else is running does not count."""
    function()
    times: list[float] = []
    end = time.perf_counter() + PROBE_SECONDS
    while not times or time.perf_counter() < end:
        begun = time.perf_counter()
        function()
        times.append(time.perf_counter() - begun)
    return min(times)


def _training_step(device: torch.device, *, bfloat16: bool) -> Callable[[], None]:
    """Make a step forward and backward through three convolutions."""
    import torch

    from napari_lotadenoise.compute.precision import arithmetic

    rng = torch.Generator().manual_seed(0)  # the global one belongs to runs

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng).to(device).contiguous(memory_format=torch.channels_last)

    image = drawn(2, 16, 64, 64)
    weights = [drawn(outputs, inputs, 3, 3).mul_(0.1).requires_grad_() for inputs, outputs in _LAYERS]

    def step() -> None:
        x = image
        with arithmetic(device, bfloat16=bfloat16):
            for weight in weights:
                x = torch.relu(torch.nn.functional.conv2d(x, weight, padding=1))
        gradients = torch.autograd.grad(x.float().square().mean(), weights)
        float(gradients[0].sum())  # a device that works ahead is waited for

    return step


def _filter_step() -> Callable[[], None]:
    """Make a Gaussian filter and a root of a small image."""
    from scipy import ndimage

    image = np.random.default_rng(0).random((192, 192), dtype=np.float32)

    def step() -> None:
        np.sqrt(ndimage.gaussian_filter(image, 2.0) + image).mean()

    return step
