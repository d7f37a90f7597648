"""Description of a run before it starts: what it will do, and how long that will take. Imports no torch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from napari_lotadenoise.compute import process_settings, speeds
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.engine import timing
from napari_lotadenoise.engine.work import Work
from napari_lotadenoise.image.stack import AXIS_NAMES, Layout
from napari_lotadenoise.options import Options, stride_is_open

if TYPE_CHECKING:
    from napari_lotadenoise.noise import NoiseReport


def describe(
    shape: tuple[int, ...], layout: Layout, method: Method, device: str, seconds: float | None = None, reason: str = ""
) -> str:
    """Describe a run: "12 z-slices of 1024 x 1024, 2 channels separately, with LoTA-N2N, on CPU, about 40 s.".

    A `reason` why the method was chosen comes before it.
    """
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
    words = ", ".join(parts) + "."
    return f"{chosen(reason, seconds)}. {words[0].upper()}{words[1:]}" if reason else words


def chosen(reason: str, seconds: float | None) -> str:
    """Describe a choice: "Instant, since the noise is correlated over about 3 pixels; 2 s"."""
    return reason if seconds is None else f"{reason}; {duration(seconds)}"


def seconds_for(
    shape: tuple[int, ...],
    layout: Layout,
    method: Method,
    training: Training,
    options: Options | None = None,
    *,
    report: NoiseReport | None = None,
    watched: bool = False,
) -> float:
    """Estimate the seconds of a run by the cached speeds of this machine.

    Parameters
    ----------
    shape : tuple of int
    layout : Layout
    method : Method
    training : Training
    options : Options, optional
    report : NoiseReport, optional
        Noise of the image, where it is measured: a stride that it decides is counted.
    watched : bool
        Whether previews are made on the way.
    """
    options = options or Options()
    predictable = options.predictable
    if report is not None:
        predictable = report.noise_correlation.predictable
        if stride_is_open(training, method):
            training = dataclasses.replace(training, stride=report.stride)
    work = Work.of(shape, layout, method, training, predictable=predictable)
    machine = speeds.cached(options.device, options.threads or process_settings.default_threads())
    return timing.estimate(work, options, machine, watched=watched)


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
