"""Sentences on a residual."""

from __future__ import annotations

from napari_lotadenoise.residual.findings import ResidualFindings

#: Deviation of the residual in units of the noise that still counts as "about as strong": of a known noise, of an estimate,
#: and of an estimate of correlated noise.
KNOWN, BLIND, BLIND_CORRELATED = (0.9, 1.1), (0.8, 1.25), (0.65, 1.5)
#: Share of the image that holds structure above which there is a word on it; above which the result is too smooth.
SOME, MUCH = 0.02, 0.05
#: Share of the image that is too dark or too bright over wide areas above which there is a word on it.
WIDE = 0.02
#: Largest correlation of a residual that is still "nearly white": networks that are good leave so much.
NEARLY = 0.2


def sentences(report: ResidualFindings) -> tuple[str, ...]:
    """Return one sentence on the residual, and one on each artefact of the result."""
    if report.planes == 0:
        return ("The planes are too small to judge the residual.",)
    if report.constant:
        changed = "but the result is not." if report.deviation else "there was nothing to remove."
        return (f"The image is constant{',' if report.deviation else ':'} {changed}",)
    if report.deviation == 0:
        return ("Nothing was removed: the result is the image itself.",)
    left, structure = _on_noise_left(report), _on_structure(report)
    main = [words for words in (left, structure) if words] or [_on_too_much(report) or _on_correlation(report)]
    return (*main, *_on_bias(report), *_on_artefacts(report))


def _on_noise_left(report: ResidualFindings) -> str:
    if _strength(report) >= 0 or report.left is None:
        return ""
    reason = "" if report.noise_white else f": it is correlated over about {max(2, report.reach)} pixels"
    return f"About {report.left:.0%} of the noise is still there{reason}."


def _on_structure(report: ResidualFindings) -> str:
    few = 3 / report.windows if report.windows else 1.0
    if report.structure > max(MUCH, few):
        return f"The residual holds structure ({report.structure:.0%} of the image): the result is too smooth."
    if report.structure > max(SOME, few):
        return f"The residual holds a little structure ({report.structure:.0%} of the image): some detail was lost."
    if report.opposite > max(MUCH, few):
        return (
            f"The residual goes against the structure ({report.opposite:.0%} of the image): "
            "the result has more contrast than the image."
        )
    if report.noise_white and _strength(report) > 0 and not report.whiteness.white:
        return (
            f"The residual is stronger than the noise ({report.ratio:.2f} times) and correlated between pixels, "
            "which the noise is not: structure was removed, the result is too smooth."
        )
    return ""


def _on_too_much(report: ResidualFindings) -> str:
    if _strength(report) > 0:
        return f"The residual is stronger than the noise ({report.ratio:.2f} times): more than noise was removed."
    return ""


def _on_correlation(report: ResidualFindings) -> str:
    strong = (
        " and about as strong as the noise" + ("" if report.known else " is estimated to be")
        if report.ratio is not None
        else "; how strong the noise is cannot be told from this image"
    )
    empty = "; no structure shows in it."
    found, noise = report.whiteness, max(report.noise_correlation)
    if report.ratio is None and not report.noise_white and max(found.y, found.x) < 0.75 * noise:
        return (
            f"The noise is correlated between pixels ({noise:.2f}) and the residual less "
            f"({max(found.y, found.x):.2f}): much of the noise is left."
        )
    if found.white:
        return f"The residual is white{strong}{empty}"
    if found.largest < NEARLY:
        return f"The residual is nearly white (correlations up to {found.largest:.2f}){strong}{empty}"
    between = f"The residual is correlated between pixels (y {found.y:.2f}, x {found.x:.2f})"
    if report.noise_white:
        return f"{between}, which the noise is not{strong}; part of the noise is left, or fine structure was removed."
    return f"{between}, as the noise is{strong}{empty}"


def _on_bias(report: ResidualFindings) -> tuple[str, ...]:
    found = {"darker": report.bias.darker, "brighter": report.bias.brighter}
    return tuple(
        f"The result is {word} than the image over wide areas ({share:.0%} of it), by a quarter of the noise and more: "
        "do not measure intensities in it."
        for word, share in found.items()
        if share > WIDE
    )


def _on_artefacts(report: ResidualFindings) -> tuple[str, ...]:
    found = {
        "The result has a checkerboard pattern": report.checkerboard,
        "The result has stripes that the image has not": report.stripes,
        "The seams of the tiles show in the result": report.seams,
    }
    return tuple(f"{text} (deviation {pattern.deviation:.2g})." for text, pattern in found.items() if pattern.found)


def _strength(report: ResidualFindings) -> int:
    """Return -1 if weaker than the noise, 0 if about as strong or not known, 1 if stronger."""
    low, high = KNOWN if report.known else BLIND if report.noise_white else BLIND_CORRELATED
    ratio = report.ratio
    return 0 if ratio is None else (ratio > high) - (ratio < low)
