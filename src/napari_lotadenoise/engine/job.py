"""Resolution of a run: image, method and options, checked and complete, before anything is computed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import plan, timing
from napari_lotadenoise.image.checks import check, check_samples
from napari_lotadenoise.image.stack import Layout, Stack, Window, layout_for
from napari_lotadenoise.noise import NoiseModel, best_stride
from napari_lotadenoise.normalisation.noise_measurement import measure_group
from napari_lotadenoise.options import Options, check_stride, preset_of, stabilise_mode, stride_is_open
from napari_lotadenoise.prediction.tiling import cut
from napari_lotadenoise.pretrained import warm_start


@dataclass(frozen=True)
class Job:
    """One run, resolved.

    Attributes
    ----------
    image : array-like
        Only ever indexed.
    method : Method
    training : Training
    options : Options
        With nothing left open: axes, threads, preset and the stabilisation mode are those that are used.
    layout : Layout
    stack : Stack
    device : torch.device
    device_words : str
        The device and why it was chosen.
    weights : str
        Name of the pre-trained weights that take part; empty where there are none.
    tiles : tuple of Window
        Parts of a sample that are predicted one by one.
    words : str
        What will be done, in one sentence.
    asked_threads : int or None
        Threads that the user asked for; None where that was left open.
    noise : tuple of tuple of NoiseModel
        Noise of each channel of each group; empty where nothing depends on it.
    notes : tuple of str
        Choices that were made by the noise, one sentence each.
    """

    image: Any
    method: Method
    training: Training
    options: Options
    layout: Layout
    stack: Stack
    device: torch.device
    device_words: str
    weights: str
    tiles: tuple[Window, ...]
    words: str
    asked_threads: int | None = None
    noise: tuple[tuple[NoiseModel, ...], ...] = ()
    notes: tuple[str, ...] = ()


def prepare(image: Any, method: Method, training: Training, options: Options) -> Job:
    """Check an image and resolve how it will be denoised.

    Parameters
    ----------
    image : array-like
        Anything with ``shape``, ``dtype`` and numpy-like indexing; everything else is made an array.
    method : Method
    training : Training
    options : Options

    Raises
    ------
    LotaDenoiseError
        Where the image, the method and the options do not fit together.
    """
    image = image if hasattr(image, "dtype") and hasattr(image, "shape") else np.asarray(image)
    shape = tuple(image.shape)
    layout = layout_for(shape, options.axes, options.channels, options.volume)
    stack = check(image, layout, method.info.dimensions, fill=options.fill)
    check_samples(stack, repeats=method.requires.repeats, single=method.tiling.whole)
    check_stride(method, training)
    device, device_words = devices.choose(options.device)
    preset = options.preset or preset_of(method, training)
    resolved = dataclasses.replace(
        options,
        axes=layout.axes,
        threads=options.threads or process_settings.default_threads(),
        preset=preset,
        stabilise=stabilise_mode(options.stabilise, preset, method),
    )
    open_stride = stride_is_open(training, method)
    noise: tuple[tuple[NoiseModel, ...], ...] = ()
    if open_stride or resolved.stabilise != "off":
        noise = tuple(measure_group(stack, group) for group in range(stack.groups))
    stride, notes = _stride(noise) if open_stride else (training.spacing, ())
    training = dataclasses.replace(training, stride=stride)
    notes = (f"{options.reason}.", *notes) if options.reason else notes
    seconds = timing.told(shape, layout, method, training, resolved, device)
    return Job(
        image, method, training, resolved, layout, stack, device, device_words,
        weights=warm_start.weights_of(method, training, stack),
        tiles=tuple(cut(stack, *warm_start.tiling_of(method, training))),
        words=plan.describe(shape, layout, method, device_words, seconds),
        asked_threads=options.threads, noise=noise, notes=notes,
    )  # fmt: skip


def _stride(noise: tuple[tuple[NoiseModel, ...], ...]) -> tuple[int, tuple[str, ...]]:
    """Choose the stride that the most correlated channel asks for, and say so where it is not 1."""
    correlations = [model.correlation for group in noise for model in group]
    strides = [best_stride(correlation) for correlation in correlations]
    stride = max(strides)
    if stride == 1:
        return 1, ()
    return stride, (f"Stride {stride}, since the noise is {correlations[strides.index(stride)].words}.",)
