"""A workflow waits for a person: in the shipped engine, on virtual time."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.approval.gated import GatedBench, gated

from wf_approval.gate import APPROVED, REJECTED, rfc3339
from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig
from wf_core.model.phases import OnFailure, Phase, RequestType
from wf_core.model.spec import Key
from wf_core.saga.explain import explain
from wf_core.testing.bench import step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import Do

WEEK = 7 * 24 * 3600.0


async def ended(bench: GatedBench, key: Key) -> tuple[Phase, str]:
    """How a workflow came to rest, and why."""
    await asyncio.sleep(1)
    head = (await bench.stored(key)).head
    return head.phase, head.cause


async def test_an_approval_lets_it_go_on_at_once_and_says_who_when_and_why() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine())
    await asyncio.sleep(500)
    at = bench.clock.now()
    await bench.answer(key, approved=True, by="ann", reason="it is in stock")
    await bench.until(lambda: "pay.run/1" in bench.names, seconds=1)
    assert bench.clock.now() - at < 0.1
    assert await ended(bench, key) == (Phase.SUCCESS, "")
    gate = await bench.gate(key)
    assert gate.attributes["approvedBy"] == "ann"
    assert gate.attributes["reason"] == "it is in stock"
    assert gate.attributes["approvedAt"] == rfc3339(at)
    assert gate.resource is not None
    assert gate.resource.status == "approved"


async def test_a_rejection_undoes_what_ran_and_is_the_cause() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine())
    await bench.answer(key, approved=False, by="bob", reason="too dear")
    phase, cause = await ended(bench, key)
    assert (phase, "rejected by bob: too dear" in cause) == (Phase.ROLL_BACKED, True)
    assert bench.names[-2:] == ["gate.rollback/1", "book.rollback/1"]
    gate = await bench.gate(key)
    assert gate.attempts[0].error == "rejected by bob: too dear"
    assert gate.attempt == 1


async def test_waiting_for_a_week_costs_a_look_an_hour_and_no_save() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine())
    revision = (await bench.stored(key)).head.revision
    calls = len(bench.calls)
    await asyncio.sleep(WEEK)
    assert len(bench.calls) - calls == 7 * 24
    assert (await bench.stored(key)).head.revision == revision


async def test_nobody_in_time_is_a_rejection_at_the_deadline_and_not_before() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine(), deadlineSeconds=50)
    opened = bench.clock.now()
    await bench.until(lambda: "book.rollback/1" in bench.names, seconds=60)
    assert bench.clock.now() - opened == pytest.approx(50, abs=0.1)
    phase, cause = await ended(bench, key)
    assert phase is Phase.ROLL_BACKED
    assert "nobody approved it within 50 s" in cause


async def test_crashes_do_not_move_the_deadline() -> None:
    bench = GatedBench()
    process = bench.engine()
    key = await bench.opened(process, deadlineSeconds=100)
    opened = bench.clock.now()
    for _ in range(3):
        await asyncio.sleep(20)
        await process.crash()
        process = bench.engine()
        await process.adopt(key)
    await bench.until(lambda: "book.rollback/1" in bench.names, seconds=200)
    assert bench.clock.now() - opened == pytest.approx(100, abs=0.1)


async def test_an_answer_counts_that_came_while_no_engine_ran_though_the_deadline_passed() -> None:
    bench = GatedBench()
    process = bench.engine()
    key = await bench.opened(process, deadlineSeconds=100)
    await process.crash()
    await bench.answer(key, approved=True, by="ann")
    await asyncio.sleep(1000)
    await bench.engine().adopt(key)
    assert (await ended(bench, key))[0] is Phase.SUCCESS


async def test_an_answer_may_come_before_it_is_asked_for() -> None:
    bench = GatedBench()
    key = await bench.create(gated())
    await bench.answer(key, approved=True, by="ann")
    await bench.engine().adopt(key)
    assert (await ended(bench, key))[0] is Phase.SUCCESS


async def test_who_is_no_approver_is_named_and_does_not_count() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine(), approvers=["ann", "bob"])
    await bench.answer(key, approved=True, by="eve")
    await asyncio.sleep(1)
    gate = await bench.gate(key)
    assert gate.in_progress
    assert gate.resource is not None
    assert str(gate.resource.attributes["message"]).endswith("eve is not one of its approvers")
    await bench.answer(key, approved=True, by="bob")
    assert (await ended(bench, key))[0] is Phase.SUCCESS


async def test_a_signal_that_is_no_answer_is_shown_and_changes_nothing() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine())
    await bench.ask(key, RequestType.SIGNAL, name="gate", value=True)
    await asyncio.sleep(1)
    gate = await bench.gate(key)
    assert gate.in_progress
    assert gate.resource is not None
    assert "the signal 'gate' is no answer" in str(gate.resource.attributes["message"])


async def test_with_on_failure_pause_it_can_be_asked_again_and_the_old_answer_is_spent() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine(), on_failure=OnFailure.PAUSE)
    await bench.answer(key, approved=False, by="bob", reason="not yet")
    await asyncio.sleep(1)
    assert (await bench.gate(key)).blocked is not None
    await bench.ask(key, RequestType.RETRY_RUN, "gate")
    await asyncio.sleep(1)
    gate = await bench.gate(key)
    assert (gate.attempt, gate.in_progress) == (2, True)
    await bench.answer(key, approved=True, by="bob")
    assert (await ended(bench, key))[0] is Phase.SUCCESS


async def test_cancelled_while_it_waits_it_is_closed_and_the_rest_undone() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine())
    await bench.ask(key, RequestType.CANCEL)
    assert (await ended(bench, key))[0] is Phase.ROLL_BACKED
    gate = await bench.gate(key)
    assert gate.resource is not None
    assert gate.resource.status == "closed"


async def test_explain_says_what_is_asked_and_how_to_answer() -> None:
    bench = GatedBench()
    process = bench.engine()
    key = await bench.opened(process, message="Charge ada?", approvers=["ann", "bob"])
    found = explain(await bench.stored(key), process.engine.registry.kinds, bench.clock.now())
    (gate,) = [each.sentence for each in found if each.step == "gate"]
    assert gate.endswith("waiting for approval: Charge ada?; `wf approve order gate` (ann or bob)")


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("fault", [SaveFault.CRASH_BEFORE, SaveFault.CRASH_AFTER])
@pytest.mark.parametrize("nth", range(4))
async def test_a_crash_at_any_save_after_the_answer_changes_nothing(
    approved: bool, fault: SaveFault, nth: int
) -> None:
    bench = GatedBench()
    process = bench.engine()
    key = await bench.opened(process)
    saves = iter(range(100))
    process.store.plan = lambda _key, _changes: fault if next(saves) == nth else None
    await bench.answer(key, approved=approved, by="ann")
    await asyncio.sleep(1)
    await process.crash()
    resource = (await bench.gate(key)).resource
    if resource is not None and resource.status in (APPROVED, REJECTED):
        # What was saved of an answer stands, whatever comes later.
        await bench.answer(key, approved=not approved, by="bob")
    await bench.engine().adopt(key)
    assert (await ended(bench, key))[0] is (Phase.SUCCESS if approved else Phase.ROLL_BACKED)


async def test_a5_a_workflow_that_waits_for_an_approval_leaves_its_slot_to_others() -> None:
    queue = QueueConfig(max_running_count=1)
    bench = GatedBench(Config(controller_config=ControllerConfig(queue=queue)))
    first = await bench.create(gated())
    process = bench.engine()
    process.serve()
    await bench.until(lambda: "gate.run/1" in bench.names, seconds=1)
    await asyncio.sleep(1)
    second = await bench.create(workflow(step("a"), name="second"))
    await asyncio.sleep(1)
    assert (await bench.stored(second)).head.phase is Phase.SUCCESS
    assert (await bench.stored(first)).head.parked
    # One holds the only slot: the answer is looked at, and what comes after it waits.
    bench.script.on("long", Do(seconds=100))
    await bench.create(workflow(step("long"), name="third"))
    waiting = await bench.create(workflow(step("late"), name="fourth"))
    await asyncio.sleep(1)
    await bench.answer(first, approved=True, by="ann")
    await asyncio.sleep(1)
    assert (await bench.gate(first)).phase is Phase.SUCCESS
    assert "pay.run/1" not in bench.names
    await asyncio.sleep(101)
    assert bench.names.index("pay.run/1") < bench.names.index("late.run/1")
    assert (await bench.stored(first)).head.phase is Phase.SUCCESS
    assert (await bench.stored(waiting)).head.phase is Phase.SUCCESS


async def test_b7_the_deadline_stands_still_while_it_waits_and_the_gates_own_goes_on() -> None:
    bench = GatedBench()
    key = await bench.opened(bench.engine(), active_deadline_seconds=50.0)
    await asyncio.sleep(1000)
    assert (await bench.stored(key)).head.phase is Phase.RUNNING
    await bench.answer(key, approved=True, by="ann")
    assert (await ended(bench, key))[0] is Phase.SUCCESS
    other = GatedBench()
    key = await other.opened(other.engine(), active_deadline_seconds=50.0, deadlineSeconds=100)
    await asyncio.sleep(101)
    assert "nobody approved it within 100 s" in (await ended(other, key))[1]


async def test_a_gate_that_an_older_version_opened_keeps_its_deadline() -> None:
    bench = GatedBench()
    process = bench.engine()
    key = await bench.opened(process, deadlineSeconds=100)
    await process.crash()
    entry = bench.backing.entries[key]
    gate = await bench.gate(key)
    assert gate.resource is not None
    old = replace(gate, resource=replace(gate.resource, status="waits for approval"))
    entry.steps = [old if each.resource == gate.resource else each for each in entry.steps]
    await asyncio.sleep(50)
    await bench.engine().adopt(key)
    await asyncio.sleep(49)
    assert (await bench.stored(key)).head.phase is Phase.RUNNING
    await asyncio.sleep(2)
    assert "nobody approved it within 100 s" in (await ended(bench, key))[1]
