"""Events of a run, and the commands that it obeys."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_lotadenoise.recipe import EndReason

if TYPE_CHECKING:
    from napari_lotadenoise.contract.capabilities import Curve
    from napari_lotadenoise.model import Model
    from napari_lotadenoise.result import Result


@dataclass(frozen=True)
class Started:
    """First event: `plan` describes what will be done, `device` names the device and why it was chosen."""

    plan: str
    device: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Progress of a run, about ten times a second.

    Attributes
    ----------
    phase : "training", "denoising" or "paused"
    stage : str
        Stage of the method, or empty.
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
    """The region in view, as the network denoises it now; two to four times a second.

    Attributes
    ----------
    view_request : ViewRequest
        The request that this answers; it tells stale answers.
    step : int
        Training step of this picture.
    index : tuple of int and slice
        Where `image` is in the input array.
    image : ndarray
        Denoised, intensities of the input, with the axes that `index` leaves.
    maps : mapping of str to ndarray
        Maps of the method, "residual" (noisy minus denoised) and, of a stochastic method, "uncertainty" (deviation of its
        passes), of the same shape or with one channel.
    by : str
        Title of the method that made `image`, where it is not the one that is run.
    """

    view_request: ViewRequest
    step: int
    index: tuple[int | slice, ...]
    image: np.ndarray
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    by: str = ""


class Finished:
    """Last event of every run: `Completed` (or `Learnt`), `Failed` or `Discarded`."""

    reason: str


@dataclass(frozen=True)
class Completed(Finished):
    """Last event of a run with a result.

    Attributes
    ----------
    result : Result
    ended : EndReason
        Why the training ended.
    reason : str
        The same in words.
    """

    result: Result
    ended: EndReason = EndReason.ALL_STEPS
    reason: str = EndReason.ALL_STEPS.value


@dataclass(frozen=True)
class Learnt(Finished):
    """Last event of a run that was to learn only.

    Attributes
    ----------
    model : Model
    reason : str
        Why the training ended, in words.
    """

    model: Model
    reason: str = EndReason.ALL_STEPS.value


@dataclass(frozen=True)
class Failed(Finished):
    """Last event of a run that went wrong.

    Attributes
    ----------
    error : Exception
        What went wrong; its text is a sentence for the user.
    """

    error: Exception

    @property
    def reason(self) -> str:  # type: ignore[override]
        """Return what went wrong, in words."""
        return str(self.error) or type(self.error).__name__


@dataclass(frozen=True)
class Discarded(Finished):
    """Last event of a run that the user stopped; nothing was changed.

    Attributes
    ----------
    reason : str
        What was stopped, in words.
    """

    reason: str = "discarded"


class Command(enum.Enum):
    """Commands that a run obeys."""

    FINISH = "finish now: apply what is learnt"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop: discard"


@dataclass(frozen=True)
class ViewRequest:
    """Request for previews of another place.

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
class LevelRequest:
    """Request to a quick look for another level of noise, as a multiple of the measured one."""

    level: float


Event = Started | Progress | Preview | Finished
