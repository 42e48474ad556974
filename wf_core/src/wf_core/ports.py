"""What the engine needs from outside, each with the obligations of whoever provides it.

Every adapter of a port runs the same contract suite (`wf_core.testing`). Only adapters touch
threads, files, sockets and clocks.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import attrs

from wf_core.kinds import Cancelled, StepCall
from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import DeletionPolicy, Hook, Phase
from wf_core.model.requests import Asked, Request
from wf_core.model.rows import Page, Row
from wf_core.model.schedule import CronStatus, CronWorkflow, StoredSchedule
from wf_core.model.spec import Key, TimeToLive, Workflow
from wf_core.model.state import (
    Folder,
    LogLine,
    OutboxEntry,
    Owner,
    StepState,
    Stored,
    Transition,
    WorkflowState,
)

__all__ = ["Failure", "Outcome", "Page", "Progressing", "Row", "Severity", "Succeeded"]


class Saved(StrEnum):
    """The answer of a save (semantics C4)."""

    SAVED = "Saved"
    LOST = "Lost"
    INVALID = "Invalid"
    UNKNOWN = "Unknown"


@attrs.frozen
class Changes:
    """One save: everything that changed since the last one.

    `base_epoch` and `base_revision` are what it builds on; `head` carries the new epoch, the
    revision `base_revision + 1` and the writer. `steps` maps a step's index to its new state.
    `outbox` holds new entries only; entries up to `head.outbox_delivered` may be forgotten.
    `answered` are the seqs of requests that this save answers.
    """

    uid: str
    base_epoch: int
    base_revision: int
    head: WorkflowState
    steps: Mapping[int, StepState]
    outbox: tuple[OutboxEntry, ...] = ()
    history: tuple[Transition, ...] = ()
    answered: tuple[int, ...] = ()


@attrs.frozen
class Seen:
    """Something happened to a workflow: a save, a request, a creation, a deletion (`gone`).

    `request_seq` is the newest request's; with `deletion_asked_at` it lets an engine pass over the
    echo of its own saves without reading anything. `uid` tells one workflow from another that has
    its name since, `owner` and `revision` whether somebody else has saved; "" and 0 are not known.
    `deletion_policy` and `ttl` are the document's, where a store lets people change them.
    """

    position: int
    key: Key
    gone: bool = False
    request_seq: int = 0
    deletion_asked_at: float | None = None
    uid: str = ""
    owner: str = ""
    revision: int = 0
    deletion_policy: DeletionPolicy | None = None
    ttl: TimeToLive | None = None


@attrs.frozen
class Open:
    """What a process has open of the workflow with that uid: the call of a step, or (`step` "")
    the taking up, in which its document is read and decided on."""

    workflow: str
    step: str = ""


@attrs.frozen
class LeftOpen:
    """What processes had open when they died, and whether it was open alone; how many `deaths` in a
    row that makes; how often each workflow was being taken up, alone, by its uid."""

    open: Mapping[Open, bool] = attrs.field(factory=dict)
    deaths: int = 0
    taking_up: Mapping[str, int] = attrs.field(factory=dict)


class OpenRecord(Protocol):
    """What a process has open, for whoever comes after it died (semantics B3).

    It outlives the process and need not outlive the machine: a death of that is nobody's fault. So
    it costs no save and no sync. A record that can't be kept is said once, and is no trouble to
    anybody else.
    """

    def left(self) -> LeftOpen:
        """What processes that died have left since, and what was known of them before."""

    def opened(self, what: Open) -> None:
        """It begins."""

    def closed(self, what: Open) -> None:
        """It is over, and this process lives."""

    def outlived(self, what: Open) -> None:
        """It is still open, and the process has lived with it alone: whoever dies now dies of
        something else that is open, if there is one."""

    def follows(self, deaths: int) -> None:
        """This process waits to see the end of what was left open after that many deaths in a row,
        of which its own would be one more; 0: it has seen it."""

    def told(self, workflow: str) -> None:
        """What was left open of that uid is in its state now."""

    def lift(self, workflow: str) -> None:
        """The workflow of that uid may be taken up again, whatever came of it before."""

    def calm(self) -> None:
        """What was left open is over: deaths are counted anew."""

    def close(self) -> None:
        """The process ends in good order: nothing that it leaves open is a death."""


class Store(Protocol):
    """Where workflows are kept. `open` makes it usable; `close` gives up every claim.

    Obligations: a save is all or nothing and on disk when `save` returns Saved; it is refused with
    Lost unless uid, epoch and revision are the stored ones; saves of several workflows at the same
    time may share a commit. Errors of the surroundings are `StoreUnavailable`, never swallowed.
    """

    @property
    def linger(self) -> float:
        """Seconds that a save which nobody waits for is put off, to ride with another (semantics
        C2): the more a write costs, the longer."""

    @property
    def owns(self) -> bool:
        """Whether what this process claimed is still its own, as far as it can tell without asking
        anybody. A process may stand still for a while: it looks right before it calls a hook."""

    @property
    def keeps_folders(self) -> bool:
        """Whether it keeps where a workflow was submitted from: not where its engines run on other
        machines, on which that folder means nothing."""

    async def create(self, workflow: Workflow, now: float, folder: Folder | None = None) -> Stored:
        """Store a new workflow in Pending with a fresh uid (or `metadata.uid`, where given).
        `folder` is where its relative paths begin.

        Idempotent: the same name with the same uid and spec gives back what is stored; the same
        name otherwise raises `WorkflowExists`.
        """

    def misfit(self, workflow: Workflow) -> str | None:
        """Why it could not keep the workflow to its end, or None. Asked before it starts."""

    async def load(self, key: Key) -> Stored:
        """Everything saved, with unanswered requests. Raises `WorkflowNotFound`."""

    async def list(
        self,
        *,
        phases: Sequence[Phase] | None = None,
        queue: str | None = None,
        limit: int = 500,
        after: str | None = None,
    ) -> Page:
        """Workflows by creation time, a page at a time."""

    async def claim(self, key: Key) -> Owner:
        """Say who will own the workflow: this store's id with the stored epoch + 1.

        Writes nothing: the owner's first save carries it. Raises `WorkflowOwned` while another live
        process owns it.
        """

    async def release(self, key: Key) -> None:
        """Give the claim up, so that another process may claim at once."""

    async def save(self, key: Key, changes: Changes) -> Saved:
        """Apply one save."""

    async def admit_alone(self) -> None:
        """Be the one that admits workflows by their queues, until the store is closed: limits hold
        over one engine only (semantics E3).

        Raises `StoreServed` while another process does. A store that several can't serve by
        mistake has nothing to do: one in memory, or one whose leader was elected.
        """

    async def served_by(self) -> str | None:
        """In words, the other process that admits this store's workflows now, so that what waits
        goes on by itself; None where none does, or it can't be told."""

    async def whoami(self) -> str:
        """The name of the person for whom requests are made here, as far as the store can vouch
        for it: never empty."""

    async def request(self, key: Key, request: Request, now: float) -> int:
        """Add a person's request, without touching the state's revision; gives its seq. `whoami`
        makes it where `by` is empty; a name that the caller gives is never `verified`. Raises
        `AuthorError` when `MAX_REQUESTS` are unanswered."""

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """The unanswered requests, by seq."""

    async def uid(self, key: Key) -> str:
        """The workflow's uid, told without reading its document."""

    async def history(self, key: Key) -> tuple[Transition, ...]:
        """Every transition, oldest first."""

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """Add output of hooks; durable with the next save at the latest."""

    async def logs(self, key: Key, step: str | None = None) -> tuple[LogLine, ...]:
        """Output of hooks, oldest first."""

    async def position(self) -> int:
        """The position of the latest change, for `watch(since)`: what is loaded later is newer."""

    def watch(self, since: int | None = None) -> AsyncIterator[Seen]:
        """What happens from now on (or after a position), from this and every other process.

        May repeat and may merge several changes of one workflow; never misses the last one.
        """

    async def delete(self, key: Key, now: float) -> None:
        """Ask for deletion: sets `deletion_asked_at` as a request would (no revision)."""

    async def remove(self, key: Key) -> None:
        """Forget the workflow altogether. Raises `WorkflowOwned` while another process owns it."""

    async def expire(self, stored: Stored) -> bool:
        """Forget a finished workflow that is still as it was loaded, undoing nothing.

        False, and nothing is done, where that may be wrong: it was saved since or is another one of
        its name, its document was changed, a request or a callback waits, its deletion was asked,
        or somebody else holds it, so that it would stay.
        Raises `WorkflowNotFound`, and `WorkflowOwned` while another process runs it.
        """

    async def close(self) -> None:
        """Give up every claim and close what is open."""


