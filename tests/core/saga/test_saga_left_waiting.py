"""What waits for a person, for its kind or for its time, and nothing else moves it."""

from wf_core.model.phases import (
    BlockReason,
    DeletionPolicy,
    Hook,
    OnFailure,
    Phase,
    RequestType,
    RollbackMode,
    Undo,
    Verdict,
)
from wf_core.model.spec import DependOn
from wf_core.saga.events import Admitted, DeletionAsked
from wf_core.testing.saga_driver import (
    KINDS,
    Drive,
    blind,
    done,
    fatal,
    going,
    retryable,
    step,
    throttled,
    workflow,
)


def without(kind: str) -> dict[str, object]:
    return {name: each for name, each in KINDS.items() if name != kind}


def test_a5_a_watch_does_not_ask_for_the_slot_of_a_blocked_workflow() -> None:
    saga = Drive(
        workflow(step("a", sync_period_seconds=10.0), step("b"), on_failure=OnFailure.PAUSE)
    )
    saga.held["a"] = None
    saga.report("a")
    saga.report("b", fatal())
    assert saga.saga.head.parked
    saga.wait(11)
    assert saga.flying["a"].hook is Hook.SYNC
    assert not saga.saga.wants_slot
    assert saga.saga.rests


def test_a5_a_failed_run_that_waits_for_a_blocked_pivot_holds_no_slot() -> None:
    saga = Drive(
        workflow(step("p", kind="once", pivot=True), step("z", DependOn("p", Phase.RUNNING)))
    )
    saga.report("z", fatal())
    saga.crash()
    blocked = saga.state("p").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.OUTCOME_UNKNOWN
    assert saga.saga.head.parked
    assert saga.saga.rests


def test_a5_a_restart_asks_for_no_slot_where_a_status_can_come_from_nobody() -> None:
    saga = Drive(
        workflow(
            step("a"),
            step("b", DependOn("a", Phase.RUNNING, "ready")),
            on_failure=OnFailure.PAUSE,
        )
    )
    saga.report("a", fatal())
    assert saga.saga.head.parked
    saga.crash()
    assert not saga.saga.wants_slot
    assert saga.saga.rests


def test_i10_suspended_with_something_in_progress_whose_kind_is_missing_is_at_rest() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", going())
    assert saga.ask(RequestType.SUSPEND) is Verdict.APPLIED
    saga.kinds = without("plain")
    saga.crash()
    assert saga.state("a").in_progress
    assert saga.saga.rests


def test_b10_a_status_that_a_missing_kind_would_show_blocks_who_waits_for_it() -> None:
    saga = Drive(
        workflow(step("a"), step("b", DependOn("a", Phase.SUCCESS, "ready"), kind="blind"))
    )
    saga.report("a", done("made"))
    saga.kinds = without("plain")
    saga.crash()
    blocked = saga.state("b").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.KIND_UNAVAILABLE
    assert "no plugin brings the kind 'plain'" in blocked.message
    assert saga.saga.rests
    saga.kinds = KINDS
    saga.crash()
    saga.turn(Admitted())
    saga.outcomes["a", Hook.SYNC] = [done("ready")]
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_b10_what_waits_for_its_kind_does_not_time_out() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=30.0, run_retry_limit=0)))
    saga.report("a", going())
    saga.kinds = without("plain")
    saga.crash()
    saga.wait(100)
    assert saga.phase is Phase.RUNNING
    assert saga.state("a").run_retry_count == 0
    saga.kinds = KINDS
    saga.crash()
    saga.turn(Admitted())
    saga.report("a")
    assert saga.state("a").phase is Phase.SUCCESS


def test_e1_what_is_not_undone_by_a_call_waits_for_no_permit() -> None:
    last = step("c", "b", rollback=RollbackMode.NONE)
    saga = Drive(workflow(step("a"), step("b", kind="blind"), last))
    saga.go()
    saga.permits.limits = {"plain": 0}
    assert saga.ask(RequestType.ROLLBACK) is Verdict.APPLIED
    assert saga.state("c").undo is Undo.IRREVERSIBLE
    assert set(saga.flying) == {"b"}


def test_e2_a_watch_is_served_after_what_becomes_ready_in_the_same_turn() -> None:
    saga = Drive(
        workflow(
            step("a", sync_period_seconds=10.0),
            step("b", kind="blind"),
            step("c", "b", kind="blind"),
            step("d", DependOn("c", Phase.RUNNING)),
        )
    )
    saga.report("a")
    saga.permits.limits = {"plain": 1}
    saga.now += 11.0
    saga.turn(saga.reported("b"))
    assert set(saga.flying) == {"c", "d"}
    saga.report("d")
    assert saga.flying["a"].hook is Hook.SYNC


def test_h_a_saved_wait_is_clamped_to_its_own_period() -> None:
    saga = Drive(workflow(step("a", run_retry_period_seconds=60.0)))
    saga.report("a", retryable())
    saga.crash(after=-5000.0)
    at = saga.state("a").next_attempt_at
    assert at is not None
    assert 60.0 <= at - saga.now <= 66.0


def test_h_a_restart_does_not_shorten_what_a_throttled_hook_asked_for() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", throttled(7200.0))
    at = saga.state("a").next_attempt_at
    saga.crash(after=100.0)
    assert saga.state("a").next_attempt_at == at


def test_h_nor_where_it_was_throttled_in_the_moment_in_which_it_had_failed() -> None:
    saga = Drive(workflow(step("a", run_retry_period_seconds=0.0)))
    saga.report("a", retryable())
    saga.report("a", throttled(7200.0))
    at = saga.state("a").next_attempt_at
    assert at == saga.now + 7200.0
    saga.crash(after=100.0)
    assert saga.state("a").next_attempt_at == at


def test_b7_a_clock_that_is_put_back_lengthens_no_attempt() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=30.0)))
    saga.report("a", throttled(1.0))
    saga.wait(1)
    saga.crash(after=30.0)
    assert saga.flying["a"].deadline == saga.now + 30.0
    saga.crash(after=-50.0)
    saga.wait(20)
    assert saga.flying["a"].deadline == saga.calls[-1].at + 30.0


def test_a1_what_is_deleted_without_an_undo_is_not_said_to_have_failed() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), deletion_policy=DeletionPolicy.ORPHAN))
    saga.report("a")
    assert saga.ask(RequestType.CANCEL) is Verdict.APPLIED
    saga.turn(DeletionAsked(saga.now))
    saga.report("b", blind())
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.state("a").undo is not Undo.FAILED
    assert saga.saga.removable
