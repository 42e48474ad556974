"""What a stored state says before a machine is made of it, and what is done where none can be."""

import logging

from msgspec.structs import replace

from wf_core.engine.services import Services
from wf_core.errors import (
    DocumentInvalid,
    EngineError,
    Fault,
    StoreUnavailable,
    WfError,
    WorkflowNotFound,
    WorkflowOwned,
)
from wf_core.model.phases import DeletionPolicy, Phase, RequestType
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import (
    INTERNAL_ERROR,
    Condition,
    Owner,
    Stored,
    Transition,
    WorkflowState,
    Writer,
)
from wf_core.ports import Changes, Store
from wf_core.saga.events import Admitted, Refused
from wf_core.saga.sizes import short
from wf_core.saga.table import check_workflow
from wf_core.schedules.runs import SCHEDULE_UID
from wf_core.standing import SetsAside

log = logging.getLogger("wf.engine")


KILLS_ENGINE = "KillsEngine"
"""The reason of the condition of a workflow that is not taken up any more (semantics B3)."""
SHELL_SINCE = 2
"""The stored form since which no reference may stand in a shell's text."""


def document_faults(
    workflow: Workflow, services: Services, head: WorkflowState
) -> DocumentInvalid | None:
    """Everything that keeps a workflow from starting here, or None. Ceilings are for one that has
    not begun: a change of the configuration does not stop what has (semantics E9)."""
    # YAML and all: only where a workflow begins.
    from wf_core.codec import ceiling_faults, faults

    metadata = workflow.metadata
    name = str(Key(metadata.namespace, metadata.name))
    misfit = services.store.misfit(workflow)
    if misfit is not None:
        return DocumentInvalid([Fault("$", misfit)], name)  # what is too much is not looked through
    # What was stored before, and the runs of a schedule that may have been, go on (B6).
    new = head.schema_version >= SHELL_SINCE and SCHEDULE_UID not in metadata.annotations
    try:
        found = faults(workflow, services.registry, new=new)
    except RecursionError:
        found = [Fault("$.spec", "it is nested too deep", hint="make what it holds flatter")]
    if head.phase is Phase.PENDING:
        found += ceiling_faults(workflow, services.config.controller_config)
    return DocumentInvalid(found, name) if found else None


def entrance(head: WorkflowState, workflow: Workflow, services: Services) -> Admitted | Refused:
    """What a workflow that gets its slot is told: one that can't start here becomes Failed."""
    pending = head.phase is Phase.PENDING
    if not pending:
        return Admitted()
    faults = unstartable(workflow, services, head)
    return Admitted() if faults is None else Refused(str(faults))


def unstartable(
    workflow: Workflow, services: Services, head: WorkflowState
) -> DocumentInvalid | None:
    """Everything that keeps a workflow from beginning in this process, or None."""
    return document_faults(workflow, services, head) or _lacking(workflow, services)


def _lacking(workflow: Workflow, services: Services) -> DocumentInvalid | None:
    """What this engine's environment and files lack: found before anything runs, not by the step
    that needs it."""
    from wf_core.codec import lacking

    found = lacking(workflow, services.registry)
    metadata = workflow.metadata
    return DocumentInvalid(found, str(Key(metadata.namespace, metadata.name))) if found else None


def unfit(stored: Stored, services: Services, error: Exception) -> WfError:
    """Why no machine can be built from what is stored; `error` is how it showed."""
    metadata = stored.workflow.metadata
    key = Key(metadata.namespace, metadata.name)
    log.debug("%s: no machine", key, exc_info=error)
    why = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
    return document_faults(stored.workflow, services, stored.head) or EngineError(
        f"workflow '{key}': what is stored can't be run: {why}"
    )


def never_ran(stored: Stored) -> bool:
    """Whether no step of it was ever begun, as far as its state can be read."""
    return not any(step.attempt for step in stored.steps)


def watched(stored: Stored) -> bool:
    """Whether it succeeded and is looked at again and again."""
    return stored.head.phase is Phase.SUCCESS and any(
        step.step_template.sync_period_seconds > 0 for step in stored.workflow.spec.steps
    )


def say_left_alone(store: Store, key: Key, error: WfError, how: str) -> None:
    """Say of a workflow that no engine goes on with it: in the log, and where people see it unless
    that passes by itself."""
    if isinstance(error, StoreUnavailable | WorkflowOwned):
        return  # it is looked at again, and the follower says so
    if isinstance(error, WorkflowNotFound):
        log.info("%s: %s: %s", key, how, error)
    else:
        log.error("%s: %s: %s", key, how, error)
        if isinstance(store, SetsAside):
            store.set_aside(key, str(error))


async def retry_is_asked(store: Store, key: Key) -> bool:
    """Whether a person's retry of a run waits, read without the document."""
    asked = await store.asked(key)
    return any(each.request.type is RequestType.RETRY_RUN for each in asked)


async def remark(services: Services, key: Key, why: str) -> None:
    """Say in the stored state why the workflow is left alone; nothing else is saved."""
    owner = await services.store.claim(key)
    try:
        stored = await services.store.load(key)
        head = stored.head
        if any(each.type == INTERNAL_ERROR for each in head.conditions):
            return
        said = Condition(INTERNAL_ERROR, KILLS_ENGINE, short(why), services.clock.now())
        changed = replace(
            head,
            revision=head.revision + 1,
            owner=owner,
            writer=Writer(owner.epoch, 1),
            conditions=(*head.conditions, said),
        )
        base = (head.owner.epoch, head.revision)
        await services.store.save(key, Changes(stored.workflow.metadata.uid, *base, changed, {}))
    finally:
        await services.release(key)


async def set_aside(
    services: Services, stored: Stored, owner: Owner, why: WfError, *, serving: bool
) -> None:
    """End what never ran and never can: it goes where that was asked, else it becomes Failed. Where
    its document gives its effects up, it goes although it ran.

    Outside the queues the person who started it is told, and may mend what is missing.
    """
    metadata, policy = stored.workflow.metadata, stored.workflow.spec.deletion_policy
    key, fresh = Key(metadata.namespace, metadata.name), never_ran(stored)
    if stored.head.deletion_asked_at is not None:
        if fresh or policy is DeletionPolicy.ORPHAN:
            await services.store.remove(key)
    elif fresh and serving and stored.head.phase is Phase.PENDING:
        await services.store.save(key, refused(stored, owner, str(why), services.clock.now()))


def refused(stored: Stored, owner: Owner, error: str, now: float) -> Changes:
    """The save by which a Pending workflow that can never start becomes Failed (semantics A1)."""
    head = stored.head
    check_workflow(head.phase, Phase.FAILED)
    revision = head.revision + 1
    return Changes(
        uid=stored.workflow.metadata.uid,
        base_epoch=head.owner.epoch,
        base_revision=head.revision,
        head=replace(
            head,
            phase=Phase.FAILED,
            reached={**head.reached, Phase.FAILED: now},
            error=short(error),
            revision=revision,
            owner=owner,
            writer=Writer(owner.epoch, 1),
        ),
        steps={},
        history=(Transition(now, head.phase, Phase.FAILED, None, error, revision=revision),),
    )
