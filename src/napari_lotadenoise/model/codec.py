"""What was learnt as plain numbers, texts and tensors, and back; nothing of it is code."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_lotadenoise.errors import FileError
from napari_lotadenoise.nets import InstantNet, Network, shipped
from napari_lotadenoise.pretrained.warm_start import WarmNet

#: Classes whose instances may be part of a model, and the modules that they are in. Only their attributes are stored.
CLASSES = {
    "Scale": "napari_lotadenoise.normalisation.affine",
    "Stabiliser": "napari_lotadenoise.normalisation.variance_stabilisation",
    "NoiseNormaliser": "napari_lotadenoise.normalisation.noise_normalisation",
    "VarianceFit": "napari_lotadenoise.noise",
    "OnePass": "napari_lotadenoise.pretrained.one_pass",
    "ShippedDenoiser": "napari_lotadenoise.pretrained.denoiser",
    "NoiseLaw": "napari_lotadenoise.methods._recorruption",
}
_PLAIN = (bool, int, float, str, type(None))


def encode(value: Any, tensors: dict[str, Tensor], name: str) -> Any:
    """Turn a value into what JSON can hold, with its tensors put aside.

    Parameters
    ----------
    value : object
        Numbers, texts, arrays, tensors, networks, instances of `CLASSES`, and containers of these.
    tensors : dict of str to tensor
        Gets the tensors of the value, on the CPU, under names that begin with `name`.
    name : str

    Raises
    ------
    TypeError
        Where a value is none of these.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Network):
        return _encoded_network(value, tensors, name)
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, np.ndarray | np.generic):
        tensors[name] = torch.from_numpy(np.array(value))
        return {"number" if isinstance(value, np.generic) else "array": name}
    if isinstance(value, list | tuple):
        parts = [encode(part, tensors, f"{name}.{index}") for index, part in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": parts}
    kind = type(value).__name__
    if kind not in CLASSES and not isinstance(value, SimpleNamespace):
        raise TypeError(f"A model cannot hold {kind!r}.")
    return {"object": kind, "attributes": _encoded_attributes(vars(value), tensors, name)}


def _encoded_attributes(attributes: Mapping[str, Any], tensors: dict[str, Tensor], name: str) -> dict[str, Any]:
    return {key: encode(value, tensors, f"{name}.{key}") for key, value in attributes.items()}


def _encoded_network(net: Network, tensors: dict[str, Tensor], name: str) -> dict[str, Any]:
    weights = net.state_dict()
    tensors |= {f"{name}.{key}": value.detach().cpu().contiguous().clone() for key, value in weights.items()}
    content: dict[str, Any] = {"network": name, "weights": list(weights)}
    if isinstance(net, WarmNet):
        return {**content, "kind": "warm", "through": encode(net.through, tensors, f"{name}.through")}
    if isinstance(net, InstantNet):
        return {**content, "kind": "shipped", "planes": net.planes}
    return {**content, "kind": "own"}


class Decoder:
    """Makes values of what `encode` made of them.

    Parameters
    ----------
    tensors : mapping of str to tensor
    device : torch.device
        Where tensors and networks go.
    ndim : int
        Dimensions of the images, 2 or 3.
    own_network : callable
        Makes a network of the method, with any weights.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], device: torch.device, ndim: int, own_network: Callable[[], Network]
    ) -> None:
        self._tensors, self._device, self._ndim, self._own = tensors, device, ndim, own_network

    def decode(self, content: Any) -> Any:
        """Return the value.

        Raises
        ------
        FileError
            Where something is missing, or is nothing that a model can hold.
        """
        if isinstance(content, _PLAIN):
            return content
        if "network" in content:
            return self._network(content)
        if "object" in content:
            return self._object(content["object"], content["attributes"])
        if len(content) == 1:
            kind, inner = next(iter(content.items()))
            if kind in ("list", "tuple"):
                parts = [self.decode(part) for part in inner]
                return parts if kind == "list" else tuple(parts)
            if kind == "tensor":
                return self._tensor(inner).to(self._device)
            if kind in ("array", "number"):
                array = self._tensor(inner).numpy()
                return array if kind == "array" else array[()]
        raise FileError(f"The model holds something unknown ({', '.join(map(str, content))}); it is damaged or newer.")

    def _tensor(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise FileError(f"The model lacks the numbers {name!r}; it is damaged.")
        return self._tensors[name]

    def _object(self, kind: str, attributes: Mapping[str, Any]) -> Any:
        values = {name: self.decode(value) for name, value in attributes.items()}
        if kind == "SimpleNamespace":
            return SimpleNamespace(**values)
        if kind not in CLASSES:
            raise FileError(f"The model holds a {kind!r}, which this version does not know; update napari-lotadenoise.")
        cls = getattr(importlib.import_module(CLASSES[kind]), kind)
        made = object.__new__(cls)
        for name, value in values.items():
            object.__setattr__(made, name, value)  # some are frozen
        return made

    def _network(self, content: Mapping[str, Any]) -> Network:
        name, kind = content["network"], content["kind"]
        if kind == "warm":
            net: Network = WarmNet.fitted(self._ndim, self.decode(content["through"]))
        elif kind == "shipped":
            net = shipped.load("volume" if content["planes"] > 1 else "grey")
        else:
            net = self._own()
        try:
            net.load_state_dict({key: self._tensor(f"{name}.{key}") for key in content["weights"]})
        except RuntimeError:
            raise FileError("The weights of the model do not fit its method; it is damaged or newer.") from None
        net = net.to(self._device)
        # As in training, on which the last bits of a result depend; volumes may be seen by a network for planes.
        if any(weights.dim() == self._ndim + 2 for weights in net.parameters()):
            layout = torch.channels_last if self._ndim == 2 else torch.channels_last_3d
            net.to(memory_format=layout)  # type: ignore[call-overload]
        return net.eval().requires_grad_(False)
