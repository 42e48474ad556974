"""The scheduler beside an engine, on virtual time: who starts what, whatever crashes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.schedules.schedule_bench import KEY, MINUTE, Clockwork, cron

from wf_core.adapters.memory.schedules import MemorySchedules
from wf_core.adapters.memory.store import MemoryStore
from wf_core.errors import AuthorError, StoreRefused, StoreUnavailable
from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import DeletionPolicy, Hook, Phase, RequestType
from wf_core.model.schedule import ConcurrencyPolicy, CronStatus
from wf_core.model.spec import Callback, Key, Workflow
from wf_core.model.state import Folder
from wf_core.ports import Delivered, Receipt, Schedules
from wf_core.schedules.runs import SCHEDULE, SCHEDULED_AT
from wf_core.testing.bench import chain, step, workflow
from wf_core.testing.scripted_hooks import FOREVER, Do, Script

FATAL = Failure(Severity.FATAL, "no")


async def test_each_slot_has_one_run_that_says_whose_it_is_and_when() -> None:
    world = Clockwork.made()
    world.process()
    await world.submit(cron(successful_runs_history_limit=10))
    await world.at(3 * MINUTE)
    assert world.slots() == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    status = await world.status()
    assert (status.active, status.missed, status.skipped) == ((), 0, 0)
    assert status.last_schedule_time == world.start + 3 * MINUTE
    assert status.next_schedule_time == world.start + 4 * MINUTE
    assert status.last_successful_time is not None
    stored = await world.bench.stored(Key("default", status.finished[0].name))
    assert stored.workflow.metadata.labels == {SCHEDULE: "tick"}
    assert stored.workflow.metadata.annotations[SCHEDULED_AT] == "2027-01-15T08:01:00Z"
    assert stored.head.created_at == pytest.approx(world.start + MINUTE)


async def test_a_schedule_is_taken_up_changed_and_dropped_while_it_runs() -> None:
    world = Clockwork.made()
    world.process()
    await world.at(90)
    await world.submit(cron(successful_runs_history_limit=10))
    await world.at(2 * MINUTE)
    assert world.slots() == [2 * MINUTE]
    await world.schedules.replace(cron("*/5 * * * *"), world.clock.now())
    await world.at(4 * MINUTE)
    assert world.slots() == [2 * MINUTE]
    await world.at(5 * MINUTE)
    assert world.slots() == [2 * MINUTE, 5 * MINUTE]
    await world.schedules.suspend(KEY, True)
    await world.at(11 * MINUTE)
    assert world.slots() == [2 * MINUTE, 5 * MINUTE]
    await world.schedules.suspend(KEY, False)
    await asyncio.sleep(0.5)
    assert world.slots() == [2 * MINUTE, 5 * MINUTE, 10 * MINUTE]
    await world.schedules.remove(KEY)
    await world.at(30 * MINUTE)
    assert len(world.runs()) == 3


async def test_two_schedulers_on_one_store_start_one_run_a_slot() -> None:
    world = Clockwork.made()
    for _ in range(3):
        world.process()
    await world.submit(cron(successful_runs_history_limit=100))
    await world.at(30 * MINUTE)
    assert world.slots() == [MINUTE * n for n in range(1, 31)]
    assert (await world.status()).last_schedule_time == world.start + 30 * MINUTE
    assert len(world.bench.calls) == 30


@pytest.mark.parametrize("history", [0, 2])
async def test_history_keeps_so_many_and_none_comes_twice(history: int) -> None:
    world = Clockwork.made()
    world.process()
    world.process()
    await world.submit(cron(successful_runs_history_limit=history))
    await world.at(10 * MINUTE)
    assert len(world.slots()) == history
    assert len(world.bench.calls) == 10


async def test_after_a_downtime_the_latest_slot_alone_is_started() -> None:
    world = Clockwork.made()
    first = world.process()
    await world.submit(cron(successful_runs_history_limit=100))
    await world.at(2 * MINUTE)
    await first.crash()
    await world.at(9 * MINUTE + 20)
    world.process()
    await asyncio.sleep(1)
    assert world.slots() == [MINUTE, 2 * MINUTE, 9 * MINUTE]
    assert (await world.status()).missed == 6


class TwoWrites(MemorySchedules):
    """A run and the status that tells of it are two writes, as in a cluster."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.store = store
        self.between = asyncio.Event()

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,
        folder: Folder | None = None,
    ) -> bool:
        await self.store.create(run, now, folder)
        self.between.set()
        await asyncio.sleep(0.01)
        return await self.save(key, uid, status)


