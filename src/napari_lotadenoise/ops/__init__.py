"""Pure tensor functions that methods are made of. Axes are (N, C, [Z], Y, X).

Names are imported at first use, so that a method file can name them without importing torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
