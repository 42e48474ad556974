"""What can be told of a workflow that can't be read or run: whether anything of it may have run,
from metadata and the raw status alone, and how it is said on the object."""

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from wf_core.errors import StoreForeign
from wf_core.model.phases import FINISHED, DeletionPolicy, Phase
from wf_core.model.spec import Json
from wf_k8s.client.nested import shallow
from wf_k8s.store import guard
from wf_k8s.store.shown import MESSAGE
from wf_k8s.store.times import whole_seconds
from wf_k8s.store.wire import Meta, why_unreadable

LEFT_ALONE = "LeftAlone"
"""Reason of the condition and of the Event."""

ORPHANED = (
    "to let it go without an undo, set its spec.deletionPolicy to Orphan: "
    """`kubectl patch saga {name} --type=merge -p '{{"spec":{{"deletionPolicy":"Orphan"}}}}'`"""
)


class _Object(msgspec.Struct, gc=False):
    metadata: Meta
    spec: Json = None
    status: Json = None


_object = msgspec.json.Decoder(_Object)


@attrs.frozen
class Remains:
    """`status` and `spec` hold whatever JSON is there, cut off where it is nested too deep."""

    name: str
    namespace: str
    uid: str
    version: str
    generation: int
    deleting: bool
    finalizers: tuple[str, ...]
    controller: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]


def read(raw: bytes) -> Remains:
    """Raises StoreForeign where not even the metadata can be read."""
    try:
        held = _object.decode(shallow(raw))
    except Exception as error:
        raise StoreForeign(f"an object can't be read: {why_unreadable(error)}") from error
    meta = held.metadata
    return Remains(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        version=meta.resource_version,
        generation=meta.generation,
        deleting=meta.deletion_timestamp is not None,
        finalizers=tuple(meta.finalizers or ()),
        controller=meta.controller,
        labels=meta.labels or {},
        annotations=meta.annotations or {},
        spec=held.spec if isinstance(held.spec, dict) else {},
        status=held.status if isinstance(held.status, dict) else {},
    )


def may_go(left: Remains) -> bool:
    """Whether no effect stays behind that the engine answers for: nothing was ever begun, its
    effects were given up, or nothing is left to guard."""
    policy = left.spec.get("deletionPolicy", DeletionPolicy.ROLLBACK_UNFINISHED.value)
    if policy == DeletionPolicy.ORPHAN:
        return True
    return never_began(left) or _nothing_left(left, policy)


def never_began(left: Remains) -> bool:
    """Whether no intent was ever saved. What can't be told counts as begun."""
    status = left.status
    if status.get("keyUid") or status.get("phase", Phase.PENDING) not in (
        Phase.PENDING,
        Phase.FAILED,
    ):
        return False
    if not isinstance(status.get("reached", {}), dict) or Phase.RUNNING in status.get(
        "reached", {}
    ):
        return False
    steps = status.get("steps", {})
    return isinstance(steps, dict) and all(map(_untouched, steps.values()))


def _untouched(step: object) -> bool:
    if not isinstance(step, dict) or step.get("phase", Phase.PENDING) != Phase.PENDING:
        return False
    return not any(step.get(field) for field in ("attempt", "rollbackAttempt", "ran", "reached"))


def _nothing_left(left: Remains, policy: object) -> bool:
    phase, reporting = left.status.get("phase"), bool(left.status.get("outbox"))
    if not (isinstance(policy, str) and isinstance(phase, str)):
        return False
    if policy not in set(DeletionPolicy) or phase not in FINISHED:
        return False
    return guard.nothing_left(Phase(phase), DeletionPolicy(policy), reporting=reporting)


def explained(left: Remains, why: str, *, may_go: bool) -> str:
    """What is wrong, and what a person can do about it."""
    if may_go:
        return f"left alone: {why}; delete it, or fix what is wrong with it"
    ask = ORPHANED.format(name=left.name)
    return (
        f"left alone: {why}; it may have run, and nothing of it is undone while this is so; {ask}"
    )


def stalled(left: Remains, why: str, now: float) -> list[dict[str, Any]] | None:
    """The conditions that say so; None where they do already."""
    found = left.status.get("conditions")
    before = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    why = why[:MESSAGE]
    old = next((each for each in before if each.get("type") == "Stalled"), {})
    if (old.get("status"), old.get("reason"), old.get("message")) == ("True", LEFT_ALONE, why):
        return None
    mark = {
        "type": "Stalled",
        "status": "True",
        "reason": LEFT_ALONE,
        "message": why,
        "lastTransitionTime": whole_seconds(now),
        "observedGeneration": left.generation,
    }
    return [each for each in before if each.get("type") != "Stalled"] + [mark]
