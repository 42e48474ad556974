"""The kind `random`: sleeps, fails by chance, and does both again in the same way where seeded."""

import threading
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.random.random_calls import Saved, Sleeper, call_for

from wf_core.kinds import Answer, InProgress, Previous, Retryable, StepCall, Success
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_random.kind import Random
from wf_random.parameters import RandomParameters
from wf_random.plugin import wf_step_kinds

KIND = Random()


def resource_of(answer: Answer) -> Resource:
    """The resource of an answer that has one."""
    assert answer is not None
    assert answer.resource is not None
    return answer.resource


def fails(hook: Callable[[StepCall], Answer], call: StepCall) -> bool:
    """Whether the hook raises `Retryable`."""
    try:
        hook(call)
    except Retryable:
        return True
    return False


def test_the_plugin_brings_the_kind_random() -> None:
    assert [type(kind) for kind in wf_step_kinds()] == [Random]


def test_a_run_sleeps_and_is_ready_with_its_attributes() -> None:
    sleeper = Sleeper()
    answer = KIND.run(call_for(sleep_seconds=20.0, cancelled=sleeper, attributes={"ip": "a"}))
    assert sleeper.waits == [20.0]
    assert isinstance(answer, Success)
    assert answer.attributes == {"ip": "a"}
    assert resource_of(answer).status == "ready"


def test_an_undo_sleeps_and_leaves_the_attributes_alone() -> None:
    sleeper = Sleeper()
    answer = KIND.rollback(
        call_for(Hook.ROLLBACK, sleep_seconds=2.0, cancelled=sleeper, attributes={"ip": "a"})
    )
    assert sleeper.waits == [2.0]
    assert isinstance(answer, Success)
    assert answer.attributes is None
    assert resource_of(answer).status == "gone"


@pytest.mark.parametrize("hook", [Hook.RUN, Hook.ROLLBACK])
def test_b7_a_sleep_ends_when_asked_to_stop(hook: Hook) -> None:
    act = KIND.run if hook is Hook.RUN else KIND.rollback
    with pytest.raises(Retryable, match=r"^stopped$"):
        act(call_for(hook, cancelled=Sleeper(asked_to_stop=True)))


def test_b7_a_thread_that_sleeps_is_woken_at_once() -> None:
    cancelled = threading.Event()
    threading.Timer(0.05, cancelled.set).start()
    call = attrs.evolve(call_for(sleep_seconds=1e6), cancelled=cancelled)
    with pytest.raises(Retryable, match="stopped"):
        KIND.run(call)


def test_b3_the_id_follows_from_the_key_and_is_the_same_for_run_and_undo() -> None:
    made = resource_of(KIND.run(call_for())).id
    assert made == resource_of(KIND.run(call_for(attempt=3))).id
    assert made == resource_of(KIND.rollback(call_for(Hook.ROLLBACK))).id
    assert made != resource_of(KIND.run(call_for(step="step2"))).id
    assert made != resource_of(KIND.run(call_for(uid="u2"))).id


def test_rates_of_one_and_zero_are_certain_and_separate() -> None:
    always: dict[str, Any] = {"failure_rate": 1.0, "rollback_failure_rate": 0.0}
    assert all(fails(KIND.run, call_for(**always)) for _ in range(20))
    assert not any(fails(KIND.rollback, call_for(Hook.ROLLBACK, **always)) for _ in range(20))
    undo: dict[str, Any] = {"failure_rate": 0.0, "rollback_failure_rate": 1.0}
    assert not any(fails(KIND.run, call_for(**undo)) for _ in range(20))
    assert all(fails(KIND.rollback, call_for(Hook.ROLLBACK, **undo)) for _ in range(20))


def test_a_failure_names_its_cause() -> None:
    with pytest.raises(Retryable, match=r"attempt 4 fails by chance: failureRate is 1$"):
        KIND.run(call_for(attempt=4, failure_rate=1.0))
    with pytest.raises(Retryable, match=r"attempt 1 fails, as the first 2 are told to$"):
        KIND.run(call_for(fail_attempts=2))


