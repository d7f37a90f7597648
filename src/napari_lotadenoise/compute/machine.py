"""How fast this machine is, measured once for each device and number of threads, remembered, and corrected by finished runs.

Speeds are those of the reference machine, one core of an AMD EPYC 9004 with bfloat16, on which the `Cost` of all methods was
measured: 2 is twice as fast. They serve the time that is told before a run and nothing else; no result depends on them.

They lie in a small file in the user's cache folder. The environment variable `NAPARI_LOTADENOISE_CACHE` names another folder;
empty, nothing is measured and nothing remembered. A file that is broken, or cannot be written, is as good as none.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from napari_lotadenoise.compute import process_settings

#: Name of the environment variable with the folder.
FOLDER = "NAPARI_LOTADENOISE_CACHE"
#: Raised when the probes or their reference times change, so that everybody measures anew.
FORMAT = 1
#: Seconds of one run of each probe on the reference machine.
REFERENCE = {"exact": 6.5e-3, "mixed": 4.2e-3, "numpy": 0.4e-3}
#: Seconds for which each probe is repeated.
PROBE_SECONDS = 0.06
#: Weight of one finished run in the remembered factor, and how far that may go from 1 either way.
WEIGHT, LARGEST = 0.3, 4.0
#: Power of the number of threads by which networks become faster, until it is measured.
THREAD_EXPONENT = 0.7

_KINDS = ("exact", "mixed", "numpy")
_changing = threading.Lock()
#: What was read or measured in this process, for where the folder cannot be written.
_measured: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Speeds:
    """Speeds of a device with some threads, compared with the reference machine.

    Attributes
    ----------
    exact : float
        Networks in float32.
    mixed : float
        Networks in the arithmetic of the precision ``auto``: bfloat16 where this device is fast at it.
    numpy : float
        Filters of numpy and scipy, and all that surrounds a network.
    factor : float
        How much longer finished runs took than was told by the other three, 0.25 to 4.
    """

    exact: float = 1.0
    mixed: float = 1.0
    numpy: float = 1.0
    factor: float = 1.0

    def __post_init__(self) -> None:
        if not all(isinstance(value, (int, float)) and 0 < value < math.inf for value in asdict(self).values()):
            raise ValueError("a speed is a positive number")


def remembered(device: str, threads: int) -> Speeds:
    """Return the speeds of a device; before they are measured, those of the reference machine with as many threads.

    Imports no torch and measures nothing.

    Parameters
    ----------
    device : "auto", "cpu", "cuda", "cuda:N" or "mps"
        "auto" is what it was the last time.
    threads : int
    """
    if not _in_use():
        return Speeds()
    entries = _read()
    if device == "auto":
        device = entries.get("auto", "cpu")
    return _valid(entries.get(_key(device, threads))) or _guess(threads)


def measured(device: Any, threads: int) -> Speeds:
    """Return the speeds of a torch device; they are measured where they are not known, which takes about 0.2 s.

    Parameters
    ----------
    device : torch.device
    threads : int
    """
    if not _in_use():
        return Speeds()
    try:
        key, name = _key(str(device), threads), _name(device)
        entry: Any = _read().get(key)
        known = _valid(entry)
        if known is None or entry["belongs"].get("name") != name:
            known = Speeds(**_probe(device, threads))
            _write(key, known, name)
        return known
    except Exception:  # whatever goes wrong here, a run goes on without
        return _guess(threads)


def learn(device: Any, threads: int, ratio: float) -> None:
    """Take in how much longer a finished run took than was told without the factor: the factor goes part of the way there.

    Parameters
    ----------
    device : torch.device
    threads : int
    ratio : float
        Seconds that it took, divided by the seconds that were told with a factor of 1.
    """
    if not (_in_use() and 0 < ratio < math.inf):
        return
    with contextlib.suppress(Exception):
        key = _key(str(device), threads)
        known = _valid(_read().get(key))
        if known is not None:
            _write(key, Speeds(**{**asdict(known), "factor": corrected(known.factor, ratio)}), _name(device))


def corrected(factor: float, ratio: float) -> float:
    """Return a factor after one more run: the geometric mean of both, weighted, and bounded."""
    bounded = min(max(ratio, 1 / LARGEST), LARGEST)
    return factor ** (1 - WEIGHT) * bounded**WEIGHT


# ---------------------------------------------------------------- the file


def file() -> Path:
    """Return the path of the file."""
    folder = os.environ.get(FOLDER)
    if folder:
        return Path(folder) / "machine.json"
    import platformdirs

    return platformdirs.user_cache_path("napari-lotadenoise", appauthor=False) / "machine.json"


def _in_use() -> bool:
    return os.environ.get(FOLDER) != ""


def _read() -> dict[str, Any]:
    content: Any = None
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(file().read_text(encoding="utf-8"))
    return {**_measured, **(content if isinstance(content, dict) else {})}


def _write(key: str, speeds: Speeds, name: str) -> None:
    kind = key.split("/")[0]
    with _changing:
        entries = {**_read(), key: {**asdict(speeds), "belongs": {**_belongs(), "name": name}}, "auto": kind}
        _measured.update(entries)
        with contextlib.suppress(OSError):
            path = file()
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_text(json.dumps(entries, indent=1), encoding="utf-8")
            fresh.replace(path)  # never half a file, whoever else is writing


def _valid(entry: Any) -> Speeds | None:
    """Return the speeds of an entry, None where there are none or they belong to another machine or version."""
    try:
        belongs = {name: value for name, value in entry["belongs"].items() if name != "name"}
        factor = min(max(entry["factor"], 1 / LARGEST), LARGEST)
        speeds = {kind: entry[kind] for kind in _KINDS}
        return Speeds(**speeds, factor=factor) if belongs == _belongs() else None
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _belongs() -> dict[str, Any]:
    """Describe what speeds depend on, as far as that can be told without torch."""
    return {
        "format": FORMAT,
        "torch": metadata.version("torch"),
        "machine": f"{platform.system()} {platform.machine()}",
        "processors": process_settings.processors(),
    }


def _key(device: str, threads: int) -> str:
    return f"{device}/{threads}"


def _name(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()


def _guess(threads: int) -> Speeds:
    faster = threads**THREAD_EXPONENT
    return Speeds(exact=faster, mixed=faster)


# ---------------------------------------------------------------- the probes


def _probe(device: Any, threads: int) -> dict[str, float]:
    from napari_lotadenoise.compute.precision import uses_bfloat16

    mixed = uses_bfloat16("auto", device, 2)
    with process_settings.applied(threads):
        exact = _seconds(_network_step(device, bfloat16=False))
        times = {
            "exact": exact,
            "mixed": _seconds(_network_step(device, bfloat16=True)) if mixed else exact,
            "numpy": _seconds(_filter_step()),
        }
    return {kind: REFERENCE[kind] / max(times[kind], 1e-7) for kind in _KINDS}


def _seconds(function: Callable[[], None]) -> float:
    """Return the shortest time of some calls after a first one: what else is going on is not the machine."""
    function()
    times: list[float] = []
    end = time.perf_counter() + PROBE_SECONDS
    while not times or time.perf_counter() < end:
        begun = time.perf_counter()
        function()
        times.append(time.perf_counter() - begun)
    return min(times)


def _network_step(device: Any, *, bfloat16: bool) -> Callable[[], None]:
    """Make a step forth and back through three convolutions, as wide and as large as those of the fast presets."""
    import torch

    from napari_lotadenoise.compute.precision import arithmetic

    rng = torch.Generator().manual_seed(0)  # the global one belongs to runs

    def drawn(*shape: int) -> Any:
        return torch.randn(shape, generator=rng).to(device).contiguous(memory_format=torch.channels_last)

    image = drawn(2, 16, 64, 64)
    weights = [drawn(w_out, w_in, 3, 3).mul_(0.1).requires_grad_() for w_in, w_out in ((16, 16), (16, 32), (32, 16))]

    def step() -> None:
        x = image
        with arithmetic(device, bfloat16=bfloat16):
            for weight in weights:
                x = torch.relu(torch.nn.functional.conv2d(x, weight, padding=1))
        gradients = torch.autograd.grad(x.float().square().mean(), weights)
        float(gradients[0].sum())  # a device that works ahead is waited for

    return step


def _filter_step() -> Callable[[], None]:
    from scipy import ndimage

    image = np.random.default_rng(0).random((192, 192), dtype=np.float32)

    def step() -> None:
        np.sqrt(ndimage.gaussian_filter(image, 2.0) + image).mean()

    return step
