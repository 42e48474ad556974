"""What the status of a Task says, decided from its workflow. The workflow does the work; the status
shows it, and remembers how it ended once the workflow is gone."""

from msgspec.structs import replace

from wf_core.codec.status import workflow_attributes
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Parameters, Wire
from wf_core.model.state import Resource, StepState, Stored, WorkflowState
from wf_k8s.store.known import Known
from wf_k8s.store.times import rfc3339

MESSAGE = 1024
"""Characters of a message that are shown; the whole is in the workflow."""


class TaskStatus(Wire, frozen=True):
    """What is saved of a task; times are RFC 3339.

    Once `workflow_uid` is saved no workflow is made for this task any more, whatever becomes of
    that one. `reason` says in a word what is to be known beyond the phase.
    """

    revision: int = 0
    phase: Phase = Phase.PENDING
    workflow: str = ""
    workflow_uid: str = ""
    started_at: str = ""
    finished_at: str = ""
    reason: str = ""
    message: str = ""
    resource: Resource | None = None
    attributes: Parameters = {}


def mirrored(before: TaskStatus, known: Known) -> TaskStatus:
    """The status of a task whose workflow stands so."""
    head, steps = known.head, known.steps
    step = steps[0]  # there is one, unless somebody made the workflow by hand
    phase, reached = head.phase, head.reached
    reason, message = _remark(known.key.name, head, step)
    return TaskStatus(
        revision=before.revision,
        phase=phase,
        workflow=known.key.name,
        workflow_uid=known.uid,
        started_at=_time(reached.get(Phase.RUNNING)),
        finished_at=_time(reached.get(phase)) if phase in FINISHED else "",
        reason=reason,
        message=message[:MESSAGE],
        resource=step.resource,
        attributes=workflow_attributes(Stored(known.workflow, head, steps)),
    )


def left(before: TaskStatus, now: float) -> TaskStatus:
    """The status of a task whose workflow is gone: as it ended, where that was seen."""
    if before.phase in FINISHED:
        return before
    return replace(
        before,
        phase=Phase.FAILED,
        finished_at=rfc3339(now),
        reason="WorkflowDeleted",
        message="its workflow was deleted before its end was seen; a task never runs again: "
        "make a new one",
    )


def name_taken(before: TaskStatus, name: str) -> TaskStatus:
    """The status of a task that has no workflow, since another one has its name."""
    return replace(
        before,
        reason="NameTaken",
        message=f"the workflow '{name}' is none of this task and was left alone: the task starts "
        "once that one is gone; or make it again under another name",
    )


def refused(before: TaskStatus, why: str) -> TaskStatus:
    """The status of a task whose workflow the cluster does not take."""
    return replace(before, reason="Refused", message=why[:MESSAGE])


def _remark(name: str, head: WorkflowState, step: StepState) -> tuple[str, str]:
    if step.blocked is not None:
        options = ", ".join(step.blocked.options)
        ask = f"ask it of the workflow '{name}', in its spec.requests or by `wf`: {options}"
        return step.blocked.reason.value, f"{step.blocked.message}; {ask}"
    if head.phase is Phase.SUCCESS:
        return "", ""
    if head.suspended:
        return "Suspended", f"it goes on when the workflow '{name}' is asked to Continue"
    if head.phase is Phase.PENDING:
        return "", "it waits to be admitted"
    failed = head.error or step.rollback_error or step.run_error
    return "", failed or head.cause


def _time(at: float | None) -> str:
    return "" if at is None else rfc3339(at)
