"""What an operator lets documents ask: floors raise it, ceilings refuse it (semantics E8, E9)."""

from collections.abc import Iterator

from wf_core.config import Ceilings, ControllerConfig, Floors
from wf_core.errors import Fault
from wf_core.model.phases import RollbackMode
from wf_core.model.spec import StepSpec, Workflow

_WHOSE = "the operator's configuration (ceilings"


def ceiling_faults(workflow: Workflow, config: ControllerConfig) -> list[Fault]:
    """What a new document asks for that the operator does not allow."""
    return [*_queue(workflow, config), *_of_steps(workflow, config.ceilings)]


def _queue(workflow: Workflow, config: ControllerConfig) -> Iterator[Fault]:
    name, namespace = workflow.spec.queue, workflow.metadata.namespace
    limits = config.queue.queues.get(name)
    if limits is None or limits.namespaces is None or namespace in limits.namespaces:
        return
    yield Fault(
        "$.spec.queue",
        f"the operator's configuration (queue.queues.{name}.namespaces) keeps the queue '{name}' "
        f"for other namespaces than '{namespace}': name another queue, or none",
    )


def _of_steps(workflow: Workflow, ceilings: Ceilings) -> list[Fault]:
    return [
        fault
        for n, step in enumerate(workflow.spec.steps)
        for fault in (
            *_timeouts(f"$.spec.steps[{n}].stepTemplate", step, ceilings.timeout),
            *_retries(f"$.spec.steps[{n}].stepTemplate.retryPolicy", step, ceilings.retry_limit),
        )
    ]


def _timeouts(path: str, step: StepSpec, most: float | None) -> Iterator[Fault]:
    if most is None:
        return
    asked = [("timeoutSeconds", step.step_template.timeout_seconds)]
    if step.rollback is not RollbackMode.NONE:
        asked.append(("rollbackTimeoutSeconds", step.step_template.rollback_timeout_seconds))
    for key, seconds in asked:
        if seconds is None or seconds > most:
            says = "is missing, which is no limit" if seconds is None else f"is {seconds:g}"
            yield Fault(
                f"{path}.{key}",
                f"{says}; {_WHOSE}.timeout) allows at most {most:g}: write {most:g} or less",
            )


def _retries(path: str, step: StepSpec, most: int | None) -> Iterator[Fault]:
    policy = step.step_template.retry_policy
    asked = [("runRetryLimit", policy.run_retry_limit)]
    if step.rollback is not RollbackMode.NONE:
        asked.append(("rollbackRetryLimit", policy.rollback_retry_limit))
    for key, limit in asked:
        if most is not None and not 0 <= limit <= most:
            says = "is -1, which is no limit" if limit < 0 else f"is {limit}"
            yield Fault(
                f"{path}.{key}",
                f"{says}; {_WHOSE}.retryLimit) allows at most {most}: write {most} or less",
            )


def floor_advice(workflow: Workflow, floors: Floors) -> list[str]:
    """What a document asks for that is raised here, a sentence for each step."""
    found = []
    for step in workflow.spec.steps:
        policy = step.step_template.retry_policy
        asked = {
            "runRetryPeriodSeconds": policy.run_retry_period_seconds,
            "rollbackRetryPeriodSeconds": policy.rollback_retry_period_seconds,
            "maxPeriodSeconds": policy.max_period_seconds,
        }
        low = [f"{key} {value:g}" for key, value in asked.items() if value < floors.retry_period]
        if low:
            found.append(
                f"step '{step.name}': {' and '.join(low)} counts as {floors.retry_period:g} here, "
                "the shortest retry period that the operator's configuration (floors.retryPeriod) "
                "allows"
            )
    return found
