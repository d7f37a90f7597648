"""Denoise the image in front of you, with nothing but that image: zero-shot, self-supervised, blind.

>>> from napari_lotadenoise import denoise
>>> result = denoise(image, method="lota-n2n", axes="ZYX")  # doctest: +SKIP
>>> result.image, result.residual, result.sigma, result.history, result.recipe  # doctest: +SKIP

Importing this package imports neither torch nor any GUI package; both wait until they are needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lotadenoise.api import denoise
    from napari_lotadenoise.comparison import compare
    from napari_lotadenoise.methods import METHODS
    from napari_lotadenoise.noise import estimate_noise
    from napari_lotadenoise.recipe import Recipe
    from napari_lotadenoise.result import Result

__version__ = "0.1.0"
__all__ = ["METHODS", "Recipe", "Result", "compare", "denoise", "estimate_noise"]

_HOMES = {
    "denoise": "api",
    "compare": "comparison",
    "METHODS": "methods",
    "estimate_noise": "noise",
    "Recipe": "recipe",
    "Result": "result",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
