"""What a schedule does next: pure, so each case is a value."""

from typing import Any

import pytest
from msgspec.structs import replace

from wf_core.model.phases import Phase
from wf_core.model.schedule import (
    MAX_RUNS,
    ConcurrencyPolicy,
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    ScheduledRun,
    WorkflowTemplate,
)
from wf_core.model.spec import Metadata
from wf_core.schedules.decision import (
    INVALID,
    MISSED,
    SKIPPED,
    SUSPENDED,
    WAITING,
    Decision,
    RunState,
    decide,
    without,
)
from wf_core.testing.store_values import workflow

NOON = 1_799_928_000.0
"""2027-01-14T12:00:00Z, a slot of every schedule here."""
MINUTE = 60.0
RUNNING = RunState(Phase.RUNNING, cancellable=True)


def cron(**spec: Any) -> CronWorkflow:
    """A schedule of every minute."""
    spec = {"schedule": "* * * * *", **spec}
    template = WorkflowTemplate(workflow().spec)
    return CronWorkflow(
        Metadata("tick", uid="uid-1"), CronWorkflowSpec(workflow_template=template, **spec)
    )


def run(slot: float = NOON, **more: Any) -> ScheduledRun:
    return ScheduledRun(f"tick-{int(slot) // 60}", slot, **more)


def after(slot: float = NOON, **more: Any) -> CronStatus:
    """A status in which everything up to `slot` is decided."""
    return CronStatus(revision=7, timetable="* * * * * UTC", decided_time=slot, **more)


def turn(
    schedule: CronWorkflow, status: CronStatus, now: float, fault: str = "", **states: RunState
) -> Decision:
    runs = {f"tick-{name[1:]}": state for name, state in states.items()}
    return decide(schedule, NOON - 30, status, runs, now, fault)


def named(state: RunState, slot: float = NOON) -> dict[str, Any]:
    return {f"_{int(slot) // 60}": state}


# --- what is due ---


def test_nothing_is_due_before_the_first_slot() -> None:
    decision = turn(cron(), CronStatus(), NOON - 1)
    assert decision.start is None
    assert decision.wake_at == decision.status.next_schedule_time == NOON
    assert decision.status.decided_time == NOON - 30


def test_a_slot_that_has_come_is_started_once() -> None:
    decision = turn(cron(), CronStatus(), NOON + 0.2)
    assert decision.start == NOON
    assert decision.status.active == (run(),)
    assert decision.status.last_schedule_time == NOON
    again = turn(cron(), decision.status, NOON + 30, **named(RUNNING))
    assert again.start is None
    assert again.wake_at == NOON + MINUTE


def test_what_is_decided_is_decided_whatever_the_clock_says_later() -> None:
    decision = turn(cron(), after(), NOON - 3600)
    assert decision.start is None
    assert decision.wake_at == NOON + MINUTE


def test_a_turn_in_which_nothing_changes_saves_nothing() -> None:
    decision = turn(cron(), CronStatus(), NOON + 0.2)
    running = turn(cron(), decision.status, NOON + 1, **named(RUNNING))
    assert turn(cron(), running.status, NOON + 2, **named(RUNNING)).status == running.status


# --- what was missed ---


def test_of_several_that_were_missed_the_latest_is_started_and_the_others_are_counted() -> None:
    decision = turn(cron(), after(), NOON + 5 * MINUTE + 10)
    assert decision.start == NOON + 5 * MINUTE
    assert decision.status.missed == 4
    assert (decision.status.reason, "4 slots before it" in decision.status.message) == (
        MISSED,
        True,
    )


def test_more_than_a_hundred_are_not_counted_one_by_one() -> None:
    decision = turn(cron(), after(), NOON + 24 * 3600)
    assert decision.start == NOON + 24 * 3600
    assert "at least 99 slots before it" in decision.status.message


