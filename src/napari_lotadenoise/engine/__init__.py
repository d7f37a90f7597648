"""Run one method on one image: the loop, its clock and its previews.

Importing this room imports no torch; `run` does, at first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
