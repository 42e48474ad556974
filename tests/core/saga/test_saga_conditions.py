"""Conditions on phases and on resource statuses (semantics A6)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from typing import Any

from wf_core.model.phases import Hook, OnFailure, Phase, RequestType
from wf_core.model.spec import DependOn
from wf_core.saga.events import DeletionAsked
from wf_core.testing.saga_driver import Drive, blind, done, fatal, going, retryable, step, workflow


def waiting(**options: Any) -> Drive:
    """b needs a's resource to be ready; a succeeded without."""
    after = DependOn("a", resource_status="ready")
    saga = Drive(workflow(step("a", **options), step("b", after)))
    saga.report("a", done("booting"))
    return saga


def test_a6_a_condition_on_running_is_met_with_the_intent() -> None:
    saga = Drive(workflow(step("a"), step("b", DependOn("a", Phase.RUNNING))))
    assert set(saga.flying) == {"a", "b"}


def test_a6_a_phase_once_reached_stays_reached() -> None:
    steps = (step("a"), step("x"), step("b", DependOn("a", Phase.RUNNING), "x"))
    saga = Drive(workflow(*steps))
    saga.report("a")
    assert saga.phases["a"] is Phase.SUCCESS
    saga.crash()
    saga.report("x")
    assert "b" in saga.flying


def test_a6_the_upstream_is_looked_at_every_five_seconds_at_least() -> None:
    saga = waiting()
    assert "b" not in saga.flying
    saga.wait(4)
    assert not saga.flying
    saga.wait(1.6)
    assert saga.flying["a"].hook is Hook.SYNC
    saga.report("a", done("booting"))
    saga.wait(5.6)
    saga.report("a", done("ready"))
    assert set(saga.flying) == {"b"}
    saga.report("b")
    saga.wait(1000)
    assert saga.phase is Phase.SUCCESS
    assert saga.called(Hook.SYNC) == ["a", "a"]


def test_a6_a_longer_period_of_its_own_is_kept() -> None:
    saga = waiting(sync_period_seconds=100.0)
    saga.wait(85)
    assert not saga.flying
    saga.wait(30)
    assert "a" in saga.flying


def test_a6_the_status_must_hold_when_the_intent_is_saved() -> None:
    after = DependOn("a", resource_status="ready")
    saga = Drive(workflow(step("a"), step("x"), step("b", after, "x")))
    saga.report("a", done("ready"))
    saga.saga._ledger.put(0, resource=done("gone").resource)
    saga.report("x")
    assert "b" not in saga.flying


def test_a6_a_status_may_come_while_the_upstream_is_in_progress() -> None:
    after = DependOn("a", Phase.RUNNING, "ready")
    saga = Drive(workflow(step("a"), step("b", after)))
    assert set(saga.flying) == {"a"}
    saga.report("a", going(1.0, "ready"))
    assert set(saga.flying) == {"b"}


def test_a6_a_status_that_can_never_come_is_a_fatal_error() -> None:
    saga = waiting(kind="blind")
    assert (saga.state("b").run_error or "").startswith("ConditionUnreachable: 'a' succeeded with")
    assert "b" not in saga.called()
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a6_a_new_status_is_of_interest_to_whoever_waits_for_it_alone() -> None:
    ready = DependOn("a", resource_status="ready")
    steps = (step("a"), step("x"), step("b", ready), step("c", ready, "x"))
    saga = Drive(workflow(*steps))
    saga.report("a", done("booting"))
    saga.wait(6)
    saga.report("a", done("ready"))
    assert set(saga.flying) == {"x", "b"}


def test_a6_a_look_that_fails_is_repeated() -> None:
    saga = waiting()
    saga.wait(6)
    saga.report("a", blind())
    saga.wait(6)
    saga.report("a", done("ready"))
    assert set(saga.flying) == {"b"}


def test_a5_waiting_for_the_status_of_a_paused_step_is_waiting_for_a_person() -> None:
    after = DependOn("a", Phase.RUNNING, "ready")
    saga = Drive(workflow(step("a"), step("b", after), on_failure=OnFailure.PAUSE))
    saga.report("a", fatal())
    assert saga.saga.rests
    assert not saga.saga.holds_slot


def test_a6_a_status_that_may_come_keeps_the_slot_of_a_paused_workflow() -> None:
    after = DependOn("a", resource_status="ready")
    document = workflow(step("a"), step("b", after), step("x"), on_failure=OnFailure.PAUSE)
    saga = Drive(document)
    saga.report("a")
    saga.report("x", fatal())
    assert saga.saga.holds_slot
    saga.wait(6)
    saga.report("a", done("ready"))
    assert "b" in saga.flying


