"""Denoise an image with nothing but that image: zero-shot, self-supervised, blind.

>>> from napari_lotadenoise import denoise
>>> result = denoise(image, method="lota-n2n", axes="ZYX")  # doctest: +SKIP
>>> result.image, result.residual, result.sigma, result.history, result.recipe  # doctest: +SKIP

Importing this package imports neither torch nor any GUI package; names are imported at first use.
"""

from typing import Any

import lazy_loader

_lazy_getattr, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("napari-lotadenoise")
    return _lazy_getattr(name)
