"""A graceful end, takeovers, and what is left for whoever comes next (semantics C5, C6, B7)."""

import asyncio
from typing import Any

import pytest

from wf_core.errors import WorkflowOwned
from wf_core.model.outcomes import Failure, Progressing, Severity, Succeeded
from wf_core.model.phases import Phase, RequestType
from wf_core.model.spec import Key, StepTemplate
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script, resource


async def test_stop_tells_hooks_and_keeps_a_success_that_comes_in_time() -> None:
    done = Succeeded(resource("made"))
    bench = Bench(Script().on("a", Do(seconds=FOREVER, when_stopped=done, stops_after=3)))
    process = bench.process()
    key = await bench.create(chain("a", "b"))
    await process.adopt(key)
    await asyncio.sleep(1)
    await process.stop()
    stored = await bench.stored(key)
    assert stored.steps[0].phase is Phase.SUCCESS
    assert stored.head.phase is Phase.RUNNING
    assert bench.names == ["a.run/1"]
    assert stored.head.owner.id == ""
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "b.run/1"]


async def test_stop_does_not_count_a_failure_that_it_caused() -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER), Do()))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    await process.stop()
    state = (await bench.stored(key)).steps[0]
    assert (state.attempt, state.run_retry_count, state.run_error) == (1, 0, None)
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "a.run/1"]
    again = bench.calls[1].call
    assert (again.interruptions, str(again.previous.outcome)) == (1, "Unknown")


async def test_stop_leaves_the_claim_of_a_hook_that_ignores_it() -> None:
    bench = Bench(Script().on("a", Do(seconds=1000, when_stopped=None)))
    process = bench.process()
    key = await bench.create(chain("a"))
    free = await bench.create(chain("b", name="other"))
    bench.script.on("b", Do(seconds=FOREVER))
    await process.adopt(key)
    await process.adopt(free)
    await asyncio.sleep(1)
    began = bench.clock.now()
    await process.stop()
    assert bench.clock.now() - began == pytest.approx(10, abs=0.1)
    other = bench.process()
    with pytest.raises(WorkflowOwned):
        await other.adopt(key)
    await other.adopt(free)
    await process.crash()
    await other.adopt(key)


async def test_stop_calls_nothing_whose_intent_was_being_saved() -> None:
    bench = Bench(Script().on("a", Do(seconds=5)))
    process = bench.process()
    key = await bench.create(chain("a", kind="once"))
    process.store.save_seconds = 2.0
    await process.adopt(key)
    await asyncio.sleep(1)
    await process.stop()
    state = (await bench.stored(key)).steps[0]
    assert bench.calls == []
    assert (state.run_retry_count, state.interruptions) == (0, 0)
    # A kind that must not be called twice was not called at all, so it is not undone for it.
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert len(bench.calls) == 1


async def test_stop_leaves_out_a_look_whose_save_was_under_way() -> None:
    script = Script().on("a", Do(Progressing(poll_after=5))).on("b", Do(seconds=5))
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(workflow(step("a", kind="looked"), step("b")))
    await process.adopt(key)
    await asyncio.sleep(4)
    process.store.save_seconds = 2.0
    await asyncio.sleep(2)
    await process.stop()
    assert "a.sync/1" not in bench.names
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.SUCCESS


async def test_stop_twice_at_once_ends_once_and_both_wait() -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER, stops_after=5)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    began = bench.clock.now()

    async def stopped() -> float:
        await process.engine.stop()
        return bench.clock.now() - began

    first, second = await asyncio.gather(stopped(), stopped())
    assert first == second >= 5
    assert process.announcer.closed


async def test_stop_lets_whoever_waits_go_with_what_is_known() -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    waiting = process.start(process.engine.wait(key))
    await asyncio.sleep(1)
    await process.stop()
    assert (await waiting).head.phase is Phase.RUNNING


