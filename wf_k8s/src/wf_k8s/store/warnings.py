"""Events of the kind Warning, so that `kubectl describe` tells why something is stuck. Best effort:
one that can't be written disturbs nothing."""

import hashlib
from collections.abc import Iterator
from typing import Any

from wf_core.model.phases import Phase
from wf_core.model.schedule import CRON_KIND
from wf_core.model.spec import KIND, Key
from wf_core.model.task import TASK_KIND
from wf_core.ports import Changes
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.resources import CRON_WORKFLOWS, EVENTS, TASKS, WORKFLOWS, Resource
from wf_k8s.store.known import Known
from wf_k8s.store.remains import LEFT_ALONE
from wf_k8s.store.times import micro_time

NOTE = 1024
SAVE_REFUSED = "SaveRefused"
"""Reason of the Event that says that the cluster refuses to save a workflow's status."""
REVISION = "workflow.example.com/revision"
"""Annotation of that Event: the status's revision that the save built on."""
KINDS = {WORKFLOWS: KIND, CRON_WORKFLOWS: CRON_KIND, TASKS: TASK_KIND}
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
    if head.phase is Phase.ROLL_BACKED and known.status.phase is not Phase.ROLL_BACKED:
        yield _event(known, changes, "RollBacked", head.cause or "it was rolled back", "", now)
    if head.phase is Phase.FAILED and known.status.phase is not Phase.FAILED:
        yield _event(known, changes, "Failed", head.error or "could not be undone", "", now)
    new = {remark.type for remark in known.status.remarks}
    for remark in head.conditions:
        if remark.type not in new:
            yield _event(known, changes, remark.reason, remark.message, "", now)


def left_alone(
    key: Key, uid: str, why: str, now: float, regarding: Resource = WORKFLOWS
) -> dict[str, Any]:
    """The event of an object that no engine goes on with: one for each reason."""
    return _warning(key, uid, why, LEFT_ALONE, why, "LeaveAlone", "wf", now, regarding)


def save_refused(key: Key, changes: Changes, error: RefusedError, now: float) -> dict[str, Any]:
    """The event of a save that the cluster refuses: one for each reason and stored revision."""
    note = f"saving its status was refused and is tried again: {error}"
    revision = str(changes.base_revision)
    told = f"{revision}/{error}"
    event = _warning(key, changes.uid, told, SAVE_REFUSED, note, "Save", "wf", now, WORKFLOWS)
    event["metadata"]["annotations"] = {REVISION: revision}
    return event


def _event(
    known: Known, changes: Changes, reason: str, note: str, step: str, now: float
) -> dict[str, Any]:
    told = f"{changes.head.revision}/{step}/{reason}"
    action = "Run" if changes.head.phase is Phase.RUNNING else "Undo"
    owner = changes.head.owner.id or "wf"
    return _warning(known.key, known.uid, told, reason, note, action, owner, now, WORKFLOWS)


def _warning(
    key: Key,
    uid: str,
    told: str,
    reason: str,
    note: str,
    action: str,
    instance: str,
    now: float,
    regarding: Resource,
) -> dict[str, Any]:
    unique = hashlib.sha256(f"{uid}/{told}".encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": "Event",
        "metadata": {"name": f"{key.name[:200]}.{unique}", "namespace": key.namespace},
        "eventTime": micro_time(now),
        "type": "Warning",
        "reason": reason[:128],
        "note": note[:NOTE],
        "action": action,
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "regarding": {
            "apiVersion": regarding.api_version,
            "kind": KINDS[regarding],
            "namespace": key.namespace,
            "name": key.name,
            "uid": uid,
        },
    }
