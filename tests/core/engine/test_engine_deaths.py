"""What kills its process again and again is found out; its neighbours go on (semantics B3)."""

import asyncio

import pytest

from wf_core.adapters.open_record import Kept
from wf_core.model.outcomes import Failure, Progressing, Severity
from wf_core.model.phases import DeletionPolicy, Hook, Phase, RequestType
from wf_core.model.spec import Key, RetryPolicy, StepTemplate
from wf_core.model.state import Stored
from wf_core.ports import Open
from wf_core.testing.bench import Bench, Process, chain, step, workflow
from wf_core.testing.scripted_hooks import Do, Script

FOR_EVER = Do(seconds=1e9)


async def lives(bench: Bench, killer: str, after: float, most: int) -> Process:
    """Processes that serve, one after the other; each dies once a call of `killer` is open for
    `after` seconds. Gives the first that lives, and fails where none of `most` does."""
    for _ in range(most):
        process = bench.process()
        process.serve()

        def killed(process: Process = process) -> bool:
            since = bench.clock.now() - after
            return any(
                each.name.startswith(killer) and each.ended_at is None and since >= each.began_at
                for each in process.executor.calls
            )

        try:
            await bench.until(killed, 100.0 * (1 + after))
        except TimeoutError:
            return process
        await process.crash()
    raise AssertionError(f"{most} processes died")


async def test_b3_the_third_death_alone_ends_a_call_for_good() -> None:
    bench = Bench(Script().on("poison", FOR_EVER))
    key = await bench.create(chain("first", "poison"))
    process = await lives(bench, "poison.run", 0.0, 4)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert bench.names.count("poison.run/1") == 3
    assert "poison.rollback/1" in bench.names
    assert "the process died 3 times while" in stored.head.cause
    await process.stop()


@pytest.mark.parametrize(("apart", "deaths"), [(60.0, 3), (4000.0, 5)])
async def test_b3_a_hook_that_kills_and_lives_in_turn_is_found(apart: float, deaths: int) -> None:
    """Deaths that lie hours apart, with calls in between that live, are not held against it."""
    failed = Do(Failure(Severity.RETRYABLE, "not yet"))
    bench = Bench(Script().on("poison", *(FOR_EVER, failed) * deaths))
    policy = RetryPolicy(run_retry_limit=-1, run_retry_period_seconds=apart)
    key = await bench.create(
        workflow(step("poison", template=StepTemplate("plain", retry_policy=policy)))
    )
    died = 0
    while died < 5:
        process = bench.process()
        process.serve()
        if not await deadly_again(bench, process):
            await process.stop()
            break
        await process.crash()
        died += 1
    assert died == deaths
    phase = (await bench.stored(key)).head.phase
    assert phase is (Phase.ROLL_BACKED if deaths == 3 else Phase.RUNNING)


async def deadly_again(bench: Bench, process: Process) -> bool:
    """Whether a call that never ends is open before the workflow has ended."""
    ended = (Phase.ROLL_BACKED, Phase.SUCCESS)

    def told() -> bool:
        open_calls = [each for each in process.executor.calls if each.ended_at is None]
        over = all(entry.head.phase in ended for entry in bench.backing.entries.values())
        return over or bool(open_calls)

    await bench.until(told, 10_000.0)
    await asyncio.sleep(0.5)
    return any(each.ended_at is None for each in process.executor.calls)


async def test_b9_looks_that_live_save_nothing_while_a_death_is_held_against_a_step() -> None:
    looks = Do(Progressing(poll_after=1))
    script = Script().on("a", FOR_EVER, looks).on("a", looks, hook=Hook.SYNC)
    bench = Bench(script)
    key = await bench.create(chain("a", kind="looked"))
    first = bench.process()
    first.serve()
    await bench.until(lambda: bench.names == ["a.run/1"])
    await first.crash()
    process = bench.process()
    process.serve()
    await asyncio.sleep(10)
    before = await bench.stored(key)
    assert before.steps[0].deaths == 1
    await asyncio.sleep(100)
    after = await bench.stored(key)
    assert after.head.revision == before.head.revision
    await asyncio.sleep(3600)
    assert (await bench.stored(key)).steps[0].deaths == 0
    await process.stop()


