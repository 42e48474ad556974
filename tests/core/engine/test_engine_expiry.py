"""Clean-up by age while serving: `ttlSecondsAfterFinished`."""

import asyncio
import logging
from typing import Any

import pytest
from msgspec.structs import replace

from wf_core.config import Config, QueueLimits, Ttl
from wf_core.config.values import ControllerConfig, QueueConfig
from wf_core.errors import StoreUnavailable, WorkflowNotFound
from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import DeletionPolicy, Hook, Phase, RequestType
from wf_core.model.spec import NO_TTL, Callback, Key, StepTemplate, TimeToLive
from wf_core.model.state import Stored
from wf_core.ports import Delivered, Receipt
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.scripted_hooks import Do, Script

FATAL = Do(Failure(Severity.FATAL, "no"))
MINUTE = TimeToLive(success=60.0, roll_backed=60.0, failed=60.0)


def there(bench: Bench) -> list[str]:
    return sorted(key.name for key in bench.backing.entries)


def kept(everywhere: Ttl, **queues: Ttl) -> Config:
    limits = {name: QueueLimits(ttl=ttl) for name, ttl in queues.items()}
    return Config(
        controller_config=ControllerConfig(queue=QueueConfig(queues=limits), ttl=everywhere)
    )


async def test_a_finished_workflow_goes_when_it_is_over_age_and_not_before() -> None:
    bench = Bench(Script(Do(seconds=5)))
    await bench.create(chain("a", ttl_seconds_after_finished=MINUTE))
    bench.process().serve()
    await asyncio.sleep(64.9)
    assert there(bench) == ["order"]
    await asyncio.sleep(0.2)
    assert there(bench) == []
    assert bench.names == ["a.run/1"]


async def test_each_outcome_has_an_age_of_its_own() -> None:
    script = Script().on("b", FATAL).on("c", FATAL).on("undone", FATAL, hook=Hook.ROLLBACK)
    bench = Bench(script)
    ttl = TimeToLive(success=10.0, roll_backed=20.0, failed=30.0)
    await bench.create(chain("a", name="success", ttl_seconds_after_finished=ttl))
    await bench.create(chain("a", "b", name="undone", ttl_seconds_after_finished=ttl))
    await bench.create(chain("undone", "c", name="failed", ttl_seconds_after_finished=ttl))
    process = bench.process()
    process.serve()
    await asyncio.sleep(1)
    await bench.ask(Key("default", "failed"), RequestType.SKIP_ROLLBACK, "undone")
    await asyncio.sleep(8)
    assert there(bench) == ["failed", "success", "undone"]
    calls = list(bench.names)
    await asyncio.sleep(2)
    assert there(bench) == ["failed", "undone"]
    await asyncio.sleep(10)
    assert there(bench) == ["failed"]
    await asyncio.sleep(12)
    assert there(bench) == []
    assert bench.names == calls


async def test_without_a_word_nothing_goes() -> None:
    bench = Bench()
    await bench.create(chain("a"))
    bench.process().serve()
    await asyncio.sleep(10 * 86400)
    assert there(bench) == ["order"]


async def test_the_workflow_counts_before_its_queue_and_that_before_the_engine() -> None:
    bench = Bench(config=kept(Ttl(success=30.0), night=Ttl(success=20.0)))
    own = TimeToLive(success=10.0)
    await bench.create(chain("a", name="own", queue="night", ttl_seconds_after_finished=own))
    await bench.create(chain("a", name="queue", queue="night"))
    await bench.create(chain("a", name="engine", ttl_seconds_after_finished=TimeToLive(failed=1.0)))
    bench.process().serve()
    await asyncio.sleep(11)
    assert there(bench) == ["engine", "queue"]
    await asyncio.sleep(10)
    assert there(bench) == ["engine"]
    await asyncio.sleep(10)
    assert there(bench) == []


async def test_an_age_of_nothing_removes_at_once() -> None:
    bench = Bench()
    await bench.create(chain("a", ttl_seconds_after_finished=TimeToLive(0.0)))
    bench.process().serve()
    await asyncio.sleep(0.1)
    assert there(bench) == []


