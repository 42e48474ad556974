"""What the entry point `wf.plugins` names: brings the kind `http`."""

from collections.abc import Iterable

from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind
from wf_http.kind import Http


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `http`."""
    return [Http()]
