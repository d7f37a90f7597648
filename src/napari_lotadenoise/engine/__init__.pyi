from .loop import (
    run as run,
)
