"""The obligations of `ports.Schedules`, as tests. An adapter's author subclasses
`SchedulesContract`, with the methods of `StoreTests`."""

import asyncio

import attrs
import pytest
from msgspec.structs import replace

from wf_core.errors import ScheduleExists, ScheduleNotFound, WorkflowExists, WorkflowNotFound
from wf_core.model.schedule import (
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    ScheduledRun,
    StoredSchedule,
    WorkflowTemplate,
)
from wf_core.model.spec import Key, Metadata, Workflow
from wf_core.model.state import Folder
from wf_core.ports import HoldsSchedules, Schedules, Store
from wf_core.schedules.runs import key_of, run_key, run_of
from wf_core.testing.store_handles import PATIENCE, Handles, StoreTests, end
from wf_core.testing.store_values import workflow

SLOT = 1_800_000_000.0


def schedule(name: str = "nightly", expression: str = "0 3 * * *") -> CronWorkflow:
    """A schedule of a workflow of two steps."""
    template = WorkflowTemplate(workflow().spec)
    return CronWorkflow(Metadata(name), CronWorkflowSpec(expression, template))


def of(store: Store) -> Schedules:
    """The schedules of a store that keeps some."""
    assert isinstance(store, HoldsSchedules)
    return store.schedules


def started(stored: StoredSchedule, slot: float = SLOT) -> CronStatus:
    """The status that tells of a run of that slot."""
    name = run_of(stored.schedule, slot, seconds=False).metadata.name
    return replace(
        stored.status,
        revision=stored.status.revision + 1,
        timetable="0 3 * * * UTC",
        decided_time=slot,
        last_schedule_time=slot,
        active=(ScheduledRun(name, slot),),
    )


@attrs.frozen
class Made:
    """A schedule in a store, and the run of `SLOT`."""

    store: Store
    stored: StoredSchedule

    @classmethod
    async def on(cls, store: Store) -> "Made":
        return cls(store, await of(store).create(schedule(), 5.0))

    @property
    def schedules(self) -> Schedules:
        return of(self.store)

    @property
    def key(self) -> Key:
        return key_of(self.stored.schedule)

    @property
    def uid(self) -> str:
        return self.stored.schedule.metadata.uid

    def run(self, slot: float = SLOT) -> Workflow:
        return run_of(self.stored.schedule, slot, seconds=False)

    async def started(self, slot: float = SLOT) -> bool:
        """Create that run, with the status that tells of it."""
        status = started(self.stored, slot)
        return await self.schedules.start(self.key, self.uid, status, self.run(slot), slot)


