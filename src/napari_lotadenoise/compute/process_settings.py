"""Settings of the process that make training on a CPU fast; applied inside a run only, and undone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import threading
from collections.abc import Iterator
from typing import Any

#: glibc's numbers of the two thresholds, and their defaults in bytes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _DEFAULT = -1, -3, 128 * 1024


def default_threads() -> int:
    """Return the threads of a run unless told otherwise: one processor less than the process may use, at most 16.

    One is left to the user interface and to whatever else is going on: OpenMP's threads wait for each other in a loop, so
    that one more thread than free processors makes a step several times slower, not faster. The default is the same for
    Python, command and napari, since the last bits of a result depend on it.
    """
    return max(1, min(processors() - 1, 16))


def processors() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def all_cores(threads: int | None = None) -> Iterator[None]:
    """Compute with all processors for a moment, or with as many threads as are told: for what somebody waits for.

    The number belongs to the thread that calls, so that other runs keep theirs.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or min(processors(), 16))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def applied(threads: int) -> Iterator[None]:
    """Set torch's threads, repeatable algorithms and the allocator for the block, and put them back after it.

    These settings belong to the process, so of several runs at a time the last to end puts them back: a run whose
    threads changed on the way would not end on the same bits.
    """
    import torch

    cudnn = torch.backends.cudnn
    with _LOCK:
        _before.append((torch.get_num_threads(), cudnn.benchmark, cudnn.deterministic))
        if len(_before) == 1:
            _keep_pages()
        torch.set_num_threads(threads)
        cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        with _LOCK:
            if len(_before) == 1:
                _put_back(*_before[0])
            # The first entry is how the process was before any run, so it stays until the last run is over.
            _before.pop()


_LOCK = threading.Lock()
_before: list[tuple[int, bool, bool]] = []


def _put_back(threads: int, benchmark: bool, deterministic: bool) -> None:
    import torch

    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = benchmark, deterministic
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()  # other programs want the memory too
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _DEFAULT)
        libc.mallopt(_M_TRIM_THRESHOLD, _DEFAULT)
        libc.malloc_trim(0)


def _keep_pages() -> None:
    """Keep freed activations in the process: half the time of a float32 step is page faults otherwise (glibc only)."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def _glibc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def fast_bfloat16() -> bool:
    """Tell whether this processor has instructions for bfloat16 (elsewhere it is emulated, and slow)."""
    import torch

    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name)() for name in names if hasattr(torch.cpu, name))
