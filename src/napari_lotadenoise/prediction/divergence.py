"""How much each pixel of a result follows the noise of its own pixel: what Stein's estimate of the error has to know."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lotadenoise.image.stack import Layout, Stack


class Probe:
    """The image with each pixel moved up or down by the toss of a coin (`stack`), and what a denoiser makes of it (`out`).

    The product of the coin and the change of the result, over the step, is on average the derivative of each pixel of the
    result by its own pixel of the image (Ramani, Blu & Unser, IEEE TIP 2008). The weights are those of the run: what they
    have memorised of the image does not show.

    Parameters
    ----------
    image : array-like
        What was denoised; it is copied once.
    layout : Layout
    step : float or array-like
        Intensities by which each pixel is moved, about: small against its noise, large against rounding, nowhere 0.
    fill : bool
        As for `Stack`.
    seed : int
        Of the coin.
    """

    def __init__(self, image: Any, layout: Layout, step: Any, *, fill: bool = False, seed: int = 0) -> None:
        # Not the stream that whoever simulates noise with the same seed draws it from.
        self._up = np.random.default_rng((seed, 2008)).random(tuple(image.shape)) < 0.5
        moved = np.asarray(image).astype(np.float32)
        self.out = np.empty_like(moved)
        # Powers of two that are not lost beside the brightest pixel: each is moved by one exactly, whatever its offset.
        coarsest = np.spacing(np.abs(moved[np.isfinite(moved)]).max())
        steps = np.maximum(np.exp2(np.round(np.log2(np.maximum(step, coarsest)))), coarsest)
        self._step = np.broadcast_to(steps.astype(np.float32), moved.shape)
        moved += np.where(self._up, self._step, -self._step)
        self.stack = Stack(moved, layout, fill=fill)

    def response(self, clean: np.ndarray) -> np.ndarray:
        """Derivative of each pixel of `clean` by its own pixel, as far as one coin tells; float32."""
        change = (self.out - clean) / self._step
        return np.where(self._up, change, -change)
