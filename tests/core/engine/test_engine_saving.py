"""What is written, when, and what its answers mean (semantics C)."""

import asyncio
from typing import Any

import pytest

from wf_core.errors import EngineError, StoreUnavailable, WorkflowOwned
from wf_core.model.outcomes import Failure, Severity, Succeeded
from wf_core.model.phases import Phase, RequestType
from wf_core.model.spec import Callback
from wf_core.ports import Saved
from wf_core.testing import virtual_time
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))


@pytest.mark.parametrize("n", [1, 2, 7])
async def test_c3_a_chain_of_n_costs_n_plus_1_saves(n: int) -> None:
    bench = Bench()
    process = bench.process()
    names = [f"s{i}" for i in range(n)]
    key = await bench.create(chain(*names))
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert len(process.store.saves) == n + 1
    assert bench.names == [f"{name}.run/1" for name in names]


@pytest.mark.parametrize("j", [1, 2, 4])
async def test_c3_a_failure_at_step_j_costs_2j_plus_1_saves(j: int) -> None:
    bench = Bench(Script().on(f"s{j}", FATAL))
    process = bench.process()
    key = await bench.create(chain(*(f"s{i + 1}" for i in range(6))))
    assert (await process.run(key)).head.phase is Phase.ROLL_BACKED
    assert len(process.store.saves) == 2 * j + 1
    undone = [name for name in bench.names if "rollback" in name]
    assert undone == [f"s{i}.rollback/1" for i in range(j, 0, -1)]


async def test_c3_the_callback_cursor_rides_along_and_is_alone_only_at_the_end() -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a", "b", "c", callback=Callback("http://there/")))
    stored = await process.run(key)
    await process.stop()
    assert len(process.store.saves) == 5
    assert (await bench.stored(key)).head.outbox_delivered == stored.head.outbox_seq == 5


async def test_c1_the_intent_is_saved_before_the_call() -> None:
    bench = Bench()
    process = bench.process()
    process.store.save_seconds = 3.0
    key = await bench.create(chain("a", "b"))
    task = process.start(process.run(key))
    await asyncio.sleep(2.9)
    assert bench.calls == []
    await asyncio.sleep(0.2)
    assert bench.names == ["a.run/1"]
    assert (await task).head.phase is Phase.SUCCESS


async def test_c1_what_arrives_during_a_save_is_one_turn() -> None:
    bench = Bench()
    process = bench.process()
    process.store.save_seconds = 1.0
    key = await bench.create(workflow(*(step(f"s{i}") for i in range(50))))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) <= 3


