"""How a run is done, beside the method and its training."""

from __future__ import annotations

import dataclasses
from typing import Any

from napari_lotadenoise.contract.method import Method, Preset, Training
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.events import Look
from napari_lotadenoise.normalisation.variance_stabilisation import MODES


@dataclasses.dataclass(frozen=True)
class Options:
    """How a run is done, beside the method and its training.

    Most are those of `napari_lotadenoise.denoise`. `look` is the place of the first previews. `probe`, if above 0, is the step in
    intensities (a number, or one for each pixel) with which `Result.response` is measured, one more prediction. `snapshots`
    is the number of pictures from the way that `Result.snapshots` keeps, each as large as the image. With `glance` above 0
    the first previews are those of the shipped network, told that much of the measured noise, until the method's own are
    better; the result has nothing of them.
    """

    axes: str | None = None
    channels: str = "apart"
    volume: bool = False
    device: str = "auto"
    seed: int = 0
    threads: int | None = None
    fill: bool = False
    preset: str = ""
    look: Look | None = None
    stabilise: str = "auto"
    blend: float = 1.0
    probe: Any = 0.0
    snapshots: int = 0
    glance: float = 0.0


def check_whole(*, threads: int, seed: int, snapshots: int = 0) -> None:
    """Refuse threads, seeds and numbers of snapshots that are no whole numbers, or out of bounds."""
    if not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise ParameterError(f"threads must be a whole number from 1 to 1024, not {threads!r}.")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ParameterError(f"seed must be a whole number from 0 to 2**63 - 1, not {seed!r}.")
    if not isinstance(snapshots, int) or snapshots < 0:
        raise ParameterError(f"snapshots must be a whole number, 0 or more, not {snapshots!r}.")


def check_blend(blend: float) -> None:
    """Refuse a blend that is no number from 0 to 1."""
    if not isinstance(blend, int | float) or not 0 <= blend <= 1:
        raise ParameterError(f"blend must be a number from 0 (noisy) to 1 (denoised), not {blend!r}.")


def stabilise_mode(mode: str, preset: str, method: Method) -> str:
    """The mode that is used: auto is off for methods that need no equal strength, and for presets of papers."""
    if mode not in MODES:
        raise ParameterError(f"stabilise must be one of {', '.join(MODES)}, not {mode!r}.")
    return "off" if mode == "auto" and (preset == "paper" or not method.needs_constant) else mode


def check_stride(method: Method, training: Training) -> None:
    """Refuse interleaved images where a method needs the whole one."""
    if method.whole and training.stride > 1:
        raise ParameterError(f"{method.info.title} learns the image in one piece; leave stride at 1.")


def preset_of(method: Method, training: Training) -> str:
    """Name of the preset that a schedule is the one of."""
    presets: dict[str, Preset] = dict(method.presets)
    schedules = ((name, preset.schedule(volume=volume)) for name, preset in presets.items() for volume in (False, True))
    return next((name for name, schedule in schedules if schedule == training), "fast")
