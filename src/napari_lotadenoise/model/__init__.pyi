from .file import (
    check_free as check_free,
    digest as digest,
    packed as packed,
)
from .header import (
    read_recipe as read_recipe,
)
from .model import (
    Model as Model,
)
from .seen import (
    differences as differences,
    look_at as look_at,
)
