"""Stand-ins for torch, which is imported at their first use.

Method files are read whenever somebody asks what methods there are: by the command's help, by napari's menu. None of
these needs torch, which takes a second to import. ``lazy_loader.load`` is not used for it: it puts its own stand-in into
``sys.modules``, where any library that asks whether its argument is a tensor would then import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import nn
else:

    class _Lazy:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            return getattr(importlib.import_module(self._name), attribute)

    torch = _Lazy("torch")
    nn = _Lazy("torch.nn")
    F = _Lazy("torch.nn.functional")

__all__ = ["F", "nn", "torch"]
