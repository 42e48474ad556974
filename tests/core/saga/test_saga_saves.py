"""What is saved, how often, and what rides along (semantics C1 to C5, F; invariants I9, I16)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from wf_core.model.phases import Hook, Phase, RequestType
from wf_core.model.spec import Callback
from wf_core.model.state import MAX_OUTBOX, Owner, Writer
from wf_core.saga.events import CallbackFailing, CallbackSettled, Reported
from wf_core.testing.saga_driver import (
    START,
    Drive,
    chain,
    done,
    fatal,
    going,
    retryable,
    step,
    workflow,
)

HOOK = Callback("http://localhost/abc")


def test_c3_a_chain_of_n_is_n_plus_1_saves() -> None:
    for n in (1, 2, 7):
        saga = Drive(workflow(*chain(n)))
        saga.go()
        assert saga.saves == n + 1


def test_c3_a_graph_of_depth_d_is_d_plus_1_saves() -> None:
    layer = [step(f"l{k}", "a") for k in range(20)]
    saga = Drive(workflow(step("a"), *layer, step("z", *[s.name for s in layer])))
    saga.go()
    assert saga.saves == 3 + 1


def test_c3_a_failure_at_step_j_is_2j_plus_1_saves() -> None:
    for j in (1, 3, 6):
        saga = Drive(workflow(*chain(8)))
        saga.outcomes[f"s{j - 1}", Hook.RUN] = [fatal()]
        saga.go()
        assert saga.phase is Phase.ROLL_BACKED
        assert saga.saves == 2 * j + 1


def test_c3_a_retry_adds_one_save() -> None:
    saga = Drive(workflow(*chain(3)))
    saga.outcomes["s1", Hook.RUN] = [retryable(), done()]
    saga.go()
    assert saga.saves == 3 + 1 + 1


def test_c1_a_success_and_the_start_of_its_successors_are_one_save() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), step("c", "a")))
    saves = saga.saves
    saga.report("a")
    assert saga.saves == saves + 1
    assert [s.phase for s in saga.saved.steps] == [Phase.SUCCESS, Phase.RUNNING, Phase.RUNNING]


def test_c1_outcomes_are_folded_by_step_whatever_their_arrival() -> None:
    def play(first: str, second: str) -> Drive:
        saga = Drive(workflow(step("a"), step("b"), step("c", "a", "b")))
        saga.turn(saga.reported(first, done(x=first)), saga.reported(second, done(x=second)))
        return saga

    one, two = play("a", "b"), play("b", "a")
    assert one.saved == two.saved
    assert one.history == two.history


def test_c1_a_failures_save_carries_the_next_intent() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", retryable())
    saved = saga.saved.steps[0]
    assert saved.attempt == 2
    saves = saga.saves
    saga.wait(70)
    assert saga.flying["a"].attempt == 2
    assert saga.saves == saves


def test_c2_urgent_is_what_an_effect_the_end_or_a_person_waits_for() -> None:
    saga = Drive(workflow(step("a"), step("b"), step("c", "a", "b")))
    machine = saga.saga
    a, b = saga.reported("a"), saga.reported("b")
    machine.advance([a], saga.now)
    assert machine.dirty
    assert not machine.urgent
    machine.advance([b], saga.now)
    assert machine.urgent
    saga.save()
    assert not machine.dirty
    assert not machine.urgent


def test_c2_an_effect_that_needs_no_save_makes_the_next_one_no_more_urgent() -> None:
    saga = Drive(workflow(step("a"), step("b"), step("c", "a", "b")))
    saga.report("a", going(1.0))
    saga.now += 1
    machine = saga.saga
    assert machine.advance([], saga.now)
    assert not machine.dirty
    machine.advance([saga.reported("b")], saga.now)
    assert machine.dirty
    assert not machine.urgent


def test_c4_every_save_carries_its_writer_and_the_next_revision() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a")
    head = saga.saved.head
    assert (head.revision, head.writer, head.owner) == (2, Writer(1, 2), Owner("test", 1))
    assert [t.revision for t in saga.history] == [1, 1, 2, 2]


def test_c5_a_new_owner_saves_its_epoch_before_it_calls_anything() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.report("a", going(1.0))
    saga.report("b", retryable())
    saga._limits = {"plain": 0}
    saga.crash()
    assert saga.saved.head.owner.epoch == 1
    saga.permits.limits = {}
    saga.turn()
    assert saga.flying["a"].hook is Hook.SYNC
    assert saga.saved.head.owner.epoch == 2


def test_c5_a_new_owner_of_what_is_at_rest_writes_nothing() -> None:
    saga = Drive(workflow(step("a")))
    saga.go()
    saves = saga.saves
    saga.crash()
    saga.wait(1000)
    assert saga.saves == saves


def test_i10_at_rest_nothing_is_written() -> None:
    saga = Drive(workflow(*chain(2)))
    saga.outcomes["s1", Hook.RUN] = [fatal()]
    saga.go()
    saves = saga.saves
    saga.turn()
    saga.wait(100_000)
    assert saga.saves == saves


# F: the outbox


def entries(saga: Drive) -> list[tuple[int, str | None, str]]:
    return [(e.seq, e.step, e.phase) for e in saga.saved.outbox]


def test_f_by_default_the_workflows_phases_and_each_success_and_failure_are_told() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), callback=HOOK))
    saga.outcomes["b", Hook.RUN] = [fatal()]
    saga.go()
    assert entries(saga) == [
        (1, None, "Running"),
        (2, "a", "Success"),
        (3, "b", "Failed"),
        (4, None, "RollingBack"),
        (5, None, "RollBacked"),
    ]
    assert saga.saved.outbox[0].at == START


def test_f_events_narrow_and_widen_what_is_told() -> None:
    some = Callback("http://x", events=("workflow.Success", "step.*"))
    saga = Drive(workflow(step("a"), callback=some))
    saga.go()
    assert entries(saga) == [(1, "a", "Running"), (2, "a", "Success"), (3, None, "Success")]


def test_fault9_an_empty_url_tells_nobody() -> None:
    saga = Drive(workflow(step("a"), callback=Callback("")))
    saga.go()
    assert entries(saga) == []


def test_f_an_entry_is_written_by_the_save_of_its_transition() -> None:
    saga = Drive(workflow(step("a"), callback=HOOK))
    assert [e.phase for e in saga.saved.outbox] == [saga.saved.head.phase]


def test_c3_the_cursor_rides_along_and_is_alone_only_at_the_end() -> None:
    saga = Drive(workflow(*chain(2), callback=HOOK))
    saves = saga.saves
    saga.turn(CallbackSettled(1, dropped=False))
    assert saga.saves == saves
    saga.report("s0")
    assert saga.saved.head.outbox_delivered == 1
    saga.report("s1")
    saves = saga.saves
    last = saga.saga.head.outbox_seq
    for seq in range(2, last):
        saga.turn(CallbackSettled(seq, dropped=False))
    assert saga.saves == saves
    saga.turn(CallbackSettled(last, dropped=False))
    assert saga.saves == saves + 1
    assert entries(saga) == []


def test_f_what_is_dropped_is_counted_and_a_stale_answer_ignored() -> None:
    saga = Drive(workflow(*chain(2), callback=HOOK))
    saga.turn(CallbackSettled(1, dropped=True))
    saga.turn(CallbackSettled(1, dropped=True))
    saga.report("s0")
    assert saga.saved.head.outbox_dropped == 1
    assert [seq for seq, *_ in entries(saga)] == [2]


def test_f_at_most_a_thousand_entries_are_kept() -> None:
    n = MAX_OUTBOX + 50
    saga = Drive(workflow(*[step(f"s{k}") for k in range(n)], callback=HOOK))
    saga.layer()
    assert len(saga.saved.outbox) == MAX_OUTBOX
    assert saga.saved.head.outbox_dropped == 52
    assert saga.saved.outbox[0].seq == saga.saved.head.outbox_delivered + 1


def test_f_what_gave_way_in_the_same_turn_is_not_stored() -> None:
    n = MAX_OUTBOX + 50
    saga = Drive(workflow(*[step(f"s{k}") for k in range(n)], callback=HOOK))
    saga.saga.advance([saga.reported(f"s{k}") for k in range(n)], saga.now)
    assert len(saga.saga.take_changes(Owner("test", 1), 2).outbox) == MAX_OUTBOX


def test_f_an_undelivered_callback_holds_up_no_undo() -> None:
    saga = Drive(workflow(step("a"), callback=HOOK))
    saga.ask(RequestType.CANCEL)
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a_second_report_of_one_call_in_one_turn_is_dropped() -> None:
    saga = Drive(workflow(step("a")))
    call = saga.flying.pop("a")
    again = Reported(call.step, call.call, fatal())
    saga.turn(Reported(call.step, call.call, done()), again)
    assert saga.phase is Phase.SUCCESS


def conditions(saga: Drive) -> list[tuple[str, str, str]]:
    return [(each.type, each.reason, each.message) for each in saga.saved.head.conditions]


def test_f_a_callback_that_is_not_delivered_for_a_while_is_a_condition_until_it_is() -> None:
    saga = Drive(workflow(*chain(2), callback=HOOK))
    saga.turn(CallbackFailing(1, "refused"))
    assert conditions(saga) == [("CallbackUndelivered", "Retrying", "refused")]
    saves = saga.saves
    saga.turn(CallbackFailing(1, "refused again"))
    assert saga.saves == saves
    saga.turn(CallbackSettled(1, dropped=False))
    saga.report("s0")
    assert conditions(saga) == []


def test_f_a_callback_that_was_given_up_stays_a_condition_until_another_is_delivered() -> None:
    saga = Drive(workflow(*chain(2), callback=HOOK))
    saga.turn(CallbackSettled(1, dropped=True, error="no such page"))
    saga.report("s0")
    given_up = ("CallbackUndelivered", "GivenUp", "callback 1 was given up: no such page")
    assert conditions(saga) == [given_up]
    saga.turn(CallbackFailing(1, "too late"))
    saga.turn(CallbackSettled(1, dropped=False))
    saga.report("s1")
    assert conditions(saga) == [given_up]
    for seq in range(2, saga.saga.head.outbox_seq + 1):
        saga.turn(CallbackSettled(seq, dropped=False))
    assert conditions(saga) == []
