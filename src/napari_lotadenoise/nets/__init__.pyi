from .base import (
    Network as Network,
    Unchanged as Unchanged,
)
from .chain import (
    Chain as Chain,
)
from .instant import (
    InstantNet as InstantNet,
)
from .lehtinen import (
    ChannelAttention as ChannelAttention,
    LehtinenUNet as LehtinenUNet,
)
from .skip import (
    SkipNet as SkipNet,
)
from .unet import (
    Hourglass as Hourglass,
    ResidualUNet as ResidualUNet,
    UNet as UNet,
)
