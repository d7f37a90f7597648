"""Resolution of a run: image, method and options, checked and complete, before anything is computed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import plan
from napari_lotadenoise.image.checks import check, check_samples
from napari_lotadenoise.image.stack import Layout, Stack, Window, layout_for
from napari_lotadenoise.options import Options, check_stride, preset_of, stabilise_mode
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
    seconds = plan.seconds_for(shape, layout, method, training)
    return Job(
        image, method, training, resolved, layout, stack, device, device_words,
        weights=warm_start.weights_of(method, training, stack),
        tiles=tuple(cut(stack, *warm_start.tiling_of(method, training))),
        words=plan.describe(shape, layout, method, device_words, seconds),
        asked_threads=options.threads,
    )  # fmt: skip
