"""Model: the networks that were learnt, one for each group of channels, with all that applying them needs."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.contract.method import Method, Training
from napari_lotadenoise.errors import ImageError, MethodError
from napari_lotadenoise.image.arrays import array_of, is_masked, masked_like
from napari_lotadenoise.image.checks import check_unread
from napari_lotadenoise.image.derived import Blend
from napari_lotadenoise.image.isolation import measure_isolation
from napari_lotadenoise.image.stack import Isolation, Layout, Stack, Window, layout_for
from napari_lotadenoise.model.seen import Seen
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import cut
from napari_lotadenoise.prediction.windows import denoised
from napari_lotadenoise.pretrained import warm_start
from napari_lotadenoise.recipe import Recipe, fingerprint


@dataclass(frozen=True)
class Model:
    """What was learnt of an image, to be applied to it and to others.

    Filters and methods that learn nothing keep their calibration in it.

    Attributes
    ----------
    predictors : tuple of Predictor or None
        One a group of channels that share a network; None where all pixels had the same value, which are left as they are.
    training : Training
    recipe : Recipe
        How it was learnt.
    seen : tuple of Seen
        What each group of channels was like.
    """

    predictors: tuple[Predictor | None, ...]
    training: Training
    recipe: Recipe
    seen: tuple[Seen, ...] = ()

    @property
    def method(self) -> Method:
        """Return the method that it was learnt with."""
        return self._some_predictor.method

    @property
    def layout(self) -> Layout:
        """Return the axes of the image that it was learnt from."""
        return Layout(self.recipe.axes, self.recipe.channels, self.recipe.volume)

    @property
    def channels(self) -> int:
        """Return the channels that each network sees together."""
        return len(self._some_predictor.scale.offset)

    def layout_for(self, shape: tuple[int, ...], axes: str | None = None) -> Layout:
        """Return the layout of another image of this shape; its axes are taken for those that were learnt, if not told.

        Raises
        ------
        AxesError
            Where the axes do not fit the shape.
        """
        axes = axes or (self.recipe.axes if len(shape) == len(self.recipe.axes) else None)
        return layout_for(shape, axes, self.recipe.channels, self.recipe.volume)

    def stack(self, source: Any, axes: str | None = None, isolation: Isolation | None = None) -> Stack:
        """Return another image as blocks that the networks can be applied to.

        Nothing of it is read but what tells its outliers, and that only where their `isolation` is not given.

        Raises
        ------
        AxesError, ImageError, MethodError
            Where the image is nothing that this model can denoise.
        """
        fill = self.recipe.fill or is_masked(source)
        source = array_of(source)
        layout = self.layout_for(tuple(source.shape), axes)
        stack = check_unread(source, layout, self.method.info.dimensions, fill=fill)
        stack.sampled = True
        if (stack.groups, stack.channels) != (len(self.predictors), self.channels):
            raise ImageError(
                f"The model has learnt {_counted(len(self.predictors), self.channels)}, and this image has "
                f"{_counted(stack.groups, stack.channels)}; learn one for it."
            )
        stack.isolation = isolation or measure_isolation(stack)
        return stack

    def tiles(self, stack: Stack) -> list[Window]:
        """Return the windows of a sample that are predicted one by one, as in the run that learnt it."""
        return cut(stack, *warm_start.tiling_of(self.method, self.training))

    def predict(self, source: Any, axes: str | None = None, *, device: str = "auto") -> np.ndarray:
        """Denoise an image in memory.

        Parameters
        ----------
        source : array
            Only ever indexed; what it was learnt from, or an image with as many channels.
        axes : str, optional
            One letter an axis; default those that it was learnt with.
        device : str
            As for `denoise`.

        Returns
        -------
        ndarray of float32
            Of the shape of the source, in its intensities.

        Raises
        ------
        LotaDenoiseError
            Where the image is nothing that this model can denoise.
        """
        stack, model = self.stack(source, axes), self.on(device)
        out = np.empty(stack.array.shape, dtype=np.float32)
        with process_settings.applied(self.recipe.threads):
            for group, sample, window in model.parts(stack):
                stack.write(out, group, sample, window, model.window(stack, group, sample, window))
        return masked_like(out, source)

    def parts(self, stack: Stack) -> Iterator[tuple[int, int, Window]]:
        """Return group, sample and window of every tile of an image."""
        return itertools.product(range(stack.groups), range(stack.samples), self.tiles(stack))

    def window(self, stack: Stack, group: int, sample: int, window: Window) -> np.ndarray:
        """Denoise a window of `tiles` (C, [Z], Y, X), blended as the recipe says."""
        predictor, blend = self.predictors[group], self.recipe.blend
        if predictor is None:
            return stack.read(group, sample, window)
        clean = denoised(predictor, stack, group, sample, window)
        if self.recipe.outliers == "keep":
            clean = stack.with_outliers(clean, group, sample, window)
        return clean if blend == 1 else Blend(stack.read(group, sample, window), clean, blend)[...]

    def recipe_for(
        self, stack: Stack, verdict: str, residual: Mapping[str, float], *, notes: tuple[str, ...] = (), seconds: float
    ) -> Recipe:
        """Return the recipe of a result on an image that the model was applied to.

        Parameters
        ----------
        stack : Stack
            The image.
        verdict : str
            What the residual says, in one sentence.
        residual : mapping of str to float
            The same in numbers.
        notes : tuple of str
            Remarks beside those of the training.
        seconds : float
            Time that it took.
        """
        from napari_lotadenoise.model.file import digest

        learnt = str(self.recipe.image["sha256"])[:12]
        note = f"Applied the model {digest(self)[:12]}, learnt from the image {learnt} (beginnings of SHA-256)."
        return dataclasses.replace(
            self.recipe, axes=stack.layout.axes, image=fingerprint(stack.array), verdict=verdict, residual=residual,
            notes=(*self.recipe.notes, *notes, note), seconds=round(seconds, 3),
        )  # fmt: skip

    def on(self, device: str = "auto") -> Model:
        """Return the model on a device.

        Raises
        ------
        DeviceError
            Where there is no such device.
        """
        from napari_lotadenoise.model.file import moved

        chosen, _ = devices.choose(device)
        return self if self._some_predictor.device == chosen else moved(self, chosen)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Save to one file of safetensors, with the recipe in its metadata; nothing half-written is left.

        Raises
        ------
        FileError
            Where the file exists and must not be replaced, or cannot be written.
        """
        from napari_lotadenoise.model import file

        file.save(self, path, overwrite=overwrite)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """Load what `save` has written; nothing in the file is run.

        Raises
        ------
        FileError
            Where it is no such file, a damaged one, or one of a newer version.
        """
        from napari_lotadenoise.model import file

        return file.load(path)

    @property
    def _some_predictor(self) -> Predictor:
        return next(predictor for predictor in self.predictors if predictor is not None)


def refuse_unsavable(method: Method) -> None:
    """Refuse methods whose networks are the image.

    Raises
    ------
    MethodError
        Where what is learnt cannot be applied again.
    """
    if method.tiling.whole:
        raise MethodError(
            f"{method.info.title} learns one image in one piece, and its network knows no other; there is nothing to save."
        )


def made(
    predictors: dict[int, Predictor | None], training: Training, recipe: Recipe, seen: tuple[Seen, ...]
) -> Model | None:
    """Make a model of what a run has learnt, None where nothing can be applied again."""
    learnt = [predictor for predictor in predictors.values() if predictor is not None]
    if not learnt or learnt[0].method.tiling.whole:
        return None
    kept = tuple(one and one.without_training() for one in (predictors[group] for group in sorted(predictors)))
    return Model(kept, training, recipe, seen)


def _counted(groups: int, channels: int) -> str:
    together = f"{channels} channels together" if channels > 1 else "one channel at a time"
    return f"{groups} x {together}" if groups > 1 else together
