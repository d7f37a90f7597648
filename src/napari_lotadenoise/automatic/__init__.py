"""Choice of method and settings by the noise of an image: what the method name "auto" stands for."""

from napari_lotadenoise.automatic.choice import AUTO, Choice, choose, choose_by
from napari_lotadenoise.automatic.depth import neighbours_alike

__all__ = ["AUTO", "Choice", "choose", "choose_by", "neighbours_alike"]
