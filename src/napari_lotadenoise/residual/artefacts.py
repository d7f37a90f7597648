"""Patterns that a denoiser puts into its result: checkerboards, stripes, the seams of tiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

#: Side of the blocks whose spectra are averaged, in pixels.
_BLOCK = 32
#: How many deviations beyond chance a pattern must be.
_SURE = 6.0
#: Share of the deviation of the residual that a pattern must have to be worth a word.
_VISIBLE = 0.03


class Pattern(NamedTuple):
    """How strong a pattern is against its surroundings, its deviation in intensities, and whether it counts."""

    strength: float = 0.0
    deviation: float = 0.0
    found: bool = False


def checkerboard(clean: np.ndarray, noisy: np.ndarray) -> Pattern:
    """Measure the pattern of two pixels' period in a result: checkers, or every other row or column brighter.

    Mean power at the frequencies (1/2, 1/2), (1/2, 0) and (0, 1/2) over that of their neighbours 3 to 5 steps away, in the
    spectra of Hann-windowed blocks of 32 pixels; the largest of the three, 1 or less for a smooth spectrum. It counts where
    the power is beyond chance, and where the noisy image does not have the pattern already (for example from its sensor):
    the part of it that result and residual share with opposite signs must be the larger part.

    Returns
    -------
    Pattern
        `strength` is the ratio.
    """
    if min(clean.shape) < _BLOCK:
        return Pattern()
    ours, added = _spectra(clean), _spectra(clean - noisy)
    power = np.mean(np.abs(ours) ** 2, axis=0)
    shared = np.mean((ours * added.conj()).real, axis=0)
    best = Pattern()
    for row, column in ((16, 16), (16, 0), (0, 16)):
        around = _around(power, row, column)
        ratio = float(power[row, column] / around) if around > 0 else 0.0
        # A Nyquist coefficient is real: its power has twice the variance of the others.
        spread = np.sqrt(2 * _OVERLAP / len(ours)) + np.sqrt(_OVERLAP / len(ours) / len(_NEAR))
        deviation = float(np.sqrt(max(power[row, column] - around, 0) / (_WINDOW.sum() ** 2)))
        new = shared[row, column] > 0.3 * power[row, column]
        sure = ratio > 1.5 + _SURE * spread and new and deviation > _VISIBLE * float(np.std(clean - noisy))
        best = max(best, Pattern(ratio, deviation, bool(sure)), key=lambda each: (each.found, each.strength))
    return best


def stripes(clean: np.ndarray, noisy: np.ndarray) -> Pattern:
    """Measure the rows or columns of the result that are brighter or darker throughout than they are in the noisy image.

    With R and I the means of the lines of result and noisy image, less their running mean of 7 lines (and each averaged
    with the next, which keeps out the pattern of `checkerboard`): the variance of the stripes is cov(R, R - I). Where
    R = T + S and I = T + N (truth, stripes, noise) it is var(S) on average; noise that is left in the result or stripes
    that were removed from the image make it 0 or less. In chance it varies by sqrt(var R var(R - I) / lines).

    Returns
    -------
    Pattern
        `strength` in deviations of chance, of rows or of columns, whichever is larger.
    """
    best = Pattern()
    for axis in (1, 0):
        if min(clean.shape) < 16:
            break
        ours, added = _lines(clean, axis), _lines(clean - noisy, axis)
        chance = float(np.sqrt(np.mean(ours**2) * np.mean(added**2) / len(ours)))
        variance = float(np.mean(ours * added))
        strength = variance / chance if chance > 0 else 0.0
        deviation = float(np.sqrt(max(variance, 0)))
        sure = strength > _SURE and deviation > _VISIBLE * float(np.std(clean - noisy))
        best = max(best, Pattern(strength, deviation, sure), key=lambda each: (each.found, each.strength))
    return best


def seams(clean: np.ndarray, noisy: np.ndarray, tile: int) -> Pattern:
    """Measure the jumps of the result at multiples of the side of the tiles, beyond those of the lines around them.

    A jump is how far the step between two pixels is from the mean of the steps before and after it. Its size along each line,
    over the median of the lines up to 6 pixels away, is 1 within chance where there is no seam. Edges of the image that happen
    to lie there are told apart as in `stripes`: of jumps that the noisy image has too, jump * (jump - jump of the noisy image)
    is 0 on average.

    Returns
    -------
    Pattern
        `strength` is how many times the usual jump that at the seams is, less 1.
    """
    best = Pattern()
    for axis in (0, 1):
        # Candidate i belongs to the border between the pixels i + 1 and i + 2.
        at = np.arange(tile, clean.shape[axis] - 2, tile) - 2
        at = at[at >= 0]
        if not at.size or clean.shape[axis] < 16:
            continue
        jumps, added = _jumps(clean, axis), _jumps(clean - noisy, axis)
        ratios = _against_neighbours(np.abs(jumps).mean(axis=1))
        strength = float(np.mean(ratios[at])) - 1
        # A seam shows in the lines beside it too, half as large.
        around = np.unique(np.clip(at[:, None] + [-1, 0, 1], 0, len(ratios) - 1))
        usual = np.delete(ratios, around)
        if not usual.size:
            continue
        chance = float(np.std(usual) / np.sqrt(at.size))
        power, shared = np.mean(jumps[at] ** 2), np.mean(jumps[at] * added[at])
        shared_chance = np.sqrt(power * np.mean(added[at] ** 2) / added[at].size)
        deviation = float(np.sqrt(max(shared, 0)))
        new = shared > 0.3 * power and shared > shared_chance
        sure = bool(new and strength > max(_SURE * chance, 0.1) and deviation > _VISIBLE * float(np.std(clean - noisy)))
        best = max(best, Pattern(strength, deviation, sure), key=lambda each: (each.found, each.strength))
    return best


_WINDOW = np.outer(*[np.hanning(_BLOCK + 1)[:-1]] * 2)
#: Half-overlapping Hann windows know of each other: blocks that count as one independent.
_OVERLAP = 2.0
_NEAR = [(dy, dx) for dy in range(-5, 6) for dx in range(-5, 6) if 3 <= max(abs(dy), abs(dx)) <= 5]


def _spectra(image: np.ndarray) -> np.ndarray:
    """Return the Fourier transforms of half-overlapping blocks, at most 4096 of them."""
    blocks = np.lib.stride_tricks.sliding_window_view(image, (_BLOCK, _BLOCK))[:: _BLOCK // 2, :: _BLOCK // 2]
    blocks = blocks.reshape(-1, _BLOCK, _BLOCK)
    blocks = blocks[:: -(-len(blocks) // 4096)]
    return np.fft.fft2((blocks - blocks.mean((1, 2), keepdims=True)) * _WINDOW)


def _around(power: np.ndarray, row: int, column: int) -> float:
    """Return the mean power a few steps away; steps across 0 or 1/2 come back on the other side, where the spectrum is the same.

    The axes through frequency 0 hold straight edges, which are no neighbours of anything.
    """
    near = [((row + dy) % _BLOCK, (column + dx) % _BLOCK) for dy, dx in _NEAR]
    if row == 0:
        near = [(y, x) for y, x in near if y == 0]
    elif column == 0:
        near = [(y, x) for y, x in near if x == 0]
    return float(np.mean([power[place] for place in near]))


def _lines(image: np.ndarray, axis: int) -> np.ndarray:
    """Return the means along an axis, each with the next one, less their running mean."""
    means = image.mean(axis=axis)
    means = (means[1:] + means[:-1]) / 2
    return means - ndimage.uniform_filter1d(means, min(7, len(means)), mode="mirror")


def _jumps(image: np.ndarray, axis: int) -> np.ndarray:
    """Return the jump at each border between two lines that has one on either side: the mean of every 16 pixels along it.

    A seam has one sign along the side of a tile, noise and edges have not.
    """
    steps = np.diff(image if axis == 0 else image.T, axis=0)
    jumps = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
    parts = max(1, jumps.shape[1] // 16)
    return jumps[:, : parts * (jumps.shape[1] // parts)].reshape(len(jumps), parts, -1).mean(axis=-1)


def _against_neighbours(jumps: np.ndarray) -> np.ndarray:
    """Return each jump over the median of those up to 6 lines away."""
    usual = ndimage.median_filter(jumps, 13, mode="mirror")
    return np.divide(jumps, usual, out=np.ones_like(jumps), where=usual > 0)
