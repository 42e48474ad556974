"""Events of the kind Warning, so that `kubectl describe` tells why something is stuck. Best effort:
one that can't be written disturbs nothing."""

import hashlib
from collections.abc import Iterator
from typing import Any

from wf_core.model.phases import Phase
from wf_core.ports import Changes
from wf_k8s.client.resources import EVENTS, WORKFLOWS
from wf_k8s.store.known import Known
from wf_k8s.store.times import micro_time

NOTE = 1024
CONTROLLER = "workflow.example.com/wf"


def warnings(known: Known, changes: Changes, now: float) -> Iterator[dict[str, Any]]:
    """The events that a save gives rise to: `known` is what was before it."""
    names = [step.name for step in known.workflow.spec.steps]
    for index, state in changes.steps.items():
        before = known.status.steps.get(names[index])
        was = before.blocked if before is not None else None
        if state.blocked is not None and (was is None or was.reason is not state.blocked.reason):
            help_ = " or ".join(state.blocked.options)
            note = f"step '{names[index]}': {state.blocked.message or 'waits for a person'}"
            note += f"; ask for {help_}" if help_ else ""
            yield _event(known, changes, state.blocked.reason.value, note, names[index], now)
    head = changes.head
    if head.phase is Phase.FAILED and known.status.phase is not Phase.FAILED:
        yield _event(known, changes, "Failed", head.error or "could not be undone", "", now)
    new = {remark.type for remark in known.status.remarks}
    for remark in head.conditions:
        if remark.type not in new:
            yield _event(known, changes, remark.reason, remark.message, "", now)


def _event(
    known: Known, changes: Changes, reason: str, note: str, step: str, now: float
) -> dict[str, Any]:
    told = f"{known.uid}/{changes.head.revision}/{step}/{reason}"
    unique = hashlib.sha256(told.encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": "Event",
        "metadata": {"name": f"{known.key.name[:200]}.{unique}", "namespace": known.key.namespace},
        "eventTime": micro_time(now),
        "type": "Warning",
        "reason": reason[:128],
        "note": note[:NOTE],
        "action": "Run" if changes.head.phase is Phase.RUNNING else "Undo",
        "reportingController": CONTROLLER,
        "reportingInstance": (changes.head.owner.id or "wf")[:128],
        "regarding": {
            "apiVersion": WORKFLOWS.api_version,
            "kind": "Workflow",
            "namespace": known.key.namespace,
            "name": known.key.name,
            "uid": known.uid,
        },
    }
