from .apply import (
    apply as apply,
)
from .loop import (
    learn as learn,
    run as run,
)
