"""The part of the status that people, kubectl and selectors see: derived, never read back."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from wf_core.adapters.store_rules import UNDOING
from wf_core.codec.status import workflow_attributes
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Workflow
from wf_core.model.state import StepState, Stored, WorkflowState
from wf_core.saga.stuck import in_one_line, stuck
from wf_k8s.store.times import rfc3339, whole_seconds

MOST_ATTRIBUTES = 32 * 1024
ERROR_SHOWN = 128
BLOCKED_SHOWN = 16
MESSAGE = 1024
REASON = 256
MAPS = ("stepPhases", "runError", "rollbackError", "syncError")
"""Objects keyed by a step's name, which a patch changes name by name."""

_encode = msgspec.json.Encoder().encode


def shown(
    workflow: Workflow,
    head: WorkflowState,
    steps: tuple[StepState, ...],
    before: Mapping[str, Any],
    *,
    touched: Iterable[int],
    generation: int,
    now: float,
) -> dict[str, Any]:
    """What is shown once this is saved; `before` is what was, `touched` the steps that change."""
    names = [step.name for step in workflow.spec.steps]
    result: dict[str, Any] = {
        "observedGeneration": generation,
        "progress": _progress(head, steps),
        "conditions": _conditions(head, steps, before.get("conditions", ()), generation, now),
        "blocked": _blocked(names, steps),
    }
    if Phase.RUNNING in head.reached:
        result["startedAt"] = rfc3339(head.reached[Phase.RUNNING])
    if head.phase in FINISHED and head.phase in head.reached:
        result["finishedAt"] = rfc3339(head.reached[head.phase])
    touched = tuple(touched)
    for field in MAPS:
        result[field] = dict(before.get(field, {}))
    for index in touched:
        _show_step(result, names[index], steps[index])
    attributes = before.get("attributes", {})
    if touched:
        attributes = workflow_attributes(Stored(workflow, head, steps))
        if attributes and len(_encode(attributes)) > MOST_ATTRIBUTES:
            attributes = {}
    result["attributes"] = attributes
    suspended = "Suspended" if head.suspended else ""
    result["reason"] = reason_shown(*_stalled(head, steps)) or suspended
    return {field: value for field, value in result.items() if value or value == 0}


def reason_shown(stalled: bool, reason: str, message: str) -> str:
    """Why a workflow goes no further, in one line for lists; "" where it does."""
    if not stalled:
        return ""
    line = in_one_line(reason, message)
    return line if len(line) <= REASON else line[: REASON - 3] + "..."


def _show_step(result: dict[str, Any], name: str, step: StepState) -> None:
    result["stepPhases"][name] = step.phase.value
    errors = (
        ("runError", step.run_error),
        ("rollbackError", step.rollback_error),
        ("syncError", step.sync_error),
    )
    for field, error in errors:
        if error is None:
            result[field].pop(name, None)
        else:
            result[field][name] = error[:ERROR_SHOWN]


def _progress(head: WorkflowState, steps: tuple[StepState, ...]) -> str:
    wanted = Phase.ROLL_BACKED if head.phase in UNDOING else Phase.SUCCESS
    return f"{sum(step.phase is wanted for step in steps)}/{len(steps)}"


def _blocked(names: list[str], steps: tuple[StepState, ...]) -> list[dict[str, Any]]:
    found = [(name, step.blocked) for name, step in zip(names, steps, strict=True) if step.blocked]
    return [
        {
            "step": name,
            "reason": blocked.reason.value,
            "message": blocked.message[:MESSAGE],
            "since": rfc3339(blocked.since),
            "options": list(blocked.options),
        }
        for name, blocked in found[:BLOCKED_SHOWN]
    ]


def _conditions(
    head: WorkflowState,
    steps: tuple[StepState, ...],
    before: Iterable[Mapping[str, Any]],
    generation: int,
    now: float,
) -> list[dict[str, Any]]:
    """kstatus' three, and one for each remark; the time is when the status last changed."""
    since = {each["type"]: (each["status"], each["lastTransitionTime"]) for each in before}
    result = []

    def add(kind: str, holds: bool, reason: str, message: str) -> None:
        status = "True" if holds else "False"
        was = since.get(kind)
        at = was[1] if was is not None and was[0] == status else whole_seconds(now)
        result.append(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message[:MESSAGE],
                "lastTransitionTime": at,
                "observedGeneration": generation,
            }
        )

    phase = head.phase
    why = head.error or head.cause
    add("Ready", phase is Phase.SUCCESS, phase.value, why)
    add("Reconciling", phase not in FINISHED, phase.value, why if phase not in FINISHED else "")
    add("Stalled", *_stalled(head, steps))
    for remark in head.conditions:
        add(remark.type, True, remark.reason, remark.message)
    return result


def _stalled(head: WorkflowState, steps: tuple[StepState, ...]) -> tuple[bool, str, str]:
    found = stuck(head, steps)
    if found is not None:
        return (True, *found)
    # For kstatus a rollback is an end that is no success: whoever waits for Ready may stop.
    rolled_back = head.phase is Phase.ROLL_BACKED
    return rolled_back, head.phase.value, head.cause if rolled_back else ""
