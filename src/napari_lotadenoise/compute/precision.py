"""Arithmetic of a network: bfloat16 where the processor is fast at it, float32 elsewhere."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from napari_lotadenoise.compute.process_settings import fast_bfloat16


def uses_bfloat16(precision: str, device: torch.device, ndim: int) -> bool:
    """Resolve a precision for a device.

    Volumes use bfloat16 on a GPU only: on a CPU the 3-D convolutions of oneDNN give NaN in bfloat16 where there are fewer
    than four planes (seen with torch 2.13).

    Parameters
    ----------
    precision : "auto", "float32" or "bfloat16"
    device : torch.device
    ndim : 2 or 3
        Dimensions of the network's convolutions.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and ndim == 2 and fast_bfloat16()


def arithmetic(device: torch.device, *, bfloat16: bool) -> contextlib.AbstractContextManager[Any]:
    """Compute in bfloat16 within the block, or as usual."""
    if not bfloat16:
        return contextlib.nullcontext()
    # The cache of cast weights is one for all threads: a second run would empty it in the middle of a step, and the
    # gradients of a weight that is used twice would be added in another precision.
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
