"""Many workflows, queues and recovery (semantics E3, C10), and what others do meanwhile."""

import asyncio
import logging

import pytest

from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig, QueueLimits, StepConfig
from wf_core.errors import StoreUnavailable, WorkflowNotFound
from wf_core.model.outcomes import Failure, Progressing, Severity, Succeeded
from wf_core.model.phases import DeletionPolicy, OnFailure, Phase, RequestType
from wf_core.model.spec import Callback, DependOn, Key, StepTemplate
from wf_core.ports import Delivered, Receipt
from wf_core.testing.bench import KINDS, Bench, Plain, chain, step, workflow
from wf_core.testing.faulty_store import SaveFault
from wf_core.testing.scripted_hooks import FOREVER, Do, Script, resource

FATAL = Do(Failure(Severity.FATAL, "no"))


def limited(running, strategy="FIFO", **queues):
    limits = {name: QueueLimits(weight=weight) for name, weight in queues.items()}
    queue = QueueConfig(strategy=strategy, max_running_count=running, queues=limits)
    return Config(controller_config=ControllerConfig(queue=queue))


async def phases(bench, keys):
    return [(await bench.stored(key)).head.phase for key in keys]


def running_now(bench):
    return sum(e.head.phase is Phase.RUNNING for e in bench.backing.entries.values())


async def test_seed_fault_01_workflows_made_in_the_store_start_by_themselves():
    bench = Bench()
    process = bench.process()
    before = await bench.create(chain("a", name="before"))
    process.serve()
    await asyncio.sleep(1)
    after = await bench.create(chain("a", name="after"))
    await asyncio.sleep(1)
    assert await phases(bench, [before, after]) == [Phase.SUCCESS, Phase.SUCCESS]
    assert bench.backing.entries[after].owner.id == ""


async def test_e3_many_workflows_never_more_than_the_maximum_and_finished_ones_do_not_count():
    bench = Bench(Script(Do(seconds=1)), config=limited(7))
    process = bench.process()
    keys = [await bench.create(chain("a", "b", name=f"w{i}")) for i in range(100)]
    most = 0

    def look(key, history):
        nonlocal most
        most = max(most, running_now(bench))

    process.engine.subscribe(look)
    process.serve()
    await asyncio.sleep(100)
    assert dict.fromkeys(await phases(bench, keys)) == {Phase.SUCCESS: None}
    assert most == 7


async def test_e3_fifo_is_by_priority_then_creation():
    bench = Bench(Script(Do(seconds=1)), config=limited(1))
    for i, priority in enumerate([0, 0, 5, 1]):
        await bench.create(chain("a", name=f"w{i}", priority=priority))
        await asyncio.sleep(1)
    bench.process().serve()
    await asyncio.sleep(20)
    assert [each.call.workflow for each in bench.calls] == ["w2", "w3", "w0", "w1"]


async def test_e3_fair_shares_by_weight():
    bench = Bench(Script(Do(seconds=10)), config=limited(4, "FAIR", big=3.0, small=1.0))
    for queue in ("small", "big"):
        for i in range(8):
            await bench.create(chain("a", name=f"{queue}{i}", queue=queue))
    bench.process().serve()
    await asyncio.sleep(1)
    started = [each.call.workflow[:-1] for each in bench.calls]
    assert sorted(started) == ["big", "big", "big", "small"]


async def test_e3_nothing_is_admitted_before_recovery_has_counted_everything():
    bench = Bench(Script(Do(seconds=100)), config=limited(2))
    first = bench.process()
    waiting = await bench.create(chain("a", name="waiting"))
    running = [await bench.create(chain("a", name=f"r{i}")) for i in range(2)]
    for key in running:
        await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    second = bench.process()
    listing = second.store.list

    async def slow(**how):
        # While recovery reads its pages, something happens to what is new.
        page = await listing(**{**how, "limit": 1})
        await asyncio.sleep(1)
        return page

    second.store.list = slow
    second.serve()
    await asyncio.sleep(1.5)
    await bench.ask(waiting, RequestType.SIGNAL, name="x")
    await asyncio.sleep(20)
    assert await phases(bench, [waiting]) == [Phase.PENDING]
    assert [each.call.workflow for each in bench.calls] == ["r0", "r1", "r0", "r1"]
    await asyncio.sleep(200)
    assert await phases(bench, [waiting]) == [Phase.SUCCESS]


