"""What the networks are shown: crops of photographs and of drawings, as grey images or as neighbouring planes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import patterns
import photographs
import torch
from torch import Tensor

#: Drawings: how many, and their side; volumes: how many, their planes and side.
SCENES, SIDE = 480, 256
VOLUMES, DEPTH, WIDTH = 160, 9, 128
#: Share of photographs among the crops of images.
PHOTOGRAPHS = 0.6
#: Shares of the crops of volumes that are photographs which move or stand still, as frames of a film do.
FILMS = 0.35
LUMA = np.array([0.299, 0.587, 0.114])

Source = Callable[[np.random.Generator, int], np.ndarray]


def source_for(kind: str, planes: int, folders: list[Path], seed: int, *, held_out: bool = False) -> Source:
    """Make a function (chance, side) -> (planes, side, side).

    Parameters
    ----------
    kind : "grey" or "volume"
    planes : int
        Planes of a volume that the network sees at a time.
    folders : list of Path
        Photographs beside those of scikit-image.
    seed : int
        Of the drawings.
    held_out : bool
        Draw from what training never sees.
    """
    photos = [_packed(image) for image in photographs.bundled(held_out=held_out)]
    photos += [_packed(image) for image in photographs.from_folders(folders, held_out=held_out)]
    weights = np.sqrt([len(image) * image.shape[1] for image in photos])
    weights /= weights.sum()

    def photograph(rng: np.random.Generator, side: int) -> np.ndarray:
        while min((photo := photos[rng.choice(len(photos), p=weights)]).shape[:2]) < side:
            pass  # not all are as large
        return _turned(_cut(photo, rng, side), rng) / np.float32(255)

    rng = np.random.default_rng([seed, 10**6 if held_out else 0])
    if kind == "volume":
        count = VOLUMES // 8 if held_out else VOLUMES
        volumes = [patterns.volume(rng, DEPTH, WIDTH).astype(np.float16) for _ in range(count)]
        return lambda chance, side: _planes(chance, side, planes, volumes, photograph)
    count = SCENES // 8 if held_out else SCENES
    scenes = [patterns.scene(rng, (SIDE, SIDE)).astype(np.float16) for _ in range(count)]
    return lambda chance, side: _grey(chance, side, scenes, photograph)


def draw(source: Source, rng: np.random.Generator, count: int, side: int) -> Tensor:
    """Make a batch (N, planes, side, side), from 0 to 1."""
    return torch.from_numpy(np.stack([np.ascontiguousarray(source(rng, side), np.float32) for _ in range(count)]))


def _grey(rng: np.random.Generator, side: int, scenes: list[np.ndarray], photograph: Source) -> np.ndarray:
    if rng.uniform() < PHOTOGRAPHS:
        mix = LUMA if rng.uniform() < 0.5 else rng.dirichlet((1, 1, 1))
        image = photograph(rng, side) @ mix.astype(np.float32)
        return (1 - image if rng.uniform() < 0.15 else image)[None]
    return _turned(_cut(scenes[rng.integers(len(scenes))], rng, side), rng).astype(np.float32)[None]


def _planes(
    rng: np.random.Generator, side: int, planes: int, volumes: list[np.ndarray], photograph: Source
) -> np.ndarray:
    if rng.uniform() < FILMS:
        move = rng.integers(-2, 3, 2) * rng.integers(0, 2)
        reach = planes // 2 * abs(move)
        image = photograph(rng, side + 2 * int(reach.max())) @ LUMA.astype(np.float32)
        starts = [int(reach.max()) + (n - planes // 2) * move for n in range(planes)]
        return np.stack([image[top : top + side, left : left + side] for top, left in starts])
    stack = volumes[rng.integers(len(volumes))]
    first = rng.integers(0, len(stack) - planes + 1)
    stack = np.moveaxis(stack[first : first + planes], 0, -1)
    return np.moveaxis(_turned(_cut(stack, rng, side), rng), -1, 0).astype(np.float32)


def _cut(image: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    top, left = (int(rng.integers(0, n - side + 1)) for n in image.shape[:2])
    return image[top : top + side, left : left + side]


def _turned(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    image = np.rot90(image, int(rng.integers(4)))
    return image[:, ::-1] if rng.uniform() < 0.5 else image


def _packed(image: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
