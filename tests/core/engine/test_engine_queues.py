"""Recovery, admission, requests and watches while serving (semantics D, E3)."""

import asyncio
import itertools
from typing import Any

import pytest

from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig, QueueLimits, StepConfig
from wf_core.errors import WorkflowNotFound
from wf_core.model.outcomes import Failure, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook, OnFailure, Phase, RequestType
from wf_core.model.spec import Key, StepTemplate
from wf_core.testing.bench import Bench, Plain, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))


def limited(running: int, strategy: str = "FIFO", **queues: float) -> Config:
    limits = {name: QueueLimits(weight=weight) for name, weight in queues.items()}
    queue = QueueConfig(strategy=strategy, max_running_count=running, queues=limits)
    return Config(controller_config=ControllerConfig(queue=queue))


async def phases(bench: Bench, keys: list[Key]) -> list[Phase]:
    return [(await bench.stored(key)).head.phase for key in keys]


def running_now(bench: Bench) -> int:
    return sum(e.head.phase is Phase.RUNNING for e in bench.backing.entries.values())


async def test_seed_fault_01_workflows_made_in_the_store_start_by_themselves() -> None:
    bench = Bench()
    process = bench.process()
    before = await bench.create(chain("a", name="before"))
    process.serve()
    await asyncio.sleep(1)
    after = await bench.create(chain("a", name="after"))
    await asyncio.sleep(1)
    assert await phases(bench, [before, after]) == [Phase.SUCCESS, Phase.SUCCESS]
    assert bench.backing.entries[after].owner.id == ""


async def test_e3_many_workflows_never_more_than_the_maximum_finished_ones_apart() -> None:
    bench = Bench(Script(Do(seconds=1)), config=limited(7))
    process = bench.process()
    keys = [await bench.create(chain("a", "b", name=f"w{i}")) for i in range(100)]
    most = 0

    def look(*_: object) -> None:
        nonlocal most
        most = max(most, running_now(bench))

    process.engine.subscribe(look)
    process.serve()
    await asyncio.sleep(100)
    assert dict.fromkeys(await phases(bench, keys)) == {Phase.SUCCESS: None}
    assert most == 7


async def test_e3_fifo_is_by_priority_then_creation() -> None:
    bench = Bench(Script(Do(seconds=1)), config=limited(1))
    for i, priority in enumerate([0, 0, 5, 1]):
        await bench.create(chain("a", name=f"w{i}", priority=priority))
        await asyncio.sleep(1)
    bench.process().serve()
    await asyncio.sleep(20)
    assert [each.call.workflow for each in bench.calls] == ["w2", "w3", "w0", "w1"]


async def test_e3_fair_shares_by_weight() -> None:
    bench = Bench(Script(Do(seconds=10)), config=limited(4, "FAIR", big=3.0, small=1.0))
    for queue in ("small", "big"):
        for i in range(8):
            await bench.create(chain("a", name=f"{queue}{i}", queue=queue))
    bench.process().serve()
    await asyncio.sleep(1)
    started = [each.call.workflow[:-1] for each in bench.calls]
    assert sorted(started) == ["big", "big", "big", "small"]


async def test_e3_nothing_is_admitted_before_recovery_has_counted_everything() -> None:
    bench = Bench(Script(Do(seconds=100)), config=limited(2))
    first = bench.process()
    waiting = await bench.create(chain("a", name="waiting"))
    running = [await bench.create(chain("a", name=f"r{i}")) for i in range(2)]
    for key in running:
        await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    second = bench.process()
    listing = second.store.list

    async def slow(**how: Any) -> Any:
        # While recovery reads its pages, something happens to what is new.
        page = await listing(**{**how, "limit": 1})
        await asyncio.sleep(1)
        return page

    vars(second.store)["list"] = slow
    second.serve()
    await asyncio.sleep(1.5)
    await bench.ask(waiting, RequestType.SIGNAL, name="x")
    await asyncio.sleep(20)
    assert await phases(bench, [waiting]) == [Phase.PENDING]
    assert [each.call.workflow for each in bench.calls] == ["r0", "r1", "r0", "r1"]
    await asyncio.sleep(200)
    assert await phases(bench, [waiting]) == [Phase.SUCCESS]


