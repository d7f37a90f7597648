"""Description of a run before it starts: what it will do, and how long that will take. Imports no torch."""

from __future__ import annotations

from napari_lotadenoise.compute import machine, process_settings
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.image.stack import AXIS_NAMES, Layout


def describe(shape: tuple[int, ...], layout: Layout, method: Method, device: str, seconds: float | None = None) -> str:
    """Describe a run: "12 z-slices of 1024 x 1024, 2 channels separately, with LoTA-N2N, on CPU, about 40 s."."""
    sizes = dict(zip(layout.axes, shape, strict=True))
    plane = f"{sizes['Y']} x {sizes['X']}"
    samples = [_count(sizes[a], AXIS_NAMES[a]) for a in layout.sampled]
    if layout.volume:
        volume = f"volume of {sizes['Z']} x {plane}"
        what = f"{', '.join(samples)}, each a {volume}" if samples else f"one {volume}"
    else:
        what = f"{' x '.join(samples)} of {plane}" if samples else f"one image of {plane}"
    parts = [what]
    if "C" in layout.axes and sizes["C"] > 1:
        parts.append(f"{sizes['C']} channels {'together' if layout.channels == 'joint' else 'separately'}")
    if "S" in layout.axes and sizes["S"] > 1:
        parts.append(f"{sizes['S']} colours together")
    parts += [f"with {method.info.title}", f"on {device}"]
    if seconds is not None:
        parts.append(f"about {duration(seconds)}")
    return ", ".join(parts) + "."


def seconds_for(
    shape: tuple[int, ...],
    layout: Layout,
    method: Method,
    training: Training,
    *,
    device: str = "auto",
    threads: int | None = None,
    watched: bool = False,
) -> float:
    """Estimate the time of a run, by what is remembered of this machine.

    Parameters
    ----------
    shape : tuple of int
    layout : Layout
    method : Method
    training : Training
    device : str
        Name of the device.
    threads : int, optional
    watched : bool
        Whether previews are made on the way.
    """
    speeds = machine.remembered(device, threads or process_settings.default_threads())
    return Work.of(shape, layout, method, training).seconds(speeds, watched=watched)


def duration(seconds: float) -> str:
    """Return a time in words: "4 s", "3 min", "2 h 10 min"."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _count(count: int, plural: str) -> str:
    return f"{count} {plural if count != 1 else plural.rstrip('s')}"
