"""Choice of a method and its settings by the noise report of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_lotadenoise.automatic.depth import neighbours_alike
from napari_lotadenoise.image.arrays import array_of, is_masked
from napari_lotadenoise.image.stack import Layout
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.noise import Degree, NoiseReport, estimate_noise

#: Name that stands for the choice, beside the ids of methods.
AUTO = "auto"
#: The method that is at least as good as any other on the development data (`benchmarks/auto.py`) and the fastest; and the best
#: of those that have seen nothing but the image.
WITH_PRIOR, WITHOUT = "instant", "nl-ridge"
#: Pixels of an image up to which the mean of its eight flips and rotations takes seconds. On real noise it is better than one
#: pass by 0.05 to 0.12 dB (`benchmarks/auto.py`).
EIGHT_VIEWS = 1 << 19
#: What runs where there is nothing to remove; the result is the image itself.
_NOTHING = "gaussian"


@dataclass(frozen=True)
class Choice:
    """What is best done with an image.

    Attributes
    ----------
    method : str
        An id of `METHODS`.
    settings : mapping
        Run options and hyper-parameters beside the defaults of the preset ``fast``.
    reason : str
        The method and why it was chosen, in one sentence without a full stop.
    predictable : float, optional
        Share of the noise that its neighbours tell.
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    predictable: float | None = None

    @property
    def title(self) -> str:
        """Return the name of the method for people."""
        return METHODS[self.method].info.title


def choose(image: Any, layout: Layout, *, prior: bool = True, fill: bool = False) -> Choice:
    """Measure an image and choose how to denoise it.

    Parameters
    ----------
    image : array
        Any real data type.
    layout : Layout
        Its axes.
    prior : bool
        Whether the shipped network may be used, which has learnt from other images.
    fill : bool
        Whether NaN and inf are replaced instead of refused.

    Raises
    ------
    AxesError, ImageError
        Where the image cannot be measured.
    """
    fill = fill or is_masked(image)
    image = array_of(image)
    report = estimate_noise(image, layout.axes, fill=fill)
    return choose_by(report, volume=layout.volume or neighbours_alike(image, layout), prior=prior)


def choose_by(report: NoiseReport, *, volume: bool = False, prior: bool = True) -> Choice:
    """Choose by a noise report.

    Parameters
    ----------
    report : NoiseReport
    volume : bool
        Whether the image has a third dimension to gain from.
    prior : bool
        Whether the shipped network may be used.
    """
    if report.noise_free:
        return Choice(
            _NOTHING,
            {"blend": 0.0, "stride": 1},
            f"Nothing to remove (sigma {report.sigma:.3g}): the image stays as it is",
        )
    noise = _noise(report)
    if not prior:
        title = METHODS[WITHOUT].info.title
        return Choice(WITHOUT, {}, f"{title}, the best that has seen nothing but this image; the noise {noise}")
    # The network for volumes knows white noise only; correlated noise is left to the one for planes.
    volume = volume and report.degree is not Degree.CORRELATED
    title = METHODS[WITH_PRIOR].info.title
    settings: dict[str, Any] = {"volume": volume}
    where = ", as a volume" if volume else ""
    if 0 < report.pixels <= EIGHT_VIEWS:
        settings["self_ensemble"] = True
        where += ", the mean of eight views"
    reason = f"{title}{where}, since the noise {noise}"
    return Choice(WITH_PRIOR, settings, reason, report.noise_correlation.predictable)


def _noise(report: NoiseReport) -> str:
    """Describe the noise: "is correlated over about 3 pixels and grows with the signal"."""
    grows = " and grows with the signal" if report.signal_dependent else ""
    return f"is {report.noise_correlation.words}{grows}"
