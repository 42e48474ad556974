"""Faults of the design this project started from, by their numbers: the engine has none of them.

Each is a story on virtual time, told by the shipped engine.
"""

import asyncio
from itertools import pairwise

import msgspec
import pytest

from wf_core.config import Config, ControllerConfig, QueueConfig
from wf_core.errors import WorkflowNotFound
from wf_core.kinds import StepCall
from wf_core.model.outcomes import Failure, Severity, Succeeded
from wf_core.model.phases import Ended, Hook, Phase, RequestType, RollbackPolicy
from wf_core.model.spec import (
    Callback,
    Key,
    Metadata,
    RetryPolicy,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.ports import Delivered, Receipt, Saved
from wf_core.testing import virtual_time
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))
RETRYABLE = Do(Failure(Severity.RETRYABLE, "busy"))


def of_rollbacks(bench: Bench) -> list[str]:
    return [each.call.step for each in bench.calls if each.call.hook is Hook.ROLLBACK]


def test_seed_fault_01_what_is_submitted_starts_without_a_status() -> None:
    """Before the engine serves, and while it does."""

    async def story() -> None:
        bench = Bench()
        early = await bench.create(chain("a", name="early"))
        process = bench.process()
        serving = process.serve()
        await asyncio.sleep(1)
        late = await bench.create(chain("a", name="late"))
        await asyncio.sleep(1)
        for key in (early, late):
            assert (await bench.stored(key)).head.phase is Phase.SUCCESS
        await process.stop()
        await serving

    virtual_time.run(story())


def test_seed_fault_04_finished_workflows_free_their_slots() -> None:
    async def story() -> None:
        config = Config(controller_config=ControllerConfig(queue=QueueConfig(max_running_count=2)))
        bench = Bench(Script(Do(seconds=1)), config=config)
        keys = [await bench.create(chain("a", name=f"w{n}")) for n in range(7)]
        process = bench.process()
        serving = process.serve()
        await asyncio.sleep(9)
        assert {(await bench.stored(key)).head.phase for key in keys} == {Phase.SUCCESS}
        begun = [(each.call.workflow, each.began_at) for each in bench.calls]
        assert [name for name, _ in begun] == [f"w{n}" for n in range(7)], (
            "first come, first served"
        )
        for _, moment in begun:
            at_once = [
                each for each in bench.calls if each.began_at <= moment < (each.ended_at or 0)
            ]
            assert len(at_once) <= 2
        await process.stop()
        await serving

    virtual_time.run(story())


@pytest.mark.parametrize("fault", [SaveFault.CRASH_BEFORE, SaveFault.CRASH_AFTER])
def test_seed_fault_06_success_is_judged_over_the_steps_of_the_spec(fault: SaveFault) -> None:
    """A crash at the first save: nothing but the document may be there, yet every step runs."""

    async def story() -> None:
        bench = Bench()
        key = await bench.create(workflow(step("a"), step("b"), step("c", "a", "b")))
        first = bench.process()
        first.store.fail_next(fault)
        first.start(first.engine.adopt(key))
        await bench.until(lambda: not first.alive)
        await first.gone()
        left = await bench.stored(key)
        assert len(left.steps) == 3
        assert left.head.phase is not Phase.SUCCESS

        second = bench.process()
        stored = await second.run(key)

        assert stored.head.phase is Phase.SUCCESS
        assert [each.phase for each in stored.steps] == [Phase.SUCCESS] * 3
        assert {each.call.step for each in bench.calls} == {"a", "b", "c"}
        await second.stop()

    virtual_time.run(story())


