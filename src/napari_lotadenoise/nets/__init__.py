"""The few networks, 2-D or 3-D by argument.

Each knows how far it sees (`halo` pixels in the plane, `depth_halo` planes) and which image sides it accepts (`multiple`),
so that tiles can be cut for it without a seam.
"""

from napari_lotadenoise.nets.base import Network, Unchanged
from napari_lotadenoise.nets.chain import Chain
from napari_lotadenoise.nets.instant import InstantNet
from napari_lotadenoise.nets.lehtinen import ChannelAttention, LehtinenUNet
from napari_lotadenoise.nets.skip import SkipNet
from napari_lotadenoise.nets.unet import Hourglass, ResidualUNet, UNet

__all__ = [
    "Chain",
    "ChannelAttention",
    "Hourglass",
    "InstantNet",
    "LehtinenUNet",
    "Network",
    "ResidualUNet",
    "SkipNet",
    "UNet",
    "Unchanged",
]
