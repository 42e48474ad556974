"""Who may call a hook now (semantics E1, E2, E6). Pure.

`permits` hands permits out, `kind` keeps what one kind has and who waits for it, `slots` counts
what goes on at once.
"""

from wf_core.limits.kind import KindLimits
from wf_core.limits.permits import Limits
from wf_core.limits.slots import pool_size, reserve

__all__ = ["KindLimits", "Limits", "pool_size", "reserve"]
