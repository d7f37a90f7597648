"""What follows from a noise report: which methods suit an image, and what is wrong with the one that was chosen."""

from __future__ import annotations

from napari_lotadenoise.contract.method import Method
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.noise import NoiseReport
from napari_lotadenoise.noise.report import SMALLEST

#: Shares of saturated pixels worth a warning before a run.
_SATURATED = 0.005


def recommended(report: NoiseReport) -> tuple[str, ...]:
    """Return the ids of the methods that suit, measured on the development data (`docs/noise.md`).

    The best of those that have nothing but the image come first, but for the pre-trained one in second place: it is at least as
    good on these data, and has learnt from others.
    """
    if report.noise_free:
        return ()
    chosen: tuple[str, ...]
    if report.correlated:
        chosen = (
            ("noise2noise", "nl-ridge", "noise2self", "mash") if report.repeats else ("nl-ridge", "noise2self", "mash")
        )
    elif report.signal_dependent:
        chosen = ("nl-ridge", "instant", "noise2self", "gr2r", "lota-n2n")
    else:
        chosen = ("nl-ridge", "instant", "lota-n2n", "noise2self")
    return tuple(name for name in chosen if name in METHODS)


def concerns(
    method: type[Method], report: NoiseReport, *, stabilise: str = "auto", stride: int = 1, structure: str = "pixel"
) -> tuple[str, ...]:
    """List the assumptions of a method that an image breaks, one sentence each; empty where there are none.

    Parameters
    ----------
    method : type of Method
    report : NoiseReport
    stabilise : "auto", "off" or "on"
    stride : int
        Of the training; as large as the noise is correlated, it makes up for the correlation.
    structure : str
        Of a structured blind spot, where the method has one.
    """
    title, found = method.info.title, []
    if report.noise_free:
        return ("There is hardly any noise to remove here: the result can only lose detail.",)
    if report.correlated and method.requires.independent_noise and stride < report.stride and structure == "pixel":
        found.append(
            f"{title} takes the noise of neighbouring pixels for independent, and here it is correlated: it will keep much of "
            f"it. {_way_out(report)}"
        )
    stabilised = stabilise == "on" or (stabilise == "auto" and not report.correlated)
    if report.signal_dependent and method.requires.constant_noise and not stabilised:
        found.append(
            f"{title} takes the noise for equally strong everywhere, and here it grows with the signal: bright parts will stay "
            "noisy, or dark ones be blurred. Stabilise the variance."
        )
    if report.saturated > _SATURATED:
        found.append(f"{report.saturated:.1%} of the pixels are saturated; what they showed cannot be brought back.")
    return tuple(found)


def summary(report: NoiseReport) -> str:
    """Give advice in a sentence or two: suited methods, stabilisation, how to deal with correlation."""
    if report.noise_free:
        return "Nothing needs to be done."
    if report.side and report.side < SMALLEST:
        return "The image is too small for advice."
    if report.correlated:
        return _for_correlated(report)
    names = ", ".join(METHODS[name].info.title for name in recommended(report))
    if report.signal_dependent:
        return f"Suited: {names}. Methods that take the noise for equally strong everywhere get it stabilised automatically."
    return f"Suited: {names}."


def _for_correlated(report: NoiseReport) -> str:
    methods = [METHODS[name] for name in recommended(report)]
    with_stride = ", ".join(m.info.title for m in methods if m.requires.independent_noise)
    without = ", ".join(m.info.title for m in methods if not m.requires.independent_noise)
    return (
        f"Suited: with a stride of {report.stride} or more {with_stride}; as they are {without}. "
        "Without a stride, methods that assume independent pixels keep this noise."
    )


def _way_out(report: NoiseReport) -> str:
    ways = [f"a stride of {report.stride} or more with any method", "MASH"]
    if report.structure in ("rows", "columns"):
        ways.append(f"a blind spot along {report.structure} (Noise2Void, Noise2Self: structure)")
    return f"Ways out: {', '.join(ways)}, or a plain blur."
