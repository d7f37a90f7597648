"""Denoise from Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from napari_lotadenoise.automatic import AUTO, choose
from napari_lotadenoise.contract.method import Method, Training, configure
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.errors import LotaDenoiseError, MethodError, ParameterError
from napari_lotadenoise.events import Completed, Event, Failed, Finished, Learnt
from napari_lotadenoise.image.arrays import array_of, is_masked, masked_like
from napari_lotadenoise.image.stack import layout_for
from napari_lotadenoise.methods import find
from napari_lotadenoise.options import Options, takes_run_options
from napari_lotadenoise.result import Result

if TYPE_CHECKING:
    from napari_lotadenoise.model import Model


@takes_run_options("axes")
def denoise(
    image: Any,
    method: str = AUTO,
    axes: str | None = None,
    *,
    preset: str = "fast",
    listener: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Result:
    """Denoise an image with nothing but that image.

    Parameters
    ----------
    image : array
        2-D or more, any real data type; it is not changed.
    method : str
        An id of `METHODS`, or "auto", which chooses one with all its settings by the noise of the image and says why in
        ``recipe.notes``; the recipe repeats the choice without measuring again.
    axes : str
        One letter an axis: T time, P position, C channel, Z depth, Y, X, S colour. May be left out for a 2-D image only.
    preset : "fast", "paper" or "warm"
        The default schedule, the published one, or, where a method has it, a short one that begins with the shipped network
        (pre-trained weights).
    listener : callable, optional
        Called with every event of the run.
    {run_options}
    **settings
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
    if method == AUTO:
        method, settings = automatic_settings(image, preset, axes, settings)
    from napari_lotadenoise.engine import run

    finished = _driven(run(image, *resolve(method, preset, axes=axes, **settings)), listener)
    assert isinstance(finished, Completed)
    result = finished.result
    return dataclasses.replace(result, image=masked_like(result.image, image)) if is_masked(image) else result


@takes_run_options("axes", "blend")
def learn(
    source: Any,
    method: str = AUTO,
    axes: str | None = None,
    *,
    preset: str = "fast",
    listener: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Model:
    """Learn an image, or what stands for many, without denoising it.

    Parameters
    ----------
    source : array
        As `image` of `denoise`; anything with ``shape``, ``dtype`` and numpy-like indexing, of which only samples are read.
    method, axes, preset, listener, **settings
        As for `denoise`.
    {run_options}

    Returns
    -------
    Model
        To be saved, loaded, and applied by `Model.predict`; on the source itself with the pixels that `denoise` gives.

    Raises
    ------
    LotaDenoiseError
        One of its kinds, with a sentence that says what was wrong; a MethodError for methods such as ``dip`` that learn one
        image in one piece.
    """
    if method == AUTO:
        method, settings = automatic_settings(source, preset, axes, settings)
    from napari_lotadenoise import engine

    finished = _driven(engine.learn(source, *resolve(method, preset, axes=axes, **settings)), listener)
    assert isinstance(finished, Learnt)
    return finished.model


def _driven(events: Iterable[Event], listener: Callable[[Event], None] | None) -> Finished:
    """Listen to a run until its end.

    Raises
    ------
    LotaDenoiseError
        What went wrong, if anything did.
    """
    for event in events:
        if listener is not None:
            listener(event)
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Completed | Learnt):
            return event
    raise LotaDenoiseError("The run was discarded.")


def automatic_settings(
    image: Any, preset: str, axes: str | None, settings: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Choose a method by the noise of an image; return its id, and the settings with what was chosen.

    Raises
    ------
    MethodError, ParameterError
        Where a preset or a hyper-parameter is told, which belong to a method.
    AxesError, ImageError
        Where the image cannot be measured.
    """
    if preset != "fast":
        raise MethodError(f"auto chooses the preset itself; name a method to run its preset {preset!r}.")
    if unknown := sorted(set(settings) - {option.name for option in parameters(RunOptions)}):
        raise ParameterError(f"auto chooses {', '.join(unknown)} itself; name a method to set it.")
    options = Options(axes=axes, **settings)
    layout = layout_for(tuple(array_of(image).shape), axes, options.channels, options.volume)
    choice = choose(image, layout, prior=options.prior, fill=options.fill)
    return choice.method, {**settings, **choice.settings, "reason": choice.reason, "predictable": choice.predictable}


def resolve(method: str, preset: str = "fast", **settings: Any) -> tuple[Method, Training, Options]:
    """Sort settings into those of the run, of the method and of its training.

    Parameters
    ----------
    method : str
        An id of `METHODS`.
    preset : str
    **settings
        Run options (`RunOptions`), and hyper-parameters of the method or its training.

    Raises
    ------
    MethodError, ParameterError
        Where there is no such method or setting, or a value is out of its bounds.
    """
    names = {option.name for option in parameters(RunOptions)} | {"reason", "predictable"}
    options = Options(preset=preset, **{name: value for name, value in settings.items() if name in names})
    hyper_parameters = {name: value for name, value in settings.items() if name not in names}
    configured, training = configure(find(method), preset, volume=options.volume, **hyper_parameters)
    return configured, training, options