def test_seed_fault_07_names_do_not_collide_across_workflows() -> None:
    """Two workflows of one name in two namespaces, with steps of one name, at the same time."""

    async def story() -> None:
        bench = Bench(Script(Do(seconds=1)))
        spec = WorkflowSpec(steps=(step("a"), step("b", "a")))
        keys = [
            await bench.create(Workflow(Metadata("order", namespace), spec))
            for namespace in ("red", "blue")
        ]
        assert keys == [Key("red", "order"), Key("blue", "order")]
        process = bench.process()
        for key in keys:
            await process.adopt(key)
        ended = [await process.engine.wait(key) for key in keys]
        assert [each.head.phase for each in ended] == [Phase.SUCCESS] * 2
        assert len({each.call.key for each in bench.calls}) == 4
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_08_a_fatal_watch_undoes_dependents_first() -> None:
    async def story() -> None:
        script = Script().on("a", Do(), FATAL, hook=Hook.SYNC)
        script.on("b", Do(seconds=5), hook=Hook.ROLLBACK)
        bench = Bench(script)
        watched = StepTemplate("looked", sync_period_seconds=30)
        key = await bench.create(
            workflow(step("a", template=watched), step("b", "a"), step("c", "b"))
        )
        process = bench.process()
        serving = process.serve()
        await bench.until(lambda: len(of_rollbacks(bench)) == 3)
        await asyncio.sleep(1)
        assert of_rollbacks(bench) == ["c", "b", "a"]
        undo = [each for each in bench.calls if each.call.hook is Hook.ROLLBACK]
        for before, after in pairwise(undo):
            assert before.ended_at is not None
            assert before.ended_at <= after.began_at
        assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
        await process.stop()
        await serving

    virtual_time.run(story())


@pytest.mark.parametrize("result", [Delivered.RETRY, Delivered.DROPPED])
def test_seed_fault_09_a_failing_callback_does_not_stop_the_rollback(result: Delivered) -> None:
    async def story() -> None:
        bench = Bench(Script().on("b", FATAL))
        bench.sender.answer = lambda _: Receipt(result, "no answer")
        bench.sender.seconds = 5.0
        callback = Callback("http://receiver.example/hook")
        key = await bench.create(chain("a", "b", callback=callback))
        process = bench.process()
        began = bench.clock.now()
        await process.adopt(key)
        await bench.until(lambda: of_rollbacks(bench) == ["b", "a"])
        assert bench.clock.now() - began < 5.0, "the undo waited for the receiver"
        assert (await process.engine.wait(key)).head.phase is Phase.ROLL_BACKED
        assert bench.sender.sent
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_10_a_used_up_retry_limit_does_not_wait_once_more() -> None:
    async def story() -> None:
        bench = Bench(Script().on("a", RETRYABLE))
        policy = RetryPolicy(run_retry_limit=2, run_retry_period_seconds=60)
        key = await bench.create(
            workflow(step("a", template=StepTemplate("plain", retry_policy=policy)))
        )
        process = bench.process()
        stored = await process.run(key)
        assert stored.head.phase is Phase.ROLL_BACKED
        runs = [each for each in bench.calls if each.call.hook is Hook.RUN]
        (undo,) = [each for each in bench.calls if each.call.hook is Hook.ROLLBACK]
        assert len(runs) == 3
        assert undo.began_at - runs[-1].began_at < 1.0
        await process.stop()

    virtual_time.run(story())


@pytest.mark.parametrize(
    ("of_workflow", "of_step", "undone"),
    [
        (RollbackPolicy.PRESERVE_ON_FAILURE, RollbackPolicy.ALWAYS, ["b", "a"]),
        (RollbackPolicy.ALWAYS, RollbackPolicy.PRESERVE_ON_FAILURE, ["b"]),
        (RollbackPolicy.ALWAYS, None, ["b", "a"]),
    ],
)
def test_seed_fault_10_a_step_s_own_rollback_policy_wins(
    of_workflow: RollbackPolicy, of_step: RollbackPolicy | None, undone: list[str]
) -> None:
    async def story() -> None:
        bench = Bench(Script().on("b", FATAL).on("b", FATAL, hook=Hook.ROLLBACK))
        own = StepTemplate("plain", rollback_policy=of_step)
        steps = (step("a"), step("b", "a", template=own))
        key = await bench.create(workflow(*steps, rollback_policy=of_workflow))
        process = bench.process()
        stored = await process.run(key)
        assert stored.head.phase is Phase.FAILED
        assert of_rollbacks(bench) == undone
        await process.stop()

    virtual_time.run(story())