async def test_e3_suspend_gives_the_slot_back_and_continue_waits_at_the_head() -> None:
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", "b", name="one"))
    process.serve()
    await asyncio.sleep(1)
    two = await bench.create(chain("a", name="two", priority=5))
    three = await bench.create(chain("a", name="three", priority=5))
    await bench.ask(one, RequestType.SUSPEND)
    await asyncio.sleep(1)
    assert (await bench.stored(one)).head.parked
    assert [each.call.workflow for each in bench.calls] == ["one", "two"]
    await bench.ask(one, RequestType.CONTINUE)
    await asyncio.sleep(40)
    assert [each.name + " " + each.call.workflow for each in bench.calls] == [
        "a.run/1 one",
        "a.run/1 two",
        "b.run/1 one",
        "a.run/1 three",
    ]
    assert await phases(bench, [one, two, three]) == [Phase.SUCCESS] * 3


async def test_e3_a_wholly_blocked_workflow_gives_its_slot_back() -> None:
    script = Script(Do(seconds=10)).on("bad", FATAL, Do())
    bench = Bench(script, config=limited(1))
    process = bench.process()
    one = await bench.create(chain("bad", name="one", on_failure=OnFailure.PAUSE))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.RUNNING]
    await bench.ask(one, RequestType.RETRY_RUN, "bad")
    await asyncio.sleep(1)
    assert len(bench.calls) == 2
    await asyncio.sleep(20)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_e3_an_undo_never_waits_for_a_slot() -> None:
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    done = await bench.create(chain("a", name="done"))
    process.serve()
    await asyncio.sleep(11)
    busy = await bench.create(chain("x", name="busy"))
    next_ = await bench.create(chain("y", name="next"))
    await asyncio.sleep(1)
    await bench.ask(done, RequestType.ROLLBACK)
    await asyncio.sleep(1)
    assert bench.names[-1] == "a.rollback/1"
    assert await phases(bench, [done, busy]) == [Phase.ROLLING_BACK, Phase.RUNNING]
    await asyncio.sleep(8.5)
    # Busy has ended; the undo holds the only slot until it is over.
    assert await phases(bench, [busy, next_]) == [Phase.SUCCESS, Phase.PENDING]
    await asyncio.sleep(20)
    assert await phases(bench, [done, next_]) == [Phase.ROLL_BACKED, Phase.SUCCESS]


async def test_d_a_pending_workflow_that_is_suspended_leaves_its_queue() -> None:
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    keys = [await bench.create(chain("a", name=f"w{i}")) for i in range(3)]
    process.serve()
    await asyncio.sleep(1)
    await bench.ask(keys[1], RequestType.SUSPEND)
    await asyncio.sleep(15)
    assert await phases(bench, keys) == [Phase.SUCCESS, Phase.PENDING, Phase.RUNNING]
    await bench.ask(keys[1], RequestType.CONTINUE)
    await asyncio.sleep(30)
    assert await phases(bench, keys) == [Phase.SUCCESS] * 3


async def test_d_a_workflow_born_suspended_waits_for_continue() -> None:
    bench = Bench()
    process = bench.process()
    early = await bench.create(chain("a", name="early", suspend=True))
    process.serve()
    late = await bench.create(chain("a", name="late", suspend=True))
    await asyncio.sleep(20)
    assert bench.calls == []
    for key in (early, late):
        await bench.ask(key, RequestType.CONTINUE)
    await asyncio.sleep(1)
    assert await phases(bench, [early, late]) == [Phase.SUCCESS] * 2