class TwoWritesClockwork(Clockwork):
    """A world of those."""

    def kept(self, store: MemoryStore) -> Schedules:
        return TwoWrites(store)


@pytest.mark.parametrize("changed", [False, True])
async def test_a_crash_between_the_run_and_the_word_of_it_makes_no_second_one(
    changed: bool,
) -> None:
    world = TwoWritesClockwork.made()
    process = world.process()
    await world.submit(cron(successful_runs_history_limit=100))
    await world.bench.until(lambda: len(world.slots()) == 1)
    assert (await world.status()).active == ()
    await process.crash()
    if changed:  # then the run can't be made as it was
        other = cron(run=chain("other"), successful_runs_history_limit=100)
        await world.schedules.replace(other, world.clock.now())
    world.process()
    await world.at(2 * MINUTE)
    assert world.slots() == [MINUTE, 2 * MINUTE]
    status = await world.status()
    assert [each.scheduled_time - world.start for each in status.finished] == [60, 120]
    assert (status.skipped, status.missed) == (0, 0)


@pytest.mark.parametrize("found_after", [MINUTE + 20, 4 * MINUTE + 20])
@pytest.mark.parametrize("policy", list(ConcurrencyPolicy))
async def test_a_run_that_nobody_took_note_of_counts_whenever_the_next_scheduler_comes(
    policy: ConcurrencyPolicy, found_after: float
) -> None:
    world = TwoWritesClockwork.made(Script(Do(seconds=5)))
    process = world.process()
    kept = cron(successful_runs_history_limit=1, rolled_back_runs_history_limit=0)
    spec = replace(kept.spec, concurrency_policy=policy)
    await world.submit(replace(kept, spec=spec))
    await world.bench.until(lambda: len(world.slots()) == 1)
    assert (await world.status()).active == ()
    await process.crash()
    await world.at(found_after)
    world.process()
    await world.at(7 * MINUTE + 30)
    status = await world.status()
    assert status.missed == len([slot for slot in (2, 3) if slot * MINUTE < found_after - MINUTE])
    assert world.slots() == [7 * MINUTE]  # history limits remove the first one too
    began = {each.call.workflow for each in world.bench.calls}
    assert len(began) == 7 - status.missed - status.skipped


async def test_a_scheduler_that_could_not_save_takes_note_of_its_own_run() -> None:
    class Failing(TwoWrites):
        async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
            if self.between.is_set() and world.clock.now() < world.start + 150:
                raise StoreUnavailable("no answer")
            return await super().save(key, uid, status)

    class World(Clockwork):
        def kept(self, store: MemoryStore) -> Schedules:
            return Failing(store)

    world = World.made(Script(Do(seconds=FOREVER)))
    world.process()
    await world.submit(cron(concurrency_policy=ConcurrencyPolicy.FORBID))
    await world.at(4 * MINUTE)
    assert world.slots() == [MINUTE]
    status = await world.status()
    assert [run.scheduled_time - world.start for run in status.active] == [MINUTE]
    assert (status.missed, status.last_schedule_time) == (0, world.start + MINUTE)


async def test_forbid_lets_one_run_end_before_the_next_begins() -> None:
    world = Clockwork.made(Script(Do(seconds=90)))
    world.process()
    await world.submit(cron(concurrency_policy=ConcurrencyPolicy.FORBID))
    await world.at(4 * MINUTE)
    assert world.slots() == [MINUTE, 3 * MINUTE]
    assert (await world.status()).skipped == 2


async def test_replace_undoes_the_earlier_run_before_the_next_begins() -> None:
    script = Script().on("a", Do()).on("a", Do(seconds=20), hook=Hook.ROLLBACK)
    script.on("b", Do(seconds=FOREVER))
    world = Clockwork.made(script)
    world.process()
    await world.submit(cron(run=chain("a", "b"), concurrency_policy=ConcurrencyPolicy.REPLACE))
    await world.at(3 * MINUTE)
    names = [f"{each.name} {each.began_at - world.start:.0f}" for each in world.bench.calls]
    assert names[:7] == [
        *("a.run/1 60", "b.run/1 60"),
        *("b.rollback/1 120", "a.rollback/1 120"),
        *("a.run/1 140", "b.run/1 140"),
        "b.rollback/1 180",
    ]
    first, second, *_ = world.runs()
    assert (world.runs()[first], world.runs()[second]) == (Phase.ROLL_BACKED, Phase.ROLLING_BACK)
    (answer,) = (await world.bench.stored(Key("default", first))).head.answers
    assert answer.type is RequestType.CANCEL


