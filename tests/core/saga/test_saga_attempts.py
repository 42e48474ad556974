"""Attempts: looks, retries, interruptions, time limits (semantics B1 to B8, C7; I11)."""

# A turn changes what was asserted before, which mypy does not see.
# mypy: disable-error-code="unreachable,comparison-overlap"

from itertools import pairwise
from typing import Any

import pytest

from wf_core.kinds import Success
from wf_core.model.outcomes import Progressing, Succeeded
from wf_core.model.phases import Ended, Hook, Phase, RequestType
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.plugins.answers import outcome_of
from wf_core.saga.events import Checkpointed
from wf_core.testing.saga_driver import (
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


# B1: in progress


def test_b1_in_progress_is_polled_from_ten_seconds_backing_off_to_sixty() -> None:
    saga = one()
    saga.outcomes["a", Hook.RUN] = [going()]
    saga.outcomes["a", Hook.SYNC] = [*[going()] * 8, done()]
    saga.go()
    times = [c.at for c in saga.calls]
    gaps = [round(b - a, 2) for a, b in pairwise(times)]
    assert gaps == [10, 15, 22.5, 33.75, 50.62, 60, 60, 60, 60]


@pytest.mark.parametrize(("period", "after", "gap"), [(7.0, None, 7.0), (7.0, 3.0, 3.0)])
def test_b1_a_poll_period_of_its_own_wins(period: float, after: float, gap: float) -> None:
    saga = one(sync_period_seconds=period)
    saga.report("a", going(after))
    assert saga.saga.next_wake == saga.now + gap


def test_b1_looks_that_bring_nothing_new_are_not_saved() -> None:
    saga = one()
    saga.report("a", going())
    saves = saga.saves
    saga.wait(10)
    saga.report("a", going())
    assert saga.saves == saves


def test_b1_could_not_look_is_no_failure_of_the_attempt() -> None:
    saga = one()
    saga.report("a", going(1.0))
    saga.wait(1)
    saga.report("a", blind())
    assert saga.state("a").in_progress
    assert saga.state("a").run_retry_count == 0
    saga.wait(60)
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_b1_a_throttled_look_is_repeated_after_its_time() -> None:
    saga = one()
    saga.report("a", going(1.0))
    saga.wait(1)
    saga.report("a", throttled(0.2))
    assert saga.state("a").in_progress
    assert saga.saga.next_wake == saga.now + 1


def test_b1_a_failure_of_a_look_is_a_failure_of_the_attempt() -> None:
    saga = one()
    saga.report("a", going(1.0))
    saga.wait(1)
    saga.report("a", retryable("it broke"))
    assert saga.state("a").run_retry_count == 1
    assert not saga.state("a").in_progress


def test_b1_a_run_cannot_say_that_it_could_not_look() -> None:
    saga = one()
    saga.report("a", blind())
    assert saga.state("a").run_retry_count == 1


def test_b1_in_progress_needs_a_sync() -> None:
    saga = one(kind="blind")
    saga.report("a", going(status="made"))
    assert "no sync" in (saga.state("a").run_error or "")
    assert saga.state("a").previous is Ended.IN_PROGRESS
    saga.report("a", going())
    assert saga.phase is Phase.FAILED


def test_b1_an_undo_may_be_in_progress() -> None:
    saga = undoing()
    saga.report("a", going(2.0))
    saga.crash()
    call = saga.flying["a"]
    assert (call.hook, call.purpose) == (Hook.SYNC, "Rollback")
    saga.report("a", blind())
    saga.wait(60)
    saga.report("a")
    assert saga.phase is Phase.ROLL_BACKED


# B2, B3: what an attempt finds; interruptions


def test_b2_previous_says_how_the_last_attempt_ended() -> None:
    saga = one()
    assert saga.state("a").previous is Ended.NONE
    saga.report("a", retryable())
    assert saga.state("a").previous is Ended.FAILED
    saga.wait(70)
    saga.crash()
    assert saga.state("a").previous is Ended.UNKNOWN


def test_b3_an_interrupted_attempt_is_called_again_under_its_number() -> None:
    saga = one()
    saga.crash()
    assert saga.flying["a"].attempt == 1
    assert saga.state("a").interruptions == 1
    assert saga.saved.steps[0].interruptions == 1
    saga.report("a", retryable())
    assert saga.state("a").interruptions == 0


def test_b3_five_interruptions_in_a_row_count_as_a_failure() -> None:
    saga = one(run_retry_limit=1)
    for _ in range(5):
        saga.crash()
    assert saga.state("a").run_retry_count == 0
    saga.crash()
    assert saga.state("a").run_retry_count == 1
    assert saga.state("a").next_attempt_at is not None
    saga.wait(70)
    for _ in range(6):
        saga.crash()
    assert saga.phase is Phase.ROLLING_BACK


def test_b3_five_interruptions_of_an_undo_count_too() -> None:
    saga = undoing(rollback_retry_limit=0)
    for _ in range(6):
        saga.crash()
    assert saga.phase is Phase.FAILED
    assert "interrupted 6 times in a row" in (saga.state("a").rollback_error or "")


def test_b3_a_kind_that_cannot_be_called_again_is_undone() -> None:
    saga = one(kind="once")
    saga.crash()
    assert saga.state("a").previous is Ended.UNKNOWN
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_b3_a_retry_of_such_a_kind_that_was_only_planned_is_called() -> None:
    saga = one(kind="once")
    saga.report("a", retryable())
    saga.crash(after=1000)
    assert saga.flying["a"].attempt == 2
    saga.crash()
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_fault12_a_crash_after_the_intent_loses_nothing() -> None:
    saga = one()
    assert saga.saved.steps[0].attempt == 1
    saga.crash()
    saga.report("a")
    assert saga.phase is Phase.SUCCESS


def test_b2_a_crash_while_turning_back_tells_ended_from_unknown() -> None:
    steps = (step("a"), step("b"), step("c"), step("d"))
    saga = Drive(workflow(*steps))
    saga.report("b", retryable())
    saga.report("c", going())
    saga.permits.limits = saga._limits = {"plain": 0}
    saga.report("d", fatal())
    saga.crash()
    assert saga.state("a").previous is Ended.UNKNOWN
    assert saga.state("b").previous is Ended.FAILED
    assert saga.state("b").attempt == 1
    assert saga.state("c").previous is Ended.IN_PROGRESS
    assert len(saga.state("b").attempts) == 1


def test_b2_in_progress_when_the_run_is_dropped_by_a_crash() -> None:
    saga = Drive(workflow(step("a"), step("b")))
    saga.report("a", going(1.0))
    saga.wait(1)
    saga.report("b", fatal())
    assert saga.stops == ["a"]
    saga.crash()
    assert saga.state("a").previous is Ended.IN_PROGRESS


# B4: checkpoints


def checkpoint(saga: Drive, resource: Resource | None, **attributes: Any) -> None:
    call = saga.flying["a"]
    saga.turn(Checkpointed(call.step, call.call, resource, attributes or None))


def test_b4_a_checkpoint_is_saved_even_where_nothing_is_new() -> None:
    saga = one()
    checkpoint(saga, Resource(id="7"))
    assert saga.saved.steps[0].resource == Resource(id="7")
    saves = saga.saves
    checkpoint(saga, Resource(id="7"))
    assert saga.saves == saves + 1
    saga.crash()
    assert saga.state("a").resource == Resource(id="7")


def test_b4_a_checkpoint_of_a_call_that_is_gone_is_dropped() -> None:
    saga = one()
    call = saga.flying["a"]
    saga.report("a")
    saga.turn(Checkpointed(call.step, call.call, Resource(id="8"), None))
    assert saga.state("a").resource is None


def test_c7_a_checkpoint_that_is_too_large_fails_the_attempt() -> None:
    saga = one()
    checkpoint(saga, Resource(id="7"), x="y" * 40_000)
    saga.report("a")
    assert (saga.state("a").run_error or "").startswith("ResultTooLarge")
    assert saga.state("a").resource == Resource(id="7")
    assert saga.flying["a"].hook is Hook.ROLLBACK


# B6: errors


def test_b6_a_limit_counts_retries_after_the_first_attempt() -> None:
    saga = one(run_retry_limit=2, run_retry_period_seconds=1.0)
    saga.outcomes["a", Hook.RUN] = [retryable()]
    saga.go()
    assert saga.called(Hook.RUN) == ["a"] * 3
    assert saga.state("a").run_retry_count == 3


def test_fault14_a_limit_of_zero_is_none_and_of_minus_one_no_limit() -> None:
    saga = one(run_retry_limit=0)
    saga.report("a", retryable())
    assert saga.phase is Phase.ROLLING_BACK
    saga = one(run_retry_limit=-1, run_retry_period_seconds=1.0)
    for _ in range(50):
        saga.report("a", retryable())
        saga.wait(2)
    assert saga.phase is Phase.RUNNING


def test_fault10_a_used_up_limit_waits_for_nothing() -> None:
    saga = one(run_retry_limit=0, rollback_retry_limit=0)
    saga.report("a", retryable())
    saga.report("a", retryable())
    assert saga.phase is Phase.FAILED
    assert saga.saga.next_wake is None


def test_b6_throttled_is_retried_after_a_second_and_not_counted() -> None:
    saga = one(run_retry_limit=0)
    for after in (0.0, 3.0):
        saga.report("a", throttled(after))
        assert saga.saga.next_wake == saga.now + max(after, 1.0)
        saga.wait(max(after, 1.0))
    assert saga.state("a").attempt == 3
    assert saga.state("a").run_retry_count == 0
    assert saga.state("a").run_error == "busy"


def test_b6_an_undo_is_retried_by_its_own_limits() -> None:
    saga = undoing(rollback_retry_limit=1, rollback_retry_period_seconds=5.0)
    saga.report("a", throttled())
    saga.wait(2)
    saga.report("a", retryable("once"))
    assert saga.state("a").rollback_error == "once"
    saga.wait(6)
    saga.report("a", retryable("twice"))
    assert saga.phase is Phase.FAILED
    assert saga.state("a").rollback_attempt == 3


def test_b6_the_next_attempt_is_saved_and_never_recomputed() -> None:
    saga = one()
    saga.report("a", retryable())
    at = saga.saved.steps[0].next_attempt_at
    assert at is not None
    assert saga.now + 60 <= at <= saga.now + 66
    for _ in range(3):
        saga.crash(after=1.0)
    assert saga.saga.next_wake == at
    saga.wait(70)
    assert saga.calls[-1].at == at


def test_b6_the_factor_lengthens_the_wait_up_to_a_maximum() -> None:
    saga = one(
        run_retry_limit=-1, run_retry_period_seconds=10.0, factor=2.0, max_period_seconds=35.0
    )
    waits = []
    for _ in range(4):
        saga.report("a", retryable())
        at = saga.state("a").next_attempt_at
        assert at is not None
        waits.append(round((at - saga.now) / 1.1, 0))
        saga.wait(at - saga.now)
    assert all(w <= limit for w, limit in zip(waits, (10, 20, 35, 35), strict=True))
    assert waits[1] > waits[0]
    assert waits[2] > waits[1]


def test_b6_parameters_that_cannot_be_decoded_are_fatal_without_a_call() -> None:
    saga = Drive(workflow(step("a"), step("b", "a", parameters={"bad": 1})))
    saga.report("a")
    assert saga.state("b").run_error == "bad: unknown key"
    saga.go()
    assert saga.called(name="b") == []
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.state("b").undo == "NeverRan"


def test_fault15_errors_clear_with_success() -> None:
    saga = one(run_retry_period_seconds=1.0)
    saga.report("a", retryable("oops"))
    assert saga.state("a").run_error == "oops"
    saga.wait(2)
    saga.report("a")
    assert saga.state("a").run_error is None
    saga.ask(RequestType.ROLLBACK)
    saga.report("a", retryable("oh"))
    saga.wait(70)
    saga.report("a")
    assert saga.state("a").rollback_error is None


def test_c8_the_last_five_attempts_are_kept() -> None:
    saga = one(run_retry_limit=9, run_retry_period_seconds=1.0)
    for _ in range(7):
        saga.report("a", retryable())
        saga.wait(2)
    saga.report("a")
    assert ended(saga) == [
        *[(Hook.RUN, n, Ended.FAILED) for n in (4, 5, 6, 7)],
        (Hook.RUN, 8, Ended.SUCCEEDED),
    ]


def test_c7_an_error_is_cut_to_a_kibibyte() -> None:
    saga = one()
    saga.report("a", retryable("é" * 2000))
    error = saga.state("a").run_error or ""
    assert len(error.encode()) <= 1024
    assert error.endswith("...")


def test_c7_an_error_that_is_no_unicode_can_be_saved() -> None:
    saga = one()
    saga.report("a", retryable("bad \udc80 name"))
    assert saga.state("a").run_error == "bad ? name"


def test_c7_a_result_far_too_large_is_never_written_to_be_measured() -> None:
    """A text that stands in it a million times is in memory once, but a million times in JSON."""
    text = "y" * 10_000_000
    huge: dict[str, Json] = {"x": [text] * 1_000_000}
    for result in (
        Succeeded(Resource(id="7"), huge),
        Succeeded(Resource(id="7", attributes=huge), {}),
        outcome_of(Success(Resource(id="7", attributes=huge), huge)),
    ):
        saga = one()
        saga.report("a", result)
        state = saga.state("a")
        assert "more than 262144 bytes; a step may keep 32768" in (state.run_error or "")
        assert state.attributes == {}
        assert state.resource == Resource(id="7")
        assert saga.flying["a"].hook is Hook.ROLLBACK


def test_c7_a_result_that_is_too_large_keeps_the_resource_and_is_undone() -> None:
    saga = one()
    saga.report("a", Succeeded(Resource(id="7"), {"x": "y" * 40_000}))
    state = saga.state("a")
    assert (state.run_error or "").startswith("ResultTooLarge: the attributes are 40008 bytes")
    assert state.attributes == {}
    assert state.resource == Resource(id="7")
    assert saga.flying["a"].hook is Hook.ROLLBACK


def test_c7_progress_that_is_too_large_ends_the_attempt() -> None:
    saga = one()
    big = Resource(id="i" * 9000, attributes={"x": "y" * 40_000})
    saga.report("a", Progressing(1.0, big))
    state = saga.state("a")
    assert state.resource == Resource(id="i" * 1024)
    assert saga.flying["a"].hook is Hook.ROLLBACK
    saga.report("a", Progressing(1.0, big))
    assert saga.state("a").in_progress


def test_c7_a_result_that_is_no_json_fails_the_attempt() -> None:
    saga = one()
    saga.report("a", Succeeded(Resource(id="x\udc80", attributes={"x": object()}), {}))
    assert "not JSON" in (saga.state("a").run_error or "")
    assert saga.state("a").resource == Resource(id="x?")


def test_c7_all_attributes_together_are_limited() -> None:
    saga = Drive(workflow(*[step(f"s{k}") for k in range(9)]))
    for k in range(8):
        saga.report(f"s{k}", done(x="y" * 32_000))
    assert saga.phase is Phase.RUNNING
    saga.report("s8", done(x="y" * 32_000))
    assert "together" in (saga.state("s8").run_error or "")