def test_one_later_than_its_deadline_is_missed() -> None:
    schedule = cron(schedule="0 12 * * *", starting_deadline_seconds=100)
    status = CronStatus(timetable="0 12 * * * UTC", decided_time=NOON - 3600)
    assert turn(schedule, status, NOON + 100).start == NOON
    decision = turn(schedule, status, NOON + 101)
    assert decision.start is None
    assert (decision.status.reason, decision.status.missed) == (MISSED, 1)
    assert decision.status.decided_time == NOON
    assert decision.status.last_schedule_time is None


# --- a scheduler was killed after it had made a run, before it saved that ---


def adopting(
    schedule: CronWorkflow, status: CronStatus, now: float, *unsaved: float, **states: RunState
) -> Decision:
    runs = {f"tick-{name[1:]}": state for name, state in states.items()}
    found = [run(slot) for slot in unsaved]
    return decide(schedule, NOON - 30, status, runs, now, "", found)


@pytest.mark.parametrize("status", [CronStatus(), after(NOON - MINUTE)])
def test_a_run_that_was_made_and_not_saved_is_taken_note_of_and_not_missed(
    status: CronStatus,
) -> None:
    decision = adopting(cron(), status, NOON + MINUTE, NOON, **named(RUNNING))
    assert decision.start == NOON + MINUTE
    assert decision.status.active == (run(), run(NOON + MINUTE))
    assert (decision.status.missed, decision.status.skipped) == (0, 0)


def test_it_is_not_made_again_where_no_later_slot_has_come() -> None:
    decision = adopting(cron(), after(NOON - MINUTE), NOON + 1, NOON, **named(RUNNING))
    assert (decision.start, decision.status.active) == (None, (run(),))
    assert decision.status.decided_time == decision.status.last_schedule_time == NOON


def test_slots_missed_before_it_and_after_it_are_counted() -> None:
    unsaved = NOON + 2 * MINUTE
    decision = adopting(cron(), after(), NOON + 5 * MINUTE, unsaved, **named(RUNNING, unsaved))
    assert decision.status.missed == 3  # the first, the third and the fourth
    assert decision.start == NOON + 5 * MINUTE


def test_each_of_several_that_nobody_took_note_of_is_known() -> None:
    states = {**named(RUNNING), **named(RunState(Phase.SUCCESS, NOON + 70), NOON + MINUTE)}
    decision = adopting(cron(), after(NOON - MINUTE), NOON + 90, NOON + MINUTE, NOON, **states)
    assert decision.start is None
    assert decision.status.active == (run(),)
    assert [each.scheduled_time for each in decision.status.finished] == [NOON + MINUTE]
    assert decision.status.missed == 0


def test_forbid_and_replace_see_a_run_that_nobody_took_note_of() -> None:
    forbid = cron(concurrency_policy=ConcurrencyPolicy.FORBID)
    decision = adopting(forbid, after(NOON - MINUTE), NOON + MINUTE, NOON, **named(RUNNING))
    assert (decision.start, decision.status.reason) == (None, SKIPPED)
    instead = cron(concurrency_policy=ConcurrencyPolicy.REPLACE)
    decision = adopting(instead, after(NOON - MINUTE), NOON + MINUTE, NOON, **named(RUNNING))
    assert (decision.start, decision.cancel) == (None, (run().name,))
    assert decision.status.waiting_time == NOON + MINUTE


def test_a_slot_that_waited_and_was_made_waits_no_longer() -> None:
    instead = cron(concurrency_policy=ConcurrencyPolicy.REPLACE)
    status = after(NOON, waiting_time=NOON, reason=WAITING, message="waits")
    decision = adopting(instead, status, NOON + 10, NOON, **named(RUNNING))
    assert (decision.start, decision.cancel, decision.status.waiting_time) == (None, (), None)
    assert (decision.status.active, decision.status.skipped) == ((run(),), 0)


def test_a_slot_that_waited_and_was_passed_by_one_that_was_made_is_skipped() -> None:
    instead = cron(concurrency_policy=ConcurrencyPolicy.REPLACE)
    status = after(NOON, waiting_time=NOON)
    decision = adopting(instead, status, NOON + 70, NOON + MINUTE, **named(RUNNING, NOON + MINUTE))
    assert (decision.status.skipped, decision.status.waiting_time) == (1, None)


