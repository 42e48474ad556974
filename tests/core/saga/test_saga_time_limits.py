"""Semantics B7 and B8: time limits, and being woken."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from typing import Any

from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import Ended, Hook, Phase, RequestType, Verdict
from wf_core.saga.events import Woken
from wf_core.testing.saga_driver import (
    Drive,
    blind,
    done,
    fatal,
    going,
    retryable,
    step,
    workflow,
)


def one(**options: Any) -> Drive:
    return Drive(workflow(step("a", **options)))


def undoing(**options: Any) -> Drive:
    """A step whose undo is in flight."""
    saga = one(**options)
    saga.report("a", fatal())
    assert saga.flying["a"].hook is Hook.ROLLBACK
    return saga


def ended(saga: Drive) -> list[tuple[Hook, int, Ended]]:
    return [(a.hook, a.number, a.outcome) for a in saga.state("a").attempts]


# B7: time limits


def test_b7_a_timeout_asks_the_hook_to_stop_and_a_late_success_counts() -> None:
    saga = one(timeout_seconds=5.0)
    assert saga.flying["a"].deadline == saga.now + 5
    saga.wait(5)
    assert saga.stops == ["a"]
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_b7_a_timeout_that_ends_in_failure_is_timed_out() -> None:
    saga = one(timeout_seconds=5.0)
    saga.wait(5)
    saga.report("a", retryable("stopped"))
    assert saga.state("a").previous is Ended.TIMED_OUT
    assert saga.state("a").run_retry_count == 1


def test_b7_a_late_success_after_turning_back_is_kept_for_the_undo() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=5.0), step("b")))
    saga.report("b", fatal())
    saga.wait(20)
    assert saga.written_off == ["a"]
    saga.report("a", done("made"))
    assert saga.flying["a"].hook is Hook.ROLLBACK
    resource = saga.state("a").resource
    assert resource is not None


def test_b7_a_late_failure_or_blindness_after_turning_back() -> None:
    saga = Drive(
        workflow(step("a", timeout_seconds=5.0), step("b", timeout_seconds=5.0), step("c"))
    )
    saga.report("b", going(1.0))
    saga.wait(1)
    saga.report("c", fatal())
    saga.wait(5)
    saga.report("a", retryable("late"))
    saga.report("b", blind())
    assert saga.state("a").previous is Ended.TIMED_OUT
    assert saga.state("b").previous is Ended.IN_PROGRESS


def test_b7_what_is_in_progress_is_in_its_time_too() -> None:
    saga = one(timeout_seconds=15.0)
    saga.report("a", going(100.0))
    saga.wait(15)
    assert saga.state("a").previous is Ended.TIMED_OUT
    assert saga.state("a").run_error == "timed out after 15 s"
    assert saga.state("a").next_attempt_at is not None


def test_b7_a_look_that_came_too_late_for_its_permit_is_not_made() -> None:
    saga = one(timeout_seconds=15.0)
    saga.report("a", going(1.0))
    saga.permits.limits = {"plain": 0}
    saga.wait(15)
    assert saga.state("a").previous is Ended.TIMED_OUT
    saga.permits.limits = {}
    saga.turn()
    assert not saga.flying


def test_b7_an_undos_own_limit() -> None:
    saga = undoing(rollback_timeout_seconds=15.0)
    assert saga.flying["a"].deadline == saga.now + 15
    saga.report("a", going(100.0))
    saga.wait(15)
    assert saga.state("a").rollback_error == "timed out after 15 s"


def test_b7_after_a_restart_one_look_comes_before_a_passed_deadline() -> None:
    saga = one(timeout_seconds=15.0)
    saga.report("a", going(100.0))
    saga.crash(after=1000)
    assert saga.flying["a"].hook is Hook.SYNC
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_b7_a_passed_deadline_acts_after_that_look() -> None:
    saga = one(timeout_seconds=15.0)
    saga.report("a", going(100.0))
    saga.crash(after=1000)
    saga.report("a", going())
    assert saga.state("a").previous is Ended.TIMED_OUT


def test_b7_a_look_in_flight_when_time_is_over_ends_the_attempt() -> None:
    saga = one(timeout_seconds=15.0)
    saga.report("a", going(14.0))
    saga.wait(15)
    assert saga.stops == ["a"]
    saga.report("a", retryable("stopped"))
    assert saga.state("a").previous is Ended.TIMED_OUT
    assert saga.state("a").run_error == "timed out after 15 s"


def test_b7_a_look_that_takes_too_long_is_stopped_and_repeated() -> None:
    saga = Drive(workflow(step("a")), sync_timeout=3.0)
    saga.report("a", going(1.0))
    saga.wait(4)
    assert saga.stops == ["a"]
    saga.report("a", retryable("stopped"))
    assert saga.state("a").in_progress
    assert saga.state("a").run_retry_count == 0


def test_b7_waiting_for_a_permit_is_not_the_attempts_time() -> None:
    saga = one(timeout_seconds=20.0, run_retry_period_seconds=10.0)
    saga.report("a", retryable())
    saga.permits.limits = {"plain": 0}
    saga.wait(500)
    saga.permits.limits = {}
    saga.turn()
    assert saga.flying["a"].deadline == saga.now + 20


def test_b7_an_interrupted_attempt_keeps_its_deadline_unless_it_passed() -> None:
    saga = one(timeout_seconds=20.0)
    deadline = saga.now + 20
    saga.crash(after=5)
    assert saga.flying["a"].deadline == deadline
    saga.crash(after=100)
    assert saga.flying["a"].deadline == saga.now + 20
    saga.crash(after=-500)
    assert saga.flying["a"].deadline == saga.now + 20


def test_b7_the_workflows_deadline_turns_it_back() -> None:
    saga = Drive(workflow(step("a"), active_deadline_seconds=30.0))
    saga.wait(29)
    assert saga.phase is Phase.RUNNING
    saga.wait(1)
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.saga.head.cause == "activeDeadlineSeconds: 30 s have passed"
    saga.report("a")
    saga.wait(1000)
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_b7_the_workflows_deadline_ends_with_success() -> None:
    saga = Drive(workflow(step("a"), active_deadline_seconds=30.0))
    saga.report("a")
    saga.wait(100)
    assert saga.phase is Phase.SUCCESS
    assert saga.saga.next_wake is None


# B8: wakes


def test_b8_a_wake_looks_at_once() -> None:
    saga = one()
    saga.report("a", going())
    saga.turn(Woken(0))
    assert saga.flying["a"].hook is Hook.SYNC
    saves = saga.saves
    saga.report("a", going())
    assert saga.saves == saves


def test_b8_a_wake_is_sticky_until_a_later_look_has_started() -> None:
    saga = one()
    saga.turn(Woken(0))
    saga.report("a", going())
    assert saga.flying["a"].hook is Hook.SYNC
    saga.report("a", going())
    assert not saga.flying


def test_e8_a_wake_during_a_look_waits_a_tenth_of_a_second_and_so_does_one_right_after() -> None:
    for during in (True, False):
        saga = one()
        saga.report("a", going())
        saga.wait(10)
        assert saga.flying["a"].hook is Hook.SYNC
        if during:
            saga.turn(Woken(0))
        saga.report("a", going())
        if not during:
            saga.turn(Woken(0))
        assert not saga.flying
        saga.wait(0.09)
        assert not saga.flying
        saga.wait(0.011)
        assert saga.flying["a"].hook is Hook.SYNC


def test_b8_many_wakes_are_one_look() -> None:
    saga = one()
    saga.report("a", going())
    saga.permits.limits = {"plain": 0}
    for _ in range(5):
        saga.turn(Woken(0))
    saga.permits.limits = {}
    saga.turn()
    saga.report("a", going())
    assert not saga.flying


def test_b8_a_wake_of_what_is_not_in_progress_is_nothing() -> None:
    saga = one()
    saga.report("a")
    saga.turn(Woken(0))
    assert not saga.flying


def test_b8_recovery_looks_at_everything_in_progress_at_once() -> None:
    saga = one()
    saga.report("a", going(1000.0))
    saga.crash()
    assert saga.flying["a"].hook is Hook.SYNC
    assert saga.saga.in_flight == 1
    assert saga.permits.open_attempts["plain"] == 1


def test_b8_a_signal_survives_and_wakes() -> None:
    saga = one()
    saga.report("a", going())
    assert saga.ask(RequestType.SIGNAL, name="paid", value=7) is Verdict.APPLIED
    assert saga.flying["a"].hook is Hook.SYNC
    saga.crash()
    assert saga.saga.head.signals == {"paid": 7}


# H: clocks


def test_h_a_saved_wait_is_clamped_to_its_period_after_a_restart() -> None:
    saga = one(max_period_seconds=100.0, timeout_seconds=10.0)
    saga.report("a", retryable())
    saga.crash(after=-1_000_000)
    at = saga.state("a").next_attempt_at
    assert at is not None
    assert at - saga.now <= 110.1
    assert saga.state("a").attempt_deadline_at == at + 10
    assert saga.saga.next_wake == at


def test_h_saved_deadlines_are_clamped_after_a_restart() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=10.0), active_deadline_seconds=50.0))
    saga.report("a", going(5.0))
    saga.crash(after=-1_000_000)
    assert saga.state("a").attempt_deadline_at == saga.now + 10
    assert saga.saga.head.deadline_at == saga.now + 50


def test_a_failure_with_a_trace_is_read_by_its_message_alone() -> None:
    saga = one()
    saga.report("a", Failure(Severity.RETRYABLE, "oops", trace="Traceback"))
    assert saga.state("a").run_error == "oops"