async def test_b3_neighbours_of_a_killer_keep_their_attempts_and_are_done() -> None:
    """Five interruptions end an attempt where nobody knows better; here it is known who was
    beside whom."""
    script = Script(Do(seconds=0.5)).on("poison", FOR_EVER).on("slow", Do(seconds=30.0))
    bench = Bench(script)
    slow = [await bench.create(chain("slow", name=f"slow{i}")) for i in range(4)]
    poison = await bench.create(chain("poison", name="poison"))
    process = await lives(bench, "poison.run", 0.3, 12)
    await asyncio.sleep(100)
    assert (await bench.stored(poison)).head.phase is Phase.ROLL_BACKED
    for key in slow:
        stored = await bench.stored(key)
        assert stored.head.phase is Phase.SUCCESS
        assert (stored.steps[0].attempt, stored.steps[0].run_retry_count) == (1, 0)
    await process.stop()


async def test_b3_a_killer_that_takes_its_time_is_found_too() -> None:
    script = Script().on("poison", FOR_EVER).on("slow", FOR_EVER)
    bench = Bench(script)
    await bench.create(chain("slow", name="slow"))
    poison = await bench.create(chain("poison", name="poison"))
    process = await lives(bench, "poison.run", 10.0, 12)
    assert (await bench.stored(poison)).head.phase is Phase.ROLL_BACKED
    assert bench.backing.entries[Key("default", "slow")].steps[0].attempt == 1
    await process.crash()


async def test_b3_a_killer_beside_an_innocent_step_of_its_own_workflow_is_found() -> None:
    script = Script().on("poison", FOR_EVER).on("other", Do(seconds=5.0))
    bench = Bench(script)
    key = await bench.create(workflow(step("other"), step("poison")))
    process = await lives(bench, "poison.run", 0.2, 12)
    await asyncio.sleep(100)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert "step 'poison' failed: the process died 3 times while" in stored.head.cause
    await process.stop()


async def test_b3_a_killing_undo_waits_for_a_person() -> None:
    bench = Bench(Script().on("poison", FOR_EVER, hook=Hook.ROLLBACK))
    key = await bench.create(chain("poison"))
    first = bench.process()
    await first.run(key)
    await first.stop()
    await bench.ask(key, RequestType.ROLLBACK)
    process = await lives(bench, "poison.rollback", 0.0, 4)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.FAILED
    assert "died 3 times while" in (stored.steps[0].rollback_error or "")
    await process.stop()


