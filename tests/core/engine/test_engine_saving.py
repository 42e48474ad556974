"""What is written, when, and what its answers mean (semantics C)."""

import asyncio
import logging

import pytest

from wf_core.errors import EngineError, StoreUnavailable, WorkflowOwned
from wf_core.model.outcomes import Failure, Severity, Succeeded
from wf_core.model.phases import Phase, RequestType
from wf_core.model.spec import Callback, StepTemplate
from wf_core.ports import Saved
from wf_core.testing import virtual_time
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))


@pytest.mark.parametrize("n", [1, 2, 7])
async def test_c3_a_chain_of_n_costs_n_plus_1_saves(n):
    bench = Bench()
    process = bench.process()
    names = [f"s{i}" for i in range(n)]
    key = await bench.create(chain(*names))
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert len(process.store.saves) == n + 1
    assert bench.names == [f"{name}.run/1" for name in names]


async def test_c3_a_graph_of_depth_d_costs_d_plus_1_saves():
    bench = Bench()
    process = bench.process()
    wide = [step(f"w{i}", "root") for i in range(20)]
    key = await bench.create(
        workflow(step("root"), *wide, step("end", *(each.name for each in wide)))
    )
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) == 4


@pytest.mark.parametrize("j", [1, 2, 4])
async def test_c3_a_failure_at_step_j_costs_2j_plus_1_saves(j):
    bench = Bench(Script().on(f"s{j}", FATAL))
    process = bench.process()
    key = await bench.create(chain(*(f"s{i + 1}" for i in range(6))))
    assert (await process.run(key)).head.phase is Phase.ROLL_BACKED
    assert len(process.store.saves) == 2 * j + 1
    undone = [name for name in bench.names if "rollback" in name]
    assert undone == [f"s{i}.rollback/1" for i in range(j, 0, -1)]


async def test_c3_the_callback_cursor_rides_along_and_is_alone_only_at_the_end():
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a", "b", "c", callback=Callback("http://there/")))
    stored = await process.run(key)
    await process.stop()
    assert len(process.store.saves) == 5
    assert (await bench.stored(key)).head.outbox_delivered == stored.head.outbox_seq == 5


async def test_c1_the_intent_is_saved_before_the_call():
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


async def test_c1_what_arrives_during_a_save_is_one_turn():
    bench = Bench()
    process = bench.process()
    process.store.save_seconds = 1.0
    key = await bench.create(workflow(*(step(f"s{i}") for i in range(50))))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) <= 3


async def test_seed_fault_12_the_failures_save_carries_the_next_intent():
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


async def test_c2_changes_that_nobody_waits_for_go_after_the_linger():
    bench = Bench(Script().on("a", Do(resource_of("half"), seconds=1)).on("b", Do(seconds=100)))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    await asyncio.sleep(1.001)
    assert len(process.store.saves) == 1
    await asyncio.sleep(0.01)
    assert len(process.store.saves) == 2
    assert (await bench.stored(key)).steps[0].phase is Phase.SUCCESS


def resource_of(id):
    return Succeeded(resource(id))


async def test_c4_lost_drops_the_workflow_cancels_its_hooks_and_writes_no_more():
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