async def test_what_grew_old_while_nobody_served_goes_at_the_start() -> None:
    bench = Bench()
    key = await bench.create(chain("a", ttl_seconds_after_finished=MINUTE))
    first = bench.process()
    await first.run(key)
    await first.stop()
    await asyncio.sleep(1000)
    assert there(bench) == ["order"]
    bench.process().serve()
    await asyncio.sleep(0.1)
    assert there(bench) == []


async def test_what_another_process_ended_goes_too() -> None:
    bench = Bench()
    bench.process(
        config=Config(controller_config=ControllerConfig(queue=QueueConfig(max_running_count=0)))
    ).serve()
    await asyncio.sleep(1)
    runner = bench.process()
    key = await bench.create(chain("a", ttl_seconds_after_finished=MINUTE))
    await runner.run(key)
    await runner.stop()
    await asyncio.sleep(61)
    assert there(bench) == []


async def test_a_run_outside_the_queues_removes_nothing() -> None:
    bench = Bench()
    key = await bench.create(chain("a", ttl_seconds_after_finished=TimeToLive(0.0)))
    stored = await bench.process().run(key)
    await asyncio.sleep(100)
    assert stored.head.phase is Phase.SUCCESS
    assert there(bench) == ["order"]


async def test_what_owes_a_callback_stays_until_it_is_delivered() -> None:
    bench = Bench()
    bench.sender.answer = lambda _: Receipt(Delivered.RETRY)
    callback = Callback("http://there/")
    await bench.create(chain("a", callback=callback, ttl_seconds_after_finished=TimeToLive(0.0)))
    bench.process().serve()
    await asyncio.sleep(3600)
    assert there(bench) == ["order"]
    bench.sender.answer = lambda _: Receipt(Delivered.DELIVERED)
    await asyncio.sleep(3600)
    assert there(bench) == []
    assert [each.event_id for each in bench.sender.delivered] == ["uid-1/1", "uid-1/2", "uid-1/3"]


async def test_a_request_that_comes_in_the_last_moment_is_answered_first() -> None:
    bench = Bench(Script().on("a", Do(), hook=Hook.ROLLBACK))
    key = await bench.create(chain("a", ttl_seconds_after_finished=TimeToLive(10.0, 30.0)))
    process = bench.process()
    expiring = process.store.expire

    async def expire(stored: Stored) -> bool:
        if not bench.backing.entries[key].request_seq:
            await bench.ask(key, RequestType.ROLLBACK)
        return await expiring(stored)

    vars(process.store)["expire"] = expire
    process.serve()
    await asyncio.sleep(30)
    assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
    await asyncio.sleep(20)
    assert there(bench) == []
    assert bench.names == ["a.run/1", "a.rollback/1"]


@pytest.mark.parametrize("policy", DeletionPolicy)
async def test_nothing_is_undone_whatever_deletion_would_undo(policy: DeletionPolicy) -> None:
    bench = Bench()
    await bench.create(chain("a", deletion_policy=policy, ttl_seconds_after_finished=MINUTE))
    bench.process().serve()
    await asyncio.sleep(61)
    assert there(bench) == []
    assert bench.names == ["a.run/1"]


async def test_a_workflow_that_is_watched_goes_with_its_watch() -> None:
    bench = Bench(Script().on("a", Do(seconds=8), hook=Hook.SYNC))
    watched = StepTemplate("looked", sync_period_seconds=10.0)
    made = workflow(step("a", template=watched), ttl_seconds_after_finished=MINUTE)
    key = await bench.create(made)
    process = bench.process()
    process.serve()
    await asyncio.sleep(59)
    looks = len(bench.calls)
    assert looks > 3
    await asyncio.sleep(1000)
    assert there(bench) == []
    assert len(bench.calls) <= looks + 1
    assert not process.engine.busy
    with pytest.raises(WorkflowNotFound):
        process.engine.view(key)


async def test_a_watch_goes_on_where_a_request_came_in_the_last_moment() -> None:
    bench = Bench()
    watched = StepTemplate("looked", sync_period_seconds=10.0)
    made = workflow(step("a", template=watched), ttl_seconds_after_finished=MINUTE)
    key = await bench.create(made)
    process = bench.process()

    async def expire(_: Stored) -> bool:
        del vars(process.store)["expire"]
        await bench.ask(key, RequestType.ROLLBACK)
        return False

    vars(process.store)["expire"] = expire
    process.serve()
    await asyncio.sleep(100)
    assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
    assert bench.names[-1] == "a.rollback/1"


