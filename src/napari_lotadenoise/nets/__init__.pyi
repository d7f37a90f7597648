from .base import (
    Network as Network,
)
from .base import (
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
)
from .lehtinen import (
    LehtinenUNet as LehtinenUNet,
)
from .skip import (
    SkipNet as SkipNet,
)
from .unet import (
    Hourglass as Hourglass,
)
from .unet import (
    ResidualUNet as ResidualUNet,
)
from .unet import (
    UNet as UNet,
)
