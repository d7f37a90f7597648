from .executors import (
    Executor as Executor,
    chosen as chosen,
)
from .folder import (
    JobFolder as JobFolder,
)
from .plan import (
    Plan as Plan,
)
from .run import (
    Applied as Applied,
    Job as Job,
    Progress as Progress,
    apply as apply,
    open_model as open_model,
    part_of as part_of,
)
