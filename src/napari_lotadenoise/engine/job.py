"""Resolution of a run: image, method and options, checked and complete, before anything is computed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch

from napari_lotadenoise.compute import devices, process_settings, speeds
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import plan, timing
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.image.arrays import array_of, is_masked
from napari_lotadenoise.image.checks import check, check_samples
from napari_lotadenoise.image.isolation import NONE, Outliers, find_outliers
from napari_lotadenoise.image.stack import Layout, Stack, Window, layout_for
from napari_lotadenoise.noise import NoiseModel, best_stride
from napari_lotadenoise.normalisation.noise_measurement import measure_group
from napari_lotadenoise.options import Options, check_stride, preset_of, stabilise_mode, stride_is_open
from napari_lotadenoise.prediction.tiling import cut
from napari_lotadenoise.pretrained import warm_start

#: Noise of each channel of each group.
Noise = tuple[tuple[NoiseModel, ...], ...]


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
    work : Work
        How much there is to compute.
    words : str
        What will be done and how long it will take, in one sentence; before it, why it was chosen.
    asked_threads : int or None
        Threads that the user asked for; None where that was left open.
    noise : tuple of tuple of NoiseModel
        Noise of each channel of each group; empty where nothing depends on it.
    notes : tuple of str
        Choices that were made by the noise, one sentence each.
    outliers : Outliers
        Pixels that no noise explains.
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
    work: Work
    words: str
    asked_threads: int | None = None
    noise: Noise = ()
    notes: tuple[str, ...] = ()
    outliers: Outliers = NONE


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
    if is_masked(image):
        options = dataclasses.replace(options, fill=True)
    image = array_of(image)
    shape = tuple(image.shape)
    layout = layout_for(shape, options.axes, options.channels, options.volume)
    stack = check(image, layout, method.info.dimensions, fill=options.fill)
    check_samples(stack, repeats=method.requires.repeats, single=method.tiling.whole)
    check_stride(method, training)
    device, device_words = devices.choose(options.device)
    resolved = _resolved(options, layout, method, training)
    training, noise, notes = _by_noise(stack, method, training, resolved)
    work = Work.of(shape, layout, method, training, predictable=_predictable(noise, options))
    seconds = timing.estimate(work, resolved, speeds.calibrated(device, resolved.threads or 1))
    return Job(
        image, method, training, resolved, layout, stack, device, device_words,
        weights=warm_start.weights_of(method, training, stack),
        tiles=tuple(cut(stack, *warm_start.tiling_of(method, training))),
        work=work, words=plan.describe(shape, layout, method, device_words, seconds, options.reason),
        asked_threads=options.threads, noise=noise, notes=notes, outliers=find_outliers(stack),
    )  # fmt: skip


def _resolved(options: Options, layout: Layout, method: Method, training: Training) -> Options:
    """Return the options with nothing left open."""
    preset = options.preset or preset_of(method, training)
    return dataclasses.replace(
        options,
        axes=layout.axes,
        threads=options.threads or process_settings.default_threads(),
        preset=preset,
        stabilise=stabilise_mode(options.stabilise, preset, method),
    )


def _by_noise(
    stack: Stack, method: Method, training: Training, options: Options
) -> tuple[Training, Noise, tuple[str, ...]]:
    """Choose the stride by the noise, which is measured where something depends on it; return all three with the reasons."""
    is_open = stride_is_open(training, method)
    noise: Noise = ()
    if is_open or options.stabilise != "off":
        noise = tuple(measure_group(stack, group) for group in range(stack.groups))
    stride, notes = _stride(noise) if is_open else (training.spacing, ())
    reasons = (f"{options.reason}.",) if options.reason else ()
    return dataclasses.replace(training, stride=stride), noise, (*reasons, *notes)


def _predictable(noise: Noise, options: Options) -> float | None:
    """Return the share of the noise that its neighbours tell in the most correlated channel; None where it is not known."""
    return max((model.correlation.predictable for group in noise for model in group), default=options.predictable)


def _stride(noise: Noise) -> tuple[int, tuple[str, ...]]:
    """Choose the stride that the most correlated channel asks for, and say so where it is not 1."""
    correlations = [model.correlation for group in noise for model in group]
    strides = [best_stride(correlation) for correlation in correlations]
    stride = max(strides)
    if stride == 1:
        return 1, ()
    return stride, (f"Stride {stride}, since the noise is {correlations[strides.index(stride)].words}.",)
