"""What is in progress and waits for nothing but a person's answer (semantics A5, B7, E3)."""

from wf_core.model.outcomes import Progressing
from wf_core.model.phases import Hook, Phase, RequestType
from wf_core.saga.events import Admitted
from wf_core.saga.explain import Reason, explain
from wf_core.testing.saga_driver import (
    KINDS,
    Drive,
    blind,
    fatal,
    going,
    retryable,
    step,
    workflow,
)

ASKS = going(waits_for_person=True)


def asking(*more: object, **spec: object) -> Drive:
    """`a` waits for a person; `b` comes after it."""
    saga = Drive(workflow(step("a", **spec), step("b", "a"), *more, active_deadline_seconds=100.0))  # type: ignore[arg-type]
    saga.report("a", ASKS)
    return saga


def slots(saga: Drive) -> tuple[bool, bool]:
    """Whether it holds a slot, and whether it wants one."""
    return saga.saga.holds_slot, saga.saga.wants_slot


def test_a5_a_workflow_that_waits_only_for_a_person_gives_its_slot_back() -> None:
    saga = asking()
    assert saga.saved.steps[0].waits_for_person
    assert saga.saved.head.parked
    assert not saga.saga.holds_slot
    assert not saga.saga.wants_slot


def test_a5_it_keeps_its_slot_while_another_step_goes_on() -> None:
    saga = asking(step("c"))
    assert saga.saga.holds_slot
    saga.report("c")
    assert not saga.saga.holds_slot


def test_a5_what_is_in_progress_without_a_person_keeps_its_slot() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", going())
    assert saga.saga.holds_slot


def test_e3_the_look_that_an_answer_wakes_needs_no_slot_and_the_next_run_does() -> None:
    saga = asking()
    saga.request(RequestType.SIGNAL, None, name="a", value={"approved": True})
    assert saga.flying["a"].hook is Hook.SYNC
    assert slots(saga) == (False, False)
    saga.report("a")
    assert "b" not in saga.flying
    assert slots(saga) == (False, True)
    saga.turn(Admitted())
    assert saga.flying["b"].hook is Hook.RUN


def test_e3_a_look_that_finds_no_answer_gives_no_slot_and_saves_nothing() -> None:
    saga = asking()
    saves = saga.saves
    saga.wait(11)
    saga.report("a", ASKS)
    saga.wait(20)
    saga.report("a", blind())
    assert saga.saves == saves
    assert saga.saved.head.parked


def test_a5_what_goes_on_by_itself_again_wants_its_slot_again() -> None:
    saga = asking()
    saga.wait(11)
    saga.report("a", going())
    assert not saga.saved.steps[0].waits_for_person
    assert saga.saga.wants_slot


def test_a5_the_last_step_needs_no_slot_to_end_the_workflow() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", ASKS)
    saga.wait(11)
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_a5_a_rejection_is_undone_without_a_slot() -> None:
    saga = asking()
    saga.wait(11)
    saga.report("a", fatal())
    assert saga.phase is Phase.ROLLING_BACK
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_b7_the_deadline_stands_still_while_only_a_person_is_waited_for() -> None:
    saga = Drive(workflow(step("a"), step("b", "a"), active_deadline_seconds=100.0))
    saga.wait(40)
    saga.report("a", ASKS)
    assert (saga.saved.head.deadline_at, saga.saved.head.deadline_left) == (None, 60.0)
    for _ in range(9):
        saga.wait(60)
        if "a" in saga.flying:
            saga.report("a", ASKS)
    saga.wait(60)
    saga.report("a")
    assert Phase.ROLLING_BACK not in saga.saved.head.reached
    saga.turn(Admitted())
    assert saga.saved.head.deadline_at == saga.now + 60.0
    saga.wait(61)
    assert saga.phase is Phase.ROLLING_BACK


def test_b7_the_steps_own_time_limit_goes_on() -> None:
    saga = asking(timeout_seconds=30.0, run_retry_limit=0)
    saga.wait(31)
    if "a" in saga.flying:
        saga.report("a", ASKS)
    assert saga.phase is Phase.ROLLING_BACK


def test_a5_a_crash_does_not_forget_that_a_person_is_waited_for() -> None:
    saga = asking()
    saga.crash(after=1000.0)
    assert saga.flying["a"].hook is Hook.SYNC
    assert not saga.saga.holds_slot
    assert not saga.saga.wants_slot
    assert saga.phase is Phase.RUNNING


def test_a5_a_retry_after_it_wants_a_slot() -> None:
    saga = asking()
    saga.wait(11)
    saga.report("a", retryable())
    assert not saga.state("a").waits_for_person
    assert saga.saga.wants_slot
    saga.wait(200)
    assert "a" not in saga.flying


def test_a5_it_is_looked_at_so_it_is_not_at_rest() -> None:
    """Whoever runs it outside the queues keeps looking: `wf run` does not end at an approval."""
    assert not asking().saga.rests


def test_a5_an_undo_that_waits_for_a_person_holds_no_slot_either() -> None:
    saga = Drive(workflow(step("a")))
    saga.report("a", fatal())
    saga.report("a", ASKS)
    assert saga.phase is Phase.ROLLING_BACK
    assert not saga.saga.holds_slot


def test_explain_says_that_a_person_is_waited_for_and_since_when() -> None:
    saga = asking()
    saga.now += 8
    said = {each.step: each for each in explain(saga.saved, KINDS, saga.now)}
    assert said["a"].reason is Reason.PERSON
    assert said["a"].sentence == "its run started 8 s ago; waits for a person's answer"
    assert None not in said


def test_a5_only_what_an_outcome_says_counts() -> None:
    assert Progressing().waits_for_person is False
