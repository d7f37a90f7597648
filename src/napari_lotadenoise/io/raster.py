"""PNG, JPEG and BMP files, as which data sets are published: planes of grey or colour, without a pixel size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_lotadenoise.errors import FileError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
#: First bytes of a PNG file, the bit depth and the kind of colour (0 is grey) in its header.
_PNG, _DEPTH, _COLOUR = b"\x89PNG\r\n\x1a\n", 24, 25


def read(path: Path) -> tuple[np.ndarray, str]:
    """Read a file through scikit-image.

    Returns
    -------
    ndarray, str
        Grey values (Y, X) or colours (Y, X, S) in the data type of the file, and the axes. An alpha channel that is opaque
        everywhere is dropped; three colours that are equal everywhere are one image of grey values.

    Raises
    ------
    FileError
        Where the file is broken, holds several pictures, transparent pixels, the four inks of a printer, or 16-bit colours,
        which the reader would cut to 8 bits without a word.
    """
    from skimage.io import imread

    _check_png(path)
    try:
        data = np.asarray(imread(path))
    except Exception as error:  # the reader has many kinds for a broken file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(
            f"{path} cannot be read as {_format(path)}; it may be truncated or of another format ({reason})."
        ) from None
    if data.ndim == 2:
        return data, "YX"
    colours = data.shape[2]
    if colours == 4 and _format(path) == "JPEG":
        raise FileError(f"{path} holds the four inks of a printer (CMYK); save it with grey values or as RGB.")
    if colours in (2, 4):
        if (data[..., -1] != np.iinfo(data.dtype).max).any():
            raise FileError(f"{path} has transparent pixels; save it without an alpha channel.")
        data = data[..., 0] if colours == 2 else data[..., :3]
    if data.ndim == 3 and (data == data[..., :1]).all():  # as many collections of radiographs are saved
        data = data[..., 0]
    return data, "YX" if data.ndim == 2 else "YXS"


def _check_png(path: Path) -> None:
    """Refuse what is lost on the way from a PNG file to an array."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.startswith(_PNG) or len(head) <= _COLOUR:
        return
    if head[_DEPTH] == 16 and head[_COLOUR] != 0:
        raise FileError(f"{path} holds 16-bit colours, which cannot be read in full; save it as TIFF.")
    if b"acTL" in head.partition(b"IDAT")[0]:
        raise FileError(f"{path} is animated; save its frames as a TIFF stack.")


def _format(path: Path) -> str:
    return "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else path.suffix[1:].upper()
