"""Does a stack have a third dimension to learn from? Likeness of its neighbouring planes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from napari_lotadenoise.image.arrays import array_of
from napari_lotadenoise.image.isolation import measure_isolation
from napari_lotadenoise.image.stack import Layout, Stack

#: Fewest planes of a volume, pairs that are compared, the side of the part of each, and the blur that takes the noise away.
FEWEST, PAIRS, SIDE, BLUR = 3, 4, 512, 3.0
#: Correlation of blurred neighbours from which they show the same things.
ALIKE = 0.8


def neighbours_alike(image: Any, layout: Layout) -> bool:
    """Tell whether neighbouring planes along Z show the same things, so that a 3-D network gains by them.

    Parameters
    ----------
    image : array-like
    layout : Layout
        Its axes; false where Z is none of them, or is short.
    """
    depth = tuple(image.shape)[layout.axes.index("Z")] if "Z" in layout.axes else 1
    if depth < FEWEST:
        return False
    stack = Stack(array_of(image), Layout(layout.axes, layout.channels, volume=True), fill=True)
    stack.isolation = measure_isolation(stack)
    middles = [slice(max(0, (n - SIDE) // 2), max(0, (n - SIDE) // 2) + min(n, SIDE)) for n in stack.spatial[1:]]
    found = []
    for first in np.unique(np.linspace(0, depth - 2, PAIRS).astype(int)):
        pair = stack.read(0, stack.samples // 2, (slice(first, first + 2), *middles))[0]
        one, other = (ndimage.gaussian_filter(plane, BLUR).ravel() for plane in pair)
        if one.std() > 0 and other.std() > 0:
            found.append(np.corrcoef(one, other)[0, 1])
    return bool(found) and float(np.median(found)) > ALIKE
