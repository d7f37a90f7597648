"""A form made from declared hyper-parameters, and back."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import Container, create_widget
from magicgui.widgets.bases import ValueWidget

from napari_lotadenoise.contract.params import Parameter, parameters


def make_form(owners: tuple[Any, ...]) -> Container:
    """Return a form with one widget for each hyper-parameter of some dataclass instances, filled with their values."""
    widgets = [_widget(p, getattr(owner, p.name)) for owner in owners for p in parameters(owner)]
    form = Container(widgets=widgets, labels=True)
    form.margins = (0, 0, 0, 0)
    return form


def read_form(form: Container) -> dict[str, Any]:
    """Return the values of a form by the names of their hyper-parameters."""
    return {widget.name: widget.value for widget in form}


def _widget(parameter: Parameter, value: Any) -> ValueWidget:
    knob = parameter.knob
    options: dict[str, Any] = {"tooltip": knob.doc}
    if knob.choices:
        options["choices"] = knob.choices
    elif parameter.type in (int, float):
        options |= {"min": knob.ge if knob.ge is not None else -1e9, "max": knob.le if knob.le is not None else 1e9}
        options["step"] = knob.step or (1 if parameter.type is int else 0.1)
    widget = create_widget(
        value=value, annotation=parameter.type, name=parameter.name, label=parameter.label, options=options
    )
    if parameter.type is float:
        # Without enough decimals a box shows 0.0003 as 0 and gives 0 back.
        widget.native.setDecimals(6)
        widget.value = value
    widget.native.setAccessibleName(parameter.label)
    widget.native.setAccessibleDescription(knob.doc)
    return widget