async def test_replace_waits_for_what_is_past_its_pivot() -> None:
    world = Clockwork.made(Script().on("b", Do(seconds=100)))
    world.process()
    pivoted = workflow(step("a", pivot=True), step("b", "a"))
    await world.submit(
        cron(run=pivoted, concurrency_policy=ConcurrencyPolicy.REPLACE, time_zone="Asia/Tokyo")
    )
    await world.at(2 * MINUTE)
    (running,) = world.runs()
    stored = await world.bench.stored(Key("default", running))
    assert (stored.head.phase, stored.head.answers) == (Phase.RUNNING, ())
    assert "waits until" in (await world.status()).message
    await world.at(165)
    assert list(world.runs().values()) == [Phase.SUCCESS, Phase.RUNNING]


async def test_replace_waits_for_a_person_where_the_undo_is_stuck() -> None:
    script = Script().on("a", Do(FATAL), hook=Hook.ROLLBACK).on("b", Do(seconds=FOREVER))
    world = Clockwork.made(script)
    world.process()
    await world.submit(cron(run=chain("a", "b"), concurrency_policy=ConcurrencyPolicy.REPLACE))
    await world.at(5 * MINUTE)
    (stuck,) = world.runs()
    status = await world.status()
    assert world.runs()[stuck] is Phase.FAILED
    assert f"`wf explain {stuck}`" in status.message
    assert status.waiting_time == world.start + 5 * MINUTE
    key = Key("default", stuck)
    await world.bench.ask(key, RequestType.MARK_ROLLED_BACK, "a")
    await asyncio.sleep(1)
    assert list(world.runs().values()) == [Phase.ROLL_BACKED, Phase.RUNNING]


async def test_history_forgets_and_never_undoes() -> None:
    world = Clockwork.made()
    world.process()
    run = chain("a", deletion_policy=DeletionPolicy.ROLLBACK)
    await world.submit(cron(run=run, successful_runs_history_limit=1))
    await world.at(4 * MINUTE)
    assert world.slots() == [4 * MINUTE]
    assert set(world.bench.names) == {"a.run/1"}


async def test_what_still_owes_a_callback_is_kept_until_it_is_told() -> None:
    world = Clockwork.made()
    world.bench.sender.answer = lambda _: Receipt(Delivered.RETRY, "away")
    world.process()
    run = chain("a", callback=Callback("http://somewhere"))
    await world.submit(cron(run=run, successful_runs_history_limit=0))
    await world.at(3 * MINUTE)
    assert len(world.slots()) == 3
    world.bench.sender.answer = lambda _: Receipt(Delivered.DELIVERED)
    await world.schedules.suspend(KEY, True)
    await world.at(20 * MINUTE)
    assert world.slots() == []


async def test_an_undo_that_is_stuck_is_never_forgotten() -> None:
    script = Script().on("b", Do(FATAL)).on("a", Do(FATAL), hook=Hook.ROLLBACK)
    world = Clockwork.made(script)
    world.process()
    await world.submit(cron(run=chain("a", "b"), failed_runs_history_limit=0))
    await world.at(2 * MINUTE)
    assert set(world.runs().values()) == {Phase.FAILED}
    assert len(world.slots()) == 2