async def test_failed_that_goes_on_is_not_removed_for_its_old_end() -> None:
    script = Script().on("b", FATAL).on("a", FATAL, Do(seconds=100), hook=Hook.ROLLBACK)
    bench = Bench(script)
    ttl = TimeToLive(roll_backed=60.0, failed=60.0)
    key = await bench.create(chain("a", "b", ttl_seconds_after_finished=ttl))
    bench.process().serve()
    await asyncio.sleep(1)
    await bench.ask(key, RequestType.SKIP_ROLLBACK, "a")
    await asyncio.sleep(30)
    assert (await bench.stored(key)).head.phase is Phase.FAILED
    await bench.ask(key, RequestType.RETRY_ROLLBACK, "a")
    await asyncio.sleep(120)
    assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
    await asyncio.sleep(60)
    assert there(bench) == []


async def test_a_removal_that_fails_is_tried_again_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    for n in range(5):
        await bench.create(chain("a", name=f"w{n}", ttl_seconds_after_finished=MINUTE))
    process = bench.process()
    tries = 0

    async def expire(_: Stored) -> bool:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("not allowed")

    vars(process.store)["expire"] = expire
    process.serve()
    with caplog.at_level(logging.WARNING, "wf.engine"):
        await asyncio.sleep(180)
    assert len([each for each in caplog.records if "not removed for now" in each.message]) == 1
    assert 5 < tries <= 15
    del vars(process.store)["expire"]
    await asyncio.sleep(70)
    assert there(bench) == []


async def test_h_a_clock_that_went_back_keeps_nothing_for_longer_than_its_age() -> None:
    bench = Bench()
    key = await bench.create(chain("a", ttl_seconds_after_finished=MINUTE))
    first = bench.process()
    await first.run(key)
    await first.stop()
    entry = bench.backing.entries[key]
    ahead = {phase: at + 86400 for phase, at in entry.head.reached.items()}
    entry.head = replace(entry.head, reached=ahead)
    bench.process().serve()
    await asyncio.sleep(59)
    assert there(bench) == ["order"]
    await asyncio.sleep(2)
    assert there(bench) == []


@pytest.mark.parametrize(
    ("ttl", "gone_after"),
    [(TimeToLive(success=5.0), 5), (TimeToLive(success=600.0), 600), (NO_TTL, 0)],
)
@pytest.mark.parametrize("watched", [False, True])
async def test_a_change_of_the_age_is_honoured(
    ttl: TimeToLive, gone_after: int, watched: bool
) -> None:
    bench = Bench()
    template = StepTemplate("looked", sync_period_seconds=30.0 if watched else 0.0)
    made = workflow(step("a", template=template), ttl_seconds_after_finished=MINUTE)
    key = await bench.create(made)
    process = bench.process()
    changed(bench, process.store, key, ttl)
    process.serve()
    await asyncio.sleep(2)
    bench.backing.changed(key)
    await asyncio.sleep(max(0, gone_after - 3))
    assert there(bench) == ["order"]
    await asyncio.sleep(3 if gone_after else 86400)
    assert there(bench) == ([] if gone_after else ["order"])


def changed(bench: Bench, store: Any, key: Key, ttl: TimeToLive) -> None:
    """From a second after the start on the document says `ttl`, and the watch tells it."""
    watching = store.watch

    async def watch(since: int | None = None) -> Any:
        async for seen in watching(since):
            yield with_ttl(seen)

    def with_ttl(seen: Any) -> Any:
        import attrs

        entry = bench.backing.entries.get(key)
        if entry is None:
            return seen
        if bench.clock.now() > entry.head.created_at + 1:
            spec = replace(entry.workflow.spec, ttl_seconds_after_finished=ttl)
            entry.workflow = replace(entry.workflow, spec=spec)
        return attrs.evolve(seen, ttl=entry.workflow.spec.ttl_seconds_after_finished)

    vars(store)["watch"] = watch
