"""Calls, checkpoints, stuck hooks, output, observers (semantics B)."""

import asyncio
import logging

import pytest

from wf_core.engine import hooks
from wf_core.errors import StoreUnavailable, WorkflowOwned
from wf_core.model.outcomes import Failure, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook, Phase, RequestType
from wf_core.model.spec import StepTemplate
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))


async def test_c3_a_graph_of_depth_d_costs_d_plus_1_saves() -> None:
    bench = Bench()
    process = bench.process()
    wide = [step(f"w{i}", "root") for i in range(20)]
    key = await bench.create(
        workflow(step("root"), *wide, step("end", *(each.name for each in wide)))
    )
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) == 4


async def test_i5_given_up_hooks_end_before_anybody_calls_them_again() -> None:
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


async def test_b4_a_checkpoint_returns_once_it_is_saved() -> None:
    bench = Bench(Script().on("a", Do(checkpoints=(resource("vm-1"),), seconds=FOREVER)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(0.1)
    process.store.save_seconds = 2.0
    await asyncio.sleep(5)
    (called,) = bench.calls
    assert called.checkpoints == [True]
    assert getattr((await bench.stored(key)).steps[0].resource, "id", None) == "vm-1"


async def test_b4_one_that_comes_during_a_save_waits_for_the_next() -> None:
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
    saved_at = [each.at for each in process.store.saves if 2 in each.changes.steps and each.answer]
    assert called.checkpoints == [True, True]
    assert len(saved_at) >= 2
    assert (called.acted_at or 0) >= saved_at[-1]


async def test_b4_a_checkpoint_handed_in_during_a_save_is_in_the_next_one() -> None:
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
    assert asking is not None
    asking.add_done_callback(lambda _: answers.append(bench.clock.now()))
    await asyncio.sleep(2.5)
    assert answers == []
    await asyncio.sleep(5)
    assert len(answers) == 1
    saved = next(
        each
        for each in process.store.saves
        if 1 in each.changes.steps and each.at > 0 and each.changes.steps[1].resource is not None
    )
    assert answers[0] >= saved.at


async def test_b4_a_checkpoint_that_changes_nothing_returns_too() -> None:
    same = resource("vm-1")
    bench = Bench(Script().on("a", Do(checkpoints=(same, same))))
    process = bench.process()
    key = await bench.create(chain("a"))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.calls[0].checkpoints == [True, True]


async def test_b4_a_checkpoint_of_a_lost_workflow_says_that_it_was_not_saved() -> None:
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


async def test_b4_a_checkpoint_after_the_workflow_was_lost_is_refused() -> None:
    script = Script().on("a", Do(seconds=50, when_stopped=None)).on("b", Do(seconds=1))
    bench = Bench(script)
    process = bench.process()
    process.store.fail_next(None, SaveFault.LOST)
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(key)
    bench.calls[0].call.checkpoint(resource("late"))
    asking = process.executor._asking
    assert asking is not None
    assert await asking is False


async def test_seed_fault_12_a_late_success_never_overwrites_rolling_back() -> None:
    bench = Bench(
        Script()
        .on("slow", Do(seconds=30, when_stopped=Succeeded(resource("made")), stops_after=5))
        .on("bad", FATAL)
    )
    process = bench.process()
    key = await bench.create(workflow(step("slow"), step("bad")))
    stored = await process.run(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert getattr(stored.steps[0].resource, "id", None) == "made"
    rollback = next(each for each in bench.calls if each.name == "slow.rollback/1")
    run = next(each for each in bench.calls if each.name == "slow.run/1")
    assert run.ended_at is not None
    assert rollback.began_at >= run.ended_at
    assert rollback.call.previous.resource == resource("made")


async def test_output_of_hooks_is_kept_and_a_store_that_is_away_loses_only_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
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


async def test_a_trace_of_a_raising_hook_is_in_the_output() -> None:
    bench = Bench(Script().on("a", Do(Failure(Severity.FATAL, "no", trace="Traceback: here"))))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.run(key)
    await process.stop()
    (line,) = await bench.people.logs(key)
    assert (line.text, line.stream, line.step) == ("Traceback: here", "error", "a")


async def test_observers_are_told_once_in_order_and_after_the_save() -> None:
    bench = Bench(Script().on("b", FATAL))
    process = bench.process()
    process.store.save_seconds = 1.0
    key = await bench.create(chain("a", "b"))
    heard = []
    process.engine.subscribe(
        lambda _, history: heard.append((len(process.store.saves), len(history)))
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


async def test_a_listener_that_raises_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    process = bench.process()

    def listener(*_: object) -> None:
        raise ValueError("mine")

    process.engine.subscribe(listener)
    key = await bench.create(chain("a"))
    with caplog.at_level(logging.ERROR):
        assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert "a listener failed" in caplog.text


async def test_b8_a_wake_makes_the_look_come_at_once() -> None:
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


async def test_b8_a_hook_may_keep_its_call_and_wake_its_step_later() -> None:
    bench = Bench(Script().on("a", Do(Progressing(poll_after=1000))))
    process = bench.process()
    key = await bench.create(chain("a", kind="looked"))
    await process.adopt(key)
    await asyncio.sleep(5)
    bench.calls[0].call.wake()
    stored = await process.engine.wait(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.calls[1].began_at - bench.calls[0].began_at == pytest.approx(5)
    saves = len(process.store.saves)
    bench.calls[0].call.wake()  # nothing is in progress any more
    await asyncio.sleep(1)
    assert len(process.store.saves) == saves


async def test_b8_a_wake_after_the_workflow_was_given_up_does_nothing() -> None:
    bench = Bench(Script().on("a", Do(Progressing(poll_after=1000))))
    process = bench.process()
    key = await bench.create(chain("a", kind="looked"))
    await process.adopt(key)
    await asyncio.sleep(5)
    await process.stop()
    bench.calls[0].call.wake()
    await asyncio.sleep(1)
    assert len(bench.calls) == 1


async def test_b2_an_undo_is_told_how_many_runs_were_begun() -> None:
    script = Script().on("a", Do(Failure(Severity.RETRYABLE, "busy")), Do(), hook=Hook.RUN)
    bench = Bench(script.on("b", Do(Failure(Severity.FATAL, "no"))))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b", "a")))
    assert (await process.run(key)).head.phase is Phase.ROLL_BACKED
    undo = next(each.call for each in bench.calls if each.name == "a.rollback/1")
    assert (undo.attempt, undo.run_attempt) == (1, 2)


async def test_b7_a_timeout_asks_then_blocks_and_independent_branches_go_on() -> None:
    stuck = Do(seconds=FOREVER, when_stopped=None)
    bench = Bench(Script().on("stuck", stuck).on("x", Do(seconds=20)).on("y", Do(seconds=20)))
    process = bench.process()
    template = StepTemplate("plain", timeout_seconds=10)
    key = await bench.create(workflow(step("stuck", template=template), step("x"), step("y", "x")))
    stored = await process.run(key)
    called = bench.calls[0]
    assert called.call.cancelled.is_set()
    assert stored.steps[0].blocked is not None
    assert stored.steps[0].blocked.reason == "HookStuck"
    assert [each.phase for each in stored.steps[1:]] == [Phase.SUCCESS, Phase.SUCCESS]
    assert called.ended_at is None


async def test_b7_half_of_the_pool_lost_ends_serving() -> None:
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


async def test_d_requests_reach_a_running_workflow_and_are_answered_once() -> None:
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


def test_c15_the_output_of_one_attempt_is_bounded_and_says_that_it_was_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "MOST_OUTPUT", 10)
    kept: list[str] = []
    output = hooks._Output(1, lambda text, _stream: kept.append(text))
    for text in ("12345", "äääää", "more", "x" * 10_000):
        output(text, "log")
    assert kept == ["12345", "ää", "... cut: of one attempt's output 10 bytes are kept ..."]
