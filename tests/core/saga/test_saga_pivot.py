"""The pivot: after its Success the saga only goes forward (semantics A4, I15)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from typing import Any

import pytest

from wf_core.model.phases import (
    BlockReason,
    DeletionPolicy,
    Ended,
    Hook,
    OnFailure,
    Phase,
    RequestType,
    Verdict,
)
from wf_core.model.spec import DependOn
from wf_core.saga.events import DeletionAsked
from wf_core.testing.saga_driver import (
    Drive,
    done,
    fatal,
    going,
    retryable,
    step,
    workflow,
)


def pivoted(**options: Any) -> Drive:
    """a, then the pivot p, then z."""
    saga = Drive(workflow(step("a"), step("p", pivot=True, **options), step("z", "p")))
    saga.report("a")
    return saga


def committed(**options: Any) -> Drive:
    saga = Drive(workflow(step("a"), step("p", pivot=True), step("z", "p", **options)))
    saga.report("a")
    saga.report("p")
    assert saga.saved.head.committed
    return saga


def test_a4_the_pivot_waits_for_the_success_of_all_that_is_not_below_it() -> None:
    saga = Drive(workflow(step("p", pivot=True), step("a"), step("b"), step("z", "p")))
    assert set(saga.flying) == {"a", "b"}
    saga.report("a")
    assert "p" not in saga.flying
    saga.report("b")
    assert set(saga.flying) == {"p"}


def test_a4_a_pivot_that_fails_for_good_is_undone() -> None:
    saga = pivoted()
    saga.report("p", fatal())
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.called(Hook.ROLLBACK) == ["p", "a"]


def test_a4_cancel_waits_until_the_pivot_has_said_how_it_ended() -> None:
    saga = pivoted()
    seq = saga.request(RequestType.CANCEL)
    assert saga.answer(seq) is None
    assert not saga.stops
    saga.report("p")
    answer = saga.answer(seq)
    assert answer is not None
    assert answer.verdict is Verdict.REFUSED
    assert saga.saga.head.committed


def test_a4_cancel_applies_once_the_pivot_is_known_to_have_failed() -> None:
    saga = pivoted()
    seq = saga.request(RequestType.CANCEL)
    saga.report("p", retryable())
    answer = saga.answer(seq)
    assert answer is not None
    assert answer.verdict is Verdict.APPLIED
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.state("p").attempt == 1


def test_a4_pivot_with_unknown_outcome_is_never_undone() -> None:
    saga = pivoted(run_retry_limit=0, timeout_seconds=5.0)
    saga.report("p", going(1.0))
    saga.held["p"] = None
    saga.wait(6)
    saga.report("p", going())
    assert saga.state("p").previous is Ended.TIMED_OUT
    seq = saga.request(RequestType.CANCEL)
    for _ in range(5):
        saga.wait(100)
        saga.crash()
        assert saga.phase is Phase.RUNNING
        assert saga.answer(seq) is None
    assert Hook.ROLLBACK not in [c.call.hook for c in saga.calls]
    saga.held.clear()
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_a4_a_fatal_report_of_a_pivot_in_time_trouble_is_a_report() -> None:
    saga = pivoted(timeout_seconds=5.0)
    saga.wait(5)
    saga.report("p", fatal())
    assert saga.phase is Phase.ROLLING_BACK


def test_a4_a_pivot_in_progress_without_sync_is_called_again() -> None:
    saga = pivoted(kind="blind", run_retry_limit=0)
    saga.report("p", going())
    assert saga.phase is Phase.RUNNING
    assert saga.state("p").next_attempt_at is not None
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_a4_an_interrupted_pivot_that_cannot_be_called_again_waits_for_a_person() -> None:
    saga = pivoted(kind="once")
    saga.crash()
    blocked = saga.state("p").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.OUTCOME_UNKNOWN
    assert saga.saga.rests
    assert saga.ask(RequestType.CANCEL) is None
    assert saga.ask(RequestType.MARK_SUCCEEDED, "p") is Verdict.APPLIED
    assert saga.saga.head.committed


@pytest.mark.parametrize("policy", list(DeletionPolicy))
def test_a4_deletion_waits_for_the_pivot_and_then_goes_forward(policy: DeletionPolicy) -> None:
    saga = Drive(workflow(step("p", pivot=True), step("z", "p"), deletion_policy=policy))
    saga.turn(DeletionAsked(saga.now))
    if policy is DeletionPolicy.ORPHAN:
        assert saga.stops == ["p"]
        saga.report("p")
        assert saga.saga.removable
        return
    saga.report("p")
    assert saga.saga.head.committed
    assert not saga.saga.head.conditions
    saga.report("z")
    assert saga.phase is Phase.SUCCESS
    assert saga.saga.removable


def test_a4_a_deadline_waits_for_the_pivot_and_is_recorded_as_degraded() -> None:
    document = workflow(step("p", pivot=True), active_deadline_seconds=10.0)
    saga = Drive(document)
    saga.wait(10)
    assert saga.phase is Phase.RUNNING
    saga.crash()
    saga.report("p")
    assert saga.phase is Phase.SUCCESS
    assert [(c.type, c.reason) for c in saga.saga.head.conditions] == [("Degraded", "Committed")]


def test_a4_once_committed_cancel_and_rollback_are_refused() -> None:
    saga = committed()
    assert saga.ask(RequestType.CANCEL) is Verdict.REFUSED
    saga.report("z")
    assert saga.phase is Phase.SUCCESS
    assert saga.ask(RequestType.ROLLBACK) is Verdict.REFUSED


def test_a4_once_committed_retryable_errors_repeat_without_limit() -> None:
    saga = committed(run_retry_limit=0)
    for _ in range(5):
        saga.report("z", retryable())
        saga.wait(70)
    assert saga.phase is Phase.RUNNING
    assert saga.state("z").run_retry_count == 5


@pytest.mark.parametrize("way", [RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED])
def test_a4_once_committed_a_fatal_error_blocks_for_a_person(way: RequestType) -> None:
    saga = committed()
    saga.report("z", fatal())
    blocked = saga.state("z").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.COMMITTED_FAILURE
    assert saga.ask(way, "z") is Verdict.APPLIED
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_a4_a_failure_beside_an_unknown_pivot_is_blocked_by_its_success() -> None:
    saga = Drive(workflow(step("p", pivot=True), step("z", DependOn("p", Phase.RUNNING))))
    saga.report("z", fatal("no"))
    assert saga.phase is Phase.RUNNING
    saga.report("p")
    blocked = saga.state("z").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.COMMITTED_FAILURE
    assert blocked.message == "no"


def test_a5_what_failed_beside_a_blocked_pivot_waits_for_the_same_person() -> None:
    after = DependOn("p", Phase.RUNNING)
    saga = Drive(workflow(step("p", pivot=True, kind="once"), step("z", after)))
    saga.crash()
    saga.report("z", fatal())
    assert saga.saga.rests
    assert not saga.saga.holds_slot
    saga.ask(RequestType.MARK_SUCCEEDED, "p")
    assert saga.saga.head.committed


def test_a4_a_fatal_watch_past_the_pivot_is_recorded_once() -> None:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0), step("p", pivot=True)))
    saga.outcomes["a", Hook.SYNC] = [fatal("gone")]
    saga.go(5)
    saga.wait(12)
    saga.layer()
    assert [c.reason for c in saga.saga.head.conditions] == ["Watch.a"]
    saves = saga.saves
    saga.wait(12)
    saga.layer()
    assert saga.saves == saves
    assert saga.phase is Phase.SUCCESS


def test_a4_a_paused_pivot_can_be_cancelled() -> None:
    document = workflow(step("p", pivot=True), on_failure=OnFailure.PAUSE)
    saga = Drive(document)
    saga.report("p", fatal())
    assert saga.ask(RequestType.CANCEL) is Verdict.APPLIED
    assert saga.flying["p"].hook is Hook.ROLLBACK


def test_b3_a_pivot_whose_retry_was_planned_is_not_taken_for_called() -> None:
    saga = pivoted()
    saga.report("p", retryable())
    saga.crash(after=1000.0)
    assert saga.state("p").interruptions == 0
    assert saga.state("p").previous is Ended.FAILED
    saga.report("p", done())
    assert saga.saga.head.committed
