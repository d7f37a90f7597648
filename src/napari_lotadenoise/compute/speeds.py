"""Speed of this machine: calibrated once for each device and number of threads, cached, and corrected by finished runs.

It is that of the reference machine, one core of an AMD EPYC 9004 with bfloat16, on which the `Cost` of all methods was measured:
2 is twice as fast. It serves the estimated time of runs and nothing else; no result depends on it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_lotadenoise.compute import speed_cache, speed_probes

if TYPE_CHECKING:
    import torch

#: Weight of one finished run in the correction, and how far that may go from 1 either way.
WEIGHT, LARGEST = 0.3, 4.0
#: Power of the number of threads by which networks get faster, until it is measured.
THREAD_EXPONENT = 0.7


@dataclass(frozen=True)
class Speeds:
    """Speeds of a device with some threads, relative to the reference machine.

    Attributes
    ----------
    exact : float
        Networks in float32.
    mixed : float
        Networks in the arithmetic of the precision ``auto``: bfloat16 where this device is fast at it.
    numpy : float
        Filters of numpy and scipy, and all that surrounds a network.
    correction : float
        How much longer finished runs took than was estimated by the other three, 0.25 to 4.
    """

    exact: float = 1.0
    mixed: float = 1.0
    numpy: float = 1.0
    correction: float = 1.0

    def __post_init__(self) -> None:
        if not all(isinstance(value, (int, float)) and 0 < value < math.inf for value in vars(self).values()):
            raise ValueError("a speed is a positive number")

    @property
    def uncorrected(self) -> Speeds:
        """Return the speeds as they were calibrated."""
        return dataclasses.replace(self, correction=1.0)

    def corrected(self, ratio: float) -> Speeds:
        """Return the speeds after a run that took `ratio` times as long as estimated by the uncorrected ones.

        The correction becomes the weighted geometric mean of both, within bounds.
        """
        return dataclasses.replace(self, correction=self.correction ** (1 - WEIGHT) * _bounded(ratio) ** WEIGHT)


_FIELDS = dataclasses.fields(Speeds)


def cached(device: str, threads: int) -> Speeds:
    """Return the speeds of a device; before they are calibrated, those of the reference machine with as many threads.

    Imports no torch and measures nothing.

    Parameters
    ----------
    device : "auto", "cpu", "cuda", "cuda:N" or "mps"
        "auto" is what it was the last time.
    threads : int
    """
    if not speed_cache.enabled():
        return Speeds()
    name = speed_cache.last_device() if device == "auto" else device
    return _valid(speed_cache.read(name, threads)) or _guess(threads)


def calibrated(device: torch.device, threads: int) -> Speeds:
    """Return the speeds of a device; they are measured where they are not known, which takes about 0.2 s.

    Whatever goes wrong, a run goes on with a guess.
    """
    if not speed_cache.enabled():
        return Speeds()
    try:
        return _known(device, threads) or _calibrate(device, threads)
    except Exception:  # of a driver, of memory: an estimate is not worth a run
        return _guess(threads)


def correct(device: torch.device, threads: int, ratio: float) -> None:
    """Correct the cached speeds by a finished run.

    Parameters
    ----------
    device : torch.device
    threads : int
    ratio : float
        Seconds that it took, divided by those estimated by the uncorrected speeds.
    """
    if not (speed_cache.enabled() and 0 < ratio < math.inf):
        return
    with contextlib.suppress(Exception):  # as above
        known = _known(device, threads)
        if known is not None:
            _store(device, threads, known.corrected(ratio))


def _known(device: torch.device, threads: int) -> Speeds | None:
    entry = speed_cache.read(str(device), threads)
    return _valid(entry) if entry is not None and entry.get("processor") == _processor(device) else None


def _calibrate(device: torch.device, threads: int) -> Speeds:
    speeds = Speeds(**speed_probes.measure(device, threads))
    _store(device, threads, speeds)
    return speeds


def _store(device: torch.device, threads: int, speeds: Speeds) -> None:
    speed_cache.write(str(device), threads, {**vars(speeds), "processor": _processor(device)})


def _valid(entry: Mapping[str, Any] | None) -> Speeds | None:
    """Return the speeds of a cache entry, None where there is none or it is broken."""
    try:
        speeds = None if entry is None else Speeds(**{field.name: entry[field.name] for field in _FIELDS})
        return speeds and dataclasses.replace(speeds, correction=_bounded(speeds.correction))
    except (KeyError, ValueError):
        return None


def _bounded(ratio: float) -> float:
    return min(max(ratio, 1 / LARGEST), LARGEST)


def _guess(threads: int) -> Speeds:
    faster = threads**THREAD_EXPONENT
    return Speeds(exact=faster, mixed=faster)


def _processor(device: torch.device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
