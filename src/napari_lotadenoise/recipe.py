"""Recipes: what is needed to repeat a run, for files, layers and people."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

from napari_lotadenoise import citation
from napari_lotadenoise.contract.params import check, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.errors import FileError, LotaDenoiseError

#: Raised when a recipe of an older version could not be read any more.
FORMAT = 1
#: Planes by which an array that is not in memory is recognised.
RECOGNISED = 8
#: Letters of a recipe at most: it lists up to a thousand pixels, and no more than that.
LONGEST = 1 << 20


class EndReason(enum.Enum):
    """Reason why the training of a run ended; the value is the text for people."""

    ALL_STEPS = "all steps done"
    FINISHED_EARLY = "finished early"
    NO_BETTER_SCORE = "the held-out score got no better"
    METHOD_RULE = "ended by a rule of the method"


@dataclass(frozen=True)
class Recipe(RunOptions):
    """Settings that made a result, and what happened.

    `method`, `preset`, `parameters`, `training` and the run options that it inherits make it again, resolved to what was
    used: `axes`, `stabilise` and `threads` are never left open, and `device` is a sentence. The rest tells what happened:
    on what, for how long and why it ended. A run that was finished early is repeated up to the step where it was.
    """

    _: KW_ONLY
    method: str
    parameters: Mapping[str, Any]
    training: Mapping[str, Any]
    precision: str
    image: Mapping[str, Any]
    preset: str = "fast"
    axes: str = field(kw_only=True)
    threads: int = 1
    stabilise: str = "off"
    steps_done: tuple[int, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    sigma: float | None = None
    notes: tuple[str, ...] = ()
    verdict: str = ""
    residual: Mapping[str, float] = field(default_factory=dict)
    repaired: tuple[tuple[int, ...], ...] = ()
    citation: Mapping[str, str] = field(default_factory=dict)
    pretrained: bool = False
    weights: str = ""
    versions: Mapping[str, str] = field(default_factory=lambda: versions())
    format: int = FORMAT

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in parameters(RunOptions):  # those that are required here are none of its declared fields
            check(option, getattr(self, option.name))

    @property
    def finished_early(self) -> bool:
        """Tell whether the user, or a time limit, ended the training before its time."""
        return self.reason == EndReason.FINISHED_EARLY.value

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `denoise` that repeat the run; the device is left to choose."""
        options = {
            option.name: getattr(self, option.name) for option in parameters(RunOptions) if option.name != "device"
        }
        return {
            "method": self.method,
            "preset": self.preset,
            **options,
            **self.parameters,
            **self.training,
            **({"until": max(self.steps_done)} if self.finished_early else {}),
        }

    def as_python(self) -> str:
        """Return the call that repeats the run."""
        words = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"from napari_lotadenoise import denoise\n\nresult = denoise(image, {words})\n"

    def methods_text(self) -> str:
        """Describe the run in two sentences for a paper, with citation keys."""
        return citation.methods_text(self)

    def bibtex(self) -> str:
        """Return what to cite, as BibTeX."""
        return citation.bibtex(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, texts and numbers."""
        return json.loads(self.to_json())

    def to_json(self) -> str:
        """Return the recipe as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read a recipe.

        Raises
        ------
        FileError
            Where the text is no recipe, or one of a newer format.
        """
        if len(text) > LONGEST:
            raise FileError(f"This is no recipe of napari-lotadenoise (it has {len(text)} letters).")
        try:
            content = json.loads(text)
            if content["format"] > FORMAT:
                raise FileError(
                    f"The recipe has format {content['format']}, this version knows {FORMAT}; update napari-lotadenoise."
                )
            content["steps_done"], content["notes"] = tuple(content["steps_done"]), tuple(content["notes"])
            content["repaired"] = tuple(tuple(place) for place in content.get("repaired", ()))
            return cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LotaDenoiseError) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"This is no recipe of napari-lotadenoise ({error}).") from None


def fingerprint(array: Any) -> dict[str, Any]:
    """Describe an input so that it can be recognised: shape, data type and SHA-256 of its values, plane by plane.

    Of arrays that are not in memory only a few planes are read; their number is then told as ``planes``.
    """
    shape = tuple(array.shape)
    count = math.prod(shape[:-2])
    looked: Sequence[int] = range(count)
    if not isinstance(array, np.ndarray) and count > RECOGNISED:
        looked = sorted({round(n * (count - 1) / (RECOGNISED - 1)) for n in range(RECOGNISED)})
    digest = hashlib.sha256()
    for number in looked:
        plane = array[tuple(map(int, np.unravel_index(number, shape[:-2])))] if shape[:-2] else array[...]
        digest.update(np.ascontiguousarray(plane).data)
    described = {"shape": list(shape), "dtype": str(np.dtype(array.dtype)), "sha256": digest.hexdigest()}
    return described if len(looked) == count else {**described, "planes": len(looked)}


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    names = ("napari-lotadenoise", "torch", "numpy", "scikit-image")
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
