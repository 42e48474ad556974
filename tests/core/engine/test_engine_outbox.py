"""Callbacks, deletion, and what goes with them (semantics F, invariant I14)."""

import asyncio
from typing import Any

import pytest

from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig, QueueLimits
from wf_core.errors import StoreUnavailable
from wf_core.model.outcomes import Failure, Severity, Succeeded
from wf_core.model.phases import DeletionPolicy, Hook, Phase, RequestType
from wf_core.model.spec import Callback, Key
from wf_core.ports import Delivered, Delivery, Receipt
from wf_core.testing.bench import Bench, chain
from wf_core.testing.faulty_store import SaveFault
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


async def test_seed_fault_11_deleting_before_the_first_step_is_begun_ends() -> None:
    bench = Bench(config=limited(0))
    process = bench.process()
    early = await bench.create(chain("a", name="early"))
    await bench.delete(early)
    process.serve()
    late = await bench.create(chain("a", name="late"))
    await asyncio.sleep(1)
    await bench.delete(late)
    await asyncio.sleep(1)
    assert bench.backing.entries == {}
    assert bench.calls == []


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        (DeletionPolicy.ROLLBACK_UNFINISHED, []),
        (DeletionPolicy.ROLLBACK, ["a.rollback/1"]),
        (DeletionPolicy.ORPHAN, []),
    ],
)
async def test_deleting_a_finished_workflow_goes_by_its_policy(
    policy: DeletionPolicy, calls: list[str]
) -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a", deletion_policy=policy))
    process.serve()
    await asyncio.sleep(1)
    await bench.delete(key)
    await asyncio.sleep(1)
    assert bench.backing.entries == {}
    assert bench.names[1:] == calls


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        (DeletionPolicy.ROLLBACK_UNFINISHED, ["b.rollback/1", "a.rollback/1"]),
        (DeletionPolicy.ROLLBACK, ["b.rollback/1", "a.rollback/1"]),
        (DeletionPolicy.ORPHAN, []),
    ],
)
async def test_deleting_an_unfinished_workflow_goes_by_its_policy(
    policy: DeletionPolicy, calls: list[str]
) -> None:
    bench = Bench(Script().on("b", Do(seconds=50, stops_after=2)))
    process = bench.process()
    key = await bench.create(chain("a", "b", deletion_policy=policy))
    await process.adopt(key)
    await asyncio.sleep(1)
    await bench.delete(key)
    await asyncio.sleep(1)
    assert key in bench.backing.entries
    await asyncio.sleep(5)
    assert bench.backing.entries == {}
    assert bench.names[2:] == calls
    assert process.engine.view(key).head.deletion_asked_at is not None
    assert bench.calls[1].stopped_at is not None
    await process.engine.wait(key)


async def test_f_deletion_waits_for_delivery_or_giving_up() -> None:
    bench = Bench()
    bench.sender.answer = lambda _: Receipt(Delivered.RETRY, "away")
    process = bench.process()
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    process.serve()
    await asyncio.sleep(300)
    await bench.delete(key)
    await asyncio.sleep(250)
    assert key in bench.backing.entries
    await asyncio.sleep(100)
    assert bench.backing.entries == {}


async def test_f_a_dead_receiver_holds_up_neither_step_nor_rollback() -> None:
    bench = Bench(Script().on("b", FATAL))
    bench.sender.answer = lambda _: Receipt(Delivered.RETRY, "away")
    bench.sender.seconds = 30
    process = bench.process()
    key = await bench.create(chain("a", "b", callback=Callback("http://there/")))
    process.serve()
    await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.ROLL_BACKED
    assert [(e.seq, e.step, e.phase) for e in stored.outbox] == [
        (1, None, Phase.RUNNING),
        (2, "a", Phase.SUCCESS),
        (3, "b", Phase.FAILED),
        (4, None, Phase.ROLLING_BACK),
        (5, None, Phase.ROLL_BACKED),
    ]


async def test_f_the_outbox_is_written_in_the_save_of_its_transition() -> None:
    bench = Bench()
    process = bench.process()
    process.store.fail_next(None, SaveFault.CRASH_AFTER)
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    process.start(process.engine.adopt(key))
    bench.sender.seconds = 50
    await asyncio.sleep(1)
    await process.gone()
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.SUCCESS
    assert [entry.seq for entry in stored.outbox] == [1, 2, 3]
    bench.sender.seconds = 0
    bench.process().serve()
    await asyncio.sleep(1)
    assert [each.event_id for each in bench.sender.delivered] == ["uid-1/1", "uid-1/2", "uid-1/3"]
    stored = await bench.stored(key)
    assert (stored.outbox, stored.head.outbox_delivered) == ((), 3)


