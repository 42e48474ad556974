"""The store: everything is done at once on the caller's thread, so virtual time sees no delay."""

from collections.abc import AsyncIterator, Sequence

from wf_core.adapters import store_rules as rules
from wf_core.adapters.account import account
from wf_core.adapters.memory.backing import Backing, Entry
from wf_core.adapters.memory.schedules import MemorySchedules
from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.requests import MAX_REQUESTS, Asked, Request
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, LogLine, Owner, StepState, Stored, Transition
from wf_core.ports import Changes, Page, Saved, Seen


class MemoryStore:
    """`ports.Store` on a `Backing`; several handles on one act like several processes on a file."""

    linger = 0.005
    owns = True
    keeps_folders = True

    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        backing.owners += 1
        self.id = f"memory-{backing.owners}"
        self._closed = False
        self.schedules = MemorySchedules(self)

    async def create(self, workflow: Workflow, now: float, folder: Folder | None = None) -> Stored:
        """As `ports.Store.create`."""
        self.check_open()
        workflow = rules.first_workflow(workflow)
        key = rules.key_of(workflow)
        entry = self.backing.entries.get(key)
        if entry is None:
            head = rules.first_head(workflow, now, folder)
            self.backing.numbers += 1
            entry = Entry(
                number=self.backing.numbers,
                workflow=workflow,
                head=head,
                owner=head.owner,
                steps=[rules.FRESH] * len(workflow.spec.steps),
                watchable=rules.watchable(workflow),
            )
            self.backing.entries[key] = entry
            self.backing.changed(key)
        elif not rules.same(workflow, entry.workflow):
            raise rules.exists(key)
        return entry.stored()

    def misfit(self, workflow: Workflow) -> str | None:  # noqa: ARG002
        """As `ports.Store.misfit`: nothing is too large here that the engine takes."""
        return None

    async def load(self, key: Key) -> Stored:
        """As `ports.Store.load`."""
        return self._entry(key).stored()

    async def list(
        self,
        *,
        phases: Sequence[Phase] | None = None,
        queue: str | None = None,
        limit: int = 500,
        after: str | None = None,
    ) -> Page:
        """As `ports.Store.list`."""
        self.check_open()
        start = (float("-inf"), 0)
        if after is not None:
            created_at, _, number = after.partition("/")
            start = (float(created_at), int(number))
        found = sorted(
            (place, entry)
            for entry in self.backing.entries.values()
            if (place := (entry.head.created_at, entry.number)) > start
            and (phases is None or entry.head.phase in phases)
            and (queue is None or entry.workflow.spec.queue == queue)
        )
        shown = found[:limit]
        more = None
        if len(found) > limit and shown:
            (created_at_last, number_last), _ = shown[-1]
            more = f"{created_at_last!r}/{number_last}"
        return Page(tuple(entry.row() for _, entry in shown), more)

    async def claim(self, key: Key) -> Owner:
        """As `ports.Store.claim`."""
        owner = self._entry(key).owner
        self._check_owner(key, owner.id)
        self.backing.live[self.id] = None
        return Owner(self.id, owner.epoch + 1)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`."""
        self.check_open()
        entry = self.backing.entries.get(key)
        if entry is not None:
            self._give_up(key, entry)

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`."""
        self.check_open()
        entry = self.backing.entries.get(key)
        if entry is None or entry.workflow.metadata.uid != changes.uid:
            return Saved.LOST
        head = changes.head
        if not rules.builds_on(changes, entry.owner.epoch, entry.head.revision, entry.owner.id):
            return Saved.SAVED if rules.repeats(head, entry.head) else Saved.LOST
        if rules.incoherence(changes, len(entry.steps)) is not None:
            return Saved.INVALID
        for index, state in changes.steps.items():
            self._put_step(entry, index, state)
        entry.head = head
        entry.owner = head.owner
        if entry.deletion_asked_at is None:
            entry.deletion_asked_at = head.deletion_asked_at
        entry.history.extend(changes.history)
        for outgoing in changes.outbox:
            entry.outbox[outgoing.seq] = outgoing
        for seq in [seq for seq in entry.outbox if seq <= head.outbox_delivered]:
            del entry.outbox[seq]
        for seq in changes.answered:
            entry.asked.pop(seq, None)
        self.backing.changed(key)
        return Saved.SAVED

    async def admit_alone(self) -> None:
        """As `ports.Store.admit_alone`: no other process can open it."""

    async def served_by(self) -> str | None:
        """As `ports.Store.served_by`: no other process can open it."""
        return None

    async def whoami(self) -> str:
        """As `ports.Store.whoami`: the machine's account."""
        return account()

    async def request(self, key: Key, request: Request, now: float) -> int:
        """As `ports.Store.request`."""
        entry = self._entry(key)
        if len(entry.asked) >= MAX_REQUESTS:
            raise rules.too_many_requests(key)
        entry.request_seq += 1
        ours = rules.signed(request, account())
        entry.asked[entry.request_seq] = Asked(entry.request_seq, ours, now)
        self.backing.changed(key)
        return entry.request_seq

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """As `ports.Store.asked`."""
        return tuple(self._entry(key).asked.values())

    async def uid(self, key: Key) -> str:
        """As `ports.Store.uid`."""
        return self._entry(key).workflow.metadata.uid

    async def history(self, key: Key) -> tuple[Transition, ...]:
        """As `ports.Store.history`."""
        return tuple(self._entry(key).history)

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """As `ports.Store.log`. Lines of a workflow that is gone go with it."""
        self.check_open()
        entry = self.backing.entries.get(key)
        if entry is not None:
            entry.logs.extend(lines)

    async def logs(self, key: Key, step: str | None = None) -> tuple[LogLine, ...]:
        """As `ports.Store.logs`."""
        lines = self._entry(key).logs
        return tuple(line for line in lines if step is None or line.step == step)

    async def position(self) -> int:
        """As `ports.Store.position`."""
        self.check_open()
        return self.backing.position

    def watch(self, since: int | None = None) -> AsyncIterator[Seen]:
        """As `ports.Store.watch`."""
        self.check_open()
        return self._follow(self.backing.position if since is None else since)

    async def delete(self, key: Key, now: float) -> None:
        """As `ports.Store.delete`."""
        entry = self._entry(key)
        if entry.deletion_asked_at is None:
            entry.deletion_asked_at = now
        self.backing.changed(key)

    async def remove(self, key: Key) -> None:
        """As `ports.Store.remove`. Raises `WorkflowNotFound` where there is none."""
        self._check_owner(key, self._entry(key).owner.id)
        del self.backing.entries[key]
        self.backing.changed(key, gone=True)

    async def expire(self, stored: Stored) -> bool:
        """As `ports.Store.expire`."""
        key = rules.key_of(stored.workflow)
        entry = self._entry(key)
        self._check_owner(key, entry.owner.id)
        if not rules.may_expire(entry.stored(), stored):
            return False
        del self.backing.entries[key]
        self.backing.changed(key, gone=True)
        return True

    async def close(self) -> None:
        """As `ports.Store.close`."""
        if self._closed:
            return
        for key, entry in self.backing.entries.items():
            self._give_up(key, entry)
        self.halt()

    def halt(self) -> None:
        """End this handle as a crash would: claims stay written, and are void."""
        self.backing.live.pop(self.id, None)
        self._closed = True
        self.backing.wake()

    def _give_up(self, key: Key, entry: Entry) -> None:
        if entry.owner.id == self.id:
            entry.owner = Owner("", entry.owner.epoch)
            self.backing.changed(key)

    def _put_step(self, entry: Entry, index: int, state: StepState) -> None:
        was = entry.steps[index].phase
        entry.succeeded += (state.phase is Phase.SUCCESS) - (was is Phase.SUCCESS)
        entry.undone += (state.phase is Phase.ROLL_BACKED) - (was is Phase.ROLL_BACKED)
        entry.steps[index] = state

    async def _follow(self, position: int) -> AsyncIterator[Seen]:
        while not self._closed:
            for seen in self.backing.seen_after(position):
                position = seen.position
                yield seen
            if position == self.backing.position and not self._closed:
                await self.backing.next_change()

    def _check_owner(self, key: Key, owner: str) -> None:
        if owner and owner != self.id and owner in self.backing.live:
            raise rules.owned(key, f"another part of this process ({owner})")

    @property
    def closed(self) -> bool:
        """Whether nothing may be asked any more."""
        return self._closed

    def check_open(self) -> None:
        """Raises StoreUnavailable once it is closed."""
        if self._closed:
            raise StoreUnavailable("the store memory: is closed")

    def _entry(self, key: Key) -> Entry:
        self.check_open()
        entry = self.backing.entries.get(key)
        if entry is None:
            raise rules.not_found(key)
        return entry
