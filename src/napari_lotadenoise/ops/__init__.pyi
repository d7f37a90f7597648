from . import blind_spots as blind_spots
from . import pair_samplers as pair_samplers
from . import patches as patches
from . import tile_shuffling as tile_shuffling
from .masking import (
    DualMask as DualMask,
)
from .masking import (
    Fill as Fill,
)
from .masking import (
    bernoulli as bernoulli,
)
from .masking import (
    box_mask as box_mask,
)
from .masking import (
    donut_mean as donut_mean,
)
from .masking import (
    dual_mask as dual_mask,
)
from .masking import (
    grid_labels as grid_labels,
)
from .masking import (
    hidden_error as hidden_error,
)
from .masking import (
    hide as hide,
)
from .masking import (
    j_invariant as j_invariant,
)
from .masking import (
    masked_error as masked_error,
)
from .masking import (
    normal_fill as normal_fill,
)
from .masking import (
    random_fill as random_fill,
)
from .masking import (
    random_labels as random_labels,
)
from .masking import (
    zeros as zeros,
)
from .tensor import (
    TURNS as TURNS,
)
from .tensor import (
    block_mean as block_mean,
)
from .tensor import (
    channels_last as channels_last,
)
from .tensor import (
    diagonal_pair as diagonal_pair,
)
from .tensor import (
    forward_difference as forward_difference,
)
from .tensor import (
    gradient_magnitude as gradient_magnitude,
)
from .tensor import (
    pad_to as pad_to,
)
from .tensor import (
    random_crops as random_crops,
)
from .tensor import (
    shuffle as shuffle,
)
from .tensor import (
    through_numpy as through_numpy,
)
from .tensor import (
    turned as turned,
)
from .tensor import (
    turned_back as turned_back,
)
from .tensor import (
    unshuffle as unshuffle,
)
from .tensor import (
    with_noise as with_noise,
)
