"""Declare a setting once; forms, command line, validation and docs read it from there."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Collection, Mapping
from typing import Any

from napari_lotadenoise.errors import ParameterError


@dataclasses.dataclass(frozen=True)
class Knob:
    """Description of one setting: sentence, bounds, step, unit, choices."""

    doc: str
    ge: float | None = None
    le: float | None = None
    step: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One declared setting, ready to be shown, parsed or checked.

    Attributes
    ----------
    name : str
    type : type
        Of its values; where `optional`, None is allowed beside them.
    default : object
    knob : Knob
    optional : bool
    """

    name: str
    type: type
    default: Any
    knob: Knob
    optional: bool = False

    @property
    def label(self) -> str:
        """Return the name for people, with its unit."""
        words = self.name.replace("_", " ")
        return f"{words} ({self.knob.unit})" if self.knob.unit else words

    @property
    def bounds(self) -> str:
        """Return the allowed values in words; empty where all are."""
        knob = self.knob
        if knob.choices:
            return " | ".join(knob.choices)
        if knob.ge is not None and knob.le is not None:
            return f"{knob.ge:g} to {_number(knob.le)}"
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
    aliases: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a dataclass field as a setting.

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
    aliases : mapping, optional
        Texts, such as those of earlier versions, and the values that they stand for.
    """
    return dataclasses.field(default=default, metadata={"knob": Knob(doc, ge, le, step, unit, choices, aliases or {})})


def parameters(owner: Any) -> tuple[Parameter, ...]:
    """Return the settings that a dataclass (or one of its instances) declares, in order."""
    types = typing.get_type_hints(owner if isinstance(owner, type) else type(owner))
    return tuple(_declared(field, types[field.name]) for field in dataclasses.fields(owner) if "knob" in field.metadata)


def _declared(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    optional = len(kinds) == 1
    return Parameter(field.name, kinds[0] if optional else hint, field.default, field.metadata["knob"], optional)


def validate(owner: Any) -> None:
    """Check every setting of a dataclass instance, and replace aliases by what they stand for.

    Raises
    ------
    ParameterError
        Where a value has the wrong type or lies outside its bounds.
    """
    for parameter in parameters(owner):
        value = getattr(owner, parameter.name)
        if isinstance(value, str) and value in parameter.knob.aliases:
            value = parameter.knob.aliases[value]
            object.__setattr__(owner, parameter.name, value)  # frozen, but not in use yet
        check(parameter, value)


def check(parameter: Parameter, value: Any) -> None:
    """Raise `ParameterError` unless `value` is allowed for `parameter`."""
    name, knob_ = parameter.name, parameter.knob
    if value is None and parameter.optional:
        return
    if not _has_type(value, parameter.type):
        raise ParameterError(f"{name} must be {_a(parameter.type)}, not {value!r}.")
    if knob_.choices and value not in knob_.choices:
        raise ParameterError(f"{name} must be one of {', '.join(knob_.choices)}, not {value!r}.")
    too_low = knob_.ge is not None and not value >= knob_.ge
    too_high = knob_.le is not None and not value <= knob_.le
    if too_low or too_high:
        raise ParameterError(f"{name} must be {_a(parameter.type)} {_within(parameter)}, not {value!r}.")


def convert(parameter: Parameter, text: str) -> Any:
    """Turn the text of a command line into a checked value of the parameter's type."""
    value: Any = parameter.knob.aliases.get(text, text)
    try:
        if parameter.type is bool:
            value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        elif parameter.type in (int, float):
            value = parameter.type(value)
    except (KeyError, ValueError):
        raise ParameterError(f"{parameter.name} must be {_a(parameter.type)}, not {text!r}.") from None
    check(parameter, value)
    return value


def add_arguments(
    parser: argparse._ActionsContainer,
    owner: Any,
    defaults: Mapping[str, Any] | None = None,
    *,
    only: Collection[str] | None = None,
    switches: bool = False,
) -> None:
    """Give an argparse parser one option for each setting of `owner`.

    An option that is not given is absent from the namespace, so that presets keep their say.

    Parameters
    ----------
    parser : argument parser or group
    owner : dataclass or instance
    defaults : mapping, optional
        Defaults to show in the help, where they differ from the declared ones.
    only : collection of str, optional
        Names of the settings to offer; default: all.
    switches : bool
        Whether true-or-false settings are switches, ``--fill`` and ``--no-fill``, instead of options with a value.
    """
    for parameter in parameters(owner):
        if only is not None and parameter.name not in only:
            continue
        default = (defaults or {}).get(parameter.name, parameter.default)
        if switches and parameter.type is bool:
            _add_switch(parser, parameter)
            continue
        hint = f" [{parameter.bounds}]" if parameter.bounds else ""
        parser.add_argument(
            "--" + parameter.name.replace("_", "-"),
            type=_argument_type(parameter),
            metavar=parameter.type.__name__.upper(),
            default=argparse.SUPPRESS,
            help=f"{parameter.knob.doc}{hint}{_default_words(default)}".replace("%", "%%"),
        )


def _add_switch(parser: argparse._ActionsContainer, parameter: Parameter) -> None:
    parser.add_argument(
        "--" + parameter.name.replace("_", "-"),
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help=parameter.knob.doc.replace("%", "%%"),
    )


def _default_words(default: Any) -> str:
    return "" if default is None else f" (default: {default})"


def _argument_type(parameter: Parameter) -> Any:
    def parse(text: str) -> Any:
        try:
            return convert(parameter, text)
        except ParameterError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _number(bound: float) -> str:
    return "2**63 - 1" if bound == 2**63 - 1 else f"{bound:g}"


def _has_type(value: Any, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _within(parameter: Parameter) -> str:
    both = parameter.knob.ge is not None and parameter.knob.le is not None
    return f"from {parameter.bounds}" if both else f"of {parameter.bounds}"


def _a(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(kind, kind.__name__)
