"""Cache of the speeds of this machine: one small file in the user's cache folder. Imports no torch.

The environment variable `NAPARI_LOTADENOISE_CACHE` names another folder; set to nothing, there is no cache. A file that is
broken or cannot be written is as good as none, and an entry of another machine or another version of torch is ignored.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import threading
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from napari_lotadenoise.compute import process_settings

#: Name of the environment variable with the folder.
FOLDER = "NAPARI_LOTADENOISE_CACHE"
#: Raised when the probes or their reference times change, so that everybody calibrates anew.
FORMAT = 2
#: Key of the device that was used last.
_LAST = "last device"

_writing = threading.Lock()
#: Entries of this process, for where the folder cannot be written.
_entries: dict[str, Any] = {}


def enabled() -> bool:
    """Tell whether speeds are calibrated and cached at all."""
    return os.environ.get(FOLDER) != ""


def path() -> Path:
    """Return the path of the file."""
    folder = os.environ.get(FOLDER)
    if folder:
        return Path(folder) / "speeds.json"
    import platformdirs

    return platformdirs.user_cache_path("napari-lotadenoise", appauthor=False) / "speeds.json"


def read(device: str, threads: int) -> dict[str, Any] | None:
    """Return the entry of a device, None where there is none for this machine."""
    entry = _read_all().get(_key(device, threads))
    return entry if isinstance(entry, dict) and entry.get("environment") == _environment() else None


def last_device() -> str:
    """Return the device that was used last, "cpu" before that."""
    return str(_read_all().get(_LAST, "cpu"))


def write(device: str, threads: int, entry: Mapping[str, Any]) -> None:
    """Cache the entry of a device."""
    with _writing:
        fresh = {_key(device, threads): {**entry, "environment": _environment()}, _LAST: device}
        _entries.update({**_read_all(), **fresh})
        with contextlib.suppress(OSError):
            _replace(path(), json.dumps(_entries, indent=1))


def _read_all() -> dict[str, Any]:
    content: Any = None
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path().read_text(encoding="utf-8"))
    return {**_entries, **(content if isinstance(content, dict) else {})}


def _replace(target: Path, text: str) -> None:
    """Write a file so that it is never half there, whoever else is writing it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(target)


def _key(device: str, threads: int) -> str:
    return f"{device}/{threads}"


def _environment() -> dict[str, Any]:
    """Describe what speeds depend on, as far as that is known without torch."""
    machine = f"{platform.system()} {platform.machine()}"
    return {
        "format": FORMAT, "torch": _torch_version(), "machine": machine, "processors": process_settings.processors(),
    }  # fmt: skip


@functools.cache
def _torch_version() -> str:
    return metadata.version("torch")
