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
        chosen = ("instant", "nl-ridge", "noise2self", "mash")
        chosen = ("noise2noise", *chosen) if report.repeats else chosen
    elif report.signal_dependent:
        chosen = ("nl-ridge", "instant", "noise2self", "gr2r", "lota-n2n")
    else:
        chosen = ("nl-ridge", "instant", "lota-n2n", "noise2self")
    return tuple(name for name in chosen if name in METHODS)


def concerns(
    method: type[Method], report: NoiseReport, *, stabilise: str = "auto", stride: int = 0, structure: str = "pixel"
) -> tuple[str, ...]:
    """List the assumptions of a method that an image breaks, one sentence each; empty where there are none.

    Parameters
    ----------
    method : type of Method
    report : NoiseReport
    stabilise : "auto", "off" or "on"
    stride : int
        Of the training; as large as the noise is correlated, it makes up for the correlation. 0 chooses it by the noise.
    structure : str
        Of a structured blind spot, where the method has one.
    """
    title, found = method.info.title, []
    if report.noise_free:
        return ("There is hardly any noise to remove here: the result can only lose detail.",)
    if needs_stride(method, report, stride=stride, structure=structure):
        found.append(
            f"{title} takes the noise of neighbouring pixels for independent, and here it is {report.noise_correlation.words}: "
            f"it will keep much of it. {_way_out(method, report)}"
        )
    stabilised = stabilise in ("on", "auto")
    if report.signal_dependent and method.requires.constant_noise and not stabilised:
        found.append(
            f"{title} takes the noise for equally strong everywhere, and here it grows with the signal: bright parts will stay "
            "noisy, or dark ones be blurred. Stabilise the variance."
        )
    if report.saturated > _SATURATED:
        found.append(f"{report.saturated:.1%} of the pixels are saturated; what they showed cannot be brought back.")
    return tuple(found)


def needs_stride(method: type[Method], report: NoiseReport, *, stride: int = 0, structure: str = "pixel") -> bool:
    """Tell whether a method that takes pixels for independent was told too small a stride for the noise."""
    whole = method.tiling.whole  # which has no strides to choose from
    dependent = method.requires.independent_noise and structure == "pixel"
    return dependent and report.stride > 1 and (whole or 0 < stride < report.stride)


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
    return f"Suited: {without}; with a stride of {report.stride}, which is chosen automatically, {with_stride}."


def _way_out(method: type[Method], report: NoiseReport) -> str:
    ways = [] if method.tiling.whole else [f"a stride of {report.stride}"]
    ways.append("Instant, which knows such noise")
    if report.structure in ("rows", "columns"):
        ways.append(f"a blind spot along {report.structure} (Noise2Void, Noise2Self: structure)")
    return f"Ways out: {', or '.join(ways)}."
