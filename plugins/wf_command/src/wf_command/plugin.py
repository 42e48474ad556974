"""What the entry point `wf.plugins` names: brings the kind `command`."""

from collections.abc import Iterable

from wf_command.kind import Command
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `command`."""
    return [Command()]
