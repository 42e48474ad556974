"""What the entry point `wf.plugins` names: brings the kind `random`."""

from collections.abc import Iterable

from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind
from wf_random.kind import Random


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `random`."""
    return [Random()]