async def test_b3_a_process_that_is_stopped_is_no_death() -> None:
    """A hook that ignores its stop is open at the end, and no fault of its."""
    bench = Bench(Script().on("a", Do(seconds=1e9, when_stopped=None)))
    await bench.create(chain("a"))
    for _ in range(4):
        process = bench.process()
        process.serve()
        await asyncio.sleep(5)
        assert process.executor.calls
        stopping = process.start(process.engine.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        await process.crash()
    assert bench.deaths.deaths == 0


def uid_of(bench: Bench, key: Key) -> str:
    return bench.backing.entries[key].workflow.metadata.uid


async def left_alone(bench: Bench, key: Key) -> Process:
    """A process that serves, and knows that taking up that workflow killed three before it."""
    bench.deaths.taking_up[uid_of(bench, key)] = 3
    process = bench.process()
    process.serve()
    await asyncio.sleep(1)
    return process


def deadly(process: Process, key: Key) -> None:
    """Let reading that workflow be the death of the process."""
    load = process.store.load

    async def load_or_die(asked: Key) -> Stored:
        if asked == key:
            process.kill()
            await asyncio.Event().wait()
        return await load(asked)

    vars(process.store)["load"] = load_or_die


async def served(bench: Bench, key: Key) -> Process:
    """A process for which that workflow is deadly, after it died or had its time."""
    process = bench.process()
    deadly(process, key)
    process.serve()
    await asyncio.sleep(200)
    if not process.alive:
        await process.gone()
    return process


async def test_b3_what_kills_whoever_takes_it_up_is_left_alone_after_three_deaths_alone() -> None:
    bench = Bench()
    poison = await bench.create(chain("a", name="poison"))
    other = await bench.create(chain("b", name="other"))
    # Three, one more for the remark that can't be made, and at most one beside another workflow.
    died = 0
    while not (process := await served(bench, poison)).alive and died < 6:
        died += 1
    assert 4 <= died <= 5
    assert (await bench.stored(other)).head.phase is Phase.SUCCESS
    assert (await bench.stored(poison)).head.phase is Phase.PENDING
    assert bench.deaths.taking_up == {uid_of(bench, poison): 4}
    await process.stop()


async def test_b3_what_was_left_alone_is_said_in_its_state_and_lifted_by_a_retry() -> None:
    bench = Bench()
    key = await bench.create(chain("a", name="poison"))
    process = await left_alone(bench, key)
    stored = await bench.stored(key)
    assert (stored.head.phase, bench.calls) == (Phase.PENDING, [])
    assert stored.head.conditions[0].reason == "KillsEngine"
    assert "`wf retry` has it tried again" in stored.head.conditions[0].message
    await bench.ask(key, RequestType.RETRY_RUN)
    await bench.until(lambda: "a.run/1" in bench.names)
    await asyncio.sleep(1)
    head = (await bench.stored(key)).head
    assert (head.phase, head.conditions) == (Phase.SUCCESS, ())
    assert bench.deaths.taking_up == {}
    await process.stop()


async def test_b3_what_is_made_anew_under_the_name_of_a_killer_runs() -> None:
    bench = Bench()
    killer = await bench.create(chain("a", name="poison"))
    process = await left_alone(bench, killer)
    assert bench.calls == []
    await process.store.remove(killer)
    await bench.create(chain("a", name="poison"))
    await asyncio.sleep(1)
    assert (await bench.stored(killer)).head.phase is Phase.SUCCESS
    await process.stop()


async def test_b3_the_record_of_a_killer_goes_with_its_deletion() -> None:
    bench = Bench()
    killer = await bench.create(chain("a", name="poison"))
    process = await left_alone(bench, killer)
    await process.store.remove(killer)
    await asyncio.sleep(1)
    assert bench.deaths.taking_up == {}
    await process.stop()


async def test_b3_the_record_of_a_killer_that_was_deleted_meanwhile_goes_at_the_next_start() -> (
    None
):
    bench = Bench()
    left = await bench.create(chain("a", name="left"))
    bench.deaths.taking_up.update({"gone": 3, uid_of(bench, left): 3})
    process = bench.process()
    process.serve()
    await asyncio.sleep(1)
    assert bench.deaths.taking_up == {uid_of(bench, left): 3}
    await process.stop()


async def test_b3_processes_that_die_each_for_itself_make_no_row() -> None:
    """As `wf run` does where nobody resumes it. A call that was left open has the process to
    itself for a second then, not for an hour."""
    bench = Bench(Script().on("slow", Do(seconds=7200.0)))
    for number in range(8):
        key = await bench.create(chain("slow", name=f"slow{number}"))
        process = bench.process()
        await process.adopt(key)
        await asyncio.sleep(1)
        await process.crash()
    other = await bench.create(chain("b", name="other"))
    process = bench.process()
    process.serve()
    await asyncio.sleep(30)
    assert bench.names.count("slow.run/1") == 16
    assert (await bench.stored(other)).head.phase is Phase.SUCCESS
    await process.crash()


async def test_b3_what_was_deleted_since_a_death_holds_up_nobody() -> None:
    """After many deaths a call has the process to itself for an hour; this one never comes."""
    bench = Bench()
    bench.deaths.deaths, bench.deaths.open = 12, {"gone": {"a": True}}
    other = await bench.create(chain("b", name="other"))
    process = bench.process()
    process.serve()
    await asyncio.sleep(1)
    assert (await bench.stored(other)).head.phase is Phase.SUCCESS
    assert bench.deaths == Kept()
    await process.stop()


async def test_b3_what_is_let_go_as_it_is_after_a_death_holds_up_nobody() -> None:
    bench = Bench(Script().on("a", FOR_EVER))
    key = await bench.create(chain("a", deletion_policy=DeletionPolicy.ORPHAN))
    first = bench.process()
    first.serve()
    await bench.until(lambda: bench.names == ["a.run/1"])
    await first.crash()
    bench.deaths.deaths = 12
    await bench.delete(key)
    other = await bench.create(chain("b", name="other"))
    process = bench.process()
    process.serve()
    await asyncio.sleep(1)
    assert (await bench.stored(other)).head.phase is Phase.SUCCESS
    await process.stop()


async def test_what_is_open_is_noted_from_its_start_to_its_report() -> None:
    bench = Bench(Script().on("a", Do(seconds=5.0)))
    key = await bench.create(chain("a"))
    process = bench.process()
    await process.adopt(key)
    await asyncio.sleep(1)
    uid = uid_of(bench, key)
    process.kill()
    await process.gone()
    assert bench.deaths.left().open == {Open(uid, "a"): True}