async def test_c4_unknown_but_saved_is_found_by_reading_back():
    bench = Bench()
    process = bench.process()
    process.store.fail_next(SaveFault.UNKNOWN_SAVED, SaveFault.UNKNOWN_SAVED)
    key = await bench.create(chain("a", "b"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) == 3
    assert bench.names == ["a.run/1", "b.run/1"]


async def test_c4_unknown_and_not_saved_is_saved_again():
    bench = Bench()
    process = bench.process()
    process.store.fail_next(None, SaveFault.UNKNOWN_NOT_SAVED, SaveFault.UNKNOWN_NOT_SAVED)
    key = await bench.create(chain("a", "b"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "b.run/1"]
    phases = [each.after for each in await bench.people.history(key) if each.step is None]
    assert phases == [Phase.RUNNING, Phase.SUCCESS]


async def test_c4_unknown_for_ever_lets_the_workflow_go_with_what_to_do():
    bench = Bench()
    process = bench.process()
    process.store.fail_next(*[SaveFault.UNKNOWN_NOT_SAVED] * 20)
    key = await bench.create(chain("a"))
    await process.adopt(key)
    with pytest.raises(StoreUnavailable, match="wf resume"):
        await process.engine.wait(key)
    assert bench.calls == []


async def test_c4_unknown_that_another_engine_overtook_is_lost():
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


async def test_c4_unknown_of_a_workflow_that_is_gone_is_lost():
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.fail_next(SaveFault.UNKNOWN_NOT_SAVED)
    del bench.backing.entries[key]
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)


async def test_c4_a_namesake_made_meanwhile_is_not_taken_for_ours():
    bench = Bench(Script().on("a", Do(seconds=1)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.fail_next(SaveFault.UNKNOWN_NOT_SAVED)
    del bench.backing.entries[key]
    await bench.create(chain("a"))
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)
    assert (await bench.stored(key)).head.revision == 0


async def test_c4_invalid_blocks_with_internal_error_and_never_loops(caplog):
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
    await process.stop()
    await serving


async def test_c4_invalid_is_raised_to_whoever_waits():
    bench = Bench()
    process = bench.process()
    process.store.fail_next(SaveFault.INVALID)
    key = await bench.create(chain("a"))
    await process.adopt(key)
    with pytest.raises(EngineError, match="invalid"):
        await process.engine.wait(key)
    with pytest.raises(EngineError, match="invalid"):
        await process.engine.wait(key)


async def test_c4_a_fault_that_cannot_be_noted_is_logged(caplog):
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))

    def plan(key, changes):
        process.store.away = True
        return SaveFault.INVALID

    original = process.store.save

    async def save(key, changes):
        answer = Saved.INVALID
        process.store.away = True
        return answer

    process.store.save = save
    await process.adopt(key)
    with pytest.raises(EngineError):
        await process.engine.wait(key)
    assert "could not be noted" in caplog.text
    assert original is not save


async def test_c5_the_first_save_carries_the_next_epoch_before_any_call():
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


async def test_c5_a_look_at_what_was_in_progress_waits_for_the_claim_too():
    from wf_core.model.outcomes import Progressing

    script = Script().on("a", Do(Progressing(poll_after=100)))
    bench = Bench(script)
    first = bench.process()
    key = await bench.create(chain("a", kind="looked"))
    await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    second = bench.process()
    stored = await second.run(key)
    assert bench.names == ["a.run/1", "a.sync/1"]
    assert second.store.saves[0].at == bench.calls[1].began_at
    assert second.store.saves[0].changes.head.owner.epoch == 2
    assert second.store.saves[0].changes.steps == {}
    assert stored.head.phase is Phase.SUCCESS


async def test_c5_two_engines_that_both_believe_it_theirs_leave_one_history():
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


async def test_c4_a_store_that_is_away_is_raised_and_a_later_adoption_goes_on():
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


async def test_i5_given_up_hooks_end_before_anybody_calls_them_again():
    script = Script().on("a", Do(seconds=40, when_stopped=None)).on("b", Do(seconds=5))
    bench = Bench(script)
    process = bench.process()
    process.store.fail_next(None, SaveFault.UNAVAILABLE)
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    with pytest.raises(StoreUnavailable):
        await process.engine.wait(key)
    with pytest.raises(WorkflowOwned, match="still run"):
        await process.engine.adopt(key)
    await asyncio.sleep(60)
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    first, _, again, *_ = bench.calls
    assert first.ended_at is not None
    assert again.began_at >= first.ended_at