@pytest.mark.parametrize("served", [True, False])
def test_seed_fault_11_deleting_before_the_first_step_finishes(served: bool) -> None:
    """Asked while nobody serves, or while it waits in a queue that admits nothing."""

    async def story() -> None:
        config = Config(controller_config=ControllerConfig(queue=QueueConfig(max_running_count=0)))
        bench = Bench(config=config)
        key = await bench.create(chain("a"))
        process = bench.process()
        if served:
            serving = process.serve()
            await asyncio.sleep(1)
            await bench.delete(key)
        else:
            await bench.delete(key)
            serving = process.serve()
        await asyncio.sleep(1)
        with pytest.raises(WorkflowNotFound):
            await bench.stored(key)
        assert bench.calls == []
        await process.stop()
        await serving

    virtual_time.run(story())


def test_seed_fault_11_a_failed_rollback_can_be_tried_again() -> None:
    async def story() -> None:
        bench = Bench(Script().on("b", FATAL).on("a", FATAL, Do(), hook=Hook.ROLLBACK))
        key = await bench.create(chain("a", "b"))
        process = bench.process()
        assert (await process.run(key)).head.phase is Phase.FAILED
        await bench.ask(key, RequestType.RETRY_ROLLBACK, "a")
        await asyncio.sleep(1)
        assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
        assert of_rollbacks(bench) == ["b", "a", "a"]
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_12_a_crash_loses_neither_the_attempt_nor_the_resource_id() -> None:
    async def story() -> None:
        made = resource("vm-7", "starting")
        bench = Bench(Script().on("a", Do(seconds=FOREVER, checkpoints=(made,)), Do()))
        key = await bench.create(chain("a"))
        first = bench.process()
        await first.adopt(key)
        await bench.until(lambda: bool(bench.calls and bench.calls[0].checkpoints))
        await first.crash()
        left = (await bench.stored(key)).steps[0]
        assert (left.phase, left.attempt) == (Phase.RUNNING, 1)

        second = bench.process()
        stored = await second.run(key)

        assert stored.head.phase is Phase.SUCCESS
        before, again = (each.call for each in bench.calls)
        assert (again.attempt, again.interruptions, again.key) == (1, 1, before.key)
        assert again.previous.outcome is Ended.UNKNOWN
        assert again.previous.resource == made
        await second.stop()

    virtual_time.run(story())


def test_seed_fault_12_no_call_begins_before_its_intent_is_saved() -> None:
    async def story() -> None:
        seen: list[tuple[str, Phase, int]] = []

        class Noting(Script):
            """Notes what the store took before each call, by the step's index in the chain."""

            def __call__(self, call: StepCall) -> Do:
                index = "abc".index(call.step)
                for save in reversed(process.store.saves):
                    if index in save.changes.steps:
                        state = save.changes.steps[index]
                        seen.append((call.step, state.phase, state.attempt))
                        break
                return FATAL if (call.step, call.hook) == ("c", Hook.RUN) else Do()

        bench = Bench(Noting())
        key = await bench.create(chain("a", "b", "c"))
        process = bench.process()
        await process.run(key)
        assert len(process.store.saves) == 7, "2j + 1 for a failure at step j"
        running, back = Phase.RUNNING, Phase.ROLLING_BACK
        assert seen == [(each, running, 1) for each in "abc"] + [(each, back, 1) for each in "cba"]
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_12_a_late_success_does_not_overwrite_rolling_back() -> None:
    async def story() -> None:
        late = Do(seconds=30, when_stopped=Succeeded(resource("vm-7")), stops_after=3)
        bench = Bench(Script().on("a", late))
        key = await bench.create(workflow(step("a"), step("b", "a")))
        process = bench.process()
        await process.adopt(key)
        await bench.until(lambda: bool(bench.calls))
        await bench.ask(key, RequestType.CANCEL)
        stored = await process.engine.wait(key)
        assert stored.head.phase is Phase.ROLL_BACKED
        moves = await bench.people.history(key)
        after_cancel = [m.after for m in moves if m.step == "a"]
        assert after_cancel == [Phase.RUNNING, Phase.ROLLING_BACK, Phase.ROLL_BACKED]
        (undo,) = [each.call for each in bench.calls if each.call.hook is Hook.ROLLBACK]
        assert undo.previous.resource == resource("vm-7"), "its effect is known to the undo"
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_12_a_stale_owner_s_save_is_refused() -> None:
    """The first engine's save is slow and a second one takes over: what the first says is void."""

    async def story() -> None:
        bench = Bench(Script().on("a", Do(seconds=10), FATAL))
        key = await bench.create(chain("a"))
        first = bench.process()
        await first.adopt(key)
        await bench.until(lambda: bool(bench.calls))
        before = await bench.stored(key)
        first.store.save_seconds = 30.0
        await asyncio.sleep(12)  # its hook ended, and the save of that is on its way
        # As after a fail-over: the stored owner is another one, with a higher epoch.
        await first.store.release(key)
        second = bench.process()
        stored = await second.run(key)
        assert stored.head.phase is Phase.ROLL_BACKED
        assert stored.head.owner.epoch > before.head.owner.epoch
        assert len(first.store.saves) == 1
        await asyncio.sleep(30)
        assert first.store.saves[-1].answer is Saved.LOST
        assert await bench.stored(key) == stored
        await second.stop()
        await first.stop()

    virtual_time.run(story())