async def test_a_name_that_is_taken_skips_the_slot_and_says_so() -> None:
    world = Clockwork.made()
    world.process()
    await world.submit(cron())
    minutes = int(world.start // MINUTE)
    await world.bench.create(chain("z", name=f"tick-{minutes + 1}"))
    await world.at(MINUTE)
    status = await world.status()
    assert (status.reason, status.skipped, status.last_schedule_time) == ("Refused", 1, None)
    await world.at(2 * MINUTE)
    assert (await world.status()).last_schedule_time == world.start + 2 * MINUTE


async def test_a_run_that_the_store_refuses_is_skipped_with_the_reason() -> None:
    class Refusing(MemorySchedules):
        async def start(self, *_: object) -> bool:
            raise AuthorError("the cluster refuses it")

    class World(Clockwork):
        def kept(self, store: MemoryStore) -> Schedules:
            return Refusing(store)

    world = World.made()
    world.process()
    await world.submit(cron())
    await world.at(MINUTE)
    assert "the cluster refuses it" in (await world.status()).message


async def test_a_run_that_is_not_allowed_is_said_on_the_schedule_and_tried_again() -> None:
    class Forbidding(MemorySchedules):
        async def start(self, *args: Any) -> bool:
            if world.clock.now() < world.start + MINUTE + 40:
                raise StoreRefused("a policy denies it")
            return await super().start(*args)

    class World(Clockwork):
        def kept(self, store: MemoryStore) -> Schedules:
            return Forbidding(store)

    world = World.made()
    world.process()
    await world.submit(cron())
    await world.at(MINUTE + 20)
    status = await world.status()
    assert (status.reason, status.skipped) == ("Refused", 0)
    assert "a policy denies it" in status.message
    revision = status.revision
    await world.at(MINUTE + 35)
    assert (await world.status()).revision == revision
    await world.at(MINUTE + 55)
    status = await world.status()
    assert (world.slots(), status.reason, status.missed) == ([MINUTE], "", 0)


async def test_what_can_not_begin_here_is_said_and_not_started() -> None:
    world = Clockwork.made()
    world.process(says="no kind for it")
    await world.submit(cron())
    await world.at(2 * MINUTE)
    status = await world.status()
    assert (status.reason, status.message) == ("InvalidSpec", "no kind for it")
    assert world.runs() == {}


async def test_a_store_that_is_away_is_tried_again() -> None:
    class Away(MemorySchedules):
        away = True

        async def load(self, key: Key):  # type: ignore[no-untyped-def]  # as the one above
            if Away.away:
                raise StoreUnavailable("no answer")
            return await super().load(key)

        def watch(self) -> AsyncIterator[Key]:
            if Away.away:
                raise StoreUnavailable("no answer")
            return super().watch()

    class World(Clockwork):
        def kept(self, store: MemoryStore) -> Schedules:
            return Away(store)

    world = World.made()
    await world.submit(cron(successful_runs_history_limit=10))
    world.process()
    await world.at(2 * MINUTE + 10)
    assert world.slots() == []
    Away.away = False
    await world.at(3 * MINUTE)
    assert world.slots() == [2 * MINUTE, 3 * MINUTE]


async def test_a_clock_that_jumps_is_noticed() -> None:
    """A laptop that was shut in between: its loop slept too."""
    world = Clockwork.made()
    world.process()
    await world.submit(cron("0 9 * * *", successful_runs_history_limit=10))
    await world.at(10)
    world.clock._start += 3 * 3600
    await asyncio.sleep(11)
    assert world.slots() == [3600]


@pytest.mark.parametrize(
    ("zone", "expression", "begin", "wanted"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-03-28", "28T01:30 29T01:00 30T00:30"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-24", "24T00:30 25T00:30 26T01:30"),
        ("America/New_York", "30 2 * * *", "2026-03-07", "07T07:30 08T07:00 09T06:30"),
        ("America/New_York", "30 1 * * *", "2026-10-31", "31T05:30 01T05:30 02T06:30"),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-03", "03T14:45 04T14:45 05T15:15"),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-02", "02T15:45 03T15:30 04T15:15"),
    ],
)
async def test_a_schedule_runs_across_a_change_of_clocks(
    zone: str, expression: str, begin: str, wanted: str
) -> None:
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC).timestamp()
    world = Clockwork.made(start=start)
    world.process()
    await world.submit(cron(expression, time_zone=zone, successful_runs_history_limit=10))
    await world.at(3 * 24 * 3600)
    began = [datetime.fromtimestamp(each.began_at, UTC) for each in world.bench.calls]
    assert " ".join(each.strftime("%dT%H:%M") for each in began) == wanted


async def test_a_schedule_with_seconds_names_its_runs_by_them() -> None:
    world = Clockwork.made()
    world.process()
    await world.submit(cron("*/20 * * * * *", successful_runs_history_limit=10))
    await world.at(40)
    assert list(world.runs()) == ["tick-1800000020", "tick-1800000040"]


async def test_nobody_waits_for_a_schedule_that_is_wrong() -> None:
    world = Clockwork.made()
    world.process()
    await world.submit(cron())
    wrong = replace(cron().metadata, name="wrong")
    await world.submit(replace(cron("soon"), metadata=wrong))
    await world.at(MINUTE)
    assert world.slots() == [MINUTE]
    status = (await world.schedules.load(Key("default", "wrong"))).status
    assert status.reason == "InvalidSpec"
