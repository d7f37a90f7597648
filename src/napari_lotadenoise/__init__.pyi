from .api import denoise as denoise
from .comparison import compare as compare
from .methods import METHODS as METHODS
from .noise import estimate_noise as estimate_noise
from .recipe import Recipe as Recipe
from .result import Result as Result

__version__: str
