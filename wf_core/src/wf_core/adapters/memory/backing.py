"""What several handles on one memory store share, as processes share a file."""

import asyncio

import attrs

from wf_core.adapters import store_rules as rules
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked
from wf_core.model.schedule import StoredSchedule
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import (
    LogLine,
    OutboxEntry,
    Owner,
    StepState,
    Stored,
    Transition,
    WorkflowState,
)
from wf_core.ports import Row, Seen


@attrs.define(eq=False)
class Entry:
    """One workflow. `owner` and `deletion_asked_at` are written beside saves, as requests are."""

    number: int
    workflow: Workflow
    head: WorkflowState
    owner: Owner
    steps: list[StepState]
    watchable: bool
    deletion_asked_at: float | None = None
    succeeded: int = 0
    undone: int = 0
    request_seq: int = 0
    outbox: dict[int, OutboxEntry] = attrs.field(factory=dict)
    asked: dict[int, Asked] = attrs.field(factory=dict)
    history: list[Transition] = attrs.field(factory=list)
    logs: list[LogLine] = attrs.field(factory=list)

    def stored(self) -> Stored:
        """As a reader sees it."""
        head = rules.merged(self.head, self.owner, self.deletion_asked_at)
        return Stored(
            self.workflow,
            head,
            tuple(self.steps),
            tuple(self.outbox.values()),
            tuple(self.asked.values()),
        )

    def row(self) -> Row:
        """As a list shows it."""
        metadata, spec, head = self.workflow.metadata, self.workflow.spec, self.head
        return Row(
            key=rules.key_of(self.workflow),
            uid=metadata.uid,
            queue=spec.queue,
            priority=spec.priority,
            phase=head.phase,
            created_at=head.created_at,
            done=self.undone if head.phase in rules.UNDOING else self.succeeded,
            total=len(self.steps),
            owner=self.owner,
            deleting=self.deletion_asked_at is not None,
            suspended=head.suspended,
            parked=head.parked,
            watched=head.phase is Phase.SUCCESS and self.watchable,
            asked=bool(self.asked),
            reporting=bool(self.outbox),
            finished_at=rules.finished_at(head),
            ttl=spec.ttl_seconds_after_finished,
            why=rules.why(head.phase, head.cause, head.error),
        )


class Backing:
    """Entries by key, the ids of live owners, and what happened last to each key."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.schedules: dict[Key, StoredSchedule] = {}
        self.live: dict[str, None] = {}
        self.position = 0
        self.owners = 0
        self.numbers = 0
        self._changed: dict[Key, Seen] = {}  # in the order of positions
        self._waiting: list[asyncio.Future[None]] = []

    def changed(self, key: Key, *, gone: bool = False) -> None:
        """Note that something happened to `key`, and wake whoever watches."""
        self.position += 1
        self._changed.pop(key, None)
        entry = self.entries.get(key)
        self._changed[key] = Seen(
            self.position,
            key,
            gone,
            0 if entry is None else entry.request_seq,
            None if entry is None else entry.deletion_asked_at,
            "" if entry is None else entry.workflow.metadata.uid,
            "" if entry is None else entry.owner.id,
            0 if entry is None else entry.head.revision,
        )
        self.wake()

    def wake(self) -> None:
        """Let whoever watches look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def seen_after(self, position: int) -> list[Seen]:
        """What happened after `position`, oldest first: O(that), not O(all keys)."""
        found = []
        for seen in reversed(self._changed.values()):
            if seen.position <= position:
                break
            found.append(seen)
        found.reverse()
        return found

    def next_change(self) -> asyncio.Future[None]:
        """Done at the next change."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future


_NAMED: dict[str, Backing] = {}


def named(name: str) -> Backing:
    """The backing of `memory:NAME`, made on first use and kept while the process lives."""
    return _NAMED.setdefault(name, Backing())
