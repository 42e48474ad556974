"""What must hold of a workflow beyond its shape: names, numbers, sizes, the callback.

`faults` is the whole of it, with the graph and the parameters; nothing is run before it is empty.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from wf_core.codec.cluster_bounds import beyond_a_cluster
from wf_core.codec.graph_checks import graph_faults
from wf_core.codec.kinds import Kinds
from wf_core.codec.parameter_checks import parameter_faults
from wf_core.errors import Fault
from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import Callback, RetryPolicy, StepTemplate, TimeToLive, Workflow
from wf_core.model.state import MAX_STEPS
from wf_core.nearest import hint

MAX_NAME = 63

EVENTS = tuple(f"{what}.{phase}" for what in ("workflow", "step") for phase in Phase)
"""What `callback.events` may name."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def faults(workflow: Workflow, kinds: Kinds | None, *, new: bool = True) -> list[Fault]:
    """Everything wrong with a workflow, by path; `kinds` None leaves the step kinds unchecked.

    Without `new`, what was stored before a rule was made is let through where the engine has a safe
    way with it.
    """
    found = [*_metadata(workflow), *_spec(workflow)]
    if len(workflow.spec.steps) <= MAX_STEPS:
        found += graph_faults(workflow.spec.steps)
        found += parameter_faults(workflow.spec, kinds, new=new)
    return found


def lacking(workflow: Workflow, kinds: Kinds) -> list[Fault]:
    """What this process's own environment and files lack for the workflow's steps: an engine that
    has it can run what this one can't."""
    found = []
    for i, step in enumerate(workflow.spec.steps):
        template = step.step_template
        kind = kinds.kinds.get(template.type)
        if kind is not None:
            at = f"$.spec.steps[{i}].stepTemplate.parameters"
            found += [
                Fault(at, each)
                for each in kind.lacks(template.parameters, workflow.metadata.namespace)
            ]
    return found


def advice(workflow: Workflow, kinds: Kinds | None = None) -> list[str]:
    """What is no fault but good to know, a sentence each."""
    found = [f"it runs here, but not in a cluster: {why}" for why in beyond_a_cluster(workflow)]
    if kinds is None:
        return found
    for step in workflow.spec.steps:
        template = step.step_template
        kind = kinds.kinds.get(template.type)
        if kind is not None:
            undoable = step.rollback is RollbackMode.REQUIRED
            found += [
                f"step '{step.name}': {each}" for each in kind.advice(template.parameters, undoable)
            ]
    return found


def _metadata(workflow: Workflow) -> Iterator[Fault]:
    metadata = workflow.metadata
    yield from label_faults("$.metadata.name", metadata.name)
    yield from label_faults("$.metadata.namespace", metadata.namespace)


def label_faults(path: str, name: str) -> Iterator[Fault]:
    """What keeps a text from being a name."""
    if len(name) > MAX_NAME:
        yield Fault(path, f"has {len(name)} characters; a name has at most {MAX_NAME}")
    elif not _LABEL.fullmatch(name):
        yield Fault(
            path,
            f"{name!r} is not a name: use a-z, 0-9 and '-', with a letter or digit at both ends",
        )


def _spec(workflow: Workflow) -> Iterator[Fault]:
    spec = workflow.spec
    if not spec.steps:
        yield Fault("$.spec.steps", "a workflow needs at least one step")
    if len(spec.steps) > MAX_STEPS:
        yield Fault(
            "$.spec.steps", f"has {len(spec.steps):,} steps; a workflow has at most {MAX_STEPS:,}"
        )
        return
    yield from above_zero("$.spec.activeDeadlineSeconds", spec.active_deadline_seconds)
    yield from _time_to_live(spec.ttl_seconds_after_finished)
    if spec.callback is not None:
        yield from _callback(spec.callback)
    for n, step in enumerate(spec.steps):
        yield from label_faults(f"$.spec.steps[{n}].name", step.name)
        yield from _template(f"$.spec.steps[{n}].stepTemplate", step.step_template)


def _time_to_live(ttl: TimeToLive) -> Iterator[Fault]:
    for key, seconds in (
        ("success", ttl.success),
        ("rollBacked", ttl.roll_backed),
        ("failed", ttl.failed),
    ):
        if seconds is not None:
            yield from _not_negative(f"$.spec.ttlSecondsAfterFinished.{key}", seconds)


def _template(path: str, template: StepTemplate) -> Iterator[Fault]:
    if not template.type:
        yield Fault(f"{path}.type", "must name a step kind")
    yield from _not_negative(f"{path}.syncPeriodSeconds", template.sync_period_seconds)
    yield from above_zero(f"{path}.timeoutSeconds", template.timeout_seconds)
    yield from above_zero(f"{path}.rollbackTimeoutSeconds", template.rollback_timeout_seconds)
    yield from _retry(f"{path}.retryPolicy", template.retry_policy)


def _retry(path: str, policy: RetryPolicy) -> Iterator[Fault]:
    for key, limit in (
        ("runRetryLimit", policy.run_retry_limit),
        ("rollbackRetryLimit", policy.rollback_retry_limit),
    ):
        if limit < -1:
            yield Fault(f"{path}.{key}", f"must be 0 or more, or -1 for no limit, not {limit}")
    yield from _not_negative(f"{path}.runRetryPeriodSeconds", policy.run_retry_period_seconds)
    yield from _not_negative(
        f"{path}.rollbackRetryPeriodSeconds", policy.rollback_retry_period_seconds
    )
    yield from _not_negative(f"{path}.maxPeriodSeconds", policy.max_period_seconds)
    if policy.factor < 1:
        yield Fault(f"{path}.factor", f"must be 1 or more, not {policy.factor:g}")


def _not_negative(path: str, seconds: float) -> Iterator[Fault]:
    if seconds < 0:
        yield Fault(path, f"must be 0 or more seconds, not {seconds:g}")


def above_zero(path: str, seconds: float | None) -> Iterator[Fault]:
    """What keeps a number from being a time limit in seconds."""
    if seconds is not None and seconds <= 0:
        yield Fault(
            path, f"must be more than 0 seconds, not {seconds:g}; leave it out for no limit"
        )


def _callback(callback: Callback) -> Iterator[Fault]:
    if callback.url and not _is_http(callback.url):
        yield Fault(
            "$.spec.callback.url", f"must be an http or https address, not {callback.url[:200]!r}"
        )
    elif "@" in urlsplit(callback.url).netloc:
        yield Fault(
            "$.spec.callback.url",
            "holds a user or password, which everybody who may read the workflow could read; leave "
            "it out: callbacks are signed, so the receiver knows who sends them",
        )
    for n, event in enumerate(callback.events or ()):
        if event not in EVENTS:
            yield Fault(
                f"$.spec.callback.events[{n}]",
                f"no event {event!r}: write workflow.PHASE or step.PHASE",
                hint=hint(event, EVENTS),
            )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address without its end
        return False
