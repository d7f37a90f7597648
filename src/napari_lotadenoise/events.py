"""What a run tells the world, and what the world may tell a run."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_lotadenoise.contract.method import Curve
    from napari_lotadenoise.result import Result


@dataclass(frozen=True)
class Started:
    """The first event: `plan` says in words what will be done, `device` on what and why."""

    plan: str
    device: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """About ten times a second: how far the run is.

    Attributes
    ----------
    phase : "training", "denoising" or "paused"
    stage : str
        The method's own word for what it does, or empty.
    step, of : int
        Training steps done and planned, over all groups of channels.
    group, groups : int
        Which group of channels (from 0) is at work, and how many there are.
    done : float
        Share of the whole run, 0 to 1.
    losses : mapping of str to float
        Mean of each loss term since the last event.
    values : mapping of str to float
        Other numbers of the method, such as the cancellation index; those that begin with "sigma" in intensities.
    sigma : float or None
        Noise deviation in intensities of the image.
    score : float or None
        Last score on held-out pixels.
    rate : float
        Training steps a second.
    seconds_left : float or None
        Time left, None until it can be told.
    curve : Curve or None
        What a calibration has found so far.
    """

    phase: str
    step: int
    of: int
    stage: str = ""
    group: int = 0
    groups: int = 1
    done: float = 0.0
    losses: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    sigma: float | None = None
    score: float | None = None
    rate: float = 0.0
    seconds_left: float | None = None
    curve: Curve | None = None


@dataclass(frozen=True)
class Preview:
    """Two to four times a second: the region that is looked at, as the network sees it now.

    Attributes
    ----------
    look : Look
        The request that this answers; stale answers are told by it.
    step : int
        Training step of this picture.
    index : tuple of int and slice
        Where `image` is in the input array.
    image : ndarray
        Denoised, intensities of the input, with the axes that `index` leaves.
    maps : mapping of str to ndarray
        Maps of the method, "residual" (noisy minus denoised) and, of a method of chance, "uncertainty" (deviation of its
        passes), of the same shape or with one channel.
    by : str
        Title of the method that made `image`, where it is not the one that is run.
    """

    look: Look
    step: int
    index: tuple[int | slice, ...]
    image: np.ndarray
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True)
class Finished:
    """The last event, always.

    Attributes
    ----------
    result : Result or None
        None where the run was stopped or failed.
    reason : str
        Why it ended, in words.
    error : Exception or None
        What went wrong, if anything did.
    """

    result: Result | None
    reason: str
    error: Exception | None = None


class Command(enum.Enum):
    """What can be said to a run."""

    FINISH = "finish now: apply what is learnt"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop: discard"


@dataclass(frozen=True)
class Look:
    """Asks for previews of another place.

    Attributes
    ----------
    point : tuple of int
        An index of the array, one an axis; its Y and X do not matter.
    window : tuple of two slices, or None
        Rows and columns that are seen; None for all of them.
    number : int
        Comes back with the preview, so that stale ones can be told.
    maps : bool
        Whether the maps of the method are wanted too.
    """

    point: tuple[int, ...]
    window: tuple[slice, slice] | None = None
    number: int = 0
    maps: bool = False


@dataclass(frozen=True)
class Level:
    """Asks a quick look for another level of noise, as a multiple of what is measured."""

    level: float


Event = Started | Progress | Preview | Finished
