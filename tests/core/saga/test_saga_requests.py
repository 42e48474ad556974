"""What people ask, and the answers (semantics D)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from typing import Any

import pytest

from wf_core.model.phases import (
    DeletionPolicy,
    Ended,
    Hook,
    OnFailure,
    Phase,
    RequestType,
    RollbackMode,
    RollbackPolicy,
    Undo,
    Verdict,
)
from wf_core.model.requests import Asked, Request
from wf_core.model.spec import Callback
from wf_core.saga.events import (
    Admitted,
    CallbackSettled,
    DeletionAsked,
    PolicyChanged,
    Refused,
)
from wf_core.testing.saga_driver import Drive, done, fatal, going, retryable, step, workflow

T = RequestType
APPLIED, REFUSED, NO_EFFECT = Verdict.APPLIED, Verdict.REFUSED, Verdict.NO_EFFECT


def one(**options: Any) -> Drive:
    return Drive(workflow(step("a", **options)))


def stuck() -> Drive:
    """b failed to run and then to be undone; a waits behind it."""
    saga = Drive(workflow(step("a"), step("b", "a", rollback_retry_limit=0)))
    saga.report("a")
    saga.report("b", fatal())
    saga.report("b", fatal("stuck"))
    assert saga.phase is Phase.FAILED
    return saga


def test_d_a_request_is_answered_once_in_the_save_that_applies_it() -> None:
    saga = one()
    saves = saga.saves
    seq = saga.request(T.SUSPEND)
    assert saga.saves == saves + 1
    assert saga.saved.asked == ()
    assert saga.saved.head.suspended
    saga.turn(Asked(seq, Request(T.CONTINUE), saga.now))
    assert saga.saga.head.suspended
    assert [a.seq for a in saga.saga.head.answers] == [seq]


def test_d_a_request_that_was_not_read_before_a_crash_is_answered_after_it() -> None:
    saga = one()
    seq = saga.request(T.CANCEL, take=False)
    saga.crash()
    answer = saga.answer(seq)
    assert answer is not None
    assert answer.verdict is APPLIED


def test_d_requests_apply_by_sequence_whatever_their_arrival() -> None:
    saga = one()
    first = Asked(1, Request(T.SUSPEND), saga.now)
    second = Asked(2, Request(T.CONTINUE), saga.now)
    saga.turn(second, first)
    assert not saga.saga.head.suspended
    assert [a.verdict for a in saga.saga.head.answers] == [APPLIED, APPLIED]


def test_d_a_request_waits_while_its_step_has_a_call_in_flight() -> None:
    saga = stuck()
    saga.ask(T.RETRY_ROLLBACK, "b")
    seq = saga.request(T.SKIP_ROLLBACK, "b")
    saga.turn(saga.saved.asked[0])
    assert saga.answer(seq) is None
    saga.report("b", fatal())
    answer = saga.answer(seq)
    assert answer is not None
    assert answer.verdict is APPLIED


def test_d_a_request_names_a_step_that_exists() -> None:
    saga = one()
    first, second = saga.request(T.RETRY_RUN, "zz"), saga.request(T.SKIP_ROLLBACK)
    reasons = [(a.verdict, a.reason) for a in map(saga.answer, (first, second)) if a]
    assert reasons == [(REFUSED, "no step 'zz'"), (REFUSED, "say which step")]


def test_d_cancel_before_admission_ends_it() -> None:
    saga = Drive(workflow(step("a")), admitted=False)
    assert saga.ask(T.CANCEL) is APPLIED
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.state("a").undo is Undo.NEVER_RAN
    assert saga.ask(T.CANCEL) is REFUSED


def test_d_cancel_of_what_rolls_back_has_no_effect() -> None:
    saga = one()
    assert saga.ask(T.CANCEL) is APPLIED
    assert saga.ask(T.CANCEL) is NO_EFFECT


def test_d_suspend_and_continue_are_for_pending_and_running() -> None:
    saga = one()
    assert saga.ask(T.CONTINUE) is NO_EFFECT
    assert saga.ask(T.SUSPEND) is APPLIED
    assert saga.ask(T.SUSPEND) is NO_EFFECT
    assert saga.ask(T.CONTINUE) is APPLIED
    saga.report("a")
    assert saga.ask(T.SUSPEND) is REFUSED
    assert saga.ask(T.CONTINUE) is REFUSED


def test_d_rollback_is_for_a_workflow_in_success() -> None:
    saga = one()
    assert saga.ask(T.ROLLBACK) is REFUSED
    saga.report("a")
    assert saga.ask(T.ROLLBACK, reason="wrong order") is APPLIED
    assert saga.saga.head.cause == "wrong order"
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_d_retry_run_and_mark_succeeded_are_for_a_blocked_run() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")))
    assert saga.ask(T.RETRY_RUN) is REFUSED
    assert saga.ask(T.RETRY_RUN, "b") is REFUSED
    seq = saga.request(T.MARK_SUCCEEDED, "b")
    answer = saga.answer(seq)
    assert answer is not None
    assert answer.reason == "step 'b' is Pending; no run of it waits for a person"


def test_d_retry_run_without_a_step_takes_up_every_blocked_run() -> None:
    saga = Drive(workflow(step("a"), step("b"), on_failure=OnFailure.PAUSE))
    saga.report("a", fatal())
    saga.report("b", fatal())
    assert saga.ask(T.RETRY_RUN) is APPLIED
    saga.turn(Admitted())
    assert set(saga.flying) == {"a", "b"}


def test_a1_retry_run_of_what_could_never_start() -> None:
    saga = Drive(workflow(step("a")), admitted=False)
    saga.turn(Refused("no plugin"))
    assert saga.ask(T.RETRY_RUN) is APPLIED
    assert saga.phase is Phase.PENDING
    assert saga.saga.head.error is None
    assert saga.saga.wants_slot


def test_fault11_a_failed_undo_can_be_tried_again() -> None:
    saga = stuck()
    assert saga.ask(T.RETRY_ROLLBACK, "b") is APPLIED
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.state("b").rollback_retry_count == 0
    assert saga.flying["b"].attempt == 2
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a3_mark_rolled_back_settles_and_the_workflow_is_rolled_back() -> None:
    saga = stuck()
    assert saga.ask(T.MARK_ROLLED_BACK, "b") is APPLIED
    assert saga.state("b").undo is Undo.MARKED
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.called(Hook.ROLLBACK) == ["b", "a"]


def test_a3_a_skipped_step_is_settled_and_the_workflow_ends_failed() -> None:
    saga = stuck()
    assert saga.ask(T.SKIP_ROLLBACK, "b") is APPLIED
    saga.go()
    assert saga.phases == {"a": Phase.ROLL_BACKED, "b": Phase.FAILED}
    assert saga.phase is Phase.FAILED
    assert saga.ask(T.SKIP_ROLLBACK, "b") is NO_EFFECT
    assert saga.ask(T.MARK_ROLLED_BACK, "b") is APPLIED
    assert saga.phase is Phase.ROLL_BACKED


def test_a3_skipping_what_holds_up_nothing_leaves_the_workflow_failed() -> None:
    saga = one()
    saga.report("a", fatal())
    saga.report("a", fatal())
    assert saga.ask(T.SKIP_ROLLBACK, "a") is APPLIED
    assert saga.phase is Phase.FAILED


def test_a3_a_failed_undo_that_was_settled_by_its_policy_may_be_skipped_too() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), rollback_policy=RollbackPolicy.ALWAYS))
    saga.report("a")
    saga.report("b", fatal())
    saga.report("b", fatal())
    assert set(saga.flying) == {"a"}
    assert saga.ask(T.SKIP_ROLLBACK, "b") is APPLIED
    saga.report("a")
    assert saga.phase is Phase.FAILED
    assert saga.state("b").undo is Undo.SKIPPED


def test_i3_a_skipped_step_that_is_tried_again_holds_up_undos_again() -> None:
    saga = stuck()
    saga.permits.limits = {"plain": 0}
    saga.ask(T.SKIP_ROLLBACK, "b")
    assert saga.phases["a"] is Phase.SUCCESS
    saga.ask(T.RETRY_ROLLBACK, "b")
    saga.permits.limits = {}
    saga.turn()
    assert set(saga.flying) == {"b"}
    saga.report("b")
    assert set(saga.flying) == {"a"}


@pytest.mark.parametrize("how", [T.SKIP_ROLLBACK, T.MARK_ROLLED_BACK, T.RETRY_ROLLBACK])
@pytest.mark.parametrize("state", ["in progress", "backing off", "interrupted"])
def test_d_an_undo_that_waits_can_be_settled(how: RequestType, state: str) -> None:
    saga = one(rollback_retry_limit=5)
    saga.report("a", fatal())
    if state == "interrupted":
        saga._limits = {"plain": 0}
        saga.crash()
    else:
        saga.report("a", going(1000.0) if state == "in progress" else retryable())
    assert saga.ask(how, "a") is APPLIED
    if how is T.RETRY_ROLLBACK:
        saga.permits.limits = {}
        saga.turn()
        assert saga.flying["a"].attempt == (1 if state == "interrupted" else 2)
        assert saga.state("a").rollback_retry_count == 0
        saga.report("a")
    else:
        saga.permits.limits = {}
        assert not saga.flying
    assert saga.phase is (Phase.FAILED if how is T.SKIP_ROLLBACK else Phase.ROLL_BACKED)
    assert saga.saga.next_wake is None
    if state == "in progress":
        assert saga.state("a").attempts[1].outcome is Ended.IN_PROGRESS


def test_d_undo_requests_are_refused_where_no_undo_waits() -> None:
    saga = one()
    saga.report("a")
    for what in (T.RETRY_ROLLBACK, T.SKIP_ROLLBACK, T.MARK_ROLLED_BACK):
        assert saga.ask(what, "a") is REFUSED


def test_d_signals_need_a_name_and_are_limited() -> None:
    saga = one()
    assert saga.ask(T.SIGNAL) is REFUSED
    assert saga.ask(T.SIGNAL, name="big", value="x" * 300_000) is REFUSED
    for k in range(64):
        assert saga.ask(T.SIGNAL, name=f"n{k}") is APPLIED
    assert saga.ask(T.SIGNAL, name="n64") is REFUSED
    assert saga.ask(T.SIGNAL, name="n0", value=1) is APPLIED
    saga.report("a")
    assert saga.ask(T.SIGNAL, name="n0") is NO_EFFECT


def test_d_a_wait_for_a_retry_is_ended_by_cancel_and_the_retry_never_began() -> None:
    saga = one()
    saga.report("a", retryable())
    assert saga.ask(T.CANCEL) is APPLIED
    assert saga.state("a").attempt == 1
    assert saga.flying["a"].hook is Hook.ROLLBACK


# Deletion


def deleted(policy: DeletionPolicy, **spec: Any) -> Drive:
    saga = Drive(workflow(step("a"), deletion_policy=policy, **spec))
    saga.turn(DeletionAsked(saga.now))
    return saga


@pytest.mark.parametrize("policy", [DeletionPolicy.ROLLBACK, DeletionPolicy.ROLLBACK_UNFINISHED])
def test_i14_an_unfinished_workflow_is_undone_before_it_goes(policy: DeletionPolicy) -> None:
    saga = deleted(policy)
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.saga.head.cause == "deleted"
    assert not saga.saga.removable
    saga.report("a")
    saga.report("a")
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.saga.removable


@pytest.mark.parametrize("policy", list(DeletionPolicy))
def test_i14_only_the_rollback_policy_undoes_a_finished_workflow(policy: DeletionPolicy) -> None:
    saga = Drive(workflow(step("a"), deletion_policy=policy))
    saga.report("a")
    saga.turn(DeletionAsked(saga.now))
    if policy is DeletionPolicy.ROLLBACK:
        assert saga.phase is Phase.ROLLING_BACK
        assert not saga.saga.removable
        saga.report("a")
    assert saga.saga.removable


def test_i14_orphan_calls_nothing_more_and_goes_when_its_hooks_have_ended() -> None:
    saga = Drive(
        workflow(
            step("a", timeout_seconds=5.0),
            step("b", timeout_seconds=5.0),
            deletion_policy=DeletionPolicy.ORPHAN,
            active_deadline_seconds=7.0,
        )
    )
    saga.report("b", going(1.0))
    saga.turn(DeletionAsked(saga.now))
    assert saga.stops == ["a"]
    saga.wait(50)
    assert not saga.saga.removable
    assert saga.phase is Phase.RUNNING
    saga.report("a", fatal())
    assert saga.phase is Phase.RUNNING
    assert saga.saga.removable
    assert not any(saga.permits.open_attempts.values())


def test_i14_a_stuck_undo_is_released_by_a_change_of_the_policy_to_orphan() -> None:
    saga = stuck()
    saga.turn(DeletionAsked(saga.now))
    assert not saga.saga.removable
    saga.turn(PolicyChanged(DeletionPolicy.ORPHAN))
    assert saga.saga.removable
    assert not saga.saga.dirty
    saga.turn(PolicyChanged(DeletionPolicy.ROLLBACK))
    assert saga.saga.removable


def test_i14_a_workflow_that_becomes_an_orphan_is_stopped_and_not_undone() -> None:
    saga = Drive(workflow(step("a")))
    saves = saga.saga.head.revision
    saga.turn(PolicyChanged(DeletionPolicy.ORPHAN))
    assert saga.saga.head.revision == saves + 1
    saga.turn(DeletionAsked(saga.now))
    saga.report("a")
    assert saga.phase is Phase.RUNNING
    assert saga.saga.removable


def test_i14_a_finished_workflow_is_undone_once_its_policy_says_so() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a")
    saga.turn(PolicyChanged(DeletionPolicy.ROLLBACK))
    saga.turn(DeletionAsked(saga.now))
    assert saga.phase is Phase.ROLLING_BACK
    assert not saga.saga.removable


def test_i14_a_failed_workflow_stays_until_somebody_settles_it() -> None:
    saga = stuck()
    saga.turn(DeletionAsked(saga.now))
    assert not saga.saga.removable
    saga.ask(T.MARK_ROLLED_BACK, "b")
    saga.go()
    assert saga.saga.removable


def test_fault11_deleting_before_the_first_step_exists_finishes() -> None:
    saga = Drive(workflow(step("a")), admitted=False)
    saga.turn(DeletionAsked(saga.now))
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.saga.removable
    failed = Drive(workflow(step("a")), admitted=False)
    failed.turn(Refused("no plugin"))
    failed.turn(DeletionAsked(failed.now))
    assert failed.saga.removable


def test_i14_deletion_is_remembered_by_a_new_owner() -> None:
    saga = Drive(workflow(step("a"), step("p", "a", pivot=True)))
    saga.report("a")
    saga.turn(DeletionAsked(saga.now))
    assert saga.phase is Phase.RUNNING
    saga.crash()
    saga.report("p", retryable())
    assert saga.phase is Phase.ROLLING_BACK


def test_i14_it_waits_for_its_callbacks() -> None:
    saga = Drive(workflow(step("a"), callback=Callback("http://x")))
    saga.report("a")
    saga.turn(DeletionAsked(saga.now))
    assert not saga.saga.removable
    saga.turn(CallbackSettled(saga.saga.head.outbox_seq, dropped=False))
    assert saga.saga.removable


def test_a3_irreversible_and_marked_steps_are_both_told() -> None:
    saga = Drive(workflow(step("a", rollback=RollbackMode.NONE)))
    saga.report("a", done())
    saga.ask(T.ROLLBACK)
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.saga.rests


def test_d_who_asked_and_why_is_in_the_answer_the_history_and_the_callback() -> None:
    saga = Drive(workflow(step("a"), callback=Callback(url="http://hook")))
    saga.request(T.CANCEL, by="ann", reason="customer called", verified=True)
    answer = saga.saga.head.answers[-1]
    assert (answer.by, answer.verified, answer.request_reason) == ("ann", True, "customer called")
    turned = next(move for move in saga.history if move.after is Phase.ROLLING_BACK)
    assert (turned.by, turned.reason) == ("ann", "cancelled: customer called")
    told = next(each for each in saga.saved.outbox if each.phase is Phase.ROLLING_BACK)
    assert (told.by, told.reason) == ("ann", "customer called")


def test_d_what_follows_later_is_in_nobodys_name() -> None:
    saga = one()
    saga.request(T.CANCEL, by="ann", reason="customer called")
    saga.report("a", fatal())
    saga.report("a")
    assert saga.phase is Phase.ROLL_BACKED
    undone = next(move for move in saga.history if move.after is Phase.ROLL_BACKED)
    assert (undone.by, undone.reason) == ("", "")


def test_d_the_reason_of_a_request_about_a_step_is_that_steps() -> None:
    saga = stuck()
    saga.request(T.MARK_ROLLED_BACK, "b", by="ann", reason="refunded by hand")
    marked = next(m for m in saga.history if (m.step, m.after) == ("b", Phase.ROLL_BACKED))
    assert (marked.by, marked.reason) == ("ann", "refunded by hand")
    again = next(m for m in reversed(saga.history) if m.step is None)
    assert (again.by, again.reason) == ("ann", "MarkRolledBack")


def test_d_retry_rollback_without_a_step_tries_every_stuck_undo_again() -> None:
    saga = Drive(workflow(*(step(name, rollback_retry_limit=0) for name in "abc")))
    saga.report("a")
    saga.report("b")
    saga.report("c", fatal())
    for name in "abc":
        saga.report(name, fatal("stuck"))
    assert saga.phase is Phase.FAILED
    assert saga.ask(T.SKIP_ROLLBACK, "b") is APPLIED
    assert saga.ask(T.RETRY_ROLLBACK) is APPLIED
    assert {i for i, each in enumerate(saga.saga.steps) if each.phase is Phase.ROLLING_BACK} == {
        0,
        2,
    }
    saga.report("a")
    saga.report("c")
    assert saga.phase is Phase.FAILED  # what was skipped stays as it is
    assert saga.ask(T.RETRY_ROLLBACK) is REFUSED
