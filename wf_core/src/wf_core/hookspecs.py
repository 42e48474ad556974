"""What plugins may implement, found through the entry-point group `wf.plugins`.

Each docstring says when a hook is called, with what, what it returns, and who stops the chain.
Hooks are `def`: pluggy's wrappers can't see through a coroutine, so an `async def` is refused.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.phases import Phase
from wf_core.model.state import LogLine
from wf_core.ports import Event, LogQuery

if TYPE_CHECKING:
    import click

    from wf_core.ports import Store

GROUP = "wf.plugins"
hookspec = pluggy.HookspecMarker("wf")
hookimpl = pluggy.HookimplMarker("wf")


@hookspec
def wf_step_kinds() -> Iterable[StepKind]:  # type: ignore[empty-body]
    """The kinds this plugin brings. Called once at start; all results are used."""


@hookspec(firstresult=True)
def wf_step_run(call: StepCall) -> Answer:
    """Run a step. First result wins; the engine's own implementation dispatches to the kind.

    Wrappers are the way to cut across all kinds: tracing, auditing, secrets, chaos.
    """


@hookspec(firstresult=True)
def wf_step_rollback(call: StepCall) -> Answer:
    """Undo a step; otherwise as `wf_step_run`."""


@hookspec(firstresult=True)
def wf_step_sync(call: StepCall) -> Answer:
    """Look at a step; otherwise as `wf_step_run`. `call.purpose` says what at."""


@hookspec(firstresult=True)
def wf_trace_context(uid: str, annotations: Mapping[str, str]) -> Mapping[str, str] | None:
    """The W3C trace context (`traceparent`, perhaps `tracestate`) that goes on with a request.

    Asked in the thread of a hook, where it is that of the call under way, and on the engine's own
    loop for a callback, where it is that of the workflow `uid`: it must not block. First result
    wins; None is no trace. `annotations` are the workflow's.
    """


@hookspec
def wf_workflow_started(event: Event) -> None:
    """A workflow is Running. Observers run after the save; one that raises is logged by name."""


@hookspec
def wf_workflow_succeeded(event: Event) -> None:
    """A workflow is in Success."""


@hookspec
def wf_workflow_rolling_back(event: Event) -> None:
    """A workflow is RollingBack."""


@hookspec
def wf_workflow_rolled_back(event: Event) -> None:
    """A workflow is RollBacked."""


@hookspec
def wf_workflow_failed(event: Event) -> None:
    """A workflow is Failed: an undo failed, or it could never start."""


@hookspec
def wf_step_started(event: Event) -> None:
    """A step's first intent is saved."""


@hookspec
def wf_step_succeeded(event: Event) -> None:
    """A step is in Success."""


@hookspec
def wf_step_failed(event: Event) -> None:
    """A step's run failed for good; its phase stays Running until it is undone."""


@hookspec
def wf_step_rolled_back(event: Event) -> None:
    """A step is RollBacked."""


@hookspec
def wf_step_rollback_failed(event: Event) -> None:
    """A step is Failed: it could not be undone."""


@hookspec(firstresult=True)
def wf_open_store(url: str, create: bool) -> "Store | None":
    """Open the store of `url` (scheme:rest). First result wins; return None for another scheme.

    `create`: whether it may be made where there is none. Whoever only reads says no: raise
    `StoreMissing` then. A store that is made elsewhere may leave `create` out.
    """


@hookspec(firstresult=True)
def wf_step_logs(query: LogQuery) -> Iterable[LogLine] | None:
    """Output that an attempt left elsewhere than in the store, such as a pod's, oldest first.

    Called by `wf logs`, in a thread of its own, in which the lines are also taken: it may block.
    Return None for a kind that is not yours, and no lines where nothing is there. With
    `query.follow` it goes on until the attempt has ended or `query.stopped` is set.
    """


@hookspec
def wf_cli_commands(group: "click.Group") -> None:
    """Add subcommands to `wf`. Called once when the command line starts."""


SPECIFIED = frozenset(name for name in dir() if name.startswith("wf_")) - {"wf_core"}
OBSERVERS: dict[tuple[bool, Any], str] = {
    (False, Phase.RUNNING): "wf_workflow_started",
    (False, Phase.SUCCESS): "wf_workflow_succeeded",
    (False, Phase.ROLLING_BACK): "wf_workflow_rolling_back",
    (False, Phase.ROLL_BACKED): "wf_workflow_rolled_back",
    (False, Phase.FAILED): "wf_workflow_failed",
    (True, Phase.RUNNING): "wf_step_started",
    (True, Phase.SUCCESS): "wf_step_succeeded",
    (True, Phase.ROLL_BACKED): "wf_step_rolled_back",
    (True, Phase.FAILED): "wf_step_rollback_failed",
}
