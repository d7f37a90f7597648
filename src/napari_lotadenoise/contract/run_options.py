"""Options of a run, declared once: Python, command, forms, validation and recipe read them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_lotadenoise.contract.params import knob, validate
from napari_lotadenoise.errors import AxesError

#: Words of earlier versions for the channel modes, which go on working.
CHANNEL_WORDS = {"apart": "separate", "together": "joint"}
#: Ways to stabilise the variance.
STABILISATION = ("auto", "off", "on")


@dataclass(frozen=True)
class RunOptions:
    """Options of a run, beside its method and training.

    To add one, declare it here and read it where it takes effect.
    """

    axes: str | None = knob(
        None,
        "One letter an axis: T time, P position, C channel, Z depth, Y, X, S colour. May be left out for a 2-D image only.",
    )
    channels: str = knob(
        "separate",
        "Whether each channel (C) gets a network of its own, or all share one.",
        choices=("separate", "joint"),
        aliases=CHANNEL_WORDS,
    )
    volume: bool = knob(False, "Denoise Z with a 3-D network; otherwise its slices share a 2-D one.")
    device: str = knob("auto", "Where to compute: auto, cpu, cuda, cuda:N or mps.")
    seed: int = knob(
        0,
        "Source of all chance. The same seed repeats a run bit for bit on a CPU with as many threads.",
        ge=0,
        le=2**63 - 1,
    )
    threads: int | None = knob(None, "Processor threads; by default all processors but one.", ge=1, le=1024)
    fill: bool = knob(False, "Replace NaN and inf by the nearest finite value instead of refusing them.")
    outliers: str = knob(
        "repair",
        "What becomes of single pixels that no noise explains (hot, dead, struck by cosmic rays): repair replaces them by their "
        "neighbours, keep puts them back into the result. Nothing is measured on them or learnt from them in any case.",
        choices=("repair", "keep"),
    )
    stabilise: str = knob(
        "auto",
        "Transform intensities so that the noise is equally strong everywhere, and back without bias. auto does so for methods "
        "that assume such noise, where it grows with the signal and is independent between pixels; never with the paper preset.",
        choices=STABILISATION,
    )
    prior: bool = knob(
        True,
        "Let auto use the shipped network, which has learnt from other images; otherwise it keeps to methods that have seen "
        "nothing but this one.",
    )
    blend: float = knob(
        1.0, "Weight of the denoised image in the result; the rest is the noisy one.", ge=0, le=1, step=0.05
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", joined_letters(self.axes))  # frozen, but not in use yet
        validate(self)


def joined_letters(axes: Any) -> str | None:
    """Return ("Y", "X") as "YX", and a text or None as it is.

    Raises
    ------
    AxesError
        Where it is nothing of that.
    """
    if axes is None or isinstance(axes, str):
        return axes
    if not isinstance(axes, tuple | list) or not all(isinstance(axis, str) and len(axis) == 1 for axis in axes):
        raise AxesError(f"axes must be one letter for each dimension, such as 'TZYX', not {axes!r}.")
    return "".join(axes)
