"""Choice of a stride for correlated noise: what each would cost, and the cheapest."""

from __future__ import annotations

from napari_lotadenoise.noise.correlation import NoiseCorrelation

#: Squared error of a good method on independent noise, in units of the noise variance, and how many times as large it gets on
#: the interleaved images of stride 1, 2, ...: `benchmarks/stride.py`, geometric means over photographs and micrographs.
TYPICAL = 0.08
DEARER = (1.0, 1.8, 2.4, 3.0, 3.5)
#: Noise that methods keep, in units of what the best linear prediction would: they take correlated noise for structure.
KEPT = 3.0


def expected_error(correlation: NoiseCorrelation, stride: int) -> float:
    """Return the squared error to expect of a method that takes pixels for independent, in units of the noise variance.

    The noise that the neighbours tell is kept, and detail is lost by interleaving.
    """
    kept = min(1.0, KEPT * correlation.at_stride(stride).predictable)
    return kept + TYPICAL * DEARER[stride - 1]


def best_stride(correlation: NoiseCorrelation) -> int:
    """Return the stride with the smallest expected error; 1 where neighbours share no noise."""
    if correlation.white:
        return 1
    return min(range(1, len(DEARER) + 1), key=lambda stride: expected_error(correlation, stride))
