"""The recipe in the file of a model, read without torch."""

from __future__ import annotations

import json
import os
from pathlib import Path

from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.recipe import Recipe

#: Name that files are told by, and the format, raised when an older version could not read it any more.
NAME, FORMAT = "napari-lotadenoise model", 1
#: Largest description that is parsed, bytes.
LONGEST = 16 << 20


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Return how a model was learnt.

    Raises
    ------
    FileError
        Where the file is no model, a damaged one, or one of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    source = Path(path).expanduser()
    if not source.is_file():
        raise FileError(f"{source} is not a file.")
    try:
        with safe_open(source, framework="np") as file:
            text = checked(file.metadata() or {}, source)
        return Recipe.from_json(json.dumps(json.loads(text)["recipe"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, LotaDenoiseError):
            raise
        raise FileError(f"{source} is no model of napari-lotadenoise, or is damaged ({error}).") from None


def checked(metadata: dict[str, str], source: Path) -> str:
    """Return the description in the metadata of a file that this version can read.

    Raises
    ------
    FileError
        Where there is none.
    """
    if metadata.get("name") != NAME or not metadata.get("format", "").isdecimal():
        raise FileError(f"{source} holds weights, but is no model of napari-lotadenoise.")
    if int(metadata["format"]) > FORMAT:
        raise FileError(
            f"{source} has format {metadata['format']}, this version knows {FORMAT}; update napari-lotadenoise."
        )
    text = metadata.get("model", "")
    if not 0 < len(text) <= LONGEST:
        raise FileError(f"{source} is a damaged model; its description is missing or too long.")
    return text
