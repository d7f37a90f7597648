"""Which device a run uses, and why."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from napari_lotadenoise.errors import DeviceError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cuda", "mps", "cpu")


def choose(name: str) -> tuple[torch.device, str]:
    """Return the torch device of a name, and a sentence on it.

    Parameters
    ----------
    name : "auto", "cpu", "cuda", "cuda:N" or "mps"

    Raises
    ------
    DeviceError
        Where the name is unknown or the device is not there.
    """
    import torch

    kind = name.split(":")[0]
    if kind not in DEVICES:
        raise DeviceError(f"There is no device {name!r}; choose one of {', '.join(DEVICES)}.")
    reason = _why_no_gpu()
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        name = kind
    if kind == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"CUDA was asked for, but {reason}; choose auto or cpu.")
        device = torch.device(name)
        if (device.index or 0) >= torch.cuda.device_count():
            raise DeviceError(f"There is no {name}; this machine has {torch.cuda.device_count()} CUDA device(s).")
        return device, f"CUDA ({torch.cuda.get_device_name(device)})"
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("MPS was asked for, but this machine or this torch has none; choose auto or cpu.")
        return torch.device("mps"), "MPS (Apple GPU)"
    return torch.device("cpu"), f"CPU, because {reason}" if reason else "CPU"


def guess() -> str:
    """Say what "auto" will take as far as that can be told without importing torch."""
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return "CPU, because torch is not installed"
    if version.endswith("+cpu"):
        return f"CPU, because this torch ({version}) has no CUDA"
    return "CUDA or MPS where there is one, else CPU"


def _why_no_gpu() -> str:
    import torch

    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return f"this torch ({torch.__version__}) has no CUDA"
    return f"this torch ({torch.__version__}, CUDA {torch.version.cuda}) finds no usable GPU or driver"
