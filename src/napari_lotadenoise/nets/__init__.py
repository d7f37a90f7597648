"""The few networks, 2-D or 3-D by argument.

Each knows how far it sees (`halo` pixels in the plane, `depth_halo` planes) and which image sides it accepts (`multiple`),
so that tiles can be cut for it without a seam.

Names are imported at first use, so that a method file can name them without importing torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