async def test_d_requests_made_while_nobody_ran_are_answered_at_the_start() -> None:
    bench = Bench()
    pending = await bench.create(chain("a", name="pending"))
    done = await bench.create(chain("a", name="done"))
    await bench.process().run(done)
    await bench.processes[0].stop()
    await bench.ask(pending, RequestType.CANCEL)
    await bench.ask(done, RequestType.ROLLBACK)
    bench.process().serve()
    await asyncio.sleep(1)
    assert await phases(bench, [pending, done]) == [Phase.ROLL_BACKED, Phase.ROLL_BACKED]
    assert (await bench.stored(pending)).steps[0].undo == "NeverRan"


async def test_seed_fault_11_a_failed_rollback_is_tried_again_on_request() -> None:
    script = Script().on("a", FATAL).on("a", FATAL, Do(), hook=Hook.ROLLBACK)
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(chain("a"))
    process.serve()
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.FAILED]
    await bench.ask(key, RequestType.RETRY_ROLLBACK, "a")
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.ROLL_BACKED]


async def test_seed_fault_08_a_fatal_watch_undoes_dependents_first() -> None:
    template = StepTemplate("looked", sync_period_seconds=10)
    script = Script().on("a", Do(Failure(Severity.FATAL, "gone")), hook=Hook.SYNC)
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(workflow(step("a", template=template), step("b", "a")))
    process.serve()
    await asyncio.sleep(30)
    assert await phases(bench, [key]) == [Phase.ROLL_BACKED]
    assert bench.names == ["a.run/1", "b.run/1", "a.sync/1", "b.rollback/1", "a.rollback/1"]


async def test_b9_finished_workflows_are_watched_after_a_restart_too() -> None:
    template = StepTemplate("looked", sync_period_seconds=10)
    bench = Bench(Script().on("a", Do(Succeeded(resource("a", "fine"))), hook=Hook.SYNC))
    first = bench.process()
    key = await bench.create(workflow(step("a", template=template)))
    first.serve()
    await asyncio.sleep(12)
    assert getattr((await bench.stored(key)).steps[0].resource, "status", None) == "fine"
    saves = len(first.store.saves)
    await asyncio.sleep(100)
    assert len(first.store.saves) == saves
    looks = len(bench.calls)
    await first.stop()
    bench.process().serve()
    await asyncio.sleep(30)
    assert len(bench.calls) > looks


async def test_seed_fault_03_an_unknown_kind_fails_with_the_reason_and_can_be_retried() -> None:
    bench = Bench()
    bare = bench.process(kinds=(Plain(),))
    key = await bench.create(chain("a", kind="looked"))
    serving = bare.serve()
    await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.FAILED
    assert "looked" in str(stored.head.error)
    await bench.ask(key, RequestType.RETRY_RUN)
    await asyncio.sleep(1)
    assert (await bench.stored(key)).head.phase is Phase.FAILED
    await bare.stop()
    await serving
    bench.process().serve()
    await asyncio.sleep(1)
    await bench.ask(key, RequestType.RETRY_RUN)
    await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert (stored.head.phase, stored.head.error) == (Phase.SUCCESS, None)


async def test_retry_run_outside_the_queues_checks_the_kinds_again() -> None:
    bench = Bench()
    bare = bench.process(kinds=(Plain(),))
    key = await bench.create(chain("a", kind="looked"))
    serving = bare.serve()
    await asyncio.sleep(1)
    await bare.stop()
    await serving
    await bench.ask(key, RequestType.RETRY_RUN)
    again = bench.process(kinds=(Plain(),))
    stored = await again.run(key)
    assert stored.head.phase is Phase.FAILED
    assert bench.calls == []


