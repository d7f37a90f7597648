"""Names of units of length and time, in one spelling."""

from __future__ import annotations

import functools
import re
from typing import Any


@functools.lru_cache(maxsize=1)
def _registry() -> Any:
    # pint is what napari keeps units in; its registry takes a moment to build.
    import pint

    return pint.get_application_registry()


@functools.lru_cache(maxsize=64)
def unit_symbol(name: str) -> str:
    """Return the symbol of a unit: "µm" for "micron", "microns", "um", "µm" with either code point, or ImageJ's escape.

    Names that are no unit of length or time, such as "pixel", stay as they are.
    """
    spelled = re.sub(r"\\u00b5", "µ", name.strip(), flags=re.IGNORECASE)
    if not spelled:
        return ""
    registry = _registry()
    for candidate in (spelled, spelled.lower()):
        try:
            unit = registry.Unit(candidate)
        except (
            Exception
        ):  # pint raises errors of its parser, of Python's tokenizer and its own, by the kind of nonsense
            continue
        if unit.dimensionality in ({"[length]": 1}, {"[time]": 1}) and str(unit) not in ("pixel", "inch"):
            # pint's own symbol of the micron is a bare µ.
            return "µm" if registry.Quantity(1, unit) == registry.Quantity(1, "micrometer") else f"{unit:~}"
    return name
