"""A status that would not fit is refused before it is sent (kubernetes.md 9)."""

import msgspec

from wf_core.adapters import store_rules as rules
from wf_core.codec.cluster_bounds import beyond_a_cluster
from wf_core.errors import EngineError
from wf_core.model.spec import Key, Workflow
from wf_core.ports import Changes
from wf_core.saga.references import refers
from wf_k8s.store.known import Known

MOST = int(1.4 * 1024 * 1024)
"""Bytes of a whole object, as the API server sends it; etcd refuses a little more than this."""

STEP = 1536
"""Bytes that the state of a step is reckoned to need, its saved defaults included."""

_encode = msgspec.json.Encoder().encode


class StatusTooLargeError(EngineError):
    """The object would be larger than a cluster can store."""


def misfit(workflow: Workflow) -> str | None:
    """Why an object of this workflow could not hold its own end, or would cost the API server more
    than its share at every save, or None.

    Parameters with references are kept a second time, as they were resolved.
    """
    beyond = next(beyond_a_cluster(workflow), None)
    if beyond is not None:
        return beyond
    steps = len(workflow.spec.steps)
    spec = len(_encode(workflow))
    given = (step.step_template.parameters for step in workflow.spec.steps)
    resolved = sum(len(_encode(each)) for each in given if refers(each))
    if spec + resolved + STEP * steps <= MOST:
        return None
    return (
        f"its document has {spec:,} bytes, and with {STEP:,} for the state of each of its "
        f"{steps:,} steps that is more than the {MOST:,} that a cluster stores in one object: "
        "split the workflow, or keep large parameters elsewhere"
    )


def check_size(known: Known, key: Key, changes: Changes, patch: bytes) -> None:
    """Raises StatusTooLargeError. A patch adds at most its own length to the object.

    One that changes no step passes, and one of a workflow that is being undone: what is between
    this limit and etcd's is for saying what is wrong, for answers to people, and for the undo.
    """
    if known.size + len(patch) <= MOST or not changes.steps or changes.head.phase in rules.UNDOING:
        return
    names = [step.name for step in known.workflow.spec.steps]
    before = {name: len(_encode(state)) for name, state in known.status.steps.items()}
    after = {names[index]: len(_encode(state)) for index, state in changes.steps.items()}
    size = known.size + sum(each - before.get(name, 0) for name, each in after.items())
    if size <= MOST:
        return
    raise too_large(key, size, after or before)


def too_large(key: Key, size: int, steps: dict[str, int]) -> StatusTooLargeError:
    """Names the largest of the steps, by bytes."""
    which = ""
    if steps:
        name = max(steps, key=lambda each: steps[each])
        which = f"; step '{name}' holds {steps[name]:,} bytes"
    return StatusTooLargeError(
        f"workflow '{key}': its object would have {size:,} bytes, and a cluster stores at most "
        f"{MOST:,}{which}. Let its kind keep less in attributes and resource, or split the workflow"
    )
