"""What an operator allows documents to ask for (semantics E8, E9)."""

import pytest

from wf_core.codec import ceiling_faults, floor_advice
from wf_core.config import Ceilings, ControllerConfig, Floors, QueueConfig, QueueLimits
from wf_core.model.phases import RollbackMode
from wf_core.model.spec import RetryPolicy, StepTemplate
from wf_core.testing.bench import step, workflow


def paths(
    template: StepTemplate, ceilings: Ceilings, rollback: RollbackMode = RollbackMode.REQUIRED
) -> list[str]:
    document = workflow(step("a", template=template, rollback=rollback))
    config = ControllerConfig(ceilings=ceilings)
    return [fault.path.rpartition(".")[2] for fault in ceiling_faults(document, config)]


@pytest.mark.parametrize(
    ("seconds", "wrong"), [(None, True), (60.0, False), (60.1, True), (1e9, True)]
)
def test_e9_a_time_limit_is_there_and_no_higher_than_the_ceiling(
    seconds: float | None, wrong: bool
) -> None:
    found = paths(StepTemplate("k", timeout_seconds=seconds), Ceilings(timeout=60.0))
    assert ("timeoutSeconds" in found) is wrong
    assert "rollbackTimeoutSeconds" in found


@pytest.mark.parametrize(("limit", "wrong"), [(-1, True), (0, False), (5, False), (6, True)])
def test_e9_retries_are_counted_and_no_more_than_the_ceiling(limit: int, wrong: bool) -> None:
    policy = RetryPolicy(run_retry_limit=limit, rollback_retry_limit=0)
    found = paths(StepTemplate("k", retry_policy=policy), Ceilings(retry_limit=5))
    assert found == (["runRetryLimit"] if wrong else [])


def test_e9_what_is_never_undone_needs_no_limits_of_its_undo() -> None:
    template = StepTemplate("k", timeout_seconds=1.0, retry_policy=RetryPolicy(0, 0.0, -1))
    limits = Ceilings(1.0, 5)
    assert paths(template, limits, rollback=RollbackMode.NONE) == []


def test_e9_without_ceilings_everything_goes() -> None:
    endless = RetryPolicy(run_retry_limit=-1, rollback_retry_limit=-1)
    assert paths(StepTemplate("k", retry_policy=endless), Ceilings()) == []


@pytest.mark.parametrize(
    ("namespaces", "refused"),
    [
        (None, False),
        (("default",), False),
        (("shop", "default"), False),
        (("shop",), True),
        ((), True),
    ],
)
def test_e9_a_queue_may_be_kept_for_some_namespaces(
    namespaces: tuple[str, ...] | None, refused: bool
) -> None:
    """Others would fill its places with workflows that never end."""
    queues = {"default": QueueLimits(max_running_count=3, namespaces=namespaces)}
    config = ControllerConfig(queue=QueueConfig(queues=queues))
    found = ceiling_faults(workflow(step("a")), config)
    assert [fault.path for fault in found] == (["$.spec.queue"] if refused else [])


def test_e8_what_a_floor_raises_is_told_by_step_and_key() -> None:
    quick = RetryPolicy(run_retry_period_seconds=0.0)
    document = workflow(step("a", template=StepTemplate("k", retry_policy=quick)), step("b"))
    (sentence,) = floor_advice(document, Floors(1.0))
    assert sentence.startswith("step 'a': runRetryPeriodSeconds 0 counts as 1 here")
    assert floor_advice(document, Floors()) == []


def test_e8_a_maximum_below_the_floor_is_told_too() -> None:
    low = RetryPolicy(max_period_seconds=3.0)
    document = workflow(step("a", template=StepTemplate("k", retry_policy=low)))
    (sentence,) = floor_advice(document, Floors(5.0))
    assert sentence.startswith("step 'a': maxPeriodSeconds 3 counts as 5 here")
