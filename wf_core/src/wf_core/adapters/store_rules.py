"""What every store decides in the same way: first states, which saves count, what it says."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from wf_core.errors import AuthorError, WorkflowExists, WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.requests import MAX_REQUESTS, Request
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, OutboxEntry, Owner, StepState, Stored, WorkflowState, Writer

UNDOING = frozenset({Phase.ROLLING_BACK, Phase.ROLL_BACKED, Phase.FAILED})
"""Phases of a workflow in which progress is counted in steps undone."""

FRESH = StepState()
"""The state of a step that no save has named yet."""


class SaveLike(Protocol):
    """The parts of `ports.Changes` that coherence is judged by."""

    @property
    def base_epoch(self) -> int: ...
    @property
    def base_revision(self) -> int: ...
    @property
    def head(self) -> WorkflowState: ...
    @property
    def steps(self) -> Mapping[int, StepState]: ...
    @property
    def outbox(self) -> Sequence[OutboxEntry]: ...


def first_workflow(workflow: Workflow) -> Workflow:
    """`workflow` with a fresh uid where it has none."""
    if workflow.metadata.uid:
        return workflow
    import uuid  # only where a workflow is created

    metadata = msgspec.structs.replace(workflow.metadata, uid=str(uuid.uuid4()))
    return msgspec.structs.replace(workflow, metadata=metadata)


def first_head(workflow: Workflow, now: float, folder: Folder | None) -> WorkflowState:
    """The head of a workflow that nobody has touched; `spec.suspend` is where it starts."""
    return WorkflowState(created_at=now, suspended=workflow.spec.suspend, folder=folder)


def signed(request: Request, account: str) -> Request:
    """The request with the name of the account that makes it. A name that the caller gives (of the
    user of a service, say) stays, and nobody vouches for it."""
    by = request.by or account
    return msgspec.structs.replace(request, by=by, verified=not request.by)


def key_of(workflow: Workflow) -> Key:
    """How the store finds `workflow`."""
    return Key(workflow.metadata.namespace, workflow.metadata.name)


def same(workflow: Workflow, stored: Workflow) -> bool:
    """Is creating `workflow` a repeat of what made `stored`?"""
    return workflow.metadata.uid == stored.metadata.uid and workflow.spec == stored.spec


def watchable(workflow: Workflow) -> bool:
    """Does any step ask to be looked at after its success?"""
    return any(step.step_template.sync_period_seconds > 0 for step in workflow.spec.steps)


def incoherence(changes: SaveLike, total: int) -> str | None:
    """Why `changes` can't be a save of a workflow of `total` steps; None when it can."""
    head = changes.head
    if head.revision != changes.base_revision + 1:
        return f"revision {head.revision} does not follow {changes.base_revision}"
    if not changes.base_epoch <= head.owner.epoch <= changes.base_epoch + 1:
        return f"epoch {head.owner.epoch} does not follow {changes.base_epoch}"
    if any(not 0 <= index < total for index in changes.steps):
        return f"a step outside 0..{total - 1}"
    if any(entry.seq > head.outbox_seq for entry in changes.outbox):
        return f"an outbox entry beyond outbox_seq {head.outbox_seq}"
    return None


def builds_on(changes: SaveLike, epoch: int, revision: int, owner: str) -> bool:
    """Does `changes` build on what is stored?

    A save that does not carry a new claim (its epoch is the stored one) must come from the stored
    owner: whoever gave its claim up may not go on writing.
    """
    return (
        changes.base_epoch == epoch
        and changes.base_revision == revision
        and (claims(changes) or changes.head.owner.id == owner)
    )


def claims(changes: SaveLike) -> bool:
    """Does `changes` carry a new claim?"""
    return changes.head.owner.epoch == changes.base_epoch + 1


def repeats(head: WorkflowState, stored: WorkflowState) -> bool:
    """Is saving `head` a repeat of the save that made `stored` (semantics C4)?

    The owner's id is part of the answer: two processes that claimed the same epoch number their
    writes alike.
    """
    return (
        head.writer != Writer()
        and head.writer == stored.writer
        and head.owner == stored.owner
        and head.revision == stored.revision
    )


def finished_at(head: WorkflowState) -> float | None:
    """When the workflow came to rest, in epoch seconds; None while it is under way."""
    return head.reached.get(head.phase) if head.phase in FINISHED else None


def why(phase: Phase, cause: str, error: str | None) -> str:
    """What went wrong with a workflow, for lists; "" where nothing did, or it succeeded anyway."""
    return "" if phase in (Phase.PENDING, Phase.SUCCESS) else error or cause


def may_expire(now: Stored, loaded: Stored) -> bool:
    """Whether a workflow that was loaded as `loaded` and is `now` may be forgotten: it is finished,
    nothing happened to it meanwhile, nobody waits for anything (see `ports.Store.expire`)."""
    return (
        now.head.phase in FINISHED
        and now.head.revision == loaded.head.revision
        and now.workflow.metadata.uid == loaded.workflow.metadata.uid
        and now.workflow.spec == loaded.workflow.spec
        and now.head.deletion_asked_at is None
        and not now.asked
        and not now.outbox
    )


def merged(head: WorkflowState, owner: Owner, deletion_asked_at: float | None) -> WorkflowState:
    """The head as a reader sees it: what is written beside saves laid over what was saved."""
    if head.owner != owner:
        head = msgspec.structs.replace(head, owner=owner)
    if head.deletion_asked_at is None and deletion_asked_at is not None:
        head = msgspec.structs.replace(head, deletion_asked_at=deletion_asked_at)
    return head


def not_found(key: Key) -> WorkflowNotFound:
    """Nothing of that name is stored."""
    return WorkflowNotFound(f"no workflow '{key}' in this store; `wf list` shows what there is")


def exists(key: Key) -> WorkflowExists:
    """The name is taken."""
    return WorkflowExists(
        f"workflow '{key}' is in this store already; choose another name, "
        f"or remove that one first with `wf delete {key}`"
    )


def owned(key: Key, by: str) -> WorkflowOwned:
    """Another live process owns the workflow; `by` names it."""
    return WorkflowOwned(
        f"workflow '{key}' is being run by {by}; stop it first, or watch it with `wf watch {key}`"
    )


def too_many_requests(key: Key) -> AuthorError:
    """The queue of requests is full."""
    return AuthorError(
        f"workflow '{key}' has {MAX_REQUESTS} requests that wait for an answer, and takes no more "
        f"until some are answered; `wf get {key}` shows them, `wf resume {key}` lets it go on"
    )