async def test_e3_suspend_gives_the_slot_back_and_continue_waits_at_the_head():
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", "b", name="one"))
    two = await bench.create(chain("a", name="two"))
    three = await bench.create(chain("a", name="three"))
    process.serve()
    await asyncio.sleep(1)
    await bench.ask(one, RequestType.SUSPEND)
    await asyncio.sleep(1)
    assert (await bench.stored(one)).head.parked
    assert [each.call.workflow for each in bench.calls] == ["one", "two"]
    await bench.ask(one, RequestType.CONTINUE)
    await asyncio.sleep(40)
    assert [each.name + " " + each.call.workflow for each in bench.calls] == [
        "a.run/1 one",
        "a.run/1 two",
        "b.run/1 one",
        "a.run/1 three",
    ]
    assert await phases(bench, [one, two, three]) == [Phase.SUCCESS] * 3


async def test_e3_a_wholly_blocked_workflow_gives_its_slot_back():
    script = Script(Do(seconds=10)).on("bad", FATAL, Do())
    bench = Bench(script, config=limited(1))
    process = bench.process()
    one = await bench.create(chain("bad", name="one", on_failure=OnFailure.PAUSE))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.RUNNING]
    await bench.ask(one, RequestType.RETRY_RUN, "bad")
    await asyncio.sleep(1)
    assert len(bench.calls) == 2
    await asyncio.sleep(20)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_e3_an_undo_never_waits_for_a_slot():
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    done = await bench.create(chain("a", name="done"))
    process.serve()
    await asyncio.sleep(11)
    busy = await bench.create(chain("x", name="busy"))
    next_ = await bench.create(chain("y", name="next"))
    await asyncio.sleep(1)
    await bench.ask(done, RequestType.ROLLBACK)
    await asyncio.sleep(1)
    assert bench.names[-1] == "a.rollback/1"
    assert await phases(bench, [done, busy]) == [Phase.ROLLING_BACK, Phase.RUNNING]
    await asyncio.sleep(8.5)
    # Busy has ended; the undo holds the only slot until it is over.
    assert await phases(bench, [busy, next_]) == [Phase.SUCCESS, Phase.PENDING]
    await asyncio.sleep(20)
    assert await phases(bench, [done, next_]) == [Phase.ROLL_BACKED, Phase.SUCCESS]


async def test_d_a_pending_workflow_that_is_suspended_leaves_its_queue():
    bench = Bench(Script(Do(seconds=10)), config=limited(1))
    process = bench.process()
    keys = [await bench.create(chain("a", name=f"w{i}")) for i in range(3)]
    process.serve()
    await asyncio.sleep(1)
    await bench.ask(keys[1], RequestType.SUSPEND)
    await asyncio.sleep(15)
    assert await phases(bench, keys) == [Phase.SUCCESS, Phase.PENDING, Phase.RUNNING]
    await bench.ask(keys[1], RequestType.CONTINUE)
    await asyncio.sleep(30)
    assert await phases(bench, keys) == [Phase.SUCCESS] * 3


async def test_d_a_workflow_born_suspended_waits_for_continue():
    bench = Bench()
    process = bench.process()
    early = await bench.create(chain("a", name="early", suspend=True))
    process.serve()
    late = await bench.create(chain("a", name="late", suspend=True))
    await asyncio.sleep(20)
    assert bench.calls == []
    for key in (early, late):
        await bench.ask(key, RequestType.CONTINUE)
    await asyncio.sleep(1)
    assert await phases(bench, [early, late]) == [Phase.SUCCESS] * 2


