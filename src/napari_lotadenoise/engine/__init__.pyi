from .loop import (
    learn as learn,
    run as run,
)
