from .files import (
    ENDINGS as ENDINGS,
    FORMATS as FORMATS,
    found as found,
    targets_of as targets_of,
)
from .run import (
    BatchEvent as BatchEvent,
    BatchRequest as BatchRequest,
    FileEnded as FileEnded,
    FileProgress as FileProgress,
    FileStarted as FileStarted,
    run as run,
)
from .table import (
    TABLES as TABLES,
    Row as Row,
    Table as Table,
)
