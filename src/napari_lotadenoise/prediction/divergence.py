"""Divergence of a denoiser: how much each pixel of the result follows its own pixel of the image, for Stein's estimate."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lotadenoise.image.stack import Isolation, Layout, Stack


class DivergenceProbe:
    """The image with a random sign added to each pixel (`stack`), and its prediction (`out`).

    The product of the sign and the change of the result, over the step, is on average the derivative of each pixel of the
    result by its own pixel of the image (Ramani, Blu & Unser, IEEE TIP 2008). The weights are those of the run: what they
    have memorised of the image does not show.

    Parameters
    ----------
    image : array-like
        Image that was denoised; it is copied once.
    layout : Layout
    step : float or array-like
        Intensities by which each pixel is moved, about: small against its noise, large against rounding, nowhere 0.
    fill, isolation
        As for `Stack`.
    seed : int
        Of the random signs.
    """

    def __init__(
        self,
        image: Any,
        layout: Layout,
        step: Any,
        *,
        fill: bool = False,
        isolation: Isolation | None = None,
        seed: int = 0,
    ) -> None:
        # Not the stream of a simulation of noise with the same seed.
        self._up = np.random.default_rng((seed, 2008)).random(tuple(image.shape)) < 0.5
        moved = np.asarray(image).astype(np.float32)
        self.out = np.empty_like(moved)
        # Powers of two that are not lost beside the brightest pixel: each is moved by one exactly, whatever its offset.
        coarsest = np.spacing(np.abs(moved[np.isfinite(moved)]).max())
        steps = np.maximum(np.exp2(np.round(np.log2(np.maximum(step, coarsest)))), coarsest)
        self._step = np.broadcast_to(steps.astype(np.float32), moved.shape)
        moved += np.where(self._up, self._step, -self._step)
        self.stack = Stack(moved, layout, fill=fill, isolation=isolation)

    def divergence(self, clean: np.ndarray) -> np.ndarray:
        """Return the derivative of each pixel of `clean` by its own pixel, as estimated by one draw of signs; float32."""
        change = (self.out - clean) / self._step
        return np.where(self._up, change, -change)