async def test_d_requests_made_while_nobody_ran_are_answered_at_the_start():
    bench = Bench()
    pending = await bench.create(chain("a", name="pending"))
    done = await bench.create(chain("a", name="done"))
    await bench.process().run(done)
    await bench.processes[0].stop()
    await bench.ask(pending, RequestType.CANCEL)
    await bench.ask(done, RequestType.ROLLBACK)
    bench.process().serve()
    await asyncio.sleep(1)
    assert await phases(bench, [pending, done]) == [Phase.ROLL_BACKED, Phase.ROLL_BACKED]
    assert (await bench.stored(pending)).steps[0].undo == "NeverRan"


async def test_seed_fault_11_a_failed_rollback_is_tried_again_on_request():
    script = Script().on("a", FATAL).on("a", FATAL, Do(), hook="rollback")
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(chain("a"))
    process.serve()
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.FAILED]
    await bench.ask(key, RequestType.RETRY_ROLLBACK, "a")
    await asyncio.sleep(1)
    assert await phases(bench, [key]) == [Phase.ROLL_BACKED]


async def test_seed_fault_11_deleting_before_the_first_step_is_begun_ends():
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
async def test_deleting_a_finished_workflow_goes_by_its_policy(policy, calls):
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
async def test_deleting_an_unfinished_workflow_goes_by_its_policy(policy, calls):
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


async def test_f_deletion_waits_for_delivery_or_giving_up():
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


async def test_f_a_dead_receiver_holds_up_neither_step_nor_rollback():
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


async def test_f_the_outbox_is_written_in_the_save_of_its_transition():
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


async def test_seed_fault_09_a_callback_tells_what_is_saved_with_its_id():
    bench = Bench(Script(Do(Succeeded(attributes={"n": 1}), seconds=1)))
    process = bench.process()
    process.store.save_seconds = 2.0
    key = await bench.create(chain("a", "b", callback=Callback("http://there/")))
    seen = []

    def answer(delivery):
        head = bench.backing.entries[key].head
        seen.append((delivery.event_id, delivery.body["phase"], head.phase.value))
        return Receipt(Delivered.DELIVERED)

    bench.sender.answer = answer
    await process.run(key)
    assert [event_id for event_id, *_ in seen] == [f"uid-1/{n}" for n in range(1, 5)]
    assert all(said == stored for _, said, stored in seen)
    assert all(each.body["uid"] == "uid-1" for each in bench.sender.sent)


async def test_seed_fault_09_a_body_never_runs_ahead_of_the_store():
    """An attempt that is repeated while a save is under way must not tell what is not on disk."""
    bench = Bench(Script().on("a", Do(Succeeded(attributes={"n": 1}), seconds=1)))
    process = bench.process()
    bodies = []

    def answer(delivery):
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


async def test_f_one_that_is_given_up_is_counted(caplog):
    bench = Bench()
    bench.sender.answer = lambda _: Receipt(Delivered.DROPPED, "410 Gone")
    process = bench.process()
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    await process.run(key)
    await process.stop()
    assert (await bench.stored(key)).head.outbox_dropped == 3
    assert "410 Gone" in caplog.text


async def test_f_wait_gives_callbacks_a_moment_and_no_more():
    bench = Bench()
    bench.sender.seconds = 1000.0
    process = bench.process()
    key = await bench.create(chain("a", callback=Callback("http://there/")))
    began = bench.clock.now()
    stored = await process.run(key)
    assert stored.head.phase is Phase.SUCCESS
    assert bench.clock.now() - began == pytest.approx(10, abs=0.1)


async def test_seed_fault_08_a_fatal_watch_undoes_dependents_first():
    template = StepTemplate("looked", sync_period_seconds=10)
    script = Script().on("a", Do(Failure(Severity.FATAL, "gone")), hook="sync")
    bench = Bench(script)
    process = bench.process()
    key = await bench.create(workflow(step("a", template=template), step("b", "a")))
    process.serve()
    await asyncio.sleep(30)
    assert await phases(bench, [key]) == [Phase.ROLL_BACKED]
    assert bench.names == ["a.run/1", "b.run/1", "a.sync/1", "b.rollback/1", "a.rollback/1"]


