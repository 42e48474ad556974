"""What each run meets is decided by the seed and the run's number."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.chaos.orders import Fault
from wf_core.chaos.plan import MOST_CRASHES, UNDISTURBED, fault_of, may_be_doomed, plan_of
from wf_core.model.phases import Hook, Phase, RollbackMode
from wf_core.model.spec import DependOn, RetryPolicy, StepSpec, StepTemplate

STEPS = (StepSpec("a", StepTemplate("command")), StepSpec("b", StepTemplate("command")))


@given(st.integers(), st.integers(1, 40), st.integers(1, 90))
def test_as_many_runs_as_boundaries_crash_at_every_one_of_them(
    seed: int, boundaries: int, first: int
) -> None:
    numbers = range(first, first + boundaries)
    hit = Counter(plan_of(seed, number, boundaries, STEPS).crash_at for number in numbers)
    assert hit == Counter(range(1, boundaries + 1))


def test_the_first_round_meets_no_fault_before_its_crash_and_is_killed_right_there() -> None:
    plans = [plan_of(7, number, 30, STEPS) for number in range(1, 61)]
    assert not any(plan.faults_at_once or plan.kill_after for plan in plans[:30])
    assert all(plan.faults_at_once for plan in plans[30:])
    assert any(plan.kill_after for plan in plans[30:])


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    def plans(seed: int) -> list[object]:
        return [plan_of(seed, number, 30, STEPS) for number in range(1, 61)]

    assert plans(3) == plans(3)
    assert plans(3) != plans(4)


def test_about_half_of_the_runs_are_given_failures() -> None:
    plans = [plan_of(1, number, 30, STEPS) for number in range(1, 401)]
    assert 160 < sum(plan.faults for plan in plans) < 240
    assert not any(plan.doomed for plan in plans if not plan.faults)
    assert {plan.doomed for plan in plans} == {"", "a", "b"}


def test_later_lives_are_killed_at_times_and_never_too_often() -> None:
    plan = plan_of(1, 1, 30, STEPS)
    kills = [plan.another_crash(life, 1, 30) for life in range(2, 200)]
    assert {at == 0 for at, _ in kills} == {True, False}
    assert all(0 <= at <= 30 and 0 <= after <= 0.05 for at, after in kills)
    assert plan.another_crash(2, MOST_CRASHES, 30) == (0, 0.0)


def test_the_run_without_faults_is_never_killed() -> None:
    assert UNDISTURBED.crash_at == 0
    assert all(UNDISTURBED.another_crash(life, 1, 30) == (0, 0.0) for life in range(50))


def test_a4_nothing_fails_for_good_from_the_pivot_on() -> None:
    template = StepTemplate("command")
    steps = (
        StepSpec("last", template, (DependOn("after"),)),
        StepSpec("after", template, (DependOn("pivot"),)),
        StepSpec("before", template),
        StepSpec("pivot", template, (DependOn("before"),), pivot=True),
        StepSpec("beside", template, (DependOn("pivot", Phase.RUNNING),)),
    )
    assert may_be_doomed(steps) == ["before", "beside"]


def faults(hook: Hook, attempt: int, spec: StepSpec, doomed: str = "") -> set[Fault]:
    drawn = (fault_of(f"chance {n}", 1, hook, attempt, spec, doomed) for n in range(300))
    return {each[0] for each in drawn if each is not None}


def with_limits(run: int = 3, rollback: int = 3, timeout: float | None = None) -> StepSpec:
    policy = RetryPolicy(run_retry_limit=run, rollback_retry_limit=rollback)
    return StepSpec("a", StepTemplate("x", retry_policy=policy, timeout_seconds=timeout))


RETRYABLE = {Fault.RETRYABLE_BEFORE, Fault.RETRYABLE_AFTER}


def test_i11_an_undo_is_never_brought_to_its_limit_by_us() -> None:
    assert faults(Hook.ROLLBACK, 1, with_limits(rollback=1)) == {*RETRYABLE, Fault.LATE}
    assert faults(Hook.ROLLBACK, 1, with_limits(rollback=-1)) == {*RETRYABLE, Fault.LATE}
    assert faults(Hook.ROLLBACK, 1, with_limits(rollback=0)) == set()
    assert faults(Hook.ROLLBACK, 2, with_limits(rollback=5)) == set()


@pytest.mark.parametrize(("limit", "attempt"), [(0, 1), (1, 2), (2, 3), (9, 3), (-1, 3)])
def test_a_run_that_is_not_doomed_is_left_an_attempt_that_may_succeed(
    limit: int, attempt: int
) -> None:
    assert faults(Hook.RUN, attempt, with_limits(run=limit)) == {Fault.LATE}
    if attempt > 1:
        assert faults(Hook.RUN, attempt - 1, with_limits(run=limit)) == {*RETRYABLE, Fault.LATE}


def test_a_doomed_run_fails_for_good_before_or_after_it_acted() -> None:
    both = {Fault.FATAL_BEFORE, Fault.FATAL_AFTER}
    assert faults(Hook.RUN, 1, with_limits(), "a") == both
    assert faults(Hook.RUN, 3, with_limits(), "a") == both


def test_a_doomed_run_that_can_not_be_undone_has_not_acted() -> None:
    spec = StepSpec("a", StepTemplate("x"), rollback=RollbackMode.NONE)
    assert faults(Hook.RUN, 1, spec, "a") == {Fault.FATAL_BEFORE}


def test_nothing_is_late_where_the_step_has_less_time_than_that() -> None:
    assert faults(Hook.RUN, 1, with_limits(timeout=0.5)) == RETRYABLE
    assert Fault.LATE in faults(Hook.RUN, 1, with_limits(timeout=5.0))


def test_a_look_is_late_and_nothing_else() -> None:
    assert faults(Hook.SYNC, 1, with_limits(), "a") == {Fault.LATE}
