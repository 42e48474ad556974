"""What others do to the store: requests, deletions, saves of others, and what is new in it."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping

from wf_core.engine.expiry import Expiry
from wf_core.engine.follower import Follower
from wf_core.engine.locks import KeyLocks
from wf_core.engine.room import Room
from wf_core.engine.runner import Runner
from wf_core.engine.slots import Slots
from wf_core.engine.standing import ended, in_doubt, waits
from wf_core.engine.taking_up import TakingUp
from wf_core.errors import StoreForeign, WfError, WorkflowNotFound
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Seen, Store


class Noticing:
    """Tells runners what happened to their workflows, and has what nobody drives taken up (`take`)
    or offered to admission, where the engine serves (`queued`); what can't be read is left alone
    (`leave_alone`)."""

    def __init__(
        self,
        store: Store,
        runners: Mapping[Key, Runner],
        errors: MutableMapping[Key, WfError],
        locks: KeyLocks,
        slots: Slots,
        room: Room,
        taking_up: TakingUp,
        queued: Callable[[], bool],
        take: Callable[[Key], Awaitable[object]],
        leave_alone: Callable[[Key, WfError], None],
    ) -> None:
        self._store = store
        self._runners = runners
        self._errors = errors
        self._locks = locks
        self._slots = slots
        self._room = room
        self._taking_up = taking_up
        self._queued = queued
        self._take = take
        self._leave_alone = leave_alone
        self._follower: Follower
        self._expiry: Expiry

    def with_(self, follower: Follower, expiry: Expiry) -> None:
        """What looks again later, and what removes by age: both look through this."""
        self._follower = follower
        self._expiry = expiry

    def learn(self, key: Key, seen: Seen) -> bool:
        """Tell the workflow's runner what was seen; whether that is all there is to do."""
        runner = self._runners.get(key)
        if runner is None or in_doubt(runner, seen) or seen.request_seq > runner.last_request:
            return False
        runner.learn((), seen.deletion_asked_at, seen.deletion_policy, seen.ttl)
        return True

    async def look(self, key: Key, seen: Seen | None) -> None:
        """Look at requests and deletion of a workflow that changed, and at what is new; `seen` is
        None where it could not be looked at before. Raises what the store raises."""
        runner = self._runners.get(key)
        if runner is None and self._locks.held(key):
            async with self._locks.of(key):  # it is being taken up, or let go
                runner = self._runners.get(key)
        if runner is None:
            if seen is not None and seen.gone:
                self._slots.leave(key)
                self._taking_up.gone(key)
                self._room.gone(key)
                if self._queued():
                    self._errors.pop(key, None)
            elif self._queued():
                await self._see_new(key, seen)
        elif seen is None or in_doubt(runner, seen):
            await self._look_at(runner)
        elif not self.learn(key, seen):
            asked = await self._store.asked(key)
            runner.learn(asked, seen.deletion_asked_at, seen.deletion_policy, seen.ttl)
            runner.last_request = max(runner.last_request, seen.request_seq)

    async def _look_at(self, runner: Runner) -> None:
        """Look at a workflow that is run here, and perhaps should not be any more."""
        key = runner.key
        async with self._locks.of(key):
            if self._runners.get(key) is not runner:
                return
            rested_on = runner.place if runner.idle else None
            stored: Stored | None = None
            with contextlib.suppress(WorkflowNotFound):
                stored = await self._store.load(key)
            error = ended(runner, stored, rested_on)
            if error is not None:
                await runner.end(error)
            elif stored is not None:
                deleted_at, spec = stored.head.deletion_asked_at, stored.workflow.spec
                ttl = spec.ttl_seconds_after_finished
                runner.learn(stored.asked, deleted_at, spec.deletion_policy, ttl)
                runner.kick()
                self._follower.settled(key)
        if isinstance(error, WorkflowNotFound) and stored is not None and self._queued():
            await self._see_new(key, None)

    async def _see_new(self, key: Key, seen: Seen | None) -> None:
        try:
            left_alone = await self._taking_up.left_alone(key)
            if left_alone is not None:
                if seen is not None and seen.deletion_asked_at is not None:
                    self._errors.pop(key, None)  # so that it is said anew, of what is to go
                    self._leave_alone(key, left_alone)
                return
            self._room.check(key)
            stored = await self._store.load(key)
        except WorkflowNotFound:
            self._slots.settle(key)
            self._slots.admit()
            raise
        except StoreForeign as error:
            self._leave_alone(key, error)  # until it changes
            return
        head, spec = stored.head, stored.workflow.spec
        another = self._taking_up.is_another(key, stored.workflow.metadata.uid)
        if another or stored.asked or head.deletion_asked_at is not None:
            self._errors.pop(key, None)  # a person did something about it
        if waits(stored):
            await self._take(key)
            return
        self._expiry.saw(key, spec.queue, head, spec.ttl_seconds_after_finished)
        self._slots.settle(key)
        if head.phase is Phase.PENDING and not head.suspended:
            metadata = stored.workflow.metadata
            self._slots.offer(key, spec.queue, spec.priority, head.created_at, metadata.uid)
        self._slots.admit()
