"""Modules that are imported at first use.

Method files are read whenever somebody asks what methods there are: by the command's help, by napari's menu. None of
these needs torch, which takes a second to import, so methods name it through the stand-ins of this file.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import nn

    from napari_lotadenoise import nets, ops
else:

    class _Lazy:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            return getattr(importlib.import_module(self._name), attribute)

    torch = _Lazy("torch")
    nn = _Lazy("torch.nn")
    F = _Lazy("torch.nn.functional")
    nets = _Lazy("napari_lotadenoise.nets")
    ops = _Lazy("napari_lotadenoise.ops")

__all__ = ["F", "nets", "nn", "ops", "torch"]