def test_a6_past_the_pivot_statuses_are_looked_at_in_spite_of_a_deletion() -> None:
    after = DependOn("p", resource_status="ready")
    saga = Drive(workflow(step("p", pivot=True), step("b", after)))
    saga.report("p", done("booting"))
    saga.turn(DeletionAsked(saga.now))
    saga.wait(6)
    saga.report("p", done("ready"))
    assert set(saga.flying) == {"b"}


def watched(**options: Any) -> Drive:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0, **options)))
    saga.report("a", done("ready"))
    return saga


def test_b9_a_watch_saves_only_what_changed() -> None:
    saga = watched()
    saves = saga.saves
    saga.wait(11)
    saga.report("a", done("ready"))
    assert saga.saves == saves
    saga.wait(11)
    saga.report("a", done("worn", x=1))
    assert saga.saves == saves + 1
    assert saga.state("a").attributes == {"x": 1}
    assert saga.state("a").latest_sync_at == saga.now


def test_b9_a_watchs_error_is_saved_once_and_clears() -> None:
    saga = watched()
    for error in (retryable("one"), retryable("two"), blind()):
        saga.wait(11)
        saga.report("a", error)
    assert saga.state("a").sync_error == "one"
    saves = saga.saves
    saga.wait(11)
    saga.report("a", done())
    assert saga.state("a").sync_error is None
    assert saga.saves == saves + 1


def test_b9_a_fatal_watch_turns_a_finished_workflow_round() -> None:
    saga = watched()
    assert saga.phase is Phase.SUCCESS
    assert saga.saga.watched
    saga.wait(11)
    saga.report("a", fatal("gone"))
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.saga.head.cause == "step 'a' was found broken: gone"
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_fault8_a_fatal_watch_undoes_dependents_first() -> None:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0), step("b", "a")))
    saga.report("a")
    saga.report("b")
    saga.wait(11)
    saga.report("a", fatal())
    assert set(saga.flying) == {"b"}
    saga.report("b")
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_b9_a_watch_in_flight_is_over_before_its_steps_undo_and_its_result_dropped() -> None:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0), step("b", "a")))
    saga.report("a", done("ready"))
    saga.wait(11)
    saga.report("b", fatal())
    assert saga.stops == ["a"]
    saga.report("b")
    assert saga.flying["a"].hook is Hook.SYNC
    saga.report("a", done("late"))
    assert saga.flying["a"].hook is Hook.ROLLBACK
    resource = saga.state("a").resource
    assert resource is not None
    assert resource.status == "ready"


def test_b9_watches_end_at_suspend_and_begin_again() -> None:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0), step("b")))
    saga.report("a")
    saga.wait(11)
    assert saga.ask(RequestType.SUSPEND) is not None
    assert saga.stops == ["a"]
    saga.ask(RequestType.CONTINUE)
    saga.wait(11)
    saga.report("a", fatal("dropped"))
    assert saga.phase is Phase.RUNNING
    saga.wait(11)
    assert saga.flying["a"].hook is Hook.SYNC


def test_b9_what_succeeds_while_suspended_is_watched_once_it_continues() -> None:
    saga = Drive(workflow(step("a", sync_period_seconds=10.0), step("b")))
    saga.ask(RequestType.SUSPEND)
    saga.report("a")
    assert saga.saga.next_wake is None
    saga.ask(RequestType.CONTINUE)
    assert saga.saga.next_wake is not None


def test_b9_watches_end_with_deletion() -> None:
    saga = watched()
    saga.turn(DeletionAsked(saga.now))
    saga.wait(100)
    assert not saga.flying
    assert saga.saga.removable


def test_b9_a_watch_is_taken_up_after_a_restart() -> None:
    saga = watched()
    saga.crash()
    saga.wait(11)
    assert saga.flying["a"].hook is Hook.SYNC


def test_b9_a_watch_whose_parameters_no_longer_decode_says_so() -> None:
    saga = watched()
    saga.saga._ledger.put(0, parameters={"bad": 1})
    saga.wait(25)
    assert "no longer decode" in (saga.state("a").sync_error or "")
    assert saga.phase is Phase.SUCCESS
    assert saga.saga.next_wake is not None


def test_b9_what_a_watch_found_too_large_is_dropped_and_said_once() -> None:
    saga = watched()
    for _ in range(2):
        saga.wait(11)
        saga.report("a", done("ready", x="y" * 40_000))
        saves = saga.saves
    assert (saga.state("a").sync_error or "").startswith("ResultTooLarge")
    assert saga.saves == saves
    assert saga.state("a").attributes == {}


def test_b9_a_kind_without_sync_is_not_watched() -> None:
    saga = watched(kind="blind")
    assert saga.saga.next_wake is None
