from . import raster as raster
from .calibration import (
    Calibration as Calibration,
)
from .ome_zarr import (
    LazyImage as LazyImage,
    ZarrStore as ZarrStore,
    check_axes as check_axes,
    is_zarr as is_zarr,
)
from .picture import (
    Picture as Picture,
    known_axes as known_axes,
)
from .sources import (
    open_source as open_source,
    recipe_of as recipe_of,
)
from .tiff import (
    SUFFIXES as SUFFIXES,
    check_writable as check_writable,
    read as read,
    read_recipe as read_recipe,
    recipe_path as recipe_path,
    stem as stem,
    whole as whole,
    write as write,
)
from .tiff_write import (
    check_format as check_format,
    is_ome as is_ome,
)
