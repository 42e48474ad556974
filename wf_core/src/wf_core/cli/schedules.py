"""The schedules of a store, as the commands use them."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from wf_core.cli.settings import Settings, key_of
from wf_core.cli.stores import ask_store, now
from wf_core.errors import OperatorError, ScheduleNotFound, WorkflowNotFound
from wf_core.model.schedule import CronWorkflow, StoredSchedule
from wf_core.model.state import Folder
from wf_core.ports import HoldsSchedules, Schedules, Store
from wf_core.schedules.runs import run_key

T = TypeVar("T")


def schedules_of(store: Store, settings: Settings) -> Schedules:
    """Those of the store. Raises OperatorError where it keeps none."""
    if not isinstance(store, HoldsSchedules):
        raise OperatorError(f"the store {settings.store_url} keeps no schedules")
    return store.schedules


def ask_schedules(settings: Settings, question: Callable[[Schedules], Awaitable[T]]) -> T:
    """Ask the schedules of the store one thing, on a loop of its own."""
    return ask_store(settings, lambda store: question(schedules_of(store, settings)))


def load_schedule(settings: Settings, name: str) -> StoredSchedule:
    """The schedule of that name. Raises ScheduleNotFound."""
    return ask_schedules(settings, lambda schedules: schedules.load(settings.key(name)))


async def as_they_are(store: Store, stored: StoredSchedule) -> StoredSchedule:
    """With the phases that its active runs have now: a scheduler notes those that ended only, and
    later. A run that is gone is left out."""
    active = []
    for run in stored.status.active:
        with contextlib.suppress(WorkflowNotFound):
            found = await store.load(run_key(stored.schedule, run.name))
            active.append(msgspec.structs.replace(run, phase=found.head.phase))
    status = msgspec.structs.replace(stored.status, active=tuple(active))
    return msgspec.structs.replace(stored, status=status)


async def create_schedules(
    schedules: Schedules,
    found: Sequence[CronWorkflow],
    folder: Folder | None,
    *,
    replacing: bool,
) -> None:
    """Store them, or where `replacing` put them in the place of those stored: all, or none where a
    name is taken. Raises ScheduleExists."""
    if not replacing:
        for schedule in found:
            await _require_free(schedules, schedule)
    for schedule in found:
        await (schedules.replace if replacing else schedules.create)(schedule, now(), folder)


async def _require_free(schedules: Schedules, schedule: CronWorkflow) -> None:
    try:
        stored = await schedules.load(key_of(schedule))
    except ScheduleNotFound:
        return
    if stored.schedule.spec != schedule.spec:
        await schedules.create(schedule, now())  # raises