def test_the_first_attempts_of_the_run_fail_as_told() -> None:
    outcomes = [fails(KIND.run, call_for(attempt=n, fail_attempts=2)) for n in range(1, 5)]
    assert outcomes == [True, True, False, False]
    assert not fails(KIND.rollback, call_for(Hook.ROLLBACK, fail_attempts=2))


@settings(max_examples=50)
@given(st.integers(), st.integers(1, 50), st.text(min_size=1, max_size=8))
def test_a_seed_decides_for_every_workflow_alike(seed: int, attempt: int, step: str) -> None:
    given: dict[str, Any] = {"seed": seed, "attempt": attempt, "step": step, "failure_rate": 0.5}
    first, again = (fails(KIND.run, call_for(uid=uid, **given)) for uid in ("u1", "u2"))
    assert first == again


def test_a_seed_tells_steps_attempts_and_hooks_apart_and_keeps_to_the_rate() -> None:
    def outcomes(seed: int, hook: Hook, step: str) -> list[bool]:
        act = KIND.run if hook is Hook.RUN else KIND.rollback
        rates: dict[str, Any] = {"failure_rate": 0.3, "rollback_failure_rate": 0.3}
        return [
            fails(act, call_for(hook, seed=seed, step=step, attempt=n, **rates))
            for n in range(1, 401)
        ]

    rows = [
        outcomes(seed, hook, step)
        for seed in (1, 2)
        for hook in (Hook.RUN, Hook.ROLLBACK)
        for step in ("a", "b")
    ]
    assert len({tuple(row) for row in rows}) == len(rows)
    assert all(80 <= sum(row) <= 160 for row in rows)


def test_a_seeded_outcome_never_changes_between_versions() -> None:
    outcomes = [
        fails(KIND.run, call_for(seed=7, attempt=n, failure_rate=0.5)) for n in range(1, 11)
    ]
    assert outcomes == [False, True, False, True, True, False, False, True, False, False]


def test_b1_async_holds_no_thread_and_is_looked_at_until_due() -> None:
    sleeper, saved = Sleeper(), Saved()
    before = time.time()
    answer = KIND.run(call_for(async_=True, sleep_seconds=50.0, cancelled=sleeper, saved=saved))
    after = time.time()
    assert isinstance(answer, InProgress)
    assert sleeper.waits == []
    resource = resource_of(answer)
    assert resource.status == "working"
    assert before + 50 <= resource.attributes["dueAt"] <= after + 50
    assert answer.poll_after is not None
    assert 0 < answer.poll_after <= 50
    assert saved == [(resource, None)]


def look(due_in: float, purpose: Purpose = Purpose.RUN, **parameters: Any) -> Answer:
    """A look at what is due in so many seconds."""
    resource = Resource(status="x", id="random-1", attributes={"dueAt": time.time() + due_in})
    previous = Previous(Ended.IN_PROGRESS, resource)
    return KIND.sync(
        call_for(Hook.SYNC, purpose=purpose, async_=True, previous=previous, **parameters)
    )


def test_b1_a_look_before_the_time_says_how_long_it_takes() -> None:
    answer = look(40.0, failure_rate=1.0)
    assert isinstance(answer, InProgress)
    assert answer.poll_after is not None
    assert 30 < answer.poll_after <= 40


def test_b1_a_look_after_the_time_ends_the_attempt() -> None:
    run, undo = look(-1.0, attributes={"ip": "a"}), look(-1.0, Purpose.ROLLBACK)
    assert run == Success(Resource(status="ready", id="random-1"), {"ip": "a"})
    assert undo == Success(Resource(status="gone", id="random-1"), None)


