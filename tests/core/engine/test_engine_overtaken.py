"""What an engine does about a workflow that it runs, once others have deleted or saved it."""

import asyncio

import pytest
from msgspec.structs import replace

from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig
from wf_core.errors import StoreUnavailable, WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import DeletionPolicy, Phase, RequestType
from wf_core.model.spec import Key, StepTemplate
from wf_core.model.state import Owner, Writer
from wf_core.ports import Changes, Saved
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.scripted_hooks import Do, Script

ONE_AT_A_TIME = Config(controller_config=ControllerConfig(queue=QueueConfig(max_running_count=1)))
WATCHED = StepTemplate("looked", sync_period_seconds=7.0)


async def test_what_is_deleted_while_it_is_watched_is_looked_at_no_more() -> None:
    bench = Bench()
    process = bench.process()
    serving = process.serve()
    key = await bench.create(workflow(step("a", template=WATCHED)))
    await bench.until(lambda: len(bench.calls) > 2)
    bench.vanish(key)
    await asyncio.sleep(1)
    calls = len(bench.calls)
    await asyncio.sleep(1000)
    assert len(bench.calls) == calls
    await process.stop()
    await serving


async def test_e3_what_is_deleted_while_its_save_is_under_way_gives_its_slot_back() -> None:
    """The save is lost, since there is nothing left to save to, and the news of the deletion has
    been passed over by then: nobody else would ever let the slot go."""
    bench = Bench(Script().on("a", Do(seconds=1)), config=ONE_AT_A_TIME)
    process = bench.process()
    gone = await bench.create(chain("a", name="gone", deletion_policy=DeletionPolicy.ORPHAN))
    saving, saved = process.store.save, list[Key]()

    async def save(key: Key, changes: Changes) -> Saved:
        saved.append(key)
        if key == gone and saved.count(gone) == 2:
            bench.vanish(gone)
        return await saving(key, changes)

    vars(process.store)["save"] = save
    serving = process.serve()
    await bench.until(lambda: saved.count(gone) == 2)
    await bench.create(chain("b", name="next"))
    await bench.until(lambda: "b.run/1" in bench.names)
    await asyncio.sleep(1)
    assert process.engine.slots_held == frozenset()
    await process.stop()
    await serving


async def test_who_waits_for_what_is_deleted_is_told() -> None:
    bench = Bench(Script().on("a", Do(seconds=100)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    bench.vanish(key)
    with pytest.raises(WorkflowNotFound, match="was deleted while it was run here"):
        await process.engine.wait(key)


async def test_one_that_has_its_name_since_is_run() -> None:
    """The watch merges the deletion and the creation into one change."""
    bench = Bench()
    process = bench.process()
    serving = process.serve()
    key = await bench.create(workflow(step("a", template=WATCHED)))
    await bench.until(lambda: len(bench.calls) > 2)
    del bench.backing.entries[key]
    await bench.create(chain("b"))
    await bench.until(lambda: "b.run/1" in bench.names)
    await asyncio.sleep(1)
    assert (await bench.stored(key)).head.phase is Phase.SUCCESS
    await process.stop()
    await serving


async def test_c5_what_a_former_owner_saves_over_one_at_rest_is_taken_up_anew() -> None:
    """Until the new owner's first save is stored the former one's is taken, and rightly; a workflow
    at rest has made none. It stood still for ever."""
    bench = Bench()
    former = bench.process()
    serving = former.serve()
    key = await bench.create(chain("a", suspend=True))
    await bench.ask(key, RequestType.SIGNAL, name="go")
    await bench.until(lambda: bench.backing.entries[key].head.revision == 1)
    await former.crash()
    await asyncio.gather(serving, return_exceptions=True)
    await bench.ask(key, RequestType.SIGNAL, name="again")
    process = bench.process()
    serving = process.serve()
    await bench.until(lambda: bench.backing.entries[key].head.revision == 2)
    entry = bench.backing.entries[key]
    late = replace(
        entry.head,
        suspended=False,
        revision=3,
        owner=Owner("former", entry.owner.epoch + 1),
        writer=Writer(entry.owner.epoch + 1, 1),
    )
    saved = await process.store.save(key, Changes(entry.workflow.metadata.uid, 2, 2, late, {}))
    assert saved is Saved.SAVED
    await bench.until(lambda: "a.run/1" in bench.names)
    await process.stop()
    await serving


async def test_c5_who_stood_still_too_long_calls_no_hook_though_it_saved_the_intent() -> None:
    bench = Bench()
    key = await bench.create(chain("a"))
    process = bench.process()
    saving = process.store.save

    async def save(key: Key, changes: Changes) -> Saved:
        answer = await saving(key, changes)
        vars(process.store)["owns"] = False  # it was stopped here, and others may have taken over
        return answer

    vars(process.store)["save"] = save
    await process.adopt(key)
    with pytest.raises(WorkflowOwned, match="stood still for so long"):
        await process.engine.wait(key)
    assert (await bench.stored(key)).head.phase is Phase.RUNNING
    assert bench.calls == []


async def test_what_waits_only_to_go_is_taken_up_anew_once_its_state_was_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is left to save, which would find it out; the store removes nothing but what it knows
    to be the latest, and so refused for ever."""
    bench = Bench()
    process = bench.process()
    claiming, removing, refused = process.store.claim, process.store.remove, list[Key]()

    async def remove(key: Key) -> None:
        if not refused:
            entry = bench.backing.entries[key]
            entry.head = replace(entry.head, revision=77, owner=Owner())
        if not claimed:
            refused.append(key)
            raise StoreUnavailable("it was saved meanwhile")
        await removing(key)

    async def claim(key: Key) -> Owner:
        claimed.append(key)
        return await claiming(key)

    claimed = list[Key]()
    serving = process.serve()
    key = await bench.create(workflow(step("a", template=WATCHED)))
    await bench.until(lambda: len(bench.calls) > 2)
    vars(process.store).update(remove=remove, claim=claim)
    await bench.delete(key)
    await bench.until(lambda: key not in bench.backing.entries)
    assert refused == [key]
    assert "was changed by somebody else meanwhile" in caplog.text
    await process.stop()
    await serving
