"""What waits for a person, and slots (semantics A5, B7, B10, E3)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

import attrs
import pytest
from msgspec.structs import replace

from wf_core.model.phases import (
    BlockReason,
    Ended,
    Hook,
    OnFailure,
    Phase,
    RequestType,
    Undo,
    Verdict,
)
from wf_core.model.spec import DependOn
from wf_core.model.state import StepState
from wf_core.saga.events import Admitted, DeletionAsked
from wf_core.testing.saga_driver import (
    KINDS,
    Drive,
    Kind,
    done,
    fatal,
    fresh,
    going,
    retryable,
    step,
    workflow,
)


def reason(saga: Drive, name: str) -> BlockReason | None:
    blocked = saga.state(name).blocked
    return None if blocked is None else blocked.reason


def paused() -> Drive:
    steps = (step("a"), step("b", "a"), step("c"))
    saga = Drive(workflow(*steps, on_failure=OnFailure.PAUSE, active_deadline_seconds=100.0))
    saga.report("a", fatal("no"))
    return saga


def test_a5_on_failure_pause_leaves_the_step_in_running_and_only_dependents_wait() -> None:
    saga = paused()
    assert saga.phases["a"] is Phase.RUNNING
    assert reason(saga, "a") is BlockReason.PAUSED
    assert saga.phase is Phase.RUNNING
    assert "c" in saga.flying
    assert saga.saga.holds_slot
    assert not saga.saga.rests


def test_e3_a_wholly_blocked_workflow_gives_its_slot_back_and_rests() -> None:
    saga = paused()
    saga.report("c")
    assert not saga.saga.holds_slot
    assert not saga.saga.wants_slot
    assert saga.saga.rests
    assert saga.ask(RequestType.RETRY_RUN, "a") is Verdict.APPLIED
    assert saga.saga.wants_slot
    assert "a" not in saga.flying
    saga.turn(Admitted())
    assert "a" in saga.flying
    assert saga.state("a").attempt == 2
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_b7_the_deadline_stands_still_while_a_person_is_waited_for() -> None:
    saga = paused()
    saga.wait(40)
    saga.report("c")
    assert saga.saga.head.deadline_left == 60.0
    saga.wait(10_000)
    saga.crash()
    assert saga.phase is Phase.RUNNING
    saga.ask(RequestType.RETRY_RUN, "a")
    saga.turn(Admitted())
    assert saga.saga.head.deadline_at == saga.now + 60
    saga.wait(60)
    assert saga.phase is Phase.ROLLING_BACK


def test_a5_a_paused_step_can_be_marked_as_succeeded() -> None:
    saga = paused()
    assert saga.ask(RequestType.MARK_SUCCEEDED, "a") is Verdict.APPLIED
    assert "b" in saga.flying
    assert saga.state("a").run_error is None


def test_a5_a_paused_workflow_can_be_cancelled() -> None:
    saga = paused()
    saga.report("c")
    assert saga.ask(RequestType.CANCEL, reason="enough") is Verdict.APPLIED
    assert saga.saga.head.cause == "cancelled: enough"
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a5_a_step_that_could_not_begin_is_paused_and_started_by_hand() -> None:
    bad = step("a", parameters={"bad": 1})
    saga = Drive(workflow(bad, on_failure=OnFailure.PAUSE))
    assert saga.phases["a"] is Phase.PENDING
    assert reason(saga, "a") is BlockReason.PAUSED
    assert not saga.calls
    assert saga.ask(RequestType.RETRY_RUN, "a") is Verdict.APPLIED
    saga.turn(Admitted())
    assert reason(saga, "a") is BlockReason.PAUSED
    assert saga.ask(RequestType.MARK_SUCCEEDED, "a") is Verdict.APPLIED
    assert saga.phase is Phase.SUCCESS


def test_a5_suspend_starts_no_new_attempt_and_looks_go_on() -> None:
    saga = Drive(workflow(step("a"), step("b"), step("c", "b")))
    saga.report("a", going())
    saga.report("b", retryable())
    assert saga.ask(RequestType.SUSPEND) is Verdict.APPLIED
    assert not saga.saga.holds_slot
    assert not saga.saga.rests
    saga.wait(600)
    assert saga.called(Hook.RUN) == ["a", "b"]
    assert saga.called(Hook.SYNC) == ["a"]
    saga.report("a")
    assert saga.saga.rests
    assert saga.ask(RequestType.CONTINUE) is Verdict.APPLIED
    assert saga.saga.wants_slot
    saga.turn(Admitted())
    assert saga.flying["b"].attempt == 2


def test_a5_undo_is_never_suspended() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.ask(RequestType.SUSPEND)
    saga.report("a", fatal())
    saga.report("b")
    assert set(saga.flying) == {"a", "b"}
    assert not saga.saga.head.suspended
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a5_a_suspended_workflow_may_succeed() -> None:
    saga = Drive(workflow(step("a")))
    saga.ask(RequestType.SUSPEND)
    saga.report("a")
    assert saga.phase is Phase.SUCCESS
    assert not saga.saga.head.suspended


def test_a5_a_workflow_may_be_created_suspended() -> None:
    saga = Drive(workflow(step("a"), suspend=True), admitted=False)
    assert not saga.saga.wants_slot
    assert saga.saga.rests
    saga.turn(Admitted())
    assert saga.phase is Phase.PENDING
    assert saga.ask(RequestType.CONTINUE) is Verdict.APPLIED
    saga.crash()
    assert saga.saga.wants_slot


def test_b7_a_hook_that_does_not_stop_is_stuck_and_its_outcome_still_counts() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=5.0), step("b")), grace=3.0)
    saga.wait(5)
    assert saga.stops == ["a"]
    saga.wait(2.9)
    assert reason(saga, "a") is None
    saga.wait(0.1)
    assert reason(saga, "a") is BlockReason.HOOK_STUCK
    assert saga.written_off == ["a"]
    assert saga.permits.taken["plain"] == 1
    saga.report("b")
    assert not saga.saga.holds_slot
    assert saga.saga.rests
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_b7_two_limits_give_a_look_no_second_grace() -> None:
    document = workflow(step("a", timeout_seconds=25.0))
    saga = Drive(document, grace=10.0, sync_timeout=10.0)
    saga.report("a", going())
    saga.wait(40)
    assert saga.stops == ["a"]
    assert saga.written_off == ["a"]
    blocked = saga.state("a").blocked
    assert blocked is not None
    assert blocked.since == saga.now - 10.0


def test_b7_a_stuck_run_has_timed_out_once_its_process_is_gone() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=5.0)))
    saga.wait(20)
    assert saga.ask(RequestType.MARK_SUCCEEDED, "a") is None
    saga.crash()
    assert reason(saga, "a") is None
    assert saga.saga.wants_slot
    saga.turn(Admitted())
    state = saga.state("a")
    assert state.previous is Ended.TIMED_OUT
    assert (state.interruptions, state.run_retry_count, state.attempt) == (0, 1, 2)
    assert "ended with its process" in (state.run_error or "")


def test_b7_a_stuck_run_without_retries_fails_with_the_first_restart() -> None:
    document = workflow(step("a", timeout_seconds=5.0, run_retry_limit=0))
    saga = Drive(document)
    saga.wait(20)
    saga.crash()
    saga.turn(Admitted())
    assert saga.phase is Phase.ROLLING_BACK


def test_b7_a_stuck_undo_has_timed_out_once_its_process_is_gone() -> None:
    saga = Drive(workflow(step("a", rollback_timeout_seconds=5.0), step("b", "a")))
    saga.report("a")
    saga.report("b", fatal())
    saga.report("b")
    saga.wait(20)
    assert reason(saga, "a") is BlockReason.HOOK_STUCK
    saga.crash()
    saga.turn()
    state = saga.state("a")
    assert state.previous is Ended.TIMED_OUT
    assert (state.interruptions, state.rollback_retry_count, state.rollback_attempt) == (0, 1, 2)


def test_b7_a_stuck_look_is_just_repeated() -> None:
    saga = Drive(workflow(step("a")), grace=1.0, sync_timeout=5.0)
    saga.report("a", going())
    saga.wait(30)
    assert reason(saga, "a") is BlockReason.HOOK_STUCK
    saga.crash()
    saga.turn(Admitted())
    state = saga.state("a")
    assert (state.in_progress, state.run_retry_count, state.attempt) == (True, 0, 1)


def test_b3_a_stuck_run_that_can_not_be_called_again_is_unknown() -> None:
    saga = Drive(workflow(step("a", kind="once", timeout_seconds=5.0)))
    saga.wait(20)
    saga.crash()
    saga.turn(Admitted())
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.state("a").previous is Ended.UNKNOWN


@attrs.define
class Brittle(Kind):
    def decode(self, parameters: dict[str, object]) -> object:
        if self.identity == "test 2.0":
            raise ValueError("sleep: unknown key")
        return parameters


def without(*names: str) -> dict[str, Kind]:
    return {k: v for k, v in KINDS.items() if k not in names}


def test_b10_a_missing_kind_blocks_a_run_that_was_begun_and_goes_on_with_it() -> None:
    saga = Drive(workflow(step("a"), step("b", kind="blind")))
    saga.kinds = without("plain")
    saga.crash()
    assert reason(saga, "a") is BlockReason.KIND_UNAVAILABLE
    assert saga.phase is Phase.RUNNING
    assert saga.state("a").interruptions == 0
    saga.kinds = KINDS
    saga.crash()
    assert reason(saga, "a") is None
    assert saga.flying["a"].attempt == 1
    saga.go()
    assert saga.phase is Phase.SUCCESS


def test_b10_parameters_that_no_longer_decode_block() -> None:
    kinds = {"plain": Brittle()}
    saga = Drive(workflow(step("a")), kinds=kinds)
    kinds["plain"].identity = "test 2.0"
    saga.crash()
    blocked = saga.state("a").blocked
    assert blocked is not None
    assert "no longer decode with test 2.0: sleep" in blocked.message


@pytest.mark.parametrize("begun", [True, False])
def test_b10_a_missing_kind_blocks_a_look_and_retry_run_takes_it_up(begun: bool) -> None:
    saga = Drive(workflow(step("a")))
    if begun:
        saga.report("a", going())
    saga.kinds = without("plain")
    saga.crash()
    assert reason(saga, "a") is BlockReason.KIND_UNAVAILABLE
    saga.saga._ledger.kinds = KINDS
    assert saga.ask(RequestType.RETRY_RUN, "a") is Verdict.APPLIED
    saga.go()
    assert saga.phase is Phase.SUCCESS
    assert saga.called(Hook.RUN) == ["a"] * (1 if begun else 2)
    assert saga.state("a").attempt == 1


def test_b10_what_is_in_progress_without_its_kind_can_be_marked() -> None:
    saga = Drive(workflow(step("a", timeout_seconds=50.0), step("b", "a", kind="blind")))
    saga.report("a", going())
    saga.kinds = without("plain")
    saga.crash()
    assert saga.ask(RequestType.MARK_SUCCEEDED, "a") is Verdict.APPLIED
    assert not saga.state("a").in_progress
    assert not any(saga.permits.open_attempts.values())
    saga.turn(Admitted())
    saga.wait(100)
    assert saga.phases["a"] is Phase.SUCCESS


def test_b10_a_missing_kind_blocks_an_undo_which_people_can_settle() -> None:
    saga = Drive(workflow(step("a", kind="blind"), step("b", "a")))
    saga.report("a")
    saga.kinds = without("blind")
    saga.crash()
    saga.report("b", fatal())
    saga.report("b")
    blocked = saga.state("a").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.KIND_UNAVAILABLE
    assert RequestType.SKIP_ROLLBACK in blocked.options
    assert not saga.saga.holds_slot
    assert saga.saga.rests
    assert saga.ask(RequestType.MARK_ROLLED_BACK, "a") is Verdict.APPLIED
    assert saga.state("a").undo is Undo.MARKED
    assert saga.phase is Phase.ROLL_BACKED


def test_b10_retrying_an_undo_without_its_kind_begins_no_other_attempt() -> None:
    saga = Drive(workflow(step("a", kind="blind"), step("b", "a")))
    saga.report("a")
    saga.kinds = without("blind")
    saga.crash()
    saga.report("b", fatal())
    saga.report("b")
    assert saga.ask(RequestType.RETRY_ROLLBACK, "a") is Verdict.APPLIED
    assert saga.state("a").rollback_attempt == 1
    saga.kinds = KINDS
    saga.crash()
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.state("a").rollback_attempt == 1


def test_b10_a_kind_that_is_missing_before_the_first_intent_blocks_too() -> None:
    saga = Drive(workflow(step("a"), step("b", "a", kind="strange")))
    saga.report("a")
    assert reason(saga, "b") is BlockReason.KIND_UNAVAILABLE
    assert saga.phases["b"] is Phase.PENDING
    assert saga.saga.rests


def test_b10_each_intent_records_the_kinds_distribution_and_version() -> None:
    kinds = {"plain": Kind()}
    saga = Drive(workflow(step("a")), kinds=kinds)
    assert saga.state("a").kind == "test 1.0"
    kinds["plain"].identity = "test 2.0"
    saga.crash()
    assert saga.state("a").kind == "test 2.0"


def test_e3_rolling_back_holds_a_slot_without_asking_for_one() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.ask(RequestType.SUSPEND)
    assert not saga.saga.holds_slot
    saga.ask(RequestType.CANCEL)
    assert saga.saga.holds_slot
    assert not saga.saga.wants_slot


def test_e3_a_finished_workflow_holds_none() -> None:
    saga = Drive(workflow(step("a")))
    saga.go()
    assert not saga.saga.holds_slot
    assert not saga.saga.wants_slot


def test_e3_a_second_slot_changes_nothing() -> None:
    saga = Drive(workflow(step("a")))
    saves = saga.saves
    saga.turn(Admitted())
    assert saga.saves == saves


def test_e1_permits_are_given_back_with_each_call() -> None:
    saga = Drive(workflow(*[step(f"s{k}") for k in range(5)]), limits={"plain": 2})
    assert len(saga.flying) == 2
    first = next(iter(saga.flying))
    saga.report(first, going())
    assert len(saga.flying) == 2
    assert saga.permits.open_attempts["plain"] == 3
    saga.go()
    assert saga.phase is Phase.SUCCESS
    assert saga.permits.taken["plain"] == 0
    assert saga.permits.open_attempts["plain"] == 0


def test_e1_a_short_kind_holds_up_no_other() -> None:
    steps = (step("a"), step("b"), step("c", kind="blind"))
    saga = Drive(workflow(*steps), limits={"plain": 1})
    assert set(saga.flying) == {"a", "c"}
    assert saga.saga.next_wake is None


def test_e1_looks_retries_watches_and_undos_wait_for_permits() -> None:
    steps = (step("a"), step("b"), step("w", sync_period_seconds=5.0))
    saga = Drive(workflow(*steps))
    saga.report("w", done())
    saga.report("a", going(1.0))
    saga.report("b", retryable())
    saga.permits.limits = {"plain": 0}
    saga.wait(100)
    assert not saga.flying
    saga.permits.limits = {}
    saga.turn()
    assert set(saga.flying) == {"a", "b", "w"}
    saga.permits.limits = {"plain": 0}
    saga.report("b", fatal())
    saga.report("a")
    saga.report("w")
    assert not saga.flying
    saga.permits.limits = {}
    saga.turn()
    assert len(saga.flying) == 3
    saga.report("a", retryable())
    saga.report("b", going(1.0))
    saga.permits.limits = {"plain": 0}
    saga.wait(100)
    assert set(saga.flying) == {"w"}
    saga.permits.limits = {}
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED


def test_a_workflow_that_is_gone_calls_nothing() -> None:
    saga = Drive(fresh(workflow(step("a"))), admitted=False)
    saga.turn(DeletionAsked(saga.now))
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.saga.removable
    assert saga.state("a").undo is Undo.NEVER_RAN


def test_b10_an_awaited_status_that_nobody_can_look_at_blocks() -> None:
    after = DependOn("a", resource_status="ready")
    saga = Drive(workflow(step("a"), step("b", after, kind="blind")))
    saga.report("a", done("booting"))
    saga.kinds = without("plain")
    saga.crash()
    assert reason(saga, "b") is BlockReason.KIND_UNAVAILABLE
    assert saga.saga.rests


def test_h_an_undo_that_was_never_called_waits_no_longer_than_its_retries() -> None:
    bad = step("a", parameters={"bad": 1}, max_period_seconds=100.0)
    saga = Drive(workflow(bad, on_failure=OnFailure.PAUSE))
    saga.ask(RequestType.MARK_SUCCEEDED, "a")
    saga.ask(RequestType.ROLLBACK)
    assert reason(saga, "a") is BlockReason.KIND_UNAVAILABLE
    saga.crash(after=-10_000.0)
    at = saga.saga.next_wake
    assert at is not None
    assert at <= saga.now + 110.0


def test_a1_a_step_that_never_began_holds_up_no_undo_whoever_wrote_the_state() -> None:
    """A pasted state: it rolls back, and one of its steps was left as it was before everything."""
    saga = Drive(workflow(step("a"), step("b", "a")))
    saga.report("a")
    head = replace(saga.saved.head, phase=Phase.ROLLING_BACK)
    saga.saved = replace(saga.saved, head=head, steps=(saga.saved.steps[0], StepState()))
    saga.crash()
    saga.report("a")
    assert saga.phase is Phase.ROLL_BACKED
    assert [each.undo for each in saga.saved.steps] == [Undo.CALLED, Undo.NEVER_RAN]
