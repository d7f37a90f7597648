"""Random numbers for methods: from a generator while they learn, from seed and place while they predict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from napari_lotadenoise.ops.tensor import flip_rotate

_MASK = 2**64 - 1
#: Odd multipliers of the axes N, C, Z, Y, X, so that neighbouring places have unrelated numbers.
_AXES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
#: Photons of the rarer half of a binomial draw up to which the distribution is summed; beyond it is nearly normal.
_SUMMED = 16


class RandomField:
    """Random numbers that depend on a seed, a place and the number of the draw, and on nothing else.

    Each number is a hash (SplitMix64; Steele, Lea & Flood, OOPSLA 2014) of its absolute coordinates, so that a pixel meets the
    same chance in whatever tile it is predicted, on whatever device and in whatever order.

    Parameters
    ----------
    key : sequence of int
        Seed, sample, pass and whatever else tells one field from another.
    origin : sequence of int
        Coordinates ([Z], Y, X) of the first pixel of the tile, halo included; may be negative.
    size : sequence of int
        Sides ([Z], Y, X) of the tile.
    device : torch.device
    orientation : int
        Which of the flips and rotations of `flip_rotate` the tile is seen in.

    Notes
    -----
    Fields may be drawn for feature maps that are smaller than the tile by a whole factor, as in the levels of a U-Net; tiles
    begin at multiples of it.
    """

    def __init__(
        self, key: Sequence[int], origin: Sequence[int], size: Sequence[int], device: torch.device, orientation: int = 0
    ) -> None:
        self.device, self._orientation = device, orientation
        self._key = 0
        for part in key:
            self._key = _mixed(self._key ^ (part & _MASK))
        self._origin, self._size = tuple(origin), tuple(size)
        self._draws = 0

    def bernoulli(self, shape: Sequence[int], probability: float) -> Tensor:
        """Draw booleans (N, C, [Z], Y, X) that are true with a probability, rounded to a whole number of 256ths."""
        count, threshold = shape[1], round(256 * probability)
        if threshold > 255:  # a byte cannot be compared with it
            return torch.ones(tuple(shape), dtype=torch.bool, device=self.device)
        # Eight channels from the bytes of one word, in the memory order of features.
        words = self._words((shape[0], -(-count // 8), *shape[2:]))
        return self._seen((words.view(torch.uint8)[..., :count] < threshold).movedim(-1, 1))

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draw numbers (N, C, [Z], Y, X) between 0 and 1, both excluded; float32."""
        return self._seen(self._unit(shape))

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Draw standard normal numbers (N, C, [Z], Y, X) by the method of Box and Muller; float32."""
        radius = (-2 * self._unit(shape).log()).sqrt()
        return self._seen(radius * (2 * math.pi * self._unit(shape)).cos())

    def binomial(self, count: Tensor, probability: float) -> Tensor:
        """Draw how many of `count` (N, C, [Z], Y, X) events of a probability happen; float32.

        Where the rarer outcome is expected up to 16 times, its distribution function is summed and inverted; beyond, by the
        normal distribution with the Cornish-Fisher term of its skewness, whose error is far below the deviation of the draw.
        """
        rare = min(probability, 1 - probability)
        happened = torch.where(count * rare <= _SUMMED, self._summed(count, rare), self._nearly_normal(count, rare))
        return happened if probability <= 0.5 else count - happened

    def _summed(self, count: Tensor, rare: float) -> Tensor:
        few = torch.where(count * rare <= _SUMMED, count, torch.zeros_like(count))
        drawn = self.uniform(count.shape)
        term = torch.exp(few * math.log1p(-rare))
        below, happened = term.clone(), torch.zeros_like(few)
        for events in range(int(_SUMMED + 8 * math.sqrt(_SUMMED))):
            happened += drawn > below
            term = term * (few - events).clamp_min(0) / (events + 1) * (rare / (1 - rare))
            below += term
        return torch.minimum(happened, few)

    def _nearly_normal(self, count: Tensor, rare: float) -> Tensor:
        normal = self.normal(count.shape)
        skew = (1 - 2 * rare) * (normal.square() - 1) / 6
        found = count * rare + (count * rare * (1 - rare)).sqrt() * normal + skew
        return torch.minimum((found + 0.5).floor().clamp_min(0), count)

    def _unit(self, shape: Sequence[int]) -> Tensor:
        # 24 bits are what a float32 between 0 and 1 holds; half a step keeps 0 out.
        return ((self._words(shape) >> 40) & 0xFFFFFF).to(torch.float32).add_(0.5).mul_(2.0**-24).movedim(-1, 1)

    def _words(self, shape: Sequence[int]) -> Tensor:
        """Hash every place to 64 bits (N, [Z], Y, X, C), before the orientation."""
        self._draws += 1
        start = _mixed(self._key + self._draws * _AXES[0])
        samples, channels, *sides = shape
        if self._orientation % 2:
            sides[-1], sides[-2] = sides[-2], sides[-1]
        factors = [max(1, whole // side) for whole, side in zip(self._size, sides, strict=True)]
        origins = [first // factor for first, factor in zip(self._origin, factors, strict=True)]
        axes = [
            (samples, 0, _AXES[0]),
            *zip(sides, origins, _AXES[-len(sides) :], strict=True),
            (channels, 0, _AXES[1]),
        ]
        words = torch.full([1] * len(axes), _signed(start), dtype=torch.int64, device=self.device)
        for axis, (side, first, multiplier) in enumerate(axes):
            along = torch.arange(first, first + side, device=self.device) * _signed(multiplier)
            words = words + along.view([-1 if i == axis else 1 for i in range(len(axes))])
        return _mixed_words(words)

    def _seen(self, values: Tensor) -> Tensor:
        return flip_rotate(values, self._orientation)


#: Source of chance: a generator, whose numbers depend on how many were drawn before, or a field, whose do not.
Chance = torch.Generator | RandomField


def bernoulli(shape: Sequence[int], probability: float, rng: Chance) -> Tensor:
    """Draw booleans that are true with a probability, which is rounded to a whole number of 256ths.

    One random byte each, eight drawn at once: five to twenty times faster than torch's own on a CPU, where a network
    with dropout would otherwise spend more time on chance than on convolutions.
    """
    if isinstance(rng, RandomField):
        return rng.bernoulli(shape, probability)
    count, threshold = math.prod(shape), round(256 * probability)
    if threshold > 255:  # a byte cannot be compared with it
        return torch.ones(tuple(shape), dtype=torch.bool, device=rng.device)
    words = torch.empty(-(-count // 8), dtype=torch.int64, device=rng.device)
    words.random_(-(2**63), None, generator=rng)  # without bounds the sign bit would always be 0
    return (words.view(torch.uint8)[:count] < threshold).view(tuple(shape))


def bernoulli_features(features: Tensor, probability: float, rng: Chance) -> Tensor:
    """Draw booleans for features (N, C, [Z], Y, X), in their memory order (channels last).

    A product of two memory orders takes several times as long.
    """
    if isinstance(rng, RandomField):
        return rng.bernoulli(features.shape, probability)
    shape = (features.shape[0], *features.shape[2:], features.shape[1])
    return bernoulli(shape, probability, rng).movedim(-1, 1)


def normal(image: Tensor, rng: Chance) -> Tensor:
    """Draw standard normal numbers of the shape of an image (N, C, [Z], Y, X)."""
    if isinstance(rng, RandomField):
        return rng.normal(image.shape)
    return torch.randn(image.shape, generator=rng, device=image.device)


def binomial(count: Tensor, probability: float, rng: Chance) -> Tensor:
    """Draw how many of `count` (N, C, [Z], Y, X) events of a probability happen."""
    if isinstance(rng, RandomField):
        return rng.binomial(count, probability)
    return torch.binomial(count, count.new_tensor(probability).expand(count.shape), rng)


def _mixed(word: int) -> int:
    word = (word + _AXES[0]) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


def _mixed_words(words: Tensor) -> Tensor:
    """Mix as `_mixed` does, in 64-bit integers that wrap around; shifts of signed ones drag the sign along, hence the masks."""
    words = words ^ ((words >> 30) & (2**34 - 1))
    words *= _signed(0xBF58476D1CE4E5B9)
    words ^= (words >> 27) & (2**37 - 1)
    words *= _signed(0x94D049BB133111EB)
    words ^= (words >> 31) & (2**33 - 1)
    return words


def _signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word
