"""What an image must be like to be denoised, said before anything is done."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_lotadenoise.errors import ImageError, MethodError, NotFiniteError
from napari_lotadenoise.image.isolation import measure_isolation
from napari_lotadenoise.image.sampling import sampled_windows
from napari_lotadenoise.image.stack import AXIS_NAMES, NOT_FINITE, Layout, Stack

#: Smallest side that a pair of pixels can be learnt on.
SMALLEST_SIDE = 4
#: Voxels of an array that is not in memory that are looked at, and samples that they are taken from.
SAMPLED, SAMPLES = 1 << 24, 32


def check(array: Any, layout: Layout, dimensions: tuple[int, ...] = (2, 3), *, fill: bool = False) -> Stack:
    """Make a `Stack` of an array that can be denoised.

    It repairs outliers where it is read. An array in memory is read once. Of one that is not, a sample is read: NaN and inf
    elsewhere are met where they are read.

    Raises
    ------
    ImageError
        With one sentence that says what is wrong: empty, complex, boolean, too small, constant, NaN or inf.
    MethodError
        Where the method does not work in as many dimensions.
    """
    stack = check_unread(array, layout, dimensions, fill=fill)
    _check_values(stack, is_float=np.dtype(array.dtype).kind == "f")
    stack.isolation = measure_isolation(stack)
    return stack


def check_unread(array: Any, layout: Layout, dimensions: tuple[int, ...] = (2, 3), *, fill: bool = False) -> Stack:
    """Check what can be told without reading a value; otherwise as `check`."""
    kind = np.dtype(array.dtype).kind
    if math.prod(array.shape) == 0:
        raise ImageError(f"The image is empty (shape {tuple(array.shape)}).")
    if kind == "c":
        raise ImageError("The image is complex; denoise its magnitude, or its real and imaginary parts one by one.")
    if kind == "b":
        raise ImageError("The image is boolean, a mask without noise; convert it to numbers if it really is an image.")
    if kind not in "uif":
        raise ImageError(f"The image has the data type {array.dtype}; it must hold real numbers.")
    stack = Stack(array, layout, fill=fill)
    if min(stack.spatial[-2:]) < SMALLEST_SIDE:
        raise ImageError(
            f"The image is {stack.spatial[-2]} x {stack.spatial[-1]} pixels; "
            f"at least {SMALLEST_SIDE} x {SMALLEST_SIDE} are needed to learn from."
        )
    if stack.ndim not in dimensions:
        raise MethodError(
            f"This method works in {' and '.join(map(str, dimensions))} dimensions, not in {stack.ndim}; "
            "let it go slice by slice."
        )
    return stack


def check_samples(stack: Stack, *, repeats: bool = False, single: bool = False) -> None:
    """Check that a stack holds what a method asks for: several frames of one scene, or one image alone.

    Raises
    ------
    ImageError
        Where it does not.
    """
    sampled = stack.layout.sampled
    if repeats and ("T" not in sampled or stack.array.shape[stack.layout.axes.index("T")] < 2):
        raise ImageError(
            "This method learns each frame from the next one: it needs a time axis (T) with two or more frames of one scene."
        )
    if repeats and sampled != "T":
        others = " and ".join(AXIS_NAMES[axis] for axis in sampled if axis != "T")
        raise ImageError(
            f"This method learns each frame from the next one, and {others} beside time make it unclear which that is; "
            f"denoise {others} one by one{', or Z as a volume' if 'Z' in sampled else ''}."
        )
    if single and stack.samples > 1:
        what = " x ".join(AXIS_NAMES[axis] for axis in sampled)
        raise ImageError(
            f"This method learns one image at a time, and there are {stack.samples} ({what}); denoise them one by one."
        )


def check_place(block: np.ndarray) -> None:
    """Check the part of an image that is looked at.

    Raises
    ------
    NotFiniteError
        Where it holds NaN or inf.
    """
    if not np.isfinite(block).all():
        raise NotFiniteError(NOT_FINITE.format("NaN or inf in this place"))


def _looked_at(stack: Stack) -> Iterator[tuple[int | slice, ...]]:
    """Return where an array is looked at: everywhere if it is in memory, or small, else in a few windows."""
    size = math.prod(stack.array.shape)
    in_memory = isinstance(stack.array, np.ndarray) and not isinstance(stack.array, np.memmap)
    stack.sampled = not in_memory and size > SAMPLED
    for group in range(stack.groups):
        if not stack.sampled:
            yield from (stack.index(group, sample) for sample in range(stack.samples))
            continue
        for sample, window in sampled_windows(stack, SAMPLES, SAMPLED // stack.groups):
            yield stack.index(group, sample, window)


def _check_values(stack: Stack, *, is_float: bool) -> None:
    low, high, bad = math.inf, -math.inf, [0, 0]
    for index in _looked_at(stack):
        block = np.asarray(stack.array[index])
        if is_float:
            bad[0] += int(np.isnan(block).sum())
            bad[1] += int(np.isinf(block).sum())
            block = block[np.isfinite(block)] if any(bad) else block
        if block.size:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    if any(bad):
        stack.filled = sum(bad)
        if not stack.fill:
            named = " and ".join(f"{count} {name}" for count, name in zip(bad, ("NaN", "inf"), strict=True) if count)
            raise NotFiniteError(NOT_FINITE.format(named))
    if low > high:
        raise ImageError("The image holds not one finite value.")
    if max(-low, high) > float(np.finfo(np.float32).max) / 1e6:
        raise ImageError(
            f"The image reaches {max(-low, high):.3g}, too much for the float32 of the result; divide it first."
        )
    if np.spacing(np.float32(max(-low, high))) > (high - low) / 1000 > 0:
        raise ImageError(
            f"The contrast of the image ({low:g} to {high:g}) is lost in the float32 of the result; subtract an offset first."
        )
    if low == high:
        raise ImageError(f"The image is constant (every pixel is {low:g}); there is nothing to denoise.")