@pytest.mark.parametrize(
    "spec", [{"suspend": True}, {"schedule": "nonsense"}, {"schedule": "5 3 * * *"}]
)
def test_a_schedule_that_starts_nothing_takes_note_of_it_and_never_makes_it_again(
    spec: dict[str, Any],
) -> None:
    decision = adopting(cron(**spec), after(NOON - MINUTE), NOON + 1, NOON, **named(RUNNING))
    assert decision.status.active == (run(),)
    assert (decision.status.decided_time or 0) >= NOON
    gone = replace(decision.status, active=(), timetable="* * * * * UTC")
    assert turn(cron(), gone, NOON + 2).start is None


def test_one_made_in_time_is_not_too_late_when_it_is_found() -> None:
    schedule = cron(schedule="0 12 * * *", starting_deadline_seconds=10)
    status = CronStatus(timetable="0 12 * * * UTC", decided_time=NOON - 3600)
    decision = adopting(schedule, status, NOON + 500, NOON, **named(RUNNING))
    assert (decision.status.missed, decision.status.active) == (0, (run(),))


# --- from when slots count ---


def test_slots_before_its_creation_are_none_of_a_schedule() -> None:
    assert turn(cron(schedule="0 12 * * *"), CronStatus(), NOON - 10).status.missed == 0
    late = decide(cron(), NOON + 30, CronStatus(), {}, NOON + 40)
    assert late.start is None


def test_another_expression_counts_from_when_it_is_seen() -> None:
    status = after(NOON)
    decision = turn(cron(schedule="5 12 * * *"), status, NOON + 600)
    assert decision.start is None
    assert decision.status.decided_time == NOON + 600
    zoned = turn(cron(time_zone="Asia/Tokyo"), status, NOON + 600)
    assert zoned.start is None


def test_what_was_said_of_missed_slots_is_over_with_the_next_clean_start() -> None:
    missed = turn(cron(), after(), NOON + 5 * MINUTE).status
    clean = turn(cron(), missed, NOON + 6 * MINUTE, **named(RUNNING, NOON + 5 * MINUTE))
    assert (clean.status.reason, clean.status.message, clean.status.missed) == ("", "", 4)


# --- suspended, or wrong ---


def test_while_it_is_suspended_slots_pass_by_and_then_the_last_of_them_is_due() -> None:
    passing = turn(cron(suspend=True), after(), NOON + 5 * MINUTE)
    assert (passing.start, passing.wake_at) == (None, None)
    assert passing.status.reason == SUSPENDED
    assert passing.status.next_schedule_time is None
    on = turn(cron(), passing.status, NOON + 5 * MINUTE + 20)
    assert (on.start, on.status.missed) == (NOON + 5 * MINUTE, 4)
    too_late = cron(starting_deadline_seconds=10)
    assert turn(too_late, passing.status, NOON + 5 * MINUTE + 20).start is None


def test_a_schedule_that_means_nothing_starts_nothing_and_says_so() -> None:
    decision = turn(cron(schedule="soon"), after(), NOON + MINUTE)
    assert (decision.start, decision.status.reason) == (None, INVALID)
    assert "'soon' is no cron expression" in decision.status.message


def test_slots_of_a_mended_expression_count_from_when_it_is_mended() -> None:
    wrong = turn(cron(schedule="soon"), CronStatus(), NOON)
    mended = turn(cron(), wrong.status, NOON + 5 * MINUTE + 10)
    assert (mended.start, mended.wake_at) == (None, NOON + 6 * MINUTE)


def test_a_workflow_that_could_not_begin_is_not_started_until_it_can() -> None:
    decision = turn(cron(), after(), NOON + MINUTE, "no kind 'mail'")
    assert (decision.start, decision.status.message) == (None, "no kind 'mail'")
    mended = turn(cron(), decision.status, NOON + MINUTE + 30)
    assert (mended.start, mended.status.reason) == (NOON + MINUTE, "")