async def test_b9_finished_workflows_are_watched_after_a_restart_too():
    template = StepTemplate("looked", sync_period_seconds=10)
    bench = Bench(Script().on("a", Do(Succeeded(resource("a", "fine"))), hook="sync"))
    first = bench.process()
    key = await bench.create(workflow(step("a", template=template)))
    first.serve()
    await asyncio.sleep(12)
    assert (await bench.stored(key)).steps[0].resource.status == "fine"
    saves = len(first.store.saves)
    await asyncio.sleep(100)
    assert len(first.store.saves) == saves
    looks = len(bench.calls)
    await first.stop()
    bench.process().serve()
    await asyncio.sleep(30)
    assert len(bench.calls) > looks


async def test_seed_fault_03_an_unknown_kind_fails_with_the_reason_and_retry_run_starts_it():
    bench = Bench()
    bare = bench.process(kinds=(Plain(),))
    key = await bench.create(chain("a", kind="looked"))
    serving = bare.serve()
    await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert stored.head.phase is Phase.FAILED
    assert "looked" in stored.head.error
    await bench.ask(key, RequestType.RETRY_RUN)
    await asyncio.sleep(1)
    assert (await bench.stored(key)).head.phase is Phase.FAILED
    await bare.stop()
    await serving
    bench.process().serve()
    await asyncio.sleep(1)
    await bench.ask(key, RequestType.RETRY_RUN)
    await asyncio.sleep(1)
    stored = await bench.stored(key)
    assert (stored.head.phase, stored.head.error) == (Phase.SUCCESS, None)


async def test_retry_run_outside_the_queues_checks_the_kinds_again():
    bench = Bench()
    bare = bench.process(kinds=(Plain(),))
    key = await bench.create(chain("a", kind="looked"))
    serving = bare.serve()
    await asyncio.sleep(1)
    await bare.stop()
    await serving
    await bench.ask(key, RequestType.RETRY_RUN)
    again = bench.process(kinds=(Plain(),))
    stored = await again.run(key)
    assert stored.head.phase is Phase.FAILED
    assert bench.calls == []


@pytest.mark.parametrize("moment", ["before", "while"])
async def test_a_document_no_machine_can_be_built_from_fails_alone(moment):
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
    assert "nobody" in stored.head.error
    assert await phases(bench, [good]) == [Phase.SUCCESS]
    await bench.delete(key)
    await asyncio.sleep(1)
    assert list(bench.backing.entries) == [good]


async def test_c10_what_cannot_be_read_blocks_that_workflow_alone_and_is_said_once(caplog):
    bench = Bench()
    process = bench.process()
    bad = await bench.create(chain("a", name="bad"))
    good = await bench.create(chain("a", name="good"))
    loading = process.store.load

    async def load(key):
        if key == bad:
            raise StoreUnavailable("workflow 'bad': its stored state is damaged")
        return await loading(key)

    process.store.load = load
    process.serve()
    await asyncio.sleep(100)
    assert await phases(bench, [bad, good]) == [Phase.PENDING, Phase.SUCCESS]
    assert caplog.text.count("is damaged") == 1
    late = await bench.create(chain("a", name="late"))
    await bench.ask(bad, RequestType.SIGNAL, name="x")
    await asyncio.sleep(1)
    assert await phases(bench, [late]) == [Phase.SUCCESS]
    process.store.load = loading
    await asyncio.sleep(20)
    assert await phases(bench, [bad]) == [Phase.SUCCESS]


async def test_c10_a_state_that_fits_no_machine_is_left_alone_with_the_reason(caplog):
    bench = Bench(Script(Do(seconds=10)))
    first = bench.process()
    key = await bench.create(chain("a", name="bad"))
    good = await bench.create(chain("a", name="good"))
    await first.adopt(key)
    await asyncio.sleep(1)
    await first.crash()
    bench.backing.entries[key].steps.append(None)
    second = bench.process()
    second.serve()
    await asyncio.sleep(100)
    assert await phases(bench, [key, good]) == [Phase.RUNNING, Phase.SUCCESS]
    assert caplog.text.count("can't be run") == 1
    assert len(bench.calls) == 2


