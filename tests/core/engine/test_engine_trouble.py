"""Stores that fail, states that can't be run, others that interfere (semantics C10)."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig, QueueLimits
from wf_core.errors import StoreUnavailable
from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import Phase, RequestType
from wf_core.model.spec import Key
from wf_core.testing.bench import Bench, chain, step, workflow
from wf_core.testing.scripted_hooks import Do, Script

FATAL = Do(Failure(Severity.FATAL, "no"))


def limited(running: int, strategy: str = "FIFO", **queues: float) -> Config:
    limits = {name: QueueLimits(weight=weight) for name, weight in queues.items()}
    queue = QueueConfig(strategy=strategy, max_running_count=running, queues=limits)
    return Config(controller_config=ControllerConfig(queue=queue))


async def phases(bench: Bench, keys: list[Key]) -> list[Phase]:
    return [(await bench.stored(key)).head.phase for key in keys]


def running_now(bench: Bench) -> int:
    return sum(e.head.phase is Phase.RUNNING for e in bench.backing.entries.values())


@pytest.mark.parametrize("moment", ["before", "while"])
async def test_a_document_no_machine_can_be_built_from_fails_alone(moment: str) -> None:
    bad = workflow(step("a"), step("b", "nobody"), name="bad")
    bench = Bench()
    process = bench.process()
    if moment == "before":
        key = await bench.create(bad)
    good = await bench.create(chain("a", name="good"))
    process.serve()
    await asyncio.sleep(1)
    if moment == "while":
        key = await bench.create(bad)
        await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.FAILED
    assert "nobody" in str(stored.head.error)
    assert await phases(bench, [good]) == [Phase.SUCCESS]
    await bench.delete(key)
    await asyncio.sleep(1)
    assert list(bench.backing.entries) == [good]


async def test_c10_what_cannot_be_read_blocks_that_workflow_alone_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    process = bench.process()
    bad = await bench.create(chain("a", name="bad"))
    good = await bench.create(chain("a", name="good"))
    loading = process.store.load

    async def load(key: Key) -> Any:
        if key == bad:
            raise StoreUnavailable("workflow 'bad': its stored state is damaged")
        return await loading(key)

    vars(process.store)["load"] = load
    process.serve()
    await asyncio.sleep(100)
    assert await phases(bench, [bad, good]) == [Phase.PENDING, Phase.SUCCESS]
    assert caplog.text.count("is damaged") == 1
    late = await bench.create(chain("a", name="late"))
    await bench.ask(bad, RequestType.SIGNAL, name="x")
    await asyncio.sleep(1)
    assert await phases(bench, [late]) == [Phase.SUCCESS]
    vars(process.store)["load"] = loading
    await asyncio.sleep(20)
    assert await phases(bench, [bad]) == [Phase.SUCCESS]


async def left_by_a_crash(bench: Bench) -> Key:
    """A workflow whose first step ran when its process died."""
    first = bench.process()
    key = await bench.create(chain("a", "b", name="bad"))
    await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    return key


async def is_left_alone(bench: Bench, key: Key) -> None:
    """By another process, which runs others."""
    good = await bench.create(chain("a", name="good"))
    second = bench.process()
    second.serve()
    await asyncio.sleep(100)
    assert await phases(bench, [key, good]) == [Phase.RUNNING, Phase.SUCCESS]
    assert len(bench.calls) == 2


async def test_c10_a_state_that_fits_no_machine_is_left_alone_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(Script(Do(seconds=10)))
    key = await left_by_a_crash(bench)
    bench.backing.entries[key].steps.pop()
    await is_left_alone(bench, key)
    assert caplog.text.count("can't be run") == 1


async def test_c10_a_state_that_no_engine_leaves_is_left_alone_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(Script(Do(seconds=10)))
    key = await left_by_a_crash(bench)
    steps = bench.backing.entries[key].steps
    steps[0] = replace(steps[0], phase=Phase.ROLLING_BACK)
    await is_left_alone(bench, key)
    assert caplog.text.count("step 'a' is RollingBack in a workflow that is Running") == 1


async def test_a_store_that_is_away_while_serving_is_tried_again_and_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(Script(Do(seconds=5)))
    process = bench.process()
    keys = [await bench.create(chain("a", "b", name=f"w{i}")) for i in range(5)]
    process.serve()
    await asyncio.sleep(1)
    process.store.away = True
    await asyncio.sleep(30)
    late = await bench.create(chain("a", name="late"))
    await bench.ask(keys[0], RequestType.SIGNAL, name="x")
    await asyncio.sleep(30)
    process.store.away = False
    await asyncio.sleep(60)
    assert await phases(bench, [*keys, late]) == [Phase.SUCCESS] * 6
    assert "looked at again by itself" in caplog.text
    assert "given up" not in caplog.text
    assert (await bench.stored(keys[0])).head.signals == {"x": None}
    runs = [each.call.key for each in bench.calls if each.call.step == "a"]
    assert len(dict.fromkeys(runs)) == 6


async def test_a_store_that_cannot_be_read_at_the_start_is_raised() -> None:
    bench = Bench()
    process = bench.process()
    process.store.away = True
    with pytest.raises(StoreUnavailable):
        await process.serve()
    assert process.announcer.closed


async def test_following_begins_again_where_the_store_was_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    process = bench.process()
    watching = process.store.watch
    left = [1]

    def watch(since: int | None = None) -> Any:
        if left:
            left.pop()
            raise StoreUnavailable("not now")
        return watching(since)

    vars(process.store)["watch"] = watch
    process.serve()
    await asyncio.sleep(0.5)
    key = await bench.create(chain("a"))
    await asyncio.sleep(3)
    assert await phases(bench, [key]) == [Phase.SUCCESS]
    assert "not now" in caplog.text


async def test_what_another_process_runs_is_left_alone_and_taken_up_after_its_crash() -> None:
    bench = Bench(Script(Do(seconds=30)))
    first, second = bench.process(), bench.process()
    key = await bench.create(chain("a"))
    await first.adopt(key)
    await asyncio.sleep(1)
    second.serve()
    await asyncio.sleep(5)
    assert len(bench.calls) == 1
    await first.crash()
    await asyncio.sleep(60)
    assert await phases(bench, [key]) == [Phase.SUCCESS]
    assert [each.call.epoch for each in bench.calls] == [1, 2]


async def test_create_through_the_engine_and_a_fault_of_ours_in_a_look_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    process = bench.process()
    process.serve()
    await asyncio.sleep(0.1)

    async def load(_: Key) -> Any:
        raise ZeroDivisionError("ours")

    loading = process.store.load
    vars(process.store)["load"] = load
    await process.engine.create(chain("a"))
    await asyncio.sleep(1)
    assert "a fault of the engine" in caplog.text
    vars(process.store)["load"] = loading
    other = await bench.create(chain("a", name="other"))
    await asyncio.sleep(1)
    assert await phases(bench, [other]) == [Phase.SUCCESS]


async def test_a_request_that_comes_while_the_workflow_is_taken_up_is_not_lost() -> None:
    bench = Bench(Script(Do(seconds=5)))
    key = await bench.create(chain("a", suspend=True))
    first, process = bench.process(), bench.process()
    await first.run(key)
    await first.stop()
    loading = process.store.load

    async def load(key: Key) -> Any:
        stored = await loading(key)
        await bench.ask(key, RequestType.CONTINUE)
        await asyncio.sleep(1)
        vars(process.store)["load"] = loading
        return stored

    vars(process.store)["load"] = load
    await process.adopt(key)
    await asyncio.sleep(10)
    assert (await bench.stored(key)).head.phase is Phase.SUCCESS


async def test_requests_are_read_once_however_often_the_workflow_is_saved() -> None:
    bench = Bench(Script().on("a", Do(seconds=5)))
    first, process = bench.process(), bench.process()
    key = await bench.create(chain(*"abcdefgh"))
    await first.adopt(key)
    await bench.ask(key, RequestType.SIGNAL, name="x")
    await asyncio.sleep(1)
    await first.crash()
    reads = []
    asking = process.store.asked

    async def asked(key: Key) -> Any:
        reads.append(key)
        return await asking(key)

    vars(process.store)["asked"] = asked
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert len(process.store.saves) > 8
    assert len(reads) <= 1


async def test_stop_waits_for_what_is_being_taken_up_and_starts_nothing_of_it() -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))
    loading = process.store.load
    ended = []

    async def load(key: Key) -> Any:
        await asyncio.sleep(5)
        ended.append(bench.clock.now())
        return await loading(key)

    vars(process.store)["load"] = load
    process.serve()
    await asyncio.sleep(1)
    await process.engine.stop()
    assert ended == [bench.clock.now()]
    assert await phases(bench, [key]) == [Phase.PENDING]
    await asyncio.sleep(20)
    assert bench.calls == []


async def test_a_workflow_that_fits_no_machine_is_told_to_whoever_adopts_it() -> None:
    from wf_core.errors import DocumentInvalid

    bench = Bench()
    process = bench.process()
    key = await bench.create(workflow(step("a", "nobody")))
    with pytest.raises(DocumentInvalid, match="nobody"):
        await process.adopt(key)
    assert await phases(bench, [key]) == [Phase.PENDING]


async def test_a_crash_while_following_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    process = bench.process()
    watching = process.store.watch
    left = [1]

    def watch(since: int | None = None) -> Any:
        if left:
            left.pop()
            raise ZeroDivisionError("ours")
        return watching(since)

    vars(process.store)["watch"] = watch
    process.serve()
    await asyncio.sleep(3)
    key = await bench.create(chain("a"))
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.SUCCESS]
    assert "a fault of the engine" in caplog.text


async def test_a_request_that_cannot_be_read_is_read_later() -> None:
    bench = Bench(Script(Do(seconds=60)))
    process = bench.process()
    key = await bench.create(chain("a"))
    await process.adopt(key)
    await asyncio.sleep(1)
    process.store.away = True
    await bench.ask(key, RequestType.SIGNAL, name="x", value=1)
    await asyncio.sleep(1)
    process.store.away = False
    await asyncio.sleep(20)
    assert (await bench.stored(key)).head.signals == {"x": 1}