# --- while an earlier run is under way ---


def test_allow_starts_one_beside_it() -> None:
    status = after(active=(run(),))
    decision = turn(cron(), status, NOON + MINUTE, **named(RUNNING))
    assert decision.start == NOON + MINUTE
    assert len(decision.status.active) == 2


def test_forbid_skips_the_slot_for_good() -> None:
    forbid = cron(concurrency_policy=ConcurrencyPolicy.FORBID)
    status = after(active=(run(),))
    decision = turn(forbid, status, NOON + MINUTE, **named(RUNNING))
    assert (decision.start, decision.status.reason) == (None, SKIPPED)
    assert decision.status.skipped == 1
    assert run().name in decision.status.message
    done = RunState(Phase.SUCCESS, NOON + MINUTE + 5)
    ended = turn(forbid, decision.status, NOON + MINUTE + 6, **named(done))
    assert ended.start is None
    assert turn(forbid, ended.status, NOON + 2 * MINUTE, **named(done)).start == NOON + 2 * MINUTE


REPLACE = cron(concurrency_policy=ConcurrencyPolicy.REPLACE)


def test_replace_cancels_waits_for_the_undo_and_then_starts() -> None:
    asked = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(RUNNING))
    assert (asked.start, asked.cancel) == (None, (run().name,))
    assert (asked.status.reason, asked.status.waiting_time) == (WAITING, NOON + MINUTE)
    undoing = RunState(Phase.ROLLING_BACK)
    waits = turn(REPLACE, asked.status, NOON + MINUTE + 10, **named(undoing))
    assert (waits.start, waits.cancel) == (None, ())
    undone = RunState(Phase.ROLL_BACKED, NOON + MINUTE + 20)
    decision = turn(REPLACE, waits.status, NOON + MINUTE + 21, **named(undone))
    assert decision.start == NOON + MINUTE
    assert decision.status.waiting_time is None


def test_what_is_past_its_pivot_is_not_cancelled_but_waited_for() -> None:
    committed = RunState(Phase.RUNNING, cancellable=False)
    waits = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(committed))
    assert (waits.start, waits.cancel) == (None, ())
    done = RunState(Phase.SUCCESS, NOON + 90)
    assert turn(REPLACE, waits.status, NOON + 91, **named(done)).start == NOON + MINUTE


def test_a_cancel_is_asked_for_once() -> None:
    asked = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(RUNNING))
    again = turn(REPLACE, asked.status, NOON + MINUTE + 1, **named(RUNNING))
    assert (asked.cancel, again.cancel) == ((run().name,), ())
    newer = turn(REPLACE, asked.status, NOON + 2 * MINUTE, **named(RUNNING))
    assert newer.cancel == ()


def test_an_undo_that_is_stuck_holds_up_its_replacement_until_a_person_settles_it() -> None:
    waits = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(RUNNING))
    stuck = RunState(Phase.FAILED, NOON + 70, owes=True)
    held = turn(REPLACE, waits.status, NOON + 80, **named(stuck))
    assert (held.start, held.status.active[0].phase) == (None, Phase.FAILED)
    assert f"wf explain {run().name}" in held.status.message
    settled = RunState(Phase.FAILED, NOON + 70, owes=False)
    assert turn(REPLACE, held.status, NOON + 90, **named(settled)).start == NOON + MINUTE


def test_one_that_failed_by_itself_before_is_no_run_under_way() -> None:
    stuck = RunState(Phase.FAILED, NOON + 10, owes=True)
    decision = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(stuck))
    assert decision.start == NOON + MINUTE


def test_a_newer_slot_takes_the_place_of_the_one_that_waits() -> None:
    waits = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(RUNNING))
    undoing = RunState(Phase.ROLLING_BACK)
    newer = turn(REPLACE, waits.status, NOON + 2 * MINUTE, **named(undoing))
    assert newer.status.waiting_time == NOON + 2 * MINUTE
    assert newer.status.skipped == 1
    undone = RunState(Phase.ROLL_BACKED, NOON + 130)
    assert turn(REPLACE, newer.status, NOON + 131, **named(undone)).start == NOON + 2 * MINUTE


