"""Whatever a user calls an image, as something with ``shape``, ``dtype`` and numpy-like indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lotadenoise.errors import ImageError
from napari_lotadenoise.image.cached import cached


def array_of(image: Any) -> Any:
    """Return an image as an array, itself where it is one already, however lazy.

    Tensors of torch come to the processor, lists become arrays. Masked pixels become NaN (see `is_masked`). Chunks
    of dask are computed once.

    Raises
    ------
    ImageError
        Where it is nothing like an array, or a lazy one whose shape nobody knows yet.
    """
    if isinstance(image, np.ma.MaskedArray):
        kind = image.dtype if image.dtype.kind == "f" else np.float32
        return np.ma.filled(image.astype(kind), np.nan) if is_masked(image) else image.data
    if type(image).__module__.partition(".")[0] == "torch":
        image = image.detach().cpu()
        return (image.float() if str(image.dtype) == "torch.bfloat16" else image).numpy()
    if not (hasattr(image, "dtype") and hasattr(image, "shape")):
        try:
            return np.asarray(image)
        except ValueError:
            raise ImageError("The image is no array: its rows have different lengths.") from None
    if not all(float(size).is_integer() for size in image.shape):
        raise ImageError(
            f"The image is a lazy array of an unknown shape {tuple(image.shape)}; "
            "call its compute_chunk_sizes(), or give it a shape, before it is denoised."
        )
    return cached(image) if type(image).__module__.partition(".")[0] == "dask" else image


def is_masked(image: Any) -> bool:
    """Tell whether an image is a masked array of numpy with masked pixels, which are filled and never learnt from."""
    return isinstance(image, np.ma.MaskedArray) and bool(np.ma.getmaskarray(image).any())


def masked_like(result: np.ndarray, image: Any) -> np.ndarray:
    """Return a result with the mask of the image, where it has one."""
    return np.ma.masked_array(result, np.ma.getmaskarray(image)) if is_masked(image) else result
