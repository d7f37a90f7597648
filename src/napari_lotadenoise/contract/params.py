"""One way to declare a hyper-parameter; the form, the command line, validation and the docs all read it from here."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from napari_lotadenoise.errors import ParameterError


@dataclasses.dataclass(frozen=True)
class Knob:
    """What is known of one hyper-parameter beside its name, type and default."""

    doc: str
    ge: float | None = None
    le: float | None = None
    step: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One declared hyper-parameter, ready to be shown, parsed or checked."""

    name: str
    type: type
    default: Any
    knob: Knob

    @property
    def label(self) -> str:
        """Name for people, with its unit."""
        words = self.name.replace("_", " ")
        return f"{words} ({self.knob.unit})" if self.knob.unit else words

    @property
    def bounds(self) -> str:
        """The allowed values in words, or an empty text where anything goes."""
        knob = self.knob
        if knob.choices:
            return " | ".join(knob.choices)
        if knob.ge is not None and knob.le is not None:
            return f"{knob.ge:g} to {knob.le:g}"
        if knob.ge is not None:
            return f"at least {knob.ge:g}"
        return "" if knob.le is None else f"at most {knob.le:g}"


def knob(
    default: Any,
    doc: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    step: float | None = None,
    unit: str = "",
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a dataclass field as a hyper-parameter.

    Parameters
    ----------
    default : bool, int, float or str
        Its default; it must lie within the bounds.
    doc : str
        One sentence for tooltip, ``--help`` and the docs.
    ge, le : float, optional
        Inclusive bounds of a number.
    step : float, optional
        Step of the spin box.
    unit : str
        Unit of the value, for example ``"px"``.
    choices : tuple of str
        The allowed texts.
    """
    return dataclasses.field(default=default, metadata={"knob": Knob(doc, ge, le, step, unit, choices)})


def parameters(owner: Any) -> tuple[Parameter, ...]:
    """Return the hyper-parameters that a dataclass (or one of its instances) declares, in order."""
    types = typing.get_type_hints(owner if isinstance(owner, type) else type(owner))
    return tuple(
        Parameter(field.name, types[field.name], field.default, field.metadata["knob"])
        for field in dataclasses.fields(owner)
        if "knob" in field.metadata
    )


def validate(owner: Any) -> None:
    """Check every hyper-parameter of a dataclass instance.

    Raises
    ------
    ParameterError
        Where a value has the wrong type or lies outside its bounds.
    """
    for parameter in parameters(owner):
        check(parameter, getattr(owner, parameter.name))


def check(parameter: Parameter, value: Any) -> None:
    """Raise `ParameterError` unless `value` is allowed for `parameter`."""
    name, knob_ = parameter.name, parameter.knob
    if not _has_type(value, parameter.type):
        raise ParameterError(f"{name} must be {_a(parameter.type)}, not {value!r}.")
    if knob_.choices and value not in knob_.choices:
        raise ParameterError(f"{name} must be one of {', '.join(knob_.choices)}, not {value!r}.")
    too_low = knob_.ge is not None and not value >= knob_.ge
    too_high = knob_.le is not None and not value <= knob_.le
    if too_low or too_high:
        raise ParameterError(f"{name} must be {parameter.bounds}, not {value!r}.")


def convert(parameter: Parameter, text: str) -> Any:
    """Turn the text of a command line into a checked value of the parameter's type."""
    value: Any = text
    try:
        if parameter.type is bool:
            value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        elif parameter.type in (int, float):
            value = parameter.type(text)
    except (KeyError, ValueError):
        raise ParameterError(f"{parameter.name} must be {_a(parameter.type)}, not {text!r}.") from None
    check(parameter, value)
    return value


def add_arguments(parser: argparse._ActionsContainer, owner: Any, defaults: Mapping[str, Any] | None = None) -> None:
    """Give an argparse parser one option for each hyper-parameter of `owner`.

    An option that is not given is absent from the namespace, so that presets keep their say.
    """
    for parameter in parameters(owner):
        default = (defaults or {}).get(parameter.name, parameter.default)
        hint = f" [{parameter.bounds}]" if parameter.bounds else ""
        parser.add_argument(
            "--" + parameter.name.replace("_", "-"),
            type=_argument_type(parameter),
            metavar=parameter.type.__name__.upper(),
            default=argparse.SUPPRESS,
            help=f"{parameter.knob.doc}{hint} (default: {default})".replace("%", "%%"),
        )


def _argument_type(parameter: Parameter) -> Any:
    def parse(text: str) -> Any:
        try:
            return convert(parameter, text)
        except ParameterError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _has_type(value: Any, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _a(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(kind, kind.__name__)