async def test_seed_fault_09_a_callback_tells_what_is_saved_with_its_id() -> None:
    bench = Bench(Script(Do(Succeeded(attributes={"n": 1}), seconds=1)))
    process = bench.process()
    process.store.save_seconds = 2.0
    key = await bench.create(chain("a", "b", callback=Callback("http://there/")))
    seen = []

    def answer(delivery: Delivery) -> Receipt:
        head = bench.backing.entries[key].head
        seen.append((delivery.event_id, delivery.body["phase"], head.phase.value))
        return Receipt(Delivered.DELIVERED)

    bench.sender.answer = answer
    await process.run(key)
    assert [event_id for event_id, *_ in seen] == [f"uid-1/{n}" for n in range(1, 5)]
    assert all(said == stored for _, said, stored in seen)
    assert all(each.body["uid"] == "uid-1" for each in bench.sender.sent)


async def test_seed_fault_09_a_body_never_runs_ahead_of_the_store() -> None:
    """An attempt that is repeated while a save is under way must not tell what is not on disk."""
    bench = Bench(Script().on("a", Do(Succeeded(attributes={"n": 1}), seconds=1)))
    process = bench.process()
    bodies = []

    def answer(delivery: Delivery) -> Receipt:
        bodies.append(dict(delivery.body["attributes"]))
        return Receipt(Delivered.RETRY if len(bodies) < 3 else Delivered.DELIVERED)

    bench.sender.answer = answer
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    await process.adopt(key)
    await asyncio.sleep(0.3)
    process.store.save_seconds = 100.0
    await asyncio.sleep(20)
    assert len(bodies) >= 3
    assert bodies[:3] == [{}, {}, {}]


async def test_f_one_that_is_given_up_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.sender.answer = lambda _: Receipt(Delivered.DROPPED, "410 Gone")
    process = bench.process()
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    await process.run(key)
    await process.stop()
    assert (await bench.stored(key)).head.outbox_dropped == 3
    assert "410 Gone" in caplog.text


async def test_f_wait_gives_callbacks_a_moment_and_no_more() -> None:
    bench = Bench()
    bench.sender.seconds = 1000.0
    process = bench.process()
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    began = bench.clock.now()
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.clock.now() - began == pytest.approx(10, abs=0.1)


async def test_a_workflow_removed_while_it_waits_is_forgotten() -> None:
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    await bench.people.remove(two)
    await asyncio.sleep(20)
    assert [each.call.workflow for each in bench.calls] == ["one"]


async def test_a_removal_that_fails_is_tried_again() -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))
    process.serve()
    await asyncio.sleep(1)
    removing = process.store.remove

    async def remove(_: Key) -> None:
        raise StoreUnavailable("not now")

    vars(process.store)["remove"] = remove
    await bench.delete(key)
    await asyncio.sleep(5)
    assert key in bench.backing.entries
    vars(process.store)["remove"] = removing
    await asyncio.sleep(20)
    assert bench.backing.entries == {}


async def test_a_request_that_comes_while_a_finished_workflow_is_let_go_keeps_it() -> None:
    script = Script().on("a", Do(log="x", seconds=0.25))
    bench = Bench(script.on("a", Do(seconds=5), hook=Hook.ROLLBACK))
    process = bench.process()
    key = await bench.create(chain("a"))
    logging_ = process.store.log

    async def log(key: Key, lines: Any) -> None:
        await asyncio.sleep(1)
        await logging_(key, lines)

    vars(process.store)["log"] = log
    process.serve()
    await asyncio.sleep(0.5)
    await bench.ask(key, RequestType.ROLLBACK)
    await asyncio.sleep(20)
    assert await phases(bench, [key]) == [Phase.ROLL_BACKED]
    assert bench.names == ["a.run/1", "a.rollback/1"]


async def test_f_what_another_process_left_undelivered_is_delivered_while_serving() -> None:
    bench = Bench()
    server, runner = bench.process(limited(0)), bench.process()
    server.serve()
    bench.sender.seconds = 50
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    await runner.adopt(key)
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.SUCCESS]
    await runner.crash()
    bench.sender.seconds = 0
    await asyncio.sleep(30)
    assert [each.event_id for each in bench.sender.delivered] == [
        "uid-1/1",
        "uid-1/2",
        "uid-1/3",
    ]


async def test_what_somebody_else_removed_first_is_gone_all_the_same() -> None:
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))
    process.serve()
    await asyncio.sleep(1)
    removing = process.store.remove

    async def remove(key: Key) -> None:
        del bench.backing.entries[key]
        await removing(key)

    vars(process.store)["remove"] = remove
    await bench.delete(key)
    await asyncio.sleep(1)
    assert bench.backing.entries == {}
    later = await bench.create(chain("a"))
    await asyncio.sleep(1)
    assert await phases(bench, [later]) == [Phase.SUCCESS]
