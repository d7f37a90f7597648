from . import raster as raster
from .tiff import (
    SUFFIXES as SUFFIXES,
    Picture as Picture,
    check_writable as check_writable,
    read as read,
    read_recipe as read_recipe,
    recipe_path as recipe_path,
    whole as whole,
    write as write,
)