@pytest.mark.parametrize("fault", [SaveFault.UNAVAILABLE, SaveFault.LOST])
async def test_i13_a_workflow_whose_save_fails_keeps_its_slot_until_it_is_looked_at_again(
    fault: SaveFault,
) -> None:
    """Lost: as after the last save of a former owner, which came late."""
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", "b", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    process.store.fail_next(fault)
    await asyncio.sleep(8)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.PENDING]
    assert len(bench.calls) == 1
    await asyncio.sleep(60)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_a_pending_workflow_that_another_process_took_leaves_the_slot_to_others() -> None:
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    first, second = bench.process(), bench.process()
    one = await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    taking = second.store.claim

    async def claim(key: Key) -> Any:
        if key == one and not first.executor.calls:
            await first.adopt(one)
            await asyncio.sleep(0.1)
        return await taking(key)

    vars(second.store)["claim"] = claim
    second.serve()
    await asyncio.sleep(2)
    assert [each.call.workflow for each in bench.calls] == ["one", "two"]
    await asyncio.sleep(20)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_wait_while_serving_sees_the_end_of_what_waits_runs_and_is_done() -> None:
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(0.1)
    ended = await asyncio.gather(process.engine.wait(one), process.engine.wait(two))
    assert [each.head.phase for each in ended] == [Phase.SUCCESS] * 2
    assert (await process.engine.wait(one)).head.phase is Phase.SUCCESS
    with pytest.raises(WorkflowNotFound):
        await process.engine.wait(Key("default", "nobody"))


async def test_wait_for_what_the_engine_does_not_run_says_so() -> None:
    bench = Bench()
    process = bench.process()
    with pytest.raises(WorkflowNotFound, match="nobody"):
        await process.engine.wait(Key("default", "nobody"))


async def test_wait_ends_where_everything_waits_for_people() -> None:
    bench = Bench(Script().on("a", FATAL))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b"), on_failure=OnFailure.PAUSE))
    stored = await process.run(key)
    assert [each.phase for each in stored.steps] == [Phase.RUNNING, Phase.SUCCESS]
    assert stored.head.parked
    saved = await bench.stored(key)
    assert saved.head.parked


async def test_adopting_twice_is_once_and_a_suspended_one_rests() -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a", suspend=True))
    await process.adopt(key)
    await process.adopt(key)
    stored = await process.engine.wait(key)
    assert (stored.head.phase, bench.calls) == (Phase.PENDING, [])
    await bench.ask(key, RequestType.CONTINUE)
    await asyncio.sleep(1)
    assert (await process.engine.wait(key)).head.phase is Phase.SUCCESS


async def test_adopting_while_serving_waits_in_the_queue() -> None:
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", name="one"))
    process.serve()
    await asyncio.sleep(1)
    two = await bench.create(chain("a", name="two"))
    await process.adopt(two)
    await asyncio.sleep(1)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.PENDING]
    await asyncio.sleep(10)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_seed_fault_05_the_qps_limit_throttles_every_call() -> None:
    config = Config(controller_config=ControllerConfig(steps=(StepConfig("plain", qps=0.5),)))
    bench = Bench(config=config)
    process = bench.process()
    keys = [await bench.create(workflow(step("a"), step("b"), name=f"w{i}")) for i in range(3)]
    for key in keys:
        await process.adopt(key)
    for key in keys:
        await process.engine.wait(key)
    began = [each.began_at for each in bench.calls]
    assert len(began) == 6
    assert all(b - a >= 2 for a, b in itertools.pairwise(began))
    assert began[-1] - began[0] == pytest.approx(10, abs=0.1)


async def test_an_embedding_that_neither_stops_hooks_nor_serves_can_wait_for_each() -> None:
    bench = Bench(Script(Do(seconds=3)))
    process = bench.process()
    keys = [await bench.create(chain("a", name=f"w{i}")) for i in range(3)]
    for key in keys:
        await process.adopt(key)
    ended = await asyncio.gather(*(process.engine.wait(key) for key in keys))
    assert [each.head.phase for each in ended] == [Phase.SUCCESS] * 3
    assert process.engine.view(keys[0]).head.phase is Phase.SUCCESS


async def test_in_progress_holds_no_permit_and_is_polled() -> None:
    config = Config(controller_config=ControllerConfig(concurrency=1))
    script = Script().on("a", Do(Progressing(poll_after=5))).on("a", Do(), hook=Hook.SYNC)
    bench = Bench(script, config=config)
    process = bench.process()
    key = await bench.create(workflow(step("a", kind="looked"), step("b")))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "b.run/1", "a.sync/1"]
