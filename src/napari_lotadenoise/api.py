"""The Python face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.events import Event, Finished
from napari_lotadenoise.methods import find
from napari_lotadenoise.result import Result


def denoise(
    image: Any,
    method: str = "lota-n2n",
    axes: str | None = None,
    *,
    channels: str = "apart",
    volume: bool = False,
    preset: str = "fast",
    device: str = "auto",
    seed: int = 0,
    threads: int | None = None,
    fill: bool = False,
    stabilise: str = "auto",
    blend: float = 1.0,
    listener: Callable[[Event], None] | None = None,
    **hyper_parameters: Any,
) -> Result:
    """Denoise an image with nothing but that image.

    Parameters
    ----------
    image : array
        2-D or more, any real data type; it is not changed.
    method : str
        An id of `METHODS`.
    axes : str
        One letter an axis: T time, P position, C channel, Z depth, Y, X, S colour. May be left out for a 2-D image only.
    channels : "apart" or "together"
        Whether each channel (C) gets a network of its own.
    volume : bool
        Whether Z is denoised by a 3-D network; otherwise its slices share a 2-D one.
    preset : "fast", "paper" or "warm"
        The default schedule, the published one, or, where a method has it, a short one that begins with the shipped network
        (pre-trained weights).
    device : "auto", "cpu", "cuda", "cuda:N" or "mps"
    seed : int
        The same seed gives the same result bit by bit on the same CPU with as many threads.
    threads : int, optional
        Processor threads; default: all processors but one.
    fill : bool
        Whether NaN and inf are replaced by the nearest finite value instead of refused.
    stabilise : "auto", "off" or "on"
        Whether intensities are transformed so that the noise has the same strength everywhere (and back without bias);
        auto does so for methods that take the noise for equally strong everywhere (`Method.needs_constant`), where it is
        found to grow with the signal and to be independent between pixels, and the preset is not ``paper``.
    blend : float
        0 to 1: the share of the denoised image in the result; the rest is the noisy one.
    listener : callable, optional
        Called with every event of the run.
    **hyper_parameters
        Whatever the method or its training declares, for example ``steps=1000`` or ``trace=0.5``.

    Returns
    -------
    Result
        ``image`` (float32, intensities of the input), ``residual``, ``sigma``, ``history``, ``recipe``.

    Raises
    ------
    LotaDenoiseError
        One of its kinds, with a sentence that says what was wrong.
    """
    configured, training = configure(find(method), preset, volume=volume, **hyper_parameters)
    from napari_lotadenoise.engine import run
    from napari_lotadenoise.options import Options

    options = Options(axes, channels, volume, device, seed, threads, fill, preset, stabilise=stabilise, blend=blend)
    for event in run(image, configured, training, options):
        if listener is not None:
            listener(event)
        if isinstance(event, Finished):
            if event.error is not None:
                raise event.error
            assert event.result is not None, "nobody could have stopped this run"
            return event.result
    raise AssertionError("a run ends with Finished")
