"""What the entry point `wf.plugins` names: brings the kind `approval`, and the commands that
answer it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wf_approval.kind import Approval
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

if TYPE_CHECKING:
    import click


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `approval`."""
    return [Approval()]


@hookimpl
def wf_cli_commands(group: "click.Group") -> None:
    """Adds `wf approve` and `wf reject`."""
    from wf_approval.cli import approve_command, reject_command

    group.add_command(approve_command)
    group.add_command(reject_command)