def test_seed_fault_15_an_error_clears_once_the_step_succeeds() -> None:
    async def story() -> None:
        bench = Bench(Script().on("a", RETRYABLE, Do()))
        key = await bench.create(chain("a"))
        process = bench.process()
        stored = await process.run(key)
        assert stored.head.phase is Phase.SUCCESS
        assert stored.steps[0].run_error is None
        assert stored.steps[0].run_retry_count == 1
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_15_a_look_s_error_clears_once_a_look_succeeds() -> None:
    async def story() -> None:
        bench = Bench(Script().on("a", RETRYABLE, Do(), hook=Hook.SYNC))
        template = StepTemplate("looked", sync_period_seconds=30)
        key = await bench.create(workflow(step("a", template=template)))
        process = bench.process()
        serving = process.serve()

        async def sync_error() -> str | None:
            return (await bench.stored(key)).steps[0].sync_error

        def looks() -> int:
            return sum(each.call.hook is Hook.SYNC for each in bench.calls)

        await bench.until(lambda: looks() == 1)
        await asyncio.sleep(1)
        assert await sync_error() == "busy"
        await bench.until(lambda: looks() == 2)
        await asyncio.sleep(1)
        assert await sync_error() is None
        await process.stop()
        await serving

    virtual_time.run(story())


def test_seed_fault_15_attributes_that_conflict_resolve_by_the_order_of_the_steps() -> None:
    """Two branches set one attribute; whichever ends later, the later step in the spec wins."""

    async def story(slow: str) -> object:
        script = Script()
        for name in ("a", "b"):
            outcome = Succeeded(attributes={"colour": name})
            script.on(name, Do(outcome, seconds=5 if name == slow else 1))
        bench = Bench(script)
        key = await bench.create(workflow(step("a"), step("b"), step("c", "a", "b")))
        process = bench.process()
        await process.run(key)
        (seen,) = [each.call.attributes for each in bench.calls if each.call.step == "c"]
        await process.stop()
        return dict(seen)

    assert virtual_time.run(story("a")) == {"colour": "b"}
    assert virtual_time.run(story("b")) == {"colour": "b"}


def test_seed_fault_15_errors_are_kept_by_step_and_not_by_kind() -> None:
    async def story() -> None:
        script = Script().on("a", Do(Failure(Severity.FATAL, "a failed"), seconds=1))
        script.on("b", Do(Failure(Severity.FATAL, "b failed"), seconds=1))
        bench = Bench(script)
        key = await bench.create(workflow(step("a"), step("b")))
        process = bench.process()
        stored = await process.run(key)
        assert [each.run_error for each in stored.steps] == ["a failed", "b failed"]
        await process.stop()

    virtual_time.run(story())


def test_seed_fault_14_a_limit_of_zero_retries_is_kept_by_the_engine() -> None:
    async def story() -> None:
        bench = Bench(Script().on("a", RETRYABLE))
        policy = msgspec.structs.replace(RetryPolicy(), run_retry_limit=0)
        key = await bench.create(
            workflow(step("a", template=StepTemplate("plain", retry_policy=policy)))
        )
        process = bench.process()
        assert (await process.run(key)).head.phase is Phase.ROLL_BACKED
        assert bench.names == ["a.run/1", "a.rollback/1"]
        await process.stop()

    virtual_time.run(story())
