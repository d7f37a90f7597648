"""The methods, found by scanning this folder: a file with a `Method` in it is all that it takes to add one."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.errors import MethodError


def _found() -> Iterator[type[Method]]:
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):  # what several methods share
            continue
        members = vars(importlib.import_module(f"{__name__}.{module.name}")).values()
        yield from (m for m in members if isinstance(m, type) and issubclass(m, Method) and "id" in vars(m))


def offered(method: type[Method]) -> bool:
    """Tell whether the optional package that a method needs is installed; it is searched for, not imported."""
    if not method.requires.package or method.requires.package in sys.modules:
        return True
    return importlib.util.find_spec(method.requires.package) is not None


#: Every method by its id, in alphabetical order but for the core method, which comes first.
METHODS: dict[str, type[Method]] = {
    m.id: m for m in sorted(_found(), key=lambda m: (m.id != "lota-n2n", m.id)) if offered(m)
}


def find(name: str) -> type[Method]:
    """Return the method of this id.

    Raises
    ------
    MethodError
        Where there is none.
    """
    if name not in METHODS:
        raise MethodError(f"There is no method {name!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[name]
