"""Undos that have no slot hold up their own namespace and no other (semantics E5)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from wf_core.config import Config, ControllerConfig, QueueConfig
from wf_core.model.outcomes import Failure, Progressing, Severity
from wf_core.model.phases import Hook, OnFailure, Phase, RequestType
from wf_core.testing.bench import Bench, chain, step, within, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script

UNDOS = 800
APPROVAL = Do(Progressing(poll_after=100, waits_for_person=True))
ANSWERED = Do(Progressing(poll_after=1e6))
FATAL = Do(Failure(Severity.FATAL, "no"))
STUCK = Do(seconds=FOREVER)


def shared(running: int = 100, share: int | None = 60) -> Config:
    queue = QueueConfig(max_running_count=running, max_running_count_per_namespace=share)
    return Config(controller_config=ControllerConfig(share_permits=True, queue=queue))


def script() -> Script:
    """Runs take a second; `ask` waits for an approval for ever; no undo ends."""
    never = Script(Do(seconds=1)).on("fail", FATAL).on("ask", APPROVAL)
    never.on("ask", APPROVAL, hook=Hook.SYNC)
    return never.on("ask", STUCK, hook=Hook.ROLLBACK).on("do", STUCK, hook=Hook.ROLLBACK)


def count(bench: Bench, phase: Phase, space: str) -> int:
    entries = bench.backing.entries.items()
    return sum(key.namespace == space and e.head.phase is phase for key, e in entries)


def parked(bench: Bench) -> int:
    return sum(entry.head.parked for entry in bench.backing.entries.values())


async def undos_of_what_succeeded(bench: Bench) -> None:
    """Each has succeeded, and a person asks for its rollback."""
    keys = [await bench.create(within("hostile", chain("do", name=f"w{i}"))) for i in range(UNDOS)]
    await bench.until(lambda: count(bench, Phase.SUCCESS, "hostile") == UNDOS)
    for key in keys:
        await bench.ask(key, RequestType.ROLLBACK)
    await bench.until(lambda: count(bench, Phase.ROLLING_BACK, "hostile") == UNDOS)


async def undos_of_what_waited_for_a_person(bench: Bench) -> None:
    """Each waits for an approval, has given its slot back, and is cancelled."""
    keys = [
        await bench.create(within("hostile", chain("ask", kind="looked", name=f"w{i}")))
        for i in range(UNDOS)
    ]
    await bench.until(lambda: parked(bench) == UNDOS)
    for key in keys:
        await bench.ask(key, RequestType.CANCEL)
    await bench.until(lambda: count(bench, Phase.ROLLING_BACK, "hostile") == UNDOS)


async def is_admitted_at_once(
    bench: Bench, space: str, name: str = "order", seconds: float = 0.5
) -> bool:
    key = await bench.create(within(space, chain("link", name=name)))
    await asyncio.sleep(seconds)
    return bench.backing.entries[key].head.phase is not Phase.PENDING


@pytest.mark.parametrize("share", [60, None])
@pytest.mark.parametrize(
    "attack", [undos_of_what_succeeded, undos_of_what_waited_for_a_person], ids=["done", "asked"]
)
async def test_e5_undos_without_a_slot_hold_up_their_own_namespace_alone_after_a_restart_too(
    attack: Callable[[Bench], Awaitable[None]], share: int | None
) -> None:
    bench = Bench(script(), config=shared(share=share))
    process = bench.process()
    process.serve()
    await attack(bench)
    assert await is_admitted_at_once(bench, "mine")
    assert not await is_admitted_at_once(bench, "hostile", "more")
    await process.crash()
    process = bench.process()
    process.serve()
    # First the engine begins what was open one by one: it looks for what killed the process (B3).
    assert await is_admitted_at_once(bench, "mine", "after-the-restart", seconds=30)
    assert not await is_admitted_at_once(bench, "hostile", "more-after-the-restart", seconds=30)
    assert count(bench, Phase.ROLLING_BACK, "hostile") == UNDOS
    await process.crash()


async def test_e5_undos_that_come_out_of_running_keep_their_slots_after_a_restart_too() -> None:
    bench = Bench(script(), config=shared(2, None))
    for name in ("one", "two"):
        await bench.create(within("busy", chain("do", "fail", name=name)))
    process = bench.process()
    process.serve()
    await bench.until(lambda: count(bench, Phase.ROLLING_BACK, "busy") == 2)
    assert not await is_admitted_at_once(bench, "mine")
    await process.crash()
    process = bench.process()
    process.serve()
    assert not await is_admitted_at_once(bench, "mine", "after-the-restart", seconds=30)
    await process.crash()


async def test_e5_an_undo_that_failed_and_is_tried_again_goes_on_without_a_slot() -> None:
    bench = Bench(script().on("do", FATAL, STUCK, hook=Hook.ROLLBACK), config=shared(1, None))
    process = bench.process()
    key = await bench.create(within("hostile", chain("do", "fail", name="w")))
    process.serve()
    await bench.until(lambda: count(bench, Phase.FAILED, "hostile") == 1)
    assert not parked(bench)
    await bench.ask(key, RequestType.RETRY_ROLLBACK)
    await bench.until(lambda: count(bench, Phase.ROLLING_BACK, "hostile") == 1)
    assert await is_admitted_at_once(bench, "mine")
    assert not await is_admitted_at_once(bench, "hostile", "more")
    await process.crash()


async def test_e5_an_undo_that_waited_for_a_person_goes_on_without_a_slot() -> None:
    undo = Script().on("fail", FATAL).on("ask", APPROVAL, hook=Hook.ROLLBACK)
    bench = Bench(undo.on("ask", ANSWERED, hook=Hook.SYNC), config=shared(1, None))
    process = bench.process()
    asks = step("ask", kind="looked")
    key = await bench.create(within("hostile", workflow(asks, step("fail", "ask"), name="w")))
    process.serve()
    await bench.until(lambda: parked(bench) == 1)
    assert not process.engine.slots_held
    await bench.until(lambda: process.engine.slots_held == {key})
    assert count(bench, Phase.ROLLING_BACK, "hostile") == 1
    assert not await is_admitted_at_once(bench, "hostile", "more")
    assert await is_admitted_at_once(bench, "mine")
    await process.crash()


async def test_e5_an_undo_whose_save_fails_stays_without_a_slot_until_it_is_looked_at_again() -> (
    None
):
    bench = Bench(Script(Do(seconds=5)), config=shared(1, None))
    process = bench.process()
    key = await bench.create(within("hostile", chain("a", "b", name="w")))
    process.serve()
    await bench.until(lambda: count(bench, Phase.SUCCESS, "hostile") == 1)
    await bench.ask(key, RequestType.ROLLBACK)
    await asyncio.sleep(1)
    process.store.fail_next(SaveFault.UNAVAILABLE)
    await asyncio.sleep(4.5)
    assert [each.name for each in bench.calls][-1] == "b.rollback/1"
    assert process.engine.slots_held == {key}
    assert await is_admitted_at_once(bench, "mine")
    assert not await is_admitted_at_once(bench, "hostile", "more")
    await process.crash()


async def test_e5_one_namespace_alone_waits_for_its_undos() -> None:
    slow = script().on("do", Do(seconds=10), hook=Hook.ROLLBACK)
    queue = QueueConfig(max_running_count=1)
    bench = Bench(slow, config=Config(controller_config=ControllerConfig(queue=queue)))
    process = bench.process()
    process.serve()
    paused = workflow(step("do"), step("fail", "do"), name="w", on_failure=OnFailure.PAUSE)
    key = await bench.create(paused)
    await bench.until(lambda: parked(bench) == 1)
    await bench.ask(key, RequestType.CANCEL)
    await bench.until(lambda: count(bench, Phase.ROLLING_BACK, "default") == 1)
    assert not await is_admitted_at_once(bench, "default")
    await bench.until(lambda: count(bench, Phase.SUCCESS, "default") == 1)
    assert count(bench, Phase.ROLL_BACKED, "default") == 1
    await process.crash()
