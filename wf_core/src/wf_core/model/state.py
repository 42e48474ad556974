"""What is saved. Times are epoch seconds; `None` is "never".

A workflow's state is a small head and one value a step, so that a save writes only what changed
and a chain of 10,000 steps costs 10,000 small writes.
"""

from wf_core.model.phases import BlockReason, Ended, Hook, Phase, Ran, Undo
from wf_core.model.requests import Answer, Asked
from wf_core.model.spec import Parameters, Wire, Workflow

SCHEMA_VERSION = 2
KEPT_ATTEMPTS = 5
MAX_ERROR = 1024
MAX_STEP_ATTRIBUTES = 32 * 1024
MAX_ATTRIBUTES = 256 * 1024
MAX_SAVED_PARAMETERS = 256 * 1024
STEP_PARAMETERS = 1024
MAX_STEPS = 10_000
MAX_OUTBOX = 1_000
INTERNAL_ERROR = "InternalError"
"""Type of the condition of a workflow that the engine gave up, by a fault of its own or because it
kills whatever takes it up."""


MESSAGE = "message"
"""The attribute of a resource that says in a sentence what keeps it from being ready."""


class Resource(Wire, frozen=True):
    """What a step made in the outside world."""

    status: str = ""
    id: str = ""
    name: str = ""
    address: str = ""
    attributes: Parameters = {}


class Attempt(Wire, frozen=True):
    """One finished attempt of a hook, kept for `wf history` (the last five a step)."""

    hook: Hook
    number: int
    outcome: Ended
    ended_at: float
    error: str | None = None


class Blocked(Wire, frozen=True):
    """Why a step waits for a person, and which requests help."""

    reason: BlockReason
    since: float
    message: str = ""
    options: tuple[str, ...] = ()


class StepState(Wire, frozen=True):
    """The saved state of one step.

    `attempt` counts run attempts begun, `run_retry_count` counted failures; `next_attempt_at` is
    the not-before time of the saved intent; `previous` is what the last ended attempt left.
    `waits_for_person`: what is in progress waits for a person's answer. `deaths` counts how
    often the process died while a call of this step was the only one open, `died_at` is the latest
    of those; what is called and lives clears them after an hour. `parameters` are those
    that the document does not say as they are: resolved references, defaults. `kind` is the
    distribution and version of the latest intent, `run_kind` that of the latest run where the two
    differ.
    """

    phase: Phase = Phase.PENDING
    reached: dict[Phase, float] = {}
    ran: Ran | None = None
    undo: Undo | None = None
    failed: bool = False
    attempt: int = 0
    run_retry_count: int = 0
    latest_run_retry_at: float | None = None
    rollback_attempt: int = 0
    rollback_retry_count: int = 0
    latest_rollback_retry_at: float | None = None
    latest_sync_at: float | None = None
    in_progress: bool = False
    waits_for_person: bool = False
    interruptions: int = 0
    deaths: int = 0
    died_at: float | None = None
    next_attempt_at: float | None = None
    attempt_deadline_at: float | None = None
    previous: Ended = Ended.NONE
    run_error: str | None = None
    rollback_error: str | None = None
    sync_error: str | None = None
    blocked: Blocked | None = None
    resource: Resource | None = None
    attributes: Parameters = {}
    parameters: Parameters | None = None
    kind: str = ""
    run_kind: str = ""
    attempts: tuple[Attempt, ...] = ()


class Owner(Wire, frozen=True):
    """Which engine owns a workflow; `epoch` fences every write (semantics C5)."""

    id: str = ""
    epoch: int = 0


class Writer(Wire, frozen=True):
    """Who wrote a revision, so that a save whose answer was lost can be recognised (C4)."""

    epoch: int = 0
    n: int = 0


class Condition(Wire, frozen=True):
    """A standing remark about a workflow: PartiallyReverted, Degraded."""

    type: str
    reason: str
    message: str
    since: float


class Folder(Wire, frozen=True):
    """Where relative paths of a workflow begin: the folder it was submitted from, and the account
    (a user id) that submitted it."""

    path: str
    user: int


class WorkflowState(Wire, frozen=True):
    """The head of a workflow's saved state.

    `parked`: it gave its slot back; while it is undone, that it had none when the undo began or
    gave it back since. `deadline_left`: seconds, while the clock stands. `key_uid`: the uid under
    which the first intent was saved, from which idempotency keys come for ever. `folder`: None in a
    cluster, and for a workflow from before folders were saved.
    """

    phase: Phase = Phase.PENDING
    schema_version: int = SCHEMA_VERSION
    revision: int = 0
    owner: Owner = Owner()
    writer: Writer = Writer()
    created_at: float = 0.0
    key_uid: str = ""
    folder: Folder | None = None
    reached: dict[Phase, float] = {}
    deadline_at: float | None = None
    deadline_left: float | None = None
    suspended: bool = False
    parked: bool = False
    committed: bool = False
    deletion_asked_at: float | None = None
    cause: str = ""
    error: str | None = None
    signals: Parameters = {}
    conditions: tuple[Condition, ...] = ()
    answers: tuple[Answer, ...] = ()
    outbox_seq: int = 0
    outbox_delivered: int = 0
    outbox_dropped: int = 0

    @property
    def slotless(self) -> bool:
        """Whether it is undone without a slot: it counts for its namespace and its queue alone."""
        return self.phase is Phase.ROLLING_BACK and self.parked


class OutboxEntry(Wire, frozen=True):
    """A transition that is to be reported; its event id is `uid/seq` on every repeat.

    `by` is the person whose request made the move, `reason` is that person's.
    """

    seq: int
    phase: Phase
    at: float
    step: str | None = None
    by: str = ""
    reason: str = ""


class Transition(Wire, frozen=True):
    """One line of a workflow's history. `step` is None for the workflow itself; `by` is the person
    whose request made the move."""

    at: float
    before: Phase
    after: Phase
    step: str | None = None
    reason: str = ""
    attempt: int = 0
    revision: int = 0
    by: str = ""


class LogLine(Wire, frozen=True):
    """Output of a hook: `text` may hold several lines."""

    step: str
    hook: Hook
    attempt: int
    at: float
    text: str
    stream: str = "log"


class Stored(Wire, frozen=True):
    """A workflow as a store gives it back; what was asked and is unanswered rides along."""

    workflow: Workflow
    head: WorkflowState
    steps: tuple[StepState, ...]
    outbox: tuple[OutboxEntry, ...] = ()
    asked: tuple[Asked, ...] = ()

    @property
    def key_uid(self) -> str:
        """The uid that idempotency keys come from: that of the object under which the first intent
        was saved, which an object that was restored from a backup no longer has."""
        return self.head.key_uid or self.workflow.metadata.uid
