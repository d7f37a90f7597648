"""Shipped weights: files, checks, and the networks that they belong to."""

from __future__ import annotations

import copy
import functools
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from napari_lotadenoise.contract.capabilities import Cost, Tiling
from napari_lotadenoise.errors import WeightsError

if TYPE_CHECKING:
    from napari_lotadenoise.nets import InstantNet

#: Name of the pass through the shipped network, for people.
TITLE = "Instant (pre-trained)"
#: How it is given its images, and what it costs; its only step is the measurement of the noise.
TILING, COST = (
    Tiling(smallest=512, largest=1024),
    Cost(step=0.0, predict=0.5, start=50.0, prepare=0.15, volume_predict=1.1, each_channel=True, nominal=0.6),
)
#: Planes of a volume that its network sees at a time.
PLANES = 5
#: Share of the noise that its neighbours tell from which the network for coloured noise is used alone. It costs 0.2 dB on white
#: noise, and the other one keeps all that is correlated.
COLOURED = 0.05


class Weights(NamedTuple):
    """A file of weights: its name, the planes that its network sees at a time, and the SHA-256 of its bytes."""

    file: str
    planes: int
    sha256: str

    @property
    def words(self) -> str:
        """Return the file name and the beginning of its hash, for the record."""
        return f"{self.file} (SHA-256 {self.sha256[:12]})"


#: By what they are for: images, volumes, and planes with noise that is correlated between pixels. Written by
#: `pretraining/export.py`; the model card is docs/instant.md.
SHIPPED = {
    "grey": Weights("instant-grey.safetensors", 1, "c4a3c37b4df21fbf8539bdfd3bfced1c34516412048d17f2ec194483a8c8bfd9"),
    "volume": Weights(
        "instant-volume.safetensors", PLANES, "5e85d7d043975439e4b8cc16d5b856f08d8cacbb0672bef860d0d4e28df6b87d"
    ),
    "coloured": Weights(
        "instant-coloured.safetensors", 1, "76d010fd934e3988cb39db9454317250ad14a332b85ba69446cc9f3ffb658cd3"
    ),
}


def kind_for(ndim: int) -> str:
    """Choose the shipped network for images of 2 or 3 dimensions."""
    return "volume" if ndim == 3 else "grey"


def words_for(ndim: int) -> str:
    """Name the weights for images of 2 or 3 dimensions, for the record."""
    return SHIPPED[kind_for(ndim)].words


def coloured_weight(predictable: float) -> float:
    """Return how much the network for coloured noise should count, 0 to 1, by the share of the noise that its neighbours tell."""
    return min(1.0, predictable / COLOURED)


def load(kind: str) -> InstantNet:
    """Make a network with the shipped weights; it belongs to the caller, and its weights are frozen.

    Raises
    ------
    WeightsError
        Where the file is missing or not the one that was shipped.
    """
    return copy.deepcopy(_network(SHIPPED[kind]))


@functools.lru_cache(maxsize=len(SHIPPED))
def _network(weights: Weights) -> InstantNet:
    import torch
    from safetensors.torch import load as parsed

    from napari_lotadenoise.nets import InstantNet

    tensors = {name: tensor.float() for name, tensor in parsed(_content(weights)).items()}
    with torch.device("meta"):  # no time is spent on random weights, nor any of the global chance
        net = InstantNet(weights.planes)
    net.load_state_dict(tensors, assign=True)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net.eval().requires_grad_(False)


def _content(weights: Weights) -> bytes:
    try:
        content = (resources.files("napari_lotadenoise") / "weights" / weights.file).read_bytes()
    except OSError as error:
        raise WeightsError(
            f"The weights {weights.file} cannot be read ({error}); install napari-lotadenoise again."
        ) from None
    if hashlib.sha256(content).hexdigest() != weights.sha256:
        raise WeightsError(
            f"The weights {weights.file} are not the ones that were shipped; install napari-lotadenoise again."
        )
    return content