class SchedulesContract(StoreTests):
    """Keeping schedules, and starting their runs."""

    def test_a_created_schedule_is_fresh_and_has_a_uid(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            assert made.schedule.metadata.uid
            assert made.schedule.spec == schedule().spec
            assert made.status == CronStatus()
            assert await schedules.load(key_of(made.schedule)) == made

        self.run(test)

    def test_creating_is_idempotent_and_another_document_is_refused(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            assert await schedules.create(schedule(), 6.0) == made
            with pytest.raises(ScheduleExists, match="--replace"):
                await schedules.create(schedule(expression="0 4 * * *"), 7.0)
            assert await schedules.load(key_of(made.schedule)) == made

        self.run(test)

    def test_replacing_keeps_identity_and_status(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            key, uid = key_of(made.schedule), made.schedule.metadata.uid
            status = started(made)
            assert await schedules.save(key, uid, status)
            other = schedule(expression="0 4 * * *")
            after = await schedules.replace(other, 6.0)
            assert after.schedule.spec == other.spec
            assert after.schedule.metadata.uid == uid
            assert (after.status, after.created_at) == (status, made.created_at)
            fresh = await schedules.replace(schedule("other"), 7.0)
            assert fresh.status == CronStatus()

        self.run(test)

    def test_b2_runs_get_the_folder_of_their_schedule(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            schedules, folder = of(store), Folder("/srv/ann", 1000)
            wanted = folder if store.keeps_folders else None
            stored = await schedules.create(schedule(), 5.0, folder)
            made = Made(store, stored)
            assert stored.folder == wanted
            assert (await schedules.load(made.key)).folder == wanted
            status, run = started(stored), made.run()
            assert await schedules.start(made.key, made.uid, status, run, SLOT, stored.folder)
            created = await store.load(run_key(stored.schedule, run.metadata.name))
            assert created.head.folder == wanted
            moved = Folder("/srv/ann/elsewhere", 1000)
            after = await schedules.replace(schedule(), 6.0, moved)
            assert after.folder == (moved if store.keeps_folders else None)

        self.run(test)

    def test_all_are_listed_by_name(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            for name in ("b", "c", "a"):
                await schedules.create(schedule(name), 5.0)
            names = [each.schedule.metadata.name for each in await schedules.list()]
            assert names == ["a", "b", "c"]

        self.run(test)

    def test_suspending_changes_nothing_else(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            made = await schedules.create(schedule(), 5.0)
            key = key_of(made.schedule)
            await schedules.suspend(key, True)
            after = await schedules.load(key)
            assert after.schedule.spec == replace(made.schedule.spec, suspend=True)
            await schedules.suspend(key, False)
            assert await schedules.load(key) == made

        self.run(test)

    def test_what_is_not_there_is_not_found(self) -> None:
        async def test(handles: Handles) -> None:
            schedules = of(await handles.open())
            nothing = Key("default", "nothing")
            for question in (
                schedules.load(nothing),
                schedules.suspend(nothing, True),
                schedules.remove(nothing),
            ):
                with pytest.raises(ScheduleNotFound, match="wf cron list"):
                    await question
            assert not await schedules.save(nothing, "no-uid", CronStatus(revision=1))

        self.run(test)

    def test_a_save_that_builds_on_an_older_one_is_refused(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = of(await handles.open()), of(await handles.open())
            made = await ours.create(schedule(), 5.0)
            key, uid = key_of(made.schedule), made.schedule.metadata.uid
            status = started(made)
            assert await theirs.save(key, uid, replace(status, message="theirs"))
            assert not await ours.save(key, uid, replace(status, message="ours"))
            assert not await ours.save(key, uid, replace(status, revision=3))
            assert not await ours.save(key, "another-uid", replace(status, revision=2))
            assert (await ours.load(key)).status.message == "theirs"

        self.run(test)

    def test_a_run_is_created_with_the_status_that_tells_of_it(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            assert await made.started()
            (active,) = (await made.schedules.load(made.key)).status.active
            stored = await made.store.load(run_key(made.stored.schedule, active.name))
            assert stored.workflow.spec == made.run().spec
            assert stored.workflow.metadata.labels == made.run().metadata.labels

        self.run(test)

    def test_a_run_that_a_crash_left_untold_is_the_same_run(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            first = await made.store.create(made.run(), SLOT)
            assert await made.started()
            rows = (await made.store.list()).rows
            assert [row.uid for row in rows] == [first.workflow.metadata.uid]

        self.run(test)

    def test_a_start_whose_name_is_taken_saves_nothing(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            await made.store.create(workflow(made.run().metadata.name), SLOT)
            with pytest.raises(WorkflowExists):
                await made.started()
            assert (await made.schedules.load(made.key)).status == CronStatus()

        self.run(test)

    def test_a_watch_tells_what_there_is_and_then_what_changes(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = of(await handles.open()), of(await handles.open())
            made = await ours.create(schedule("there"), 5.0)
            there, later = key_of(made.schedule), Key(made.schedule.metadata.namespace, "later")
            watch = ours.watch()
            assert await asyncio.wait_for(anext(watch), PATIENCE) == there
            await theirs.create(schedule("later"), 6.0)
            assert await asyncio.wait_for(anext(watch), PATIENCE) == later
            assert await theirs.save(there, made.schedule.metadata.uid, started(made))
            assert await asyncio.wait_for(anext(watch), PATIENCE) == there
            await theirs.suspend(later, True)
            assert await asyncio.wait_for(anext(watch), PATIENCE) == later
            await theirs.remove(there)
            assert await asyncio.wait_for(anext(watch), PATIENCE) == there
            with pytest.raises(ScheduleNotFound):
                await ours.load(there)
            await end(watch)

        self.run(test)

    def test_a_removed_schedule_gives_what_it_was_and_leaves_its_runs(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            assert await made.started()
            gone = await made.schedules.remove(made.key, keep_runs=True)
            assert gone.status == started(made.stored)
            assert not await made.schedules.save(
                made.key, made.uid, replace(gone.status, revision=2)
            )
            assert await made.store.load(run_key(gone.schedule, made.run().metadata.name))

        self.run(test)

    def test_a_refused_start_creates_nothing_where_both_are_one_write(self) -> None:
        async def test(handles: Handles) -> None:
            made = await Made.on(await handles.open())
            assert await made.schedules.save(made.key, made.uid, started(made.stored))
            assert not await made.started(SLOT + 60)
            if self.writes_both_at_once:
                late = made.run(SLOT + 60).metadata.name
                with pytest.raises(WorkflowNotFound):
                    await made.store.load(run_key(made.stored.schedule, late))

        self.run(test)

    writes_both_at_once = True
    """Whether a run and the status that tells of it are one write."""
