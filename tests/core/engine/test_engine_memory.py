"""What is driven has so much memory, and a namespace that takes its share waits for itself alone
(semantics E10)."""

import asyncio

import pytest

from wf_core.config import Config, ControllerConfig
from wf_core.engine.room import MIB
from wf_core.model.outcomes import Progressing
from wf_core.model.phases import DeletionPolicy, Hook, Phase, RequestType
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.testing.bench import Bench, Process, chain, within
from wf_core.testing.faulty_store import FaultyStore
from wf_core.testing.scripted_hooks import Do, Script

LIMIT = Config(controller_config=ControllerConfig(workflow_memory=100))
SHARE = 60
"""Workflows that one namespace has in memory, each of 1 MiB."""
APPROVAL = Do(Progressing(poll_after=100, waits_for_person=True))


@pytest.fixture(autouse=True)
def _weighs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each workflow takes 1 MiB while there is something to do for it."""

    def weight(store: FaultyStore, key: Key) -> int:
        entry = store.backing.entries.get(key)
        return 0 if entry is None or entry.head.phase is Phase.SUCCESS else MIB

    monkeypatch.setattr(FaultyStore, "weight", weight, raising=False)


def waiting_for_a_person() -> Script:
    return Script(Do(seconds=1)).on("ask", APPROVAL).on("ask", APPROVAL, hook=Hook.SYNC)


def of(bench: Bench, space: str, *phases: Phase) -> list[Key]:
    entries = bench.backing.entries.items()
    return [key for key, e in entries if key.namespace == space and e.head.phase in phases]


async def fill(bench: Bench) -> list[Key]:
    """Twice as many of one namespace as fit; they hold no slot, and wait for a person."""
    orphan = DeletionPolicy.ORPHAN
    keys = [
        await bench.create(
            within("loud", chain("ask", kind="looked", name=f"w{n}", deletion_policy=orphan))
        )
        for n in range(2 * SHARE)
    ]
    await bench.until(lambda: len(of(bench, "loud", Phase.RUNNING)) >= SHARE)
    await asyncio.sleep(60)
    return keys


async def filled() -> tuple[Bench, Process]:
    """A process that serves, of which one namespace has all that it gets."""
    bench = Bench(waiting_for_a_person(), config=LIMIT)
    process = bench.process()
    process.serve()
    await fill(bench)
    return bench, process


async def test_e10_a_namespace_that_took_its_share_waits_for_itself_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench, process = await filled()
    assert len(of(bench, "loud", Phase.RUNNING)) == SHARE
    quiet = [await bench.create(within("quiet", chain("do", name=f"w{n}"))) for n in range(50)]
    await bench.until(lambda: of(bench, "quiet", Phase.SUCCESS) == quiet, 60)
    assert caplog.text.count("leave namespace 'loud' too little of the 100 MiB") == SHARE
    await process.stop()


async def test_e10_what_waits_for_memory_goes_on_once_others_end_or_are_deleted() -> None:
    bench, process = await filled()
    held = of(bench, "loud", Phase.RUNNING)
    for key in held[:20]:
        await bench.delete(key)
    await bench.until(lambda: not set(held[:20]) & set(bench.backing.entries), 60)
    await bench.until(lambda: len(of(bench, "loud", Phase.RUNNING)) == SHARE, 60)
    await process.stop()


async def test_e10_what_waits_for_memory_is_not_even_read() -> None:
    """Each look would decode a document that may be large."""
    _, process = await filled()
    loading, loaded = process.store.load, list[Key]()

    async def load(key: Key) -> Stored:
        loaded.append(key)
        return await loading(key)

    vars(process.store)["load"] = load
    await asyncio.sleep(60)
    assert loaded == []
    await process.stop()


async def test_e10_after_a_restart_the_rest_waits_and_nothing_is_lost() -> None:
    bench = Bench(waiting_for_a_person(), config=LIMIT)
    first = bench.process(Config())
    first.serve()
    keys = await fill(bench)
    assert len(of(bench, "loud", Phase.RUNNING)) == 2 * SHARE
    await first.crash()
    process = bench.process()
    process.serve()
    await asyncio.sleep(60)
    assert len(vars(process.engine)["_runners"]) == SHARE
    for key in keys:
        await bench.delete(key)
    await bench.until(lambda: not bench.backing.entries, 600)
    await process.stop()


async def test_e10_an_undo_waits_for_memory_of_its_own_namespace_and_is_made() -> None:
    bench = Bench(waiting_for_a_person(), config=LIMIT)
    process = bench.process()
    process.serve()
    undone = await bench.create(within("loud", chain("do", name="done")))
    await bench.until(lambda: undone in of(bench, "loud", Phase.SUCCESS))
    await fill(bench)
    await bench.ask(undone, RequestType.ROLLBACK)
    vars(process.store)["weight"] = lambda _: MIB
    await asyncio.sleep(60)
    assert undone in of(bench, "loud", Phase.SUCCESS)
    for key in of(bench, "loud", Phase.RUNNING):
        await bench.delete(key)
    await bench.until(lambda: undone in of(bench, "loud", Phase.ROLL_BACKED), 120)
    await process.stop()
