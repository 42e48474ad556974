"""A status that would not fit is refused before it is sent (kubernetes.md 9)."""

import msgspec

from wf_core.errors import EngineError
from wf_core.model.spec import Key
from wf_core.ports import Changes
from wf_k8s.store.known import Known

MOST = int(1.4 * 1024 * 1024)
"""Bytes of a whole object, as the API server sends it; etcd refuses a little more than this."""

_encode = msgspec.json.Encoder().encode


class StatusTooLargeError(EngineError):
    """The object would be larger than a cluster can store."""


def check_size(known: Known, key: Key, changes: Changes, patch: bytes) -> None:
    """Raises StatusTooLargeError. A patch adds at most its own length to the object."""
    if known.size + len(patch) <= MOST:
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
