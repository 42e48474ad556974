"""What is saved, as people and receivers of callbacks see it: the status with the seed's names."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wf_core.codec.writing import plain_struct, rfc3339, to_document
from wf_core.model.phases import Phase
from wf_core.model.spec import Json, Parameters
from wf_core.model.state import Resource, StepState, Stored, WorkflowState
from wf_core.saga.graph import Graph

_STEP_HIDDEN = ("attempts", "parameters", "polls", "pollAfter")
_UNDOING = (Phase.ROLLING_BACK, Phase.ROLL_BACKED, Phase.FAILED)


def to_status(stored: Stored) -> dict[str, Any]:
    """The status: `phase`, `stepPhases`, `attributes` (later steps win), `runError`,
    `rollbackError` and `syncError` by step name, detail by step under `steps`, and what people
    need: `progress`, `blocked`, `conditions`, `answers`, unanswered `requests`.

    Times are RFC 3339 in UTC. What is empty is left out, except `phase`, `stepPhases`, `progress`.
    """
    head, names = stored.head, [step.name for step in stored.workflow.spec.steps]
    by_name = dict(zip(names, stored.steps, strict=True))
    status: dict[str, Any] = {
        "phase": head.phase.value,
        "progress": _progress(head, stored.steps),
        "stepPhases": {name: step.phase.value for name, step in by_name.items()},
    }
    optional: dict[str, Any] = {
        "attributes": workflow_attributes(stored),
        "runError": {n: s.run_error for n, s in by_name.items() if s.run_error is not None},
        "rollbackError": {
            n: s.rollback_error for n, s in by_name.items() if s.rollback_error is not None
        },
        "syncError": {n: s.sync_error for n, s in by_name.items() if s.sync_error is not None},
        **_head(head),
        "blocked": [_blocked(n, s) for n, s in by_name.items() if s.blocked is not None],
        "requests": [
            {"seq": asked.seq, **plain_struct(asked.request), "at": _time(asked.at)}
            for asked in stored.asked
        ],
        "steps": {name: _step(step) for name, step in by_name.items()},
    }
    status.update({key: value for key, value in optional.items() if value})
    return status


def stored_document(stored: Stored) -> dict[str, Any]:
    """The document with its status, as `kubectl get -o yaml` shows it; `read` accepts it."""
    document = to_document(stored.workflow)
    if stored.head.created_at:
        document["metadata"]["creationTimestamp"] = _time(stored.head.created_at)
    return {**document, "status": to_status(stored)}


def workflow_attributes(stored: Stored) -> Parameters:
    """The fold of the attributes of all steps that ran, in topological order with the spec's order
    as tie-break; the later wins (semantics B5)."""
    if not any(step.attributes for step in stored.steps):
        return {}
    folded: dict[str, Json] = {}
    for i in Graph.of(stored.workflow.spec.steps).order:
        folded.update(stored.steps[i].attributes)
    return folded


def read_resource(document: Mapping[str, Json]) -> Resource:
    """The resource of a status, also where its name stands under the seed's `Name`.

    Raises msgspec.ValidationError where it is no resource.
    """
    named = {"name" if key == "Name" else key: value for key, value in document.items()}
    return msgspec.convert(named, Resource)


def _progress(head: WorkflowState, steps: tuple[StepState, ...]) -> str:
    """Steps in Success going forward, steps undone going back."""
    wanted = Phase.ROLL_BACKED if head.phase in _UNDOING else Phase.SUCCESS
    return f"{sum(step.phase is wanted for step in steps)}/{len(steps)}"


def _head(head: WorkflowState) -> dict[str, Any]:
    return {
        "error": head.error,
        "cause": head.cause,
        "suspended": head.suspended or None,
        "committed": head.committed or None,
        "reached": _reached(head.reached),
        "deadlineAt": _time(head.deadline_at),
        "deletionAskedAt": _time(head.deletion_asked_at),
        "callbacksDropped": head.outbox_dropped or None,
        "conditions": [
            {**plain_struct(each), "since": _time(each.since)} for each in head.conditions
        ],
        "answers": [{**plain_struct(each), "at": _time(each.at)} for each in head.answers],
    }


def _blocked(name: str, step: StepState) -> dict[str, Any]:
    assert step.blocked is not None
    return {"step": name, **plain_struct(step.blocked), "since": _time(step.blocked.since)}


def _step(step: StepState) -> dict[str, Any]:
    shown = plain_struct(step)
    for key in _STEP_HIDDEN:
        shown.pop(key, None)
    for key, value in shown.items():
        if key.endswith("At"):
            shown[key] = _time(value)
    if step.reached:
        shown["reached"] = _reached(step.reached)
    if step.blocked is not None:
        shown["blocked"] = {**shown["blocked"], "since": _time(step.blocked.since)}
    return {"phase": step.phase.value, **shown}


def _reached(reached: Mapping[Phase, float]) -> dict[str, str | None]:
    return {phase.value: _time(at) for phase, at in reached.items()}


def _time(at: float | None) -> str | None:
    """As `rfc3339`, where there is a time."""
    return None if at is None else rfc3339(at)
