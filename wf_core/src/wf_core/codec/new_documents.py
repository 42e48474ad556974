"""What is a fault of a document that is read, and none of one that was stored before the rule."""

from collections.abc import Iterable, Iterator

from wf_core.codec.nodes import Node
from wf_core.errors import Fault
from wf_core.model.spec import RetryPolicy, StepSpec

MAX_PERIOD = "maxPeriodSeconds"


def step_faults(root: Node, path: str, steps: Iterable[StepSpec]) -> Iterator[Fault]:
    """Those of the steps that stand at `path`."""
    for n, step in enumerate(steps):
        at = f"{path}[{n}].stepTemplate.retryPolicy"
        yield from retry_faults(root, at, step.step_template.retry_policy)


def retry_faults(root: Node, path: str, policy: RetryPolicy) -> Iterator[Fault]:
    """A period above the maximum, where the document writes both: a default gives way."""
    written = root.find(path)
    if written is None or not isinstance(written.children, dict):
        return
    most = policy.max_period_seconds
    if MAX_PERIOD not in written.children or most < 0:
        return
    for key, period in (
        ("runRetryPeriodSeconds", policy.run_retry_period_seconds),
        ("rollbackRetryPeriodSeconds", policy.rollback_retry_period_seconds),
    ):
        if key in written.children and period > most:
            yield Fault(
                f"{path}.{MAX_PERIOD}",
                f"is {most:g}, and {key} is {period:g}: write a {key} of at most {most:g}, or a "
                f"larger {MAX_PERIOD}",
            )
