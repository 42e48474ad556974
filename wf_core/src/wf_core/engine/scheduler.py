"""Starts what is due: the shell around `wf_core.schedules`.

Everything is decided from what is saved, so it does not matter how often this looks, nor whether
another scheduler does the same on the same store.
"""

import logging
from typing import Protocol

from msgspec.structs import replace

from wf_core.engine.runs_known import RunsKnown, state_of
from wf_core.engine.turns import Turns
from wf_core.errors import (
    AuthorError,
    ScheduleNotFound,
    StoreRefused,
    StoreUnavailable,
    WorkflowExists,
    WorkflowNotFound,
    WorkflowOwned,
)
from wf_core.model.phases import FINISHED, RequestType
from wf_core.model.requests import Request
from wf_core.model.schedule import CronStatus, CronWorkflow, StoredSchedule
from wf_core.model.spec import Key
from wf_core.ports import Clock, Schedules, Store
from wf_core.schedules.decision import Decision, decide, held_up, refused, without
from wf_core.schedules.runs import is_run_of, key_of, run_key, run_of
from wf_core.schedules.timetable import timetable

log = logging.getLogger("wf.schedules")
SOON = 1.0
"""Seconds after which a schedule is looked at again that was saved by somebody else; it is sooner
where the store tells of that."""


class Judge(Protocol):
    """Says why no run of a schedule could begin here, or nothing."""

    def __call__(self, schedule: CronWorkflow, /) -> str: ...

    def forget(self, key: Key, /) -> None:
        """The schedule is gone."""


class Scheduler:
    """Runs the schedules of one store. `clock` is the one that people go by."""

    def __init__(self, store: Store, schedules: Schedules, clock: Clock, judge: Judge) -> None:
        self._store = store
        self._schedules = schedules
        self._clock = clock
        self._judge = judge
        self._runs = RunsKnown(store)
        self._turns = Turns("schedule", clock, self._try, log)

    async def run(self) -> None:
        """Until it is cancelled. What fails is logged and tried again; nothing is raised."""
        await self._turns.run(self._follow_schedules, self._follow_runs)

    async def _follow_schedules(self) -> None:
        async for key in self._schedules.watch():
            self._turns.soon(key)

    async def _follow_runs(self) -> None:
        since = await self._store.position()
        self._runs.doubt()
        self._turns.all_soon()
        async for seen in self._store.watch(since):
            schedule = self._runs.changed(seen.key)
            if schedule is not None:
                self._turns.soon(schedule)

    async def _try(self, key: Key) -> float | None:
        """One turn of one schedule; one that is gone is forgotten."""
        try:
            return await self._turn(key)
        except ScheduleNotFound:
            self._turns.forget(key)
            self._runs.forget(key)
            self._judge.forget(key)
            return None

    async def _turn(self, key: Key) -> float | None:
        """Decide and do it; when to decide again. Raises what the store raises."""
        stored = await self._schedules.load(key)
        status = stored.status
        unsaved = await self._runs.unsaved(stored)
        names = tuple(run.name for run in (*status.active, *status.finished, *unsaved))
        runs = await self._runs.states(key, names)
        fault = self._judge(stored.schedule)
        now = self._clock.now()
        decision = decide(stored.schedule, stored.created_at, status, runs, now, fault, unsaved)
        for name in decision.cancel:
            await self._cancel(key, run_key(stored.schedule, name), decision, now)
        removed = [
            name for name in decision.remove if await self._removed(run_key(stored.schedule, name))
        ]
        after = without(decision.status, removed)
        if after != status and not await self._saved(stored, after, decision.start, now):
            return now + SOON  # somebody else decided meanwhile
        self._runs.told(key)
        self._tell(key, status, after)
        self._runs.keep(key, tuple(run.name for run in (*after.active, *after.finished)))
        return decision.wake_at

    async def _saved(
        self, stored: StoredSchedule, after: CronStatus, slot: float | None, now: float
    ) -> bool:
        schedule, revision = stored.schedule, stored.status.revision + 1
        key, uid = key_of(schedule), schedule.metadata.uid
        after = replace(after, revision=revision)
        if slot is None:
            return await self._schedules.save(key, uid, after)
        table = timetable(schedule.spec.schedule, schedule.spec.time_zone)
        run = run_of(schedule, slot, seconds=table.has_seconds)
        self._runs.making(key, run_key(schedule, run.metadata.name), slot)
        try:
            saved = await self._schedules.start(key, uid, after, run, now, stored.folder)
        except WorkflowExists:
            there = (await self._store.load(run_key(schedule, run.metadata.name))).workflow
            if not is_run_of(there, schedule, slot):
                why = "a workflow that is none of this schedule has the name of its run"
                after = refused(after, slot, why, stored.status)
            saved = await self._schedules.save(key, uid, after)
        except AuthorError as error:
            after = refused(after, slot, str(error), stored.status)
            saved = await self._schedules.save(key, uid, after)
        except StoreRefused as error:
            if not error.passing:
                said = replace(held_up(stored.status, slot, str(error)), revision=revision)
                if (said.reason, said.message) != (stored.status.reason, stored.status.message):
                    await self._schedules.save(key, uid, said)
            raise  # the slot is tried again
        if saved and after.last_schedule_time == slot:
            log.info("schedule %s: started %s", key, run.metadata.name)
        return saved

    async def _cancel(self, schedule: Key, run: Key, decision: Decision, now: float) -> None:
        by = f"schedule '{schedule}'"
        request = Request(RequestType.CANCEL, reason=decision.status.message, by=by)
        try:
            await self._store.request(run, request, now)
        except AuthorError as error:  # it is gone, or has too many requests already
            log.warning("%s: could not be asked to cancel: %s", run, error)

    async def _removed(self, run: Key) -> bool:
        """Forget a run that has ended. What happened to it meanwhile is left to the next turn."""
        try:
            stored = await self._store.load(run)
            if stored.head.phase not in FINISHED or state_of(stored).owes:
                return False
            return await self._store.expire(stored)
        except WorkflowNotFound:
            return True
        except (WorkflowOwned, StoreUnavailable) as error:
            log.info("%s: is not removed yet: %s", run, error)
            return False

    def _tell(self, key: Key, before: CronStatus, after: CronStatus) -> None:
        if after.message and (after.reason, after.message) != (before.reason, before.message):
            log.warning("schedule %s: %s: %s", key, after.reason, after.message)
