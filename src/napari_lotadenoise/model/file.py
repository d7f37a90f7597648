"""Models as files: safetensors with the recipe in the metadata. Nothing in them is code, so that they can be shared."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_lotadenoise.contract.method import Method, Training, configure
from napari_lotadenoise.errors import FileError, LotaDenoiseError, MethodError, ParameterError
from napari_lotadenoise.io.tiff import whole
from napari_lotadenoise.methods import find
from napari_lotadenoise.model.codec import Decoder, encode
from napari_lotadenoise.model.header import FORMAT, NAME, checked
from napari_lotadenoise.model.model import Model
from napari_lotadenoise.model.seen import Seen
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.recipe import Recipe


def save(model: Model, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a model to a file, whole or not at all."""
    target = Path(path).expanduser()
    check_free(target, overwrite=overwrite)
    with whole(target) as part:
        part.write_bytes(packed(model))


def packed(model: Model) -> bytes:
    """Return what a file of a model holds."""
    from safetensors.torch import save as as_bytes

    description, tensors = described(model)
    metadata = {"name": NAME, "format": str(FORMAT), "model": json.dumps(description)}
    return as_bytes(tensors, metadata=metadata)


def digest(model: Model) -> str:
    """Return the SHA-256 of what the pixels depend on: the same for a model that is learnt again with the same bits."""
    description, tensors = described(model)
    del description["recipe"]["seconds"]
    found = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name in sorted(tensors):
        found.update(name.encode())
        flat = tensors[name].flatten().clone(memory_format=torch.contiguous_format)
        found.update(flat.view(torch.uint8).numpy().data)
    return found.hexdigest()


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Make sure, before any work is done, that a model can be written and will not replace another file unasked.

    Raises
    ------
    FileError
        Where it cannot or would.
    """
    if path.exists() and not overwrite:
        raise FileError(f"{path} is already there; choose another name or allow it to be overwritten.")
    if not path.parent.is_dir():
        raise FileError(f"The folder {path.parent} does not exist; make it first.")


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model, on the CPU."""
    from safetensors import SafetensorError, safe_open

    source = Path(path).expanduser()
    if not source.is_file():
        raise FileError(f"{source} is not a file.")
    try:
        with safe_open(source, framework="pt") as file:
            metadata = file.metadata() or {}
            text = checked(metadata, source)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise FileError(f"{source} is no model of napari-lotadenoise, or is damaged ({error}).") from None
    try:
        return restored(json.loads(text), tensors, torch.device("cpu"))
    except (MethodError, ParameterError) as error:
        raise FileError(f"{source} needs what this version lacks: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        if isinstance(error, LotaDenoiseError):
            raise
        raise FileError(f"{source} is a damaged model ({type(error).__name__}: {error}).") from None


def moved(model: Model, device: torch.device) -> Model:
    """Return a model on another device."""
    return restored(*described(model), device)


def described(model: Model) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return all of a model but its tensors, for JSON, and its tensors by name."""
    tensors: dict[str, Tensor] = {}
    groups = [
        None if one is None else _described_group(one, tensors, f"group{n}") for n, one in enumerate(model.predictors)
    ]
    description = {
        "recipe": model.recipe.to_dict(),
        "groups": groups,
        "seen": [dataclasses.asdict(seen) for seen in model.seen],
    }
    return description, tensors


def restored(description: dict[str, Any], tensors: dict[str, Tensor], device: torch.device) -> Model:
    """Make a model of its description and its tensors."""
    recipe = Recipe.from_json(json.dumps(description["recipe"]))
    settings = {**recipe.parameters, **recipe.training}
    method, training = configure(find(recipe.method), recipe.preset, volume=recipe.volume, **settings)
    predictors = tuple(
        None if group is None else _restored_group(group, tensors, method, training, recipe, device)
        for group in description["groups"]
    )
    if not any(predictors):
        raise FileError("The model holds nothing that was learnt; it is damaged.")
    return Model(predictors, training, recipe, tuple(Seen(**seen) for seen in description["seen"]))


def _described_group(predictor: Predictor, tensors: dict[str, Tensor], name: str) -> dict[str, Any]:
    return {
        "net": encode(predictor.net, tensors, f"{name}.net"),
        "state": encode(predictor.state, tensors, f"{name}.state"),
        "scale": encode(predictor.scale, tensors, f"{name}.scale"),
        "bfloat16": predictor.bfloat16,
    }


def _restored_group(
    content: dict[str, Any],
    tensors: dict[str, Tensor],
    method: Method,
    training: Training,
    recipe: Recipe,
    device: torch.device,
) -> Predictor:
    ndim = 3 if recipe.volume else 2
    probe = Decoder(tensors, device, ndim, lambda: method.network(1, ndim))
    scale = probe.decode(content["scale"])
    decoder = Decoder(tensors, device, ndim, lambda: method.network(len(scale.offset), ndim))
    return Predictor(
        decoder.decode(content["net"]), method, decoder.decode(content["state"]), scale, device, recipe.seed,
        training.spacing, content["bfloat16"], training.ensemble,
    )  # fmt: skip