async def test_a_store_that_is_away_while_serving_is_tried_again_and_nothing_is_lost(caplog):
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
    assert "given up" in caplog.text
    assert (await bench.stored(keys[0])).head.signals == {"x": None}
    runs = [each.call.key for each in bench.calls if each.call.step == "a"]
    assert len(dict.fromkeys(runs)) == 6


async def test_i13_a_workflow_whose_store_is_away_keeps_its_slot():
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", "b", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    process.store.fail_next(SaveFault.UNAVAILABLE)
    await asyncio.sleep(8)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.PENDING]
    assert len(bench.calls) == 1
    await asyncio.sleep(60)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_a_store_that_cannot_be_read_at_the_start_is_raised():
    bench = Bench()
    process = bench.process()
    process.store.away = True
    with pytest.raises(StoreUnavailable):
        await process.serve()
    assert process.announcer.closed


async def test_following_begins_again_where_the_store_was_away(caplog):
    bench = Bench()
    process = bench.process()
    watching = process.store.watch
    left = [1]

    def watch(since=None):
        if left:
            left.pop()
            raise StoreUnavailable("not now")
        return watching(since)

    process.store.watch = watch
    process.serve()
    await asyncio.sleep(0.5)
    key = await bench.create(chain("a"))
    await asyncio.sleep(3)
    assert await phases(bench, [key]) == [Phase.SUCCESS]
    assert "not now" in caplog.text


async def test_what_another_process_runs_is_left_alone_and_taken_up_after_its_crash():
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


async def test_a_pending_workflow_that_another_process_took_leaves_the_slot_to_others():
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    first, second = bench.process(), bench.process()
    one = await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    taking = second.store.claim

    async def claim(key):
        if key == one and not first.executor.calls:
            await first.adopt(one)
            await asyncio.sleep(0.1)
        return await taking(key)

    second.store.claim = claim
    second.serve()
    await asyncio.sleep(2)
    assert [each.call.workflow for each in bench.calls] == ["one", "two"]
    await asyncio.sleep(20)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_a_workflow_removed_while_it_waits_is_forgotten():
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(1)
    await bench.people.remove(two)
    await asyncio.sleep(20)
    assert [each.call.workflow for each in bench.calls] == ["one"]


async def test_a_removal_that_fails_is_tried_again():
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a"))
    process.serve()
    await asyncio.sleep(1)
    removing = process.store.remove

    async def remove(key):
        raise StoreUnavailable("not now")

    process.store.remove = remove
    await bench.delete(key)
    await asyncio.sleep(5)
    assert key in bench.backing.entries
    process.store.remove = removing
    await asyncio.sleep(20)
    assert bench.backing.entries == {}


async def test_wait_while_serving_sees_the_end_of_what_waits_runs_and_is_done():
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", name="one"))
    two = await bench.create(chain("a", name="two"))
    process.serve()
    await asyncio.sleep(0.1)
    ended = await asyncio.gather(process.engine.wait(one), process.engine.wait(two))
    assert [each.head.phase for each in ended] == [Phase.SUCCESS] * 2
    assert (await process.engine.wait(one)).head.phase is Phase.SUCCESS
    with pytest.raises(WorkflowNotFound):
        await process.engine.wait(Key("default", "nobody"))


async def test_wait_for_what_the_engine_does_not_run_says_so():
    bench = Bench()
    process = bench.process()
    with pytest.raises(WorkflowNotFound, match="nobody"):
        await process.engine.wait(Key("default", "nobody"))


async def test_wait_ends_where_everything_waits_for_people():
    bench = Bench(Script().on("a", FATAL))
    process = bench.process()
    key = await bench.create(workflow(step("a"), step("b"), on_failure=OnFailure.PAUSE))
    stored = await process.run(key)
    assert [each.phase for each in stored.steps] == [Phase.RUNNING, Phase.SUCCESS]
    assert stored.head.parked
    saved = await bench.stored(key)
    assert saved.head.parked


