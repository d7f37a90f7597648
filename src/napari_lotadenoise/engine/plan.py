"""Description of a run before it starts: what it will do, and how long that will take. Imports no torch."""

from __future__ import annotations

import math

from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.contract.training import WARM_COST, WarmTraining
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


def seconds_for(shape: tuple[int, ...], layout: Layout, method: Method, training: Training) -> float:
    """Estimate the time of a run on one processor core, before anything is measured."""
    sizes = dict(zip(layout.axes, shape, strict=True))
    spatial = [sizes[a] for a in layout.spatial]
    wanted = ([training.crop_depth] if layout.volume else []) + [training.crop, training.crop]
    crop = math.prod(min(n, w) if w else n for n, w in zip(spatial, wanted, strict=True))
    groups = math.prod(sizes[a] for a in layout.grouped)
    costs = WARM_COST if isinstance(training, WarmTraining) and training.warm else method.cost
    train, predict = (1e-6 * cost * (3 if layout.volume else 1) for cost in costs)
    passes = passes_of(method) or (8 if training.ensemble else 1)
    return groups * training.planned * training.batch * crop * train + math.prod(shape) * predict * passes


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
