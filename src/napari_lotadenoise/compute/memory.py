"""Memory: how much is free, and what to do where it is not enough."""

from __future__ import annotations

import gc
import os
from pathlib import Path

#: Files in which Linux tells the limit and the use of memory of a container.
_LIMIT, _USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def free_bytes() -> int:
    """Return the memory that this process may still take, in bytes, within the limits of a container."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        return min(free, int(_LIMIT.read_text()) - int(_USED.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return free


def used_bytes() -> int:
    """Return the memory that this process takes, in bytes."""
    import psutil

    return int(psutil.Process(os.getpid()).memory_info().rss)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that there is no memory left, of the processor or of a device."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in str(error)


def release() -> None:
    """Give back what is not in use, on the device too."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
