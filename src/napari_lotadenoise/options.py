"""Options of one run of the engine, resolved against its method."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from napari_lotadenoise.contract.method import Method, Preset, Training
from napari_lotadenoise.contract.params import Parameter, check, knob, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.events import ViewRequest

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options(RunOptions):
    """`RunOptions`, and what a program that drives the engine may ask for beside them.

    Attributes
    ----------
    preset : str
        Name of the preset that the training comes from; by default it is found by its schedule.
    view_request : ViewRequest, optional
        Place of the first previews.
    divergence_step : float or array-like
        If above 0, the step in intensities with which `Result.divergence` is measured, at the cost of one more prediction.
    snapshots : int
        Number of images from the course of the training that `Result.snapshots` keeps, each as large as the image.
    instant_preview : float
        If above 0, the first previews are those of the shipped network, told this multiple of the measured noise, until the
        method's own are better. The result has nothing of them.
    reason : str
        Why method and settings were chosen, for the record.
    predictable : float, optional
        Share of the noise that its neighbours tell, where it was measured before; for the estimated time only.
    preview_share : float, optional
        Share of the time that previews may take, where it is not the usual one.
    """

    preset: str = ""
    view_request: ViewRequest | None = None
    divergence_step: Any = 0.0
    snapshots: int = 0
    instant_preview: float = 0.0
    reason: str = ""
    predictable: float | None = None
    preview_share: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check(_SNAPSHOTS, self.snapshots)


_SNAPSHOTS = Parameter("snapshots", int, 0, knob(0, "", ge=0).metadata["knob"])


def stabilise_mode(mode: str, preset: str, method: Method) -> str:
    """Resolve "auto": off for methods that do not assume noise of equal strength, and for presets of papers."""
    return "off" if mode == "auto" and (preset == "paper" or not method.requires.constant_noise) else mode


def stride_is_open(training: Training, method: Method) -> bool:
    """Tell whether the stride is to be chosen by the noise, which matters to methods that take pixels for independent."""
    hidden = getattr(method, "structure", "pixel")  # a blind spot that hides correlated pixels needs no stride
    return not training.stride and method.requires.independent_noise and not method.tiling.whole and hidden == "pixel"


def check_stride(method: Method, training: Training) -> None:
    """Refuse interleaved images where a method needs the whole one."""
    if method.tiling.whole and training.stride > 1:
        raise ParameterError(f"{method.info.title} learns the image in one piece; leave stride at 1.")


def preset_of(method: Method, training: Training) -> str:
    """Find the name of the preset that a schedule belongs to."""
    presets: dict[str, Preset] = {name: method.preset(name) for name in method.presets}
    schedules = ((name, preset.schedule(volume=volume)) for name, preset in presets.items() for volume in (False, True))
    return next((name for name, schedule in schedules if schedule == training), "fast")


def takes_run_options(*left_out: str) -> Callable[[_Function], _Function]:
    """Give a function the run options as keywords: in its signature, and in its docstring at ``{run_options}``.

    Parameters
    ----------
    *left_out : str
        Options that the function declares itself, or does not take.
    """
    offered = [option for option in parameters(RunOptions) if option.name not in left_out]

    def decorate(function: _Function) -> _Function:
        signature = inspect.signature(function)
        given = list(signature.parameters.values())
        keywords = [
            inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=o.type)
            for o in offered
        ]
        rest = [one for one in given if one.kind is inspect.Parameter.VAR_KEYWORD]
        named = [one for one in given if one.kind is not inspect.Parameter.VAR_KEYWORD]
        function.__signature__ = signature.replace(parameters=[*named, *keywords, *rest])  # type: ignore[attr-defined]
        function.__doc__ = (function.__doc__ or "").replace(
            "{run_options}", "\n".join(map(_described, offered)).lstrip()
        )
        return function

    return decorate


def _described(option: Parameter) -> str:
    kind = " or ".join(f'"{choice}"' for choice in option.knob.choices) or option.type.__name__
    bounds = f" Allowed: {option.bounds}." if option.bounds and not option.knob.choices else ""
    text = textwrap.fill(
        option.knob.doc + bounds, width=116, initial_indent=" " * 8, subsequent_indent=" " * 8, break_long_words=False
    )
    return f"    {option.name} : {kind}, default {option.default!r}\n{text}"