async def test_seed_fault_12_the_failures_save_carries_the_next_intent() -> None:
    bench = Bench(Script().on("a", Do(Failure(Severity.RETRYABLE, "busy")), Do()))
    process = bench.process()
    key = await bench.create(chain("a"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    failed = process.store.saves[1].changes.steps[0]
    assert (failed.attempt, failed.run_error) == (2, "busy")
    assert failed.next_attempt_at is not None
    assert len(process.store.saves) == 3
    first, second = bench.calls
    assert second.began_at >= first.began_at + 60


async def test_c2_changes_that_nobody_waits_for_go_after_the_linger() -> None:
    half = Do(Succeeded(resource("half")), seconds=1)
    bench = Bench(Script().on("a", half).on("b", Do(seconds=100)))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    await asyncio.sleep(1.001)
    assert len(process.store.saves) == 1
    await asyncio.sleep(0.01)
    assert len(process.store.saves) == 2
    assert (await bench.stored(key)).steps[0].phase is Phase.SUCCESS


async def test_c2_how_long_they_linger_is_the_stores_to_say() -> None:
    half, whole = (Do(Succeeded(resource("x")), seconds=seconds) for seconds in (1, 1.08))
    bench = Bench(Script().on("a", half).on("b", whole).on("c", Do(seconds=100)))
    process = bench.process()
    process.store.linger = 0.1
    key = await bench.create(workflow(step("a"), step("b"), step("c")))
    await process.adopt(key)
    await asyncio.sleep(1.09)
    assert len(process.store.saves) == 1
    await asyncio.sleep(0.02)
    assert len(process.store.saves) == 2
    done = (await bench.stored(key)).steps
    assert [each.phase for each in done[:2]] == [Phase.SUCCESS] * 2


async def test_c4_lost_drops_the_workflow_cancels_its_hooks_and_writes_no_more() -> None:
    bench = Bench(Script().on("a", Do(seconds=50)).on("b", Do(seconds=5)))
    process = bench.process()
    process.store.fail_next(None, SaveFault.LOST)
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    with pytest.raises(WorkflowOwned, match="taken over"):
        await process.engine.wait(key)
    await asyncio.sleep(100)
    assert [each.stopped_at is not None for each in bench.calls] == [True, False]
    assert len(process.store.saves) == 2


async def test_c4_unknown_but_saved_is_found_by_reading_back() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(SaveFault.UNKNOWN_SAVED, SaveFault.UNKNOWN_SAVED)
    key = await bench.create(chain("a", "b"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) == 3
    assert bench.names == ["a.run/1", "b.run/1"]


async def test_c4_unknown_and_not_saved_is_saved_again() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(None, SaveFault.UNKNOWN_NOT_SAVED, SaveFault.UNKNOWN_NOT_SAVED)
    key = await bench.create(chain("a", "b"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "b.run/1"]
    phases = [each.after for each in await bench.people.history(key) if each.step is None]
    assert phases == [Phase.RUNNING, Phase.SUCCESS]


async def test_c4_unknown_for_ever_lets_the_workflow_go_with_what_to_do() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(*[SaveFault.UNKNOWN_NOT_SAVED] * 20)
    key = await bench.create(chain("a"))
    await process.adopt(key)
    with pytest.raises(StoreUnavailable, match="wf resume"):
        await process.engine.wait(key)
    assert bench.calls == []


async def test_c4_unknown_that_another_engine_overtook_is_lost() -> None:
    bench = Bench(Script().on("a", Do(seconds=1)))
    first, second = bench.process(), bench.process()
    key = await bench.create(chain("a"))
    await first.adopt(key)
    await asyncio.sleep(0.5)
    first.store.plan = lambda key, changes: SaveFault.UNKNOWN_NOT_SAVED
    bench.backing.live.clear()  # the second believes that the first is gone
    await second.adopt(key)
    with pytest.raises(WorkflowOwned):
        await first.engine.wait(key)
    assert (await second.engine.wait(key)).head.phase is Phase.SUCCESS


async def test_c4_two_engines_that_number_their_writes_alike_are_told_apart() -> None:
    bench = Bench(Script().on("a", Do(seconds=20)))
    first, second = bench.process(), bench.process()
    key = await bench.create(chain("a"))
    first.store.save_seconds = 5.0
    first.store.plan = lambda key, changes: SaveFault.UNKNOWN_NOT_SAVED
    await first.adopt(key)
    await asyncio.sleep(1)
    await second.adopt(key)  # nothing is saved yet, so it claims the same epoch
    with pytest.raises(WorkflowOwned):
        await first.engine.wait(key)
    assert first.executor.calls == []
    assert (await second.engine.wait(key)).head.phase is Phase.SUCCESS


async def test_c4_unknown_of_a_workflow_that_is_gone_is_lost() -> None:
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.fail_next(SaveFault.UNKNOWN_NOT_SAVED)
    del bench.backing.entries[key]
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)


async def test_c4_a_namesake_made_meanwhile_is_not_taken_for_ours() -> None:
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.fail_next(SaveFault.UNKNOWN_NOT_SAVED)
    elsewhere = Bench()
    await elsewhere.create(chain("a"))
    bench.backing.entries[key] = elsewhere.backing.entries[key]  # and nobody is told
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)
    assert (await bench.stored(key)).head.revision == 0


async def test_c4_invalid_blocks_with_internal_error_and_never_loops() -> None:
    bench = Bench()
    process = bench.process()
    process.store.plan = lambda key, changes: SaveFault.INVALID if changes.steps else None
    serving = process.serve()
    key = await bench.create(chain("a"))
    await asyncio.sleep(100)
    stored = await bench.stored(key)
    assert [each.type for each in stored.head.conditions] == ["InternalError"]
    assert bench.calls == []
    saves = len(process.store.saves)
    await asyncio.sleep(1000)
    assert len(process.store.saves) == saves == 1 + 1
    process.store.plan = lambda _key, _changes: None
    await bench.ask(key, RequestType.RETRY_RUN)
    await asyncio.sleep(100)
    head = (await bench.stored(key)).head
    assert (head.phase, head.conditions) == (Phase.SUCCESS, ())
    await process.stop()
    await serving


async def test_c4_invalid_is_raised_to_whoever_waits() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(SaveFault.INVALID)
    key = await bench.create(chain("a"))
    await process.adopt(key)
    with pytest.raises(EngineError, match="invalid"):
        await process.engine.wait(key)
    with pytest.raises(EngineError, match="invalid"):
        await process.engine.wait(key)


async def test_c4_a_fault_that_cannot_be_noted_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))

    async def save(*_: object) -> Saved:
        process.store.away = True
        return Saved.INVALID

    vars(process.store)["save"] = save
    await process.adopt(key)
    with pytest.raises(EngineError):
        await process.engine.wait(key)
    assert "could not be noted" in caplog.text