def test_a_slot_that_waits_longer_than_its_deadline_is_missed() -> None:
    hourly = cron(
        schedule="0 * * * *",
        concurrency_policy=ConcurrencyPolicy.REPLACE,
        starting_deadline_seconds=100,
    )
    status = replace(after(NOON - 3600), timetable="0 * * * * UTC", active=(run(NOON - 3600),))
    undoing = named(RunState(Phase.ROLLING_BACK), NOON - 3600)
    waits = turn(hourly, status, NOON, **undoing)
    assert waits.wake_at == NOON + 101
    missed = turn(hourly, waits.status, NOON + 101, **undoing)
    assert (missed.status.waiting_time, missed.status.missed) == (None, 1)


def test_a_run_that_somebody_removed_holds_up_nothing() -> None:
    waits = turn(REPLACE, after(active=(run(),)), NOON + MINUTE, **named(RUNNING))
    decision = turn(REPLACE, waits.status, NOON + 80)
    assert (decision.start, decision.status.active) == (NOON + MINUTE, (run(NOON + MINUTE),))


def test_so_many_runs_are_under_way_and_no_more() -> None:
    many = tuple(run(NOON - MINUTE * n) for n in range(MAX_RUNS))
    states = {each.name: RUNNING for each in many}
    decision = decide(cron(), 0.0, after(active=many), states, NOON + MINUTE)
    assert (decision.start, decision.status.reason) == (None, SKIPPED)


# --- what is kept ---


def ended(phase: Phase, count: int) -> tuple[tuple[ScheduledRun, ...], dict[str, RunState]]:
    """So many runs that ended like that, the oldest first, and how they stand."""
    runs = tuple(
        run(NOON - MINUTE * n, phase=phase, finished_time=NOON - MINUTE * n)
        for n in range(count, 0, -1)
    )
    return runs, {each.name: RunState(phase, each.finished_time) for each in runs}


@pytest.mark.parametrize(
    ("phase", "kept"), [(Phase.SUCCESS, 3), (Phase.ROLL_BACKED, 1), (Phase.FAILED, 1)]
)
def test_of_each_outcome_the_latest_are_kept(phase: Phase, kept: int) -> None:
    finished, states = ended(phase, 6)
    decision = decide(cron(), 0.0, after(finished=finished), states, NOON + 1)
    assert decision.remove == tuple(each.name for each in finished[: 6 - kept])
    left = without(decision.status, decision.remove)
    assert left.finished == finished[6 - kept :]


def test_none_is_kept_where_the_limit_is_nothing_but_first_it_is_saved_that_it_ended() -> None:
    """Else nobody would know after a crash how it came out."""
    nothing = cron(successful_runs_history_limit=0)
    done = named(RunState(Phase.SUCCESS, NOON + 5))
    first = turn(nothing, after(active=(run(),)), NOON + 6, **done)
    assert first.remove == ()
    assert first.status.last_successful_time == NOON + 5
    assert turn(nothing, first.status, NOON + 7, **done).remove == (run().name,)


@pytest.mark.parametrize("why", [{"owes": True}, {"settled": False}])
def test_what_is_not_undone_or_not_reported_is_not_forgotten(why: dict[str, bool]) -> None:
    nothing = cron(failed_runs_history_limit=0)
    finished, _ = ended(Phase.FAILED, 1)
    state = RunState(Phase.FAILED, NOON - MINUTE, **why)
    states = {finished[0].name: state}
    decision = decide(nothing, 0.0, after(finished=finished), states, NOON + 1)
    assert decision.remove == ()


def test_one_that_a_person_has_undone_later_is_under_way_again() -> None:
    finished, _ = ended(Phase.SUCCESS, 1)
    states = {finished[0].name: RunState(Phase.ROLLING_BACK)}
    decision = decide(cron(), 0.0, after(finished=finished), states, NOON + 1)
    assert [each.name for each in decision.status.active] == [finished[0].name]
