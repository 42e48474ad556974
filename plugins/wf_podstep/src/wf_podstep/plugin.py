"""What the entry point `wf.plugins` names: brings the kind `pod`, shows its logs, and removes pods
when their workflow has ended."""

from collections.abc import Iterable

from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind
from wf_core.model.state import LogLine
from wf_core.ports import Event, LogQuery
from wf_podstep.kind import PodStep

_KIND = PodStep()


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `pod`."""
    return [_KIND]


@hookimpl
def wf_step_logs(query: LogQuery) -> Iterable[LogLine] | None:
    """The log of an attempt's pod."""
    if query.kind != _KIND.name:
        return None
    from wf_podstep.logs import lines

    return lines(_KIND.clusters.of(query.store), query)


@hookimpl
def wf_step_succeeded(event: Event) -> None:
    """Lets its pods go, since what became of them was saved."""
    _outcome_saved(event, undo=False)


@hookimpl
def wf_step_failed(event: Event) -> None:
    """Lets its pods go, since what became of them was saved."""
    _outcome_saved(event, undo=False)


@hookimpl
def wf_step_rolled_back(event: Event) -> None:
    """Lets its pods go, those of its undo too, since what became of them was saved."""
    _outcome_saved(event, undo=True)


@hookimpl
def wf_step_rollback_failed(event: Event) -> None:
    """Lets its pods go, those of its undo too, since what became of them was saved."""
    _outcome_saved(event, undo=True)


@hookimpl
def wf_workflow_succeeded(event: Event) -> None:
    """Removes the pods of that workflow, but for those that are to stay."""
    _clean_up(event)


@hookimpl
def wf_workflow_rolled_back(event: Event) -> None:
    """Removes the pods of that workflow, but for those that are to stay."""
    _clean_up(event)


def _outcome_saved(event: Event, *, undo: bool) -> None:
    if _KIND.used:
        from wf_podstep.cleaning import outcome_saved

        outcome_saved(_KIND.clusters, event, undo=undo)


def _clean_up(event: Event) -> None:
    if _KIND.used:
        from wf_podstep.cleaning import clean_up

        clean_up(_KIND.clusters, event)