async def test_c5_the_first_save_carries_the_next_epoch_before_any_call() -> None:
    bench = Bench(Script().on("a", Do(seconds=10)))
    first = bench.process()
    key = await bench.create(chain("a"))
    await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    second = bench.process()
    second.store.save_seconds = 5.0
    await second.adopt(key)
    await asyncio.sleep(4)
    assert len(bench.calls) == 1
    await asyncio.sleep(2)
    assert len(bench.calls) == 2
    save = second.store.saves[0]
    assert save.changes.head.owner.epoch == 2
    assert save.changes.steps[0].interruptions == 1
    assert bench.calls[1].call.epoch == 2


async def test_c5_a_look_at_what_was_in_progress_waits_for_the_claim_too() -> None:
    from wf_core.model.outcomes import Progressing

    script = Script().on("a", Do(Progressing(poll_after=100)))
    bench = Bench(script)
    first = bench.process()
    key = await bench.create(chain("a", kind="looked"))
    await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    second = bench.process()
    second.store.save_seconds = 2.0
    stored = await second.run(key)
    assert bench.names == ["a.run/1", "a.sync/1"]
    claim = second.store.saves[0]
    assert claim.changes.head.owner.epoch == 2
    assert claim.changes.steps == {}
    assert bench.calls[1].began_at == claim.at == second.store.saves[1].at - 2
    assert stored.head.phase is Phase.SUCCESS


async def test_c5_two_engines_that_both_believe_it_theirs_leave_one_history() -> None:
    bench = Bench(Script().on("a", Do(seconds=10, when_stopped=None)).on("b", Do(seconds=1)))
    first, second = bench.process(), bench.process()
    key = await bench.create(chain("a", "b"))
    await first.adopt(key)
    await asyncio.sleep(1)
    bench.backing.live.clear()
    await second.adopt(key)
    stored = await second.engine.wait(key)
    assert stored.head.phase is Phase.SUCCESS
    with pytest.raises(WorkflowOwned):
        await first.engine.wait(key)
    saved = [each for each in first.store.saves if each.answer is Saved.SAVED]
    assert len(saved) == 1
    history = await bench.people.history(key)
    assert [(t.step, t.after) for t in history] == [
        (None, Phase.RUNNING),
        ("a", Phase.RUNNING),
        ("a", Phase.SUCCESS),
        ("b", Phase.RUNNING),
        ("b", Phase.SUCCESS),
        (None, Phase.SUCCESS),
    ]


async def test_c4_a_store_that_is_away_is_raised_and_a_later_adoption_goes_on() -> None:
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    process.store.fail_next(None, SaveFault.UNAVAILABLE)
    key = await bench.create(chain("a", "b"))
    await process.adopt(key)
    with pytest.raises(StoreUnavailable):
        await process.engine.wait(key)
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "a.run/1", "b.run/1"]
    assert bench.calls[0].call.key == bench.calls[1].call.key


async def test_seed_fault_06_success_is_judged_by_the_spec_whatever_crashed() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(SaveFault.CRASH_BEFORE)
    key = await bench.create(workflow(step("a"), step("b"), step("c")))
    process.start(process.engine.adopt(key))
    await asyncio.sleep(1)
    await process.gone()
    assert (await bench.stored(key)).head.phase is Phase.PENDING
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert sorted(bench.names) == ["a.run/1", "b.run/1", "c.run/1"]
    assert len(stored.steps) == 3


@pytest.mark.parametrize("fault", [SaveFault.CRASH_BEFORE, SaveFault.CRASH_AFTER])
@pytest.mark.parametrize("at", range(7))
async def test_a_crash_at_any_save_ends_in_all_or_nothing(at: int, fault: SaveFault) -> None:
    script = Script().on("c", FATAL)
    bench = Bench(script)
    process = bench.process()
    process.store.fail_next(*[None] * at, fault)
    key = await bench.create(chain("a", "b", "c"))
    process.start(process.engine.adopt(key))
    await bench.until(lambda: not process.alive, 10)
    await process.gone()
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    undone = [name for name in bench.names if "rollback" in name]
    assert list(dict.fromkeys(undone)) == [
        "c.rollback/1",
        "b.rollback/1",
        "a.rollback/1",
    ]


def test_h_the_same_script_gives_the_same_trace_twice() -> None:
    async def trace() -> Any:
        script = (
            Script()
            .on("b", Do(Failure(Severity.RETRYABLE, "x"), seconds=2), Do(seconds=1))
            .on("d", FATAL)
        )
        bench = Bench(script)
        process = bench.process()
        key = await bench.create(
            workflow(step("a"), step("b"), step("c", "a", "b"), step("d", "c"))
        )
        await process.run(key)
        history = await bench.people.history(key)
        return bench.names, history, [each.changes for each in process.store.saves]

    assert virtual_time.run(trace()) == virtual_time.run(trace())
