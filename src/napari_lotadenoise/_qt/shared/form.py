"""Forms made from declared settings, and their values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from magicgui.widgets import Container, create_widget
from qtpy.QtWidgets import QLabel

from napari_lotadenoise.contract.params import Parameter, parameters

#: Text of a box whose setting is left open.
_OPEN = "default"
#: Largest value of Qt's spin boxes.
_LARGEST = 2**31 - 1


def make_form(
    owners: tuple[Any, ...],
    *,
    without: Collection[str] = (),
    choices: Mapping[str, Sequence[str]] | None = None,
) -> Container[Any]:
    """Make a form with one widget for each setting of some dataclass instances, filled with their values.

    Parameters
    ----------
    owners : tuple of dataclass instances
    without : collection of str
        Names of settings to leave out.
    choices : mapping of str to sequence of str, optional
        Values to choose from, for settings that declare none.
    """
    widgets = [
        _widget(parameter, getattr(owner, parameter.name), (choices or {}).get(parameter.name, parameter.knob.choices))
        for owner in owners
        for parameter in parameters(owner)
        if parameter.name not in without
    ]
    form = Container(widgets=widgets, labels=True)
    form.margins = (0, 0, 0, 0)
    _make_buddies(form)
    return form


def read_form(form: Container[Any]) -> dict[str, Any]:
    """Return the values of a form by the names of their settings; None where an optional one is left open."""
    return {widget.name: None if _left_open(widget) else widget.value for widget in form}


def _make_buddies(form: Container[Any]) -> None:
    """Tell each label which widget it names, for keyboards and screen readers; magicgui does not."""
    by_label = {widget.label: widget.native for widget in form}
    for text in form.native.findChildren(QLabel):
        if text.text() in by_label:
            text.setBuddy(by_label[text.text()])


def _widget(parameter: Parameter, value: Any, choices: Sequence[str]) -> Any:
    knob = parameter.knob
    options: dict[str, Any] = {"tooltip": knob.doc}
    if choices:
        options["choices"] = choices
    elif parameter.type in (int, float):
        options |= {
            "min": knob.ge if knob.ge is not None else -1e9,
            "max": min(_LARGEST, 1e9 if knob.le is None else knob.le),
        }
        options["step"] = knob.step or (1 if parameter.type is int else 0.1)
    if parameter.optional and parameter.type is int:  # one below the smallest value stands for "left open"
        options["min"] -= 1
        value = options["min"] if value is None else value
    widget: Any = create_widget(
        value=value, annotation=parameter.type, name=parameter.name, label=parameter.label, options=options
    )
    if parameter.type is float:
        # Without enough decimals a box shows 0.0003 as 0 and gives 0 back.
        widget.native.setDecimals(6)
        widget.value = value
    if parameter.optional and parameter.type is int:
        widget.native.setSpecialValueText(_OPEN)
    elif parameter.type is int:  # a word for the smallest value
        widget.native.setSpecialValueText(next((text for text, v in knob.aliases.items() if v == knob.ge), ""))
    widget.native.setAccessibleName(parameter.label)
    widget.native.setAccessibleDescription(knob.doc)
    return widget


def _left_open(widget: Any) -> bool:
    text = getattr(widget.native, "specialValueText", str)()
    return bool(text == _OPEN and widget.value == widget.min)