async def test_adopting_twice_is_once_and_a_suspended_one_rests():
    bench = Bench()
    process = bench.process()
    key = await bench.create(chain("a", suspend=True))
    await process.adopt(key)
    await process.adopt(key)
    stored = await process.engine.wait(key)
    assert (stored.head.phase, bench.calls) == (Phase.PENDING, [])
    await bench.ask(key, RequestType.CONTINUE)
    await asyncio.sleep(1)
    assert (await process.engine.wait(key)).head.phase is Phase.SUCCESS


async def test_adopting_while_serving_waits_in_the_queue():
    bench = Bench(Script(Do(seconds=5)), config=limited(1))
    process = bench.process()
    one = await bench.create(chain("a", name="one"))
    process.serve()
    await asyncio.sleep(1)
    two = await bench.create(chain("a", name="two"))
    await process.adopt(two)
    await asyncio.sleep(1)
    assert await phases(bench, [one, two]) == [Phase.RUNNING, Phase.PENDING]
    await asyncio.sleep(10)
    assert await phases(bench, [one, two]) == [Phase.SUCCESS] * 2


async def test_create_through_the_engine_and_a_fault_of_ours_in_a_look_is_logged(caplog):
    bench = Bench()
    process = bench.process()
    process.serve()
    await asyncio.sleep(0.1)

    async def load(key):
        raise ZeroDivisionError("ours")

    loading, process.store.load = process.store.load, load
    await process.engine.create(chain("a"))
    await asyncio.sleep(1)
    assert "a fault of the engine" in caplog.text
    process.store.load = loading
    other = await bench.create(chain("a", name="other"))
    await asyncio.sleep(1)
    assert await phases(bench, [other]) == [Phase.SUCCESS]


async def test_seed_fault_05_the_qps_limit_throttles_every_call():
    config = Config(controller_config=ControllerConfig(steps=(StepConfig("plain", qps=0.5),)))
    bench = Bench(config=config)
    process = bench.process()
    keys = [await bench.create(workflow(step("a"), step("b"), name=f"w{i}")) for i in range(3)]
    for key in keys:
        await process.adopt(key)
    for key in keys:
        await process.engine.wait(key)
    began = [each.began_at for each in bench.calls]
    assert len(began) == 6
    assert all(b - a >= 2 for a, b in zip(began, began[1:], strict=False))
    assert began[-1] - began[0] == pytest.approx(10, abs=0.1)


async def test_a_request_that_comes_while_the_workflow_is_taken_up_is_not_lost():
    bench = Bench(Script(Do(seconds=5)))
    process = bench.process()
    key = await bench.create(chain("a"))
    loading = process.store.load

    async def load(key):
        stored = await loading(key)
        await bench.ask(key, RequestType.SIGNAL, name="x", value=1)
        await asyncio.sleep(1)
        process.store.load = loading
        return stored

    process.store.load = load
    stored = await process.run(key)
    assert stored.head.signals == {"x": 1}


async def test_a_request_that_cannot_be_read_is_read_later():
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


async def test_in_progress_holds_no_permit_and_is_polled():
    config = Config(controller_config=ControllerConfig(concurrency=1))
    script = Script().on("a", Do(Progressing(poll_after=5))).on("a", Do(), hook="sync")
    bench = Bench(script, config=config)
    process = bench.process()
    key = await bench.create(workflow(step("a", kind="looked"), step("b")))
    assert (await process.run(key)).head.phase is Phase.SUCCESS
    assert bench.names == ["a.run/1", "b.run/1", "a.sync/1"]


def test_the_kinds_of_the_bench_are_never_really_called():
    kinds = {kind.name: kind for kind in KINDS}
    for hook in (kinds["plain"].run, kinds["plain"].rollback, kinds["looked"].sync):
        with pytest.raises(NotImplementedError):
            hook(type("Call", (), {"step": "a"}))
    assert logging.getLogger("wf.engine") and FOREVER and DependOn