async def test_stop_saves_what_lingers() -> None:
    done = Do(Succeeded(), seconds=1)
    bench = Bench(Script().on("a", done).on("b", Do(seconds=FOREVER)))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b")))
    await process.adopt(key)
    await asyncio.sleep(1.001)
    assert len(process.store.saves) == 1
    await process.stop()
    assert (await bench.stored(key)).steps[0].phase is Phase.SUCCESS


async def test_stop_with_a_store_that_is_away_ends_all_the_same() -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER, when_stopped=Succeeded()), Do()))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    process.store.away = True
    await process.engine.stop()
    assert process.announcer.closed
    await process.store.close()
    process.store.away = False
    assert (await bench.process().run(key)).head.phase is Phase.SUCCESS


async def test_a_claim_that_cannot_be_given_up_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)

    async def release(_: Key) -> None:
        process.store.away = True
        process.store._check()

    vars(process.store)["release"] = release
    await process.engine.stop()
    assert "claim was not given up" in caplog.text


async def test_takeover_saves_the_next_epoch_and_the_old_owner_drops_the_workflow() -> None:
    bench = Bench(Script().on("a", Do(seconds=100, stops_after=1), Do(seconds=1)))
    first, second = bench.process(), bench.process()
    key = await bench.create(workflow(step("a"), step("b")))
    bench.script.on("b", Do(seconds=20, when_stopped=Succeeded()), Do(seconds=1))
    await first.adopt(key)
    await asyncio.sleep(5)
    bench.backing.live.clear()
    stored = await second.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert stored.head.owner.epoch == 2
    await asyncio.sleep(30)
    with pytest.raises(WorkflowOwned):
        await first.engine.wait(key)
    assert first.executor.running == []
    assert [each.call.epoch for each in bench.calls] == [1, 1, 2, 2]
    assert sum(each.answer == "Saved" for each in first.store.saves) == 1


async def test_b3_five_interruptions_in_a_row_count_where_nobody_knows_what_was_open() -> None:
    template = StepTemplate("plain")
    bench = Bench(Script().on("a", Do(seconds=FOREVER)))
    key = await bench.create(workflow(step("a", template=template)))
    for _ in range(7):
        process = bench.process()
        await process.adopt(key)
        await asyncio.sleep(1)
        await process.crash()
        bench.deaths.open.clear()
    state = (await bench.stored(key)).steps[0]
    assert state.run_retry_count == 1
    assert state.attempt == 2


