"""What every keeper of schedules decides in the same way."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import msgspec

from wf_core.errors import ScheduleExists, ScheduleNotFound
from wf_core.model.schedule import CronStatus, CronWorkflow
from wf_core.model.spec import Key


def first_schedule(schedule: CronWorkflow) -> CronWorkflow:
    """`schedule` with a fresh uid where it has none."""
    if schedule.metadata.uid:
        return schedule
    import uuid  # only where a schedule is created

    return with_uid(schedule, str(uuid.uuid4()))


def with_uid(schedule: CronWorkflow, uid: str) -> CronWorkflow:
    """The same document, as that identity."""
    metadata = msgspec.structs.replace(schedule.metadata, uid=uid)
    return msgspec.structs.replace(schedule, metadata=metadata)


def suspended(schedule: CronWorkflow, suspend: bool) -> CronWorkflow:
    """The same schedule, suspended or not."""
    spec = msgspec.structs.replace(schedule.spec, suspend=suspend)
    return msgspec.structs.replace(schedule, spec=spec)


def same(schedule: CronWorkflow, stored: CronWorkflow) -> bool:
    """Is creating `schedule` a repeat of what made `stored`?"""
    uid = schedule.metadata.uid
    return uid in ("", stored.metadata.uid) and schedule.spec == stored.spec


def follows(status: CronStatus, stored: CronStatus) -> bool:
    """Does `status` build on what is stored?"""
    return status.revision == stored.revision + 1


def not_found(key: Key) -> ScheduleNotFound:
    """Nothing of that name is stored."""
    return ScheduleNotFound(
        f"no schedule '{key}' in this store; `wf cron list` shows what there is"
    )


def exists(key: Key) -> ScheduleExists:
    """The name is taken."""
    return ScheduleExists(
        f"schedule '{key}' is in this store already, with another document; `wf submit --replace` "
        "puts this one in its place"
    )


async def changes(
    versions: Callable[[], Awaitable[Mapping[Key, object] | None]],
    next_change: Callable[[], Awaitable[object]],
) -> AsyncIterator[Key]:
    """What `Schedules.watch` gives, from looking again and again; ends once `versions` gives None.

    A version differs whenever the schedule does. What `next_change` gives is asked for before each
    look and awaited after it, so that nothing falls in between.
    """
    known: dict[Key, object] = {}
    while True:
        changed = next_change()
        found = await versions()
        if found is None:
            return
        told = [key for key, version in found.items() if known.get(key) != version]
        told += [key for key in known if key not in found]
        known = dict(found)
        for key in told:
            yield key
        await changed
