"""Names of units of length and time in one spelling, and lengths and times from one unit to another."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

#: Spellings that pint does not take, or takes for something else.
_SPELLED = {
    "inch": "in", "inches": "in", "in": "in", '\\"': "in", "a": "Å", "å": "Å", "ångström": "Å", "angström": "Å", "sec.": "s",
    "hrs": "h", "mins": "min", "secs": "s", "msec": "ms", "usec": "µs", "µsec": "µs",
}  # fmt: skip
#: Units that say that there is none.
_NONE = ("", "pixel", "pixels", "px", "none", "null", "undefined", "unknown")
#: What units are in metres, and in seconds.
LENGTHS = {
    "pm": 1e-12, "Å": 1e-10, "nm": 1e-9, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "dm": 1e-1, "m": 1.0, "km": 1e3, "in": 0.0254,
}  # fmt: skip
TIMES = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@functools.lru_cache(maxsize=1)
def _registry() -> Any:
    # pint is what napari keeps units in; its registry takes a moment to build.
    import pint

    return pint.get_application_registry()


@functools.lru_cache(maxsize=64)
def unit_symbol(name: str) -> str:
    """Return the symbol of a unit: "µm" for "micron", "microns", "um", "µm" with either code point, or ImageJ's escape.

    Names that are no unit of length or time stay as they are.
    """
    spelled = unescaped(name.strip()).replace("\u03bc", "µ").replace("\u212b", "Å")
    if spelled.lower() in _NONE:
        return name if spelled else ""
    for known in (spelled, _SPELLED.get(spelled.lower(), "")):
        if known in LENGTHS or known in TIMES:
            return known
    registry = _registry()
    for candidate in (spelled, spelled.lower()):
        try:
            unit = registry.Unit(candidate)
        except (
            Exception
        ):  # pint raises errors of its parser, of Python's tokenizer and its own, by the kind of nonsense
            continue
        if unit.dimensionality in ({"[length]": 1}, {"[time]": 1}) and str(unit) != "pixel":
            # pint's own symbol of the micron is a bare µ.
            return "µm" if registry.Quantity(1, unit) == registry.Quantity(1, "micrometer") else f"{unit:~}"
    return spelled if spelled != name.strip() else name


def unescaped(text: str) -> str:
    """Return a text with the letters that ImageJ writes by their number as letters."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text, flags=re.IGNORECASE)


def converted(value: float, unit: str, into: str) -> float | None:
    """Return a length or time in another unit; None where the two are not of one kind."""
    for table in (LENGTHS, TIMES):
        if unit in table and into in table:
            factor = table[unit] / table[into]
            # Powers of ten have no exact reciprocal in binary: the larger one is the one that is exact.
            return (
                value * round(factor) if factor >= 1 and _whole(factor) else _divided(value, table[into] / table[unit])
            )
    return None


def _divided(value: float, factor: float) -> float:
    return value / (round(factor) if _whole(factor) else factor)


def _whole(factor: float) -> bool:
    return factor >= 0.5 and math.isclose(factor, round(factor), rel_tol=1e-9)


def valid_size(value: Any) -> float | None:
    """Return the size of a pixel as a number; None for what is none: 0, negative, not finite, no number."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        return None
    return size if math.isfinite(size) and size > 0 else None
