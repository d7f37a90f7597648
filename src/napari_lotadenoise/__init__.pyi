from .api import denoise as denoise, learn as learn
from .comparison import compare as compare
from .methods import METHODS as METHODS
from .model import Model as Model
from .noise import estimate_noise as estimate_noise
from .recipe import Recipe as Recipe
from .result import Result as Result

__version__: str
