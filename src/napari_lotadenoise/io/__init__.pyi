from . import raster as raster
from .tiff import (
    SUFFIXES as SUFFIXES,
)
from .tiff import (
    Picture as Picture,
)
from .tiff import (
    check_writable as check_writable,
)
from .tiff import (
    read as read,
)
from .tiff import (
    read_recipe as read_recipe,
)
from .tiff import (
    recipe_path as recipe_path,
)
from .tiff import (
    whole as whole,
)
from .tiff import (
    write as write,
)
