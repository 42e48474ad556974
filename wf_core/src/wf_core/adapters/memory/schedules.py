"""The schedules of a memory store."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wf_core.adapters import schedule_rules as rules
from wf_core.model.schedule import CronStatus, CronWorkflow, StoredSchedule
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder
from wf_core.schedules.runs import key_of

if TYPE_CHECKING:
    from wf_core.adapters.memory.store import MemoryStore


class MemorySchedules:
    """`ports.Schedules` on the backing of a store."""

    runs_go_along = False

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store

    async def create(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """As `ports.Schedules.create`."""
        key = key_of(schedule)
        stored = self._all().get(key)
        if stored is None:
            first = rules.first_schedule(schedule)
            return self._put(key, StoredSchedule(first, CronStatus(), now, folder))
        if not rules.same(schedule, stored.schedule):
            raise rules.exists(key)
        return stored

    async def replace(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """As `ports.Schedules.replace`."""
        key = key_of(schedule)
        stored = self._all().get(key)
        if stored is None:
            return await self.create(schedule, now, folder)
        kept = rules.with_uid(schedule, stored.schedule.metadata.uid)
        return self._put(key, replace(stored, schedule=kept, folder=folder))

    async def load(self, key: Key) -> StoredSchedule:
        """As `ports.Schedules.load`."""
        stored = self._all().get(key)
        if stored is None:
            raise rules.not_found(key)
        return stored

    async def list(self) -> Sequence[StoredSchedule]:
        """As `ports.Schedules.list`."""
        return [stored for _, stored in sorted(self._all().items())]

    async def suspend(self, key: Key, suspended: bool) -> None:
        """As `ports.Schedules.suspend`."""
        stored = await self.load(key)
        self._put(key, replace(stored, schedule=rules.suspended(stored.schedule, suspended)))

    async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
        """As `ports.Schedules.save`."""
        stored = self._building_on(key, uid, status)
        if stored is None:
            return False
        self._put(key, replace(stored, status=status))
        return True

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,
        folder: Folder | None = None,
    ) -> bool:
        """As `ports.Schedules.start`."""
        if self._building_on(key, uid, status) is None:
            return False
        await self._store.create(run, now, folder)
        return await self.save(key, uid, status)

    def watch(self) -> AsyncIterator[Key]:
        """As `ports.Schedules.watch`."""
        return rules.changes(self._versions, self._store.backing.next_change)

    async def remove(self, key: Key, *, keep_runs: bool = False) -> StoredSchedule:  # noqa: ARG002
        """As `ports.Schedules.remove`."""
        stored = await self.load(key)
        del self._all()[key]
        self._store.backing.wake()
        return stored

    def _all(self) -> dict[Key, StoredSchedule]:
        self._store.check_open()
        return self._store.backing.schedules

    def _put(self, key: Key, stored: StoredSchedule) -> StoredSchedule:
        self._all()[key] = stored
        self._store.backing.wake()
        return stored

    def _building_on(self, key: Key, uid: str, status: CronStatus) -> StoredSchedule | None:
        stored = self._all().get(key)
        if stored is None or stored.schedule.metadata.uid != uid:
            return None
        return stored if rules.follows(status, stored.status) else None

    async def _versions(self) -> Mapping[Key, object] | None:
        return None if self._store.closed else dict(self._all())