def test_b1_a_look_after_the_time_fails_as_the_attempt_would_have() -> None:
    with pytest.raises(Retryable, match="failureRate"):
        look(-1.0, failure_rate=1.0)
    with pytest.raises(Retryable, match="rollbackFailureRate"):
        look(-1.0, Purpose.ROLLBACK, rollback_failure_rate=1.0)
    direct = [fails(KIND.run, call_for(seed=3, attempt=n, failure_rate=0.5)) for n in range(30)]
    looked = [
        fails(lambda _, n=n: look(-1.0, seed=3, attempt=n, failure_rate=0.5), call_for())  # type: ignore[misc]
        for n in range(30)
    ]
    assert direct == looked


def test_b1_a_look_at_nothing_fails_the_attempt() -> None:
    with pytest.raises(Retryable, match="nothing is in progress"):
        KIND.sync(call_for(Hook.SYNC, purpose=Purpose.RUN))


@pytest.mark.parametrize("outcome", [Ended.UNKNOWN, Ended.IN_PROGRESS])
def test_b2_an_interrupted_attempt_goes_on_with_its_own_time(outcome: Ended) -> None:
    saved = Saved()
    due_at = time.time() + 3600
    left = Resource(status="working", id="random-1", attributes={"dueAt": due_at})
    answer = KIND.run(
        call_for(async_=True, sleep_seconds=50.0, previous=Previous(outcome, left), saved=saved)
    )
    assert resource_of(answer).attributes["dueAt"] == due_at
    assert saved == []


@pytest.mark.parametrize(
    ("hook", "outcome", "status"),
    [
        (Hook.RUN, Ended.FAILED, "working"),
        (Hook.RUN, Ended.TIMED_OUT, "working"),
        (Hook.ROLLBACK, Ended.UNKNOWN, "working"),
        (Hook.ROLLBACK, Ended.SUCCEEDED, "ready"),
    ],
)
def test_b2_a_new_attempt_and_an_undo_take_their_own_time(
    hook: Hook, outcome: Ended, status: str
) -> None:
    before = time.time()
    left = Resource(status=status, id="random-1", attributes={"dueAt": before - 5})
    call = call_for(hook, async_=True, sleep_seconds=50.0, previous=Previous(outcome, left))
    answer = (KIND.run if hook is Hook.RUN else KIND.rollback)(call)
    assert resource_of(answer).attributes["dueAt"] >= before + 50


def test_a_finished_step_stays_as_it_is() -> None:
    assert KIND.sync(call_for(Hook.SYNC, failure_rate=1.0)) is None


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"sleep_seconds": -1.0}, "sleepSeconds: give seconds from 0 to 1e+09, not -1"),
        ({"sleep_seconds": 1e300}, "sleepSeconds: give seconds from 0 to 1e+09, not 1e+300"),
        ({"sleep_seconds": float("nan")}, "sleepSeconds: give seconds"),
        ({"sleep_seconds": float("inf")}, "sleepSeconds: give seconds"),
        ({"failure_rate": 1.5}, "failureRate: give a share from 0 to 1, not 1.5"),
        ({"failure_rate": float("nan")}, "failureRate: give a share"),
        ({"rollback_failure_rate": -0.5}, "rollbackFailureRate: give a share"),
        ({"fail_attempts": -2}, "failAttempts: give 0 or more, not -2"),
    ],
)
def test_each_fault_names_its_key(parameters: dict[str, Any], start: str) -> None:
    (fault,) = KIND.faults(RandomParameters(**parameters), undoable=True)
    assert fault.startswith(start)


def test_defaults_have_no_fault_and_sleep_a_second() -> None:
    assert list(KIND.faults(RandomParameters(), undoable=True)) == []
    assert RandomParameters().sleep_seconds == 1.0


def test_every_parameter_is_described() -> None:
    fields = RandomParameters.__attrs_attrs__
    assert [field.name for field in fields if not field.metadata.get("description")] == []