async def test_b4_a_checkpoint_returns_once_it_is_saved():
    bench = Bench(Script().on("a", Do(checkpoints=(resource("vm-1"),), seconds=FOREVER)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.1)
    process.store.save_seconds = 2.0
    await asyncio.sleep(5)
    (called,) = bench.calls
    assert called.checkpoints == [True]
    assert (await bench.stored(key)).steps[0].resource.id == "vm-1"


async def test_b4_one_that_comes_during_a_save_waits_for_the_next():
    script = Script().on("a", Do(seconds=1)).on("b", Do(seconds=0, checkpoints=()))
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b", "a"), step("c")))
    saved_at = []
    script.on("c", Do(checkpoints=(resource("one"), resource("two")), seconds=FOREVER))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.save_seconds = 3.0
    await asyncio.sleep(20)
    called = next(each for each in bench.calls if each.call.step == "c")
    saved_at = [
        each.at for each in process.store.saves if 2 in each.changes.steps and each.answer
    ]
    assert called.checkpoints == [True, True]
    assert len(saved_at) >= 2
    assert called.acted_at >= saved_at[-1]


async def test_b4_a_checkpoint_handed_in_during_a_save_is_in_the_next_one():
    """The save that is under way does not hold it, so its end must not let the hook go on."""
    script = Script().on("slow", Do(seconds=1)).on("late", Do(seconds=9))
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(workflow(step("slow"), step("late"), step("next", "slow")))
    await process.adopt(key)
    await asyncio.sleep(0.5)
    process.store.save_seconds = 3.0
    await asyncio.sleep(1.5)  # the save of slow's success is under way
    late = next(each for each in bench.calls if each.call.step == "late").call
    answers = []
    late.checkpoint(resource("made"))
    asking = process.executor._asking
    asking.add_done_callback(lambda _: answers.append(bench.clock.now()))
    await asyncio.sleep(2.5)
    assert answers == []
    await asyncio.sleep(5)
    assert len(answers) == 1
    saved = next(each for each in process.store.saves if 1 in each.changes.steps and each.at > 0
                 and each.changes.steps[1].resource is not None)
    assert answers[0] >= saved.at


async def test_b4_a_checkpoint_that_changes_nothing_returns_too():
    same = resource("vm-1")
    bench = Bench(Script().on("a", Do(checkpoints=(same, same))))
    process = bench.process()
    key = await bench.create(chain("a"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.calls[0].checkpoints == [True, True]


async def test_b4_a_checkpoint_of_a_lost_workflow_says_that_it_was_not_saved():
    bench = Bench(Script().on("a", Do(checkpoints=(resource("vm-1"),))))
    process = bench.process()
    process.store.fail_next(None, SaveFault.LOST)
    key = await bench.create(chain("a"))
    await process.adopt(key)
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)
    await asyncio.sleep(1)
    assert bench.calls[0].checkpoints == [False]
    assert bench.calls[0].acted_at is None


async def test_b4_a_checkpoint_after_the_workflow_was_lost_is_refused():
    script = Script().on("a", Do(seconds=50, when_stopped=None)).on("b", Do(seconds=1))
    bench = Bench(script)
    process = bench.process()
    process.store.fail_next(None, SaveFault.LOST)
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)
    bench.calls[0].call.checkpoint(resource("late"))
    assert await process.executor._asking is False


async def test_seed_fault_12_a_late_success_never_overwrites_rolling_back():
    bench = Bench(
        Script()
        .on("slow", Do(seconds=30, when_stopped=Succeeded(resource("made")), stops_after=5))
        .on("bad", FATAL)
    )
    process = bench.process()
    key = await bench.create(workflow(step("slow"), step("bad")))
    stored = await process.run(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert stored.steps[0].resource.id == "made"
    rollback = next(each for each in bench.calls if each.name == "slow.rollback/1")
    run = next(each for each in bench.calls if each.name == "slow.run/1")
    assert rollback.began_at >= run.ended_at
    assert rollback.call.previous.resource.id == "made"


async def test_seed_fault_06_success_is_judged_by_the_spec_and_survives_a_crash_at_creation():
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
async def test_a_crash_at_any_save_ends_in_all_or_nothing(at, fault):
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
    assert [name for name in dict.fromkeys(undone)] == [
        "c.rollback/1",
        "b.rollback/1",
        "a.rollback/1",
    ]


def test_h_the_same_script_gives_the_same_trace_twice():
    async def trace():
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


async def test_output_of_hooks_is_kept_and_a_store_that_is_away_loses_only_that(caplog):
    bench = Bench(Script().on("a", Do(log="hello", seconds=2)).on("b", Do(log="more", seconds=2)))
    process = bench.process()
    key = await bench.create(chain("a", "b"))
    await process.adopt(key)
    await asyncio.sleep(1)
    assert [line.text for line in await bench.people.logs(key)] == ["hello"]
    await asyncio.sleep(1.1)
    process.store.away = True
    await asyncio.sleep(0.5)
    process.store.away = False
    assert (await process.engine.wait(key)).head.phase is Phase.SUCCESS
    assert "output of hooks was lost" in caplog.text


async def test_a_trace_of_a_raising_hook_is_in_the_output():
    bench = Bench(Script().on("a", Do(Failure(Severity.FATAL, "no", trace="Traceback: here"))))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.run(key)
    await process.stop()
    (line,) = await bench.people.logs(key)
    assert (line.text, line.stream, line.step) == ("Traceback: here", "error", "a")


async def test_observers_are_told_once_in_order_and_after_the_save():
    bench = Bench(Script().on("b", FATAL))
    process = bench.process()
    process.store.save_seconds = 1.0
    key = await bench.create(chain("a", "b"))
    heard = []
    process.engine.subscribe(
        lambda key, history: heard.append((len(process.store.saves), len(history)))
    )
    await process.run(key)
    told = [(e.step, e.phase, e.failed) for e in process.announcer.events]
    assert told[:4] == [
        (None, Phase.RUNNING, False),
        ("a", Phase.RUNNING, False),
        ("a", Phase.SUCCESS, False),
        ("b", Phase.RUNNING, False),
    ]
    failed = [i for i, each in enumerate(told) if each[2]]
    assert [told[i][0] for i in failed] == ["b"]
    assert told.index((None, Phase.ROLLING_BACK, False)) > failed[0]
    assert told[-1] == (None, Phase.ROLL_BACKED, False)
    assert len(told) == len(dict.fromkeys(told))
    assert [saves for saves, _ in heard] == list(range(1, len(process.store.saves) + 1))


async def test_a_listener_that_raises_disturbs_nobody(caplog):
    bench = Bench()
    process = bench.process()

    def listener(key, history):
        raise ValueError("mine")

    process.engine.subscribe(listener)
    key = await bench.create(chain("a"))
    with caplog.at_level(logging.ERROR):
        assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert "a listener failed" in caplog.text


async def test_b8_a_wake_makes_the_look_come_at_once():
    from wf_core.model.outcomes import Progressing

    bench = Bench(Script().on("a", Do(Progressing(poll_after=1000))))
    process = bench.process()
    key = await bench.create(chain("a", kind="looked"))
    await process.adopt(key)
    await asyncio.sleep(5)
    saves = len(process.store.saves)
    process.engine.wake(key, "other")
    process.engine.wake(key, "a")
    await asyncio.sleep(0)
    assert len(process.store.saves) == saves
    stored = await process.engine.wait(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.calls[1].began_at - bench.calls[0].began_at == pytest.approx(5)


async def test_b7_a_timeout_asks_then_blocks_and_independent_branches_go_on():
    stuck = Do(seconds=FOREVER, when_stopped=None)
    bench = Bench(Script().on("stuck", stuck).on("x", Do(seconds=20)).on("y", Do(seconds=20)))
    process = bench.process()
    template = StepTemplate("plain", timeout_seconds=10)
    key = await bench.create(workflow(step("stuck", template=template), step("x"), step("y", "x")))
    stored = await process.run(key)
    called = bench.calls[0]
    assert called.call.cancelled.is_set()
    assert stored.steps[0].blocked.reason == "HookStuck"
    assert [each.phase for each in stored.steps[1:]] == [Phase.SUCCESS, Phase.SUCCESS]
    assert called.ended_at is None


async def test_b7_half_of_the_pool_lost_ends_serving():
    from wf_core.errors import OperatorError

    stuck = Do(seconds=FOREVER, when_stopped=None)
    bench = Bench(Script(stuck))
    process = bench.process()
    template = StepTemplate("plain", timeout_seconds=10)
    await bench.create(workflow(*(step(f"s{i}", template=template) for i in range(5))))
    with pytest.raises(OperatorError, match="threads"):
        await process.serve()
    assert not process.engine.healthy
    assert process.engine.busy


async def test_d_requests_reach_a_running_workflow_and_are_answered_once():
    bench = Bench(Script().on("a", Do(seconds=10)))
    process = bench.process()
    key = await bench.create(chain("a", "b"))
    await bench.ask(key, RequestType.SIGNAL, name="early", value=1)
    await process.adopt(key)
    await asyncio.sleep(1)
    await bench.ask(key, RequestType.SIGNAL, name="go", value=2)
    await bench.ask(key, RequestType.RETRY_RUN, "a")
    await bench.ask(key, RequestType.CANCEL)
    stored = await process.engine.wait(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    verdicts = [(answer.seq, answer.verdict) for answer in stored.head.answers]
    assert sorted(verdicts) == [(1, "Applied"), (2, "Applied"), (3, "Refused"), (4, "Applied")]
    assert stored.asked == ()
    assert stored.head.signals == {"early": 1, "go": 2}