class Schedules(Protocol):
    """Where schedules are kept: beside the workflows that they start, in the same store.

    Obligations: a save is refused unless the stored status has the revision before its own, so that
    of several schedulers one decides; whatever was done is on disk when a method returns.
    """

    async def create(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """Store a new one, with a fresh uid where it has none. `folder` is that of its runs.

        Idempotent: the same name with the same spec gives back what is stored; the same name
        otherwise raises `ScheduleExists`.
        """

    async def replace(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """Put document, spec and folder in the place of those stored: uid, status and runs stay.
        As `create` where there is none."""

    async def load(self, key: Key) -> StoredSchedule:
        """As saved last. Raises `ScheduleNotFound`."""

    async def list(self) -> Sequence[StoredSchedule]:
        """All of them, by namespace and name."""

    async def suspend(self, key: Key, suspended: bool) -> None:
        """Set `spec.suspend`. Raises `ScheduleNotFound`."""

    async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
        """Save a status whose revision is the stored one + 1; False where it is not, or where that
        schedule is gone."""

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,
        folder: Folder | None = None,
    ) -> bool:
        """Create a run in `folder` and save the status that tells of it: both at once, or else the
        run first, so that what is found after a crash is made again as it was. False as `save`, and
        then a run that is there was made by whoever saved. Raises `WorkflowExists` as
        `Store.create` does, having saved nothing."""

    def watch(self) -> AsyncIterator[Key]:
        """The key of every schedule there is, then of each that changes or goes, whoever does it.
        May repeat; never misses the last change. Raises `StoreUnavailable`."""

    async def remove(self, key: Key, *, keep_runs: bool = False) -> StoredSchedule:
        """Forget it, and give what it was. Where the store says whose a workflow is, its runs are
        deleted with it unless `keep_runs`: `runs_go_along`. Raises `ScheduleNotFound`."""

    @property
    def runs_go_along(self) -> bool:
        """Whether `remove` has the runs deleted; else whoever removes deletes them."""


@runtime_checkable
class HoldsSchedules(Protocol):
    """A store that keeps schedules too."""

    @property
    def schedules(self) -> Schedules:
        """Those of this store; usable as long as it is."""


Report = Callable[[Outcome], None]


class Running(Protocol):
    """A call that was started."""

    def cancel(self) -> None:
        """Ask the hook to stop (`call.cancelled`)."""

    def write_off(self) -> None:
        """The hook does not stop: replace its thread."""


class HookExecutor(Protocol):
    """Runs hooks. Obligations: `report` is called exactly once a call, on the loop's thread; a hook
    that raises is reported as a `Failure` and disturbs nobody; never blocks in `start`."""

    def start(self, call: StepCall, report: Report) -> Running:
        """Run the hook of `call`."""

    def cancellation(self) -> Cancelled:
        """What becomes `call.cancelled`; set by `Running.cancel`."""

    def post(self, callback: Callable[[], None]) -> None:
        """From a hook: run `callback` on the loop's thread, soon and in order."""

    def ask(self, question: Callable[[Callable[[bool], None]], None]) -> None:
        """From a hook: run `question(done)` on the loop's thread and hold the hook until
        `done(saved)`. Raises `Retryable` where it was not saved, or the engine ends before that."""

    @property
    def healthy(self) -> bool:
        """False once half of the pool was written off (semantics B7)."""

    async def close(self) -> None:
        """Stop taking calls and let the threads end."""


class Clock(Protocol):
    """Time: wall time at start plus monotonic time, so that `now` never goes back in a process."""

    def now(self) -> float:
        """Epoch seconds."""


@attrs.frozen
class Event:
    """What an observer is told, after the save: `failed` where a step's run failed for good.

    `created_at` and `annotations` are the workflow's.
    """

    key: Key
    uid: str
    phase: Phase
    at: float
    step: str | None = None
    error: str | None = None
    failed: bool = False
    created_at: float = 0.0
    annotations: Mapping[str, str] = {}


@attrs.frozen
class LogQuery:
    """Whose output a person wants to see: that of one attempt of one step's hook.

    `store` is the address of the store that holds the workflow. `follow`: until the attempt ends.
    `stopped` is set once nobody listens any more.
    """

    store: str
    key: Key
    uid: str
    step: str
    kind: str
    hook: Hook
    attempt: int
    follow: bool
    stopped: Cancelled


@attrs.frozen
class Delivery:
    """One callback to send: the body is built at delivery from what is stored then. `trace` are the
    headers of its trace context."""

    url: str
    event_id: str
    body: Mapping[str, Any]
    ignore_not_found: bool
    trace: Mapping[str, str] = {}


class Delivered(StrEnum):
    """What became of one attempt to deliver."""

    DELIVERED = "Delivered"
    RETRY = "Retry"
    DROPPED = "Dropped"


@attrs.frozen
class Receipt:
    """The answer of a sender; `after` is the receiver's Retry-After (seconds), `error` says why."""

    result: Delivered
    error: str = ""
    after: float | None = None


class Announcer(Protocol):
    """Tells observers. Obligations: never blocks and never raises; at most once; in order."""

    def announce(self, event: Event) -> None:
        """Queue one event; drops it (and logs that) when the queue is full."""

    async def close(self) -> None:
        """Let what is queued be told, for a bounded time."""


class CallbackSender(Protocol):
    """Sends one callback once. Obligations: raises nothing for what receivers do; bounded in time;
    repeats are the caller's."""

    async def send(self, delivery: Delivery) -> Receipt:
        """One attempt."""

    async def close(self) -> None:
        """Close connections."""
