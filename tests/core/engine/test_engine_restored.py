"""An object that was restored from a backup has another uid and its old status: it goes on under
its old keys (semantics B3)."""

import asyncio

from msgspec.structs import replace

from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import Hook, Phase
from wf_core.model.spec import Callback, Key
from wf_core.testing.bench import Bench, chain
from wf_core.testing.scripted_hooks import Do, Script

OTHER = "uid-of-the-restored"


def restore(bench: Bench, key: Key) -> str:
    """Another uid under the same name, with the status as it was; gives the old one."""
    entry = bench.backing.entries[key]
    metadata = entry.workflow.metadata
    entry.workflow = replace(entry.workflow, metadata=replace(metadata, uid=OTHER))
    return metadata.uid


async def test_b3_a_restored_workflow_is_undone_under_the_keys_it_ran_under() -> None:
    script = Script().on("b", Do(seconds=1000), Do(Failure(Severity.FATAL, "no")))
    bench = Bench(script)
    process = bench.process()
    document = chain("a", "b", callback=Callback("http://receiver.test/"))
    key = await bench.create(document)
    await process.adopt(key)
    await asyncio.sleep(5)
    await process.crash()
    ran = next(each.call for each in bench.calls if each.call.step == "a")
    uid = restore(bench, key)
    again = bench.process()
    await again.adopt(key)
    await asyncio.sleep(5)
    assert (await bench.stored(key)).head.phase is Phase.ROLL_BACKED
    undone = next(
        each.call
        for each in bench.calls
        if each.call.step == "a" and each.call.hook is Hook.ROLLBACK
    )
    assert (undone.run_key, undone.uid, undone.object_uid) == (ran.key, uid, OTHER)
    assert undone.key != ran.key
    assert {each.call.key for each in bench.calls if each.call.hook is Hook.RUN} == {
        each.call.run_key for each in bench.calls if each.call.hook is Hook.ROLLBACK
    }
    assert {event.uid for event in again.announcer.events} == {uid}
    sent = [each.event_id for each in bench.sender.sent]
    assert {each.partition("/")[0] for each in sent} == {uid}
    assert sorted(set(sent)) == [f"{uid}/{n}" for n in range(1, 6)]


async def test_b3_what_never_began_has_the_keys_of_the_uid_under_which_it_begins() -> None:
    bench = Bench()
    key = await bench.create(chain("a"))
    restore(bench, key)
    await bench.process().adopt(key)
    await asyncio.sleep(1)
    assert [each.call.uid for each in bench.calls] == [OTHER]
    assert (await bench.stored(key)).head.key_uid == OTHER