async def test_b3_an_interrupted_kind_without_reissue_is_undone() -> None:
    bench = Bench(Script().on("a", Do(seconds=FOREVER)))
    key = await bench.create(chain("a", kind="once"))
    process = bench.process()
    await process.adopt(key)
    await asyncio.sleep(1)
    await process.crash()
    stored = await bench.process().run(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert bench.names == ["a.run/1", "a.rollback/1"]


async def test_b7_a_stuck_hook_that_ends_after_all_is_heard() -> None:
    stuck = Do(seconds=40, when_stopped=None)
    bench = Bench(Script().on("stuck", stuck))
    process = bench.process()
    template = StepTemplate("plain", timeout_seconds=10)
    key = await bench.create(workflow(step("stuck", template=template)))
    stored = await process.run(key)
    assert stored.steps[0].blocked is not None
    assert stored.steps[0].blocked.reason == "HookStuck"
    await asyncio.sleep(60)
    assert (await process.engine.wait(key)).head.phase is Phase.SUCCESS
    assert len(bench.calls) == 1


async def test_e1_a_lost_workflows_permits_come_back_when_its_hooks_end() -> None:
    from wf_core.config import Config
    from wf_core.config.values import ControllerConfig, StepConfig

    config = Config(
        controller_config=ControllerConfig(
            concurrency=30, steps=(StepConfig("plain", concurrency=2, max_active=2),)
        )
    )
    script = Script().on("a", Do(seconds=30, when_stopped=None)).on("b", Do(seconds=2))
    bench = Bench(script, config=config)
    process = bench.process()
    lost = await bench.create(workflow(step("a"), name="lost"))
    waiting = await bench.create(workflow(step("c"), name="waiting"))
    await process.adopt(lost)
    await asyncio.sleep(1)
    await process.adopt(waiting)
    await asyncio.sleep(1)
    assert bench.names == ["a.run/1"]
    process.store.fail_next(SaveFault.LOST)
    await bench.ask(lost, RequestType.SUSPEND)
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(lost)
    assert bench.names == ["a.run/1"]
    stored = await process.engine.wait(waiting)
    assert stored.head.phase is Phase.SUCCESS
    run = next(each for each in bench.calls if each.call.step == "c")
    assert run.began_at >= bench.calls[0].began_at + 30


async def test_e1_attempts_that_a_lost_workflow_left_in_progress_are_closed() -> None:
    from wf_core.config import Config
    from wf_core.config.values import ControllerConfig, StepConfig

    config = Config(controller_config=ControllerConfig(steps=(StepConfig("looked", max_active=2),)))
    bench = Bench(Script().on("a", Do(Progressing(poll_after=1000))), config=config)
    process = bench.process()
    lost = await bench.create(chain("a", kind="looked", name="lost"))
    other = await bench.create(chain("b", kind="looked", name="other"))
    await process.adopt(lost)
    await asyncio.sleep(1)
    await process.adopt(other)
    await asyncio.sleep(1)
    assert bench.names == ["a.run/1"]
    process.store.fail_next(SaveFault.LOST)
    await bench.ask(lost, RequestType.SUSPEND)
    assert (await process.engine.wait(other)).head.phase is Phase.SUCCESS


async def test_e1_an_intent_that_could_not_be_saved_gives_its_permit_back() -> None:
    from wf_core.config import Config
    from wf_core.config.values import ControllerConfig

    bench = Bench(config=Config(controller_config=ControllerConfig(concurrency=1)))
    process = bench.process()
    lost = await bench.create(chain("a", name="lost"))
    process.store.fail_next(SaveFault.LOST)
    await process.adopt(lost)
    with pytest.raises(WorkflowOwned):
        await process.engine.wait(lost)
    other = await bench.create(chain("b", name="other"))
    assert (await process.run(other)).head.phase is Phase.SUCCESS


async def test_c2_a_fault_of_the_machine_ends_its_workflow_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from wf_core.errors import EngineError
    from wf_core.saga.machine import Saga

    bench = Bench()
    process = bench.process()
    bad = await bench.create(chain("a", "b", name="bad"))
    good = await bench.create(chain("a", "b", name="good"))
    real = Saga.advance

    def advance(self: Saga, events: Any, now: float) -> Any:
        if self.workflow.metadata.name == "bad" and self.head.revision == 1:
            raise ZeroDivisionError("in the machine")
        return real(self, events, now)

    monkeypatch.setattr(Saga, "advance", advance)
    await process.adopt(bad)
    await process.adopt(good)
    with pytest.raises(EngineError, match="ZeroDivisionError"):
        await process.engine.wait(bad)
    assert (await process.engine.wait(good)).head.phase is Phase.SUCCESS
    stored = await bench.stored(bad)
    assert [each.type for each in stored.head.conditions] == ["InternalError"]
    assert "in the machine" in stored.head.conditions[0].message


async def test_seed_fault_13_a_hook_that_raises_is_a_failure_at_once() -> None:
    raised = Do(Failure(Severity.RETRYABLE, "RuntimeError: boom", trace="Traceback"))
    bench = Bench(Script().on("a", raised))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    state = (await bench.stored(key)).steps[0]
    assert (state.run_error, state.run_retry_count) == ("RuntimeError: boom", 1)


async def test_wait_sees_through_a_retry_and_the_first_turn() -> None:
    bench = Bench(Script().on("a", Do(Failure(Severity.RETRYABLE, "x")), Do()))
    process = bench.process()
    key = await bench.create(chain("a"))
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.clock.now() > bench.calls[0].began_at + 59
