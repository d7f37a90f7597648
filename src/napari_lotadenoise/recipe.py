"""The record of a run: what is needed to do it again, in a form that a file, a layer and a person can hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

from napari_lotadenoise.errors import FileError

#: Raised when a recipe of an older version could not be read any more.
FORMAT = 1
#: Why a run ended that was told to finish before its time.
FINISHED_EARLY = "finished early"


@dataclass(frozen=True)
class Recipe:
    """How a result was made.

    `method`, `parameters`, `training`, `axes`, `channels`, `volume`, `seed`, `fill`, `stabilise`,
    `blend` and `threads` make it again; the rest tells what happened: where it ran, on what, for how long and why it
    ended. A run that was finished early is repeated up to the step where it was.
    """

    method: str
    preset: str
    parameters: Mapping[str, Any]
    training: Mapping[str, Any]
    axes: str
    channels: str
    volume: bool
    seed: int
    fill: bool
    device: str
    threads: int
    precision: str
    image: Mapping[str, Any]
    steps_done: tuple[int, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    sigma: float | None = None
    notes: tuple[str, ...] = ()
    verdict: str = ""
    residual: Mapping[str, float] = field(default_factory=dict)
    stabilise: str = "off"
    blend: float = 1.0
    pretrained: bool = False
    weights: str = ""
    versions: Mapping[str, str] = field(default_factory=lambda: versions())
    format: int = FORMAT

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `denoise` that repeat the run."""
        return {
            "method": self.method,
            "preset": self.preset,
            "axes": self.axes,
            "channels": self.channels,
            "volume": self.volume,
            "seed": self.seed,
            "fill": self.fill,
            "stabilise": self.stabilise,
            "blend": self.blend,
            "threads": self.threads,
            **self.parameters,
            **self.training,
            **({"until": max(self.steps_done)} if self.reason == FINISHED_EARLY else {}),
        }

    def as_python(self) -> str:
        """Return the call that repeats the run."""
        words = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"from napari_lotadenoise import denoise\n\nresult = denoise(image, {words})\n"

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
        try:
            content = json.loads(text)
            if content["format"] > FORMAT:
                raise FileError(
                    f"The recipe has format {content['format']}, this version knows {FORMAT}; update napari-lotadenoise."
                )
            content["steps_done"], content["notes"] = tuple(content["steps_done"]), tuple(content["notes"])
            return cls(**content)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise FileError(f"This is no recipe of napari-lotadenoise ({error}).") from None


def fingerprint(array: Any) -> dict[str, Any]:
    """Describe an input so that it can be recognised: shape, data type and SHA-256 of its values, plane by plane."""
    digest = hashlib.sha256()
    planes = array if array.ndim > 2 else [array]
    for index in range(len(planes)):
        digest.update(np.ascontiguousarray(planes[index]).data)
    return {"shape": list(array.shape), "dtype": str(np.dtype(array.dtype)), "sha256": digest.hexdigest()}


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    names = ("napari-lotadenoise", "torch", "numpy", "scikit-image")
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
