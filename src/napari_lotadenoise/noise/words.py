"""The numbers of a noise report, in lines for a terminal."""

from __future__ import annotations

from napari_lotadenoise.noise.report import NoiseReport


def noise_lines(report: NoiseReport) -> list[str]:
    """Return the numbers of a noise report for a terminal, one line each."""
    fit, levels = report.fit, report.levels
    lines = [f"sigma {report.sigma:.4g} (intensities of the image)"]
    lines += [f"  {name:18} {value:.4g}" for name, value in report.estimates.items()]
    lines.append(
        f"variance = gain * intensity + offset: gain {fit.gain:.4g} +- {fit.gain_error:.2g}, "
        f"offset {fit.offset:.4g} +- {fit.offset_error:.2g}"
    )
    if report.repeats is not None:
        lines.append(f"  from the time frames: gain {report.repeats.gain:.4g}, offset {report.repeats.offset:.4g}")
    lines += [
        f"correlation along {axis}, lags 1 to {len(values)}: {', '.join(f'{value:.2f}' for value in values)} "
        f"(by chance up to {report.band:.2f})"
        for axis, values in report.autocorrelation.items()
    ]
    lines.append("in flat blocks: y {:.2f}, x {:.2f}".format(*report.block_correlation))
    grid = f"{levels.bits} bits in steps of {levels.step:g}" if levels.step else "continuous values"
    lines.append(
        f"levels: {grid}; {levels.saturated:.3%} saturated, {levels.clipped:.3%} clipped, {levels.hot:.4%} hot, "
        f"blocks of 8 x 8 {levels.blocking:.2f}"
    )
    return lines
