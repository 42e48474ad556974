"""The kind `approval`: waits, without a thread, until a signal answers it or its time is over."""

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

import attrs

from wf_approval.gate import (
    APPROVED,
    CLOSED,
    EXPIRED,
    OPEN,
    REJECTED,
    WAITING,
    Answer,
    Gate,
    answer_of,
    fingerprint,
    gate_of,
    rfc3339,
)
from wf_approval.parameters import ApprovalParameters, faults
from wf_core.kinds import Answer as Answered
from wf_core.kinds import Fatal, InProgress, StepCall, StepKind, Success
from wf_core.model.phases import Ended, Purpose
from wf_core.model.spec import Key
from wf_core.model.state import MESSAGE, Resource

SELDOM = 3600.0
"""Seconds between looks. A signal wakes the step, so they are for nothing but the deadline."""


class Approval(StepKind):
    """Asks a person. `now` tells the time in epoch seconds."""

    name: ClassVar[str] = "approval"
    description: ClassVar[str] = "Waits until a person approves; a rejection undoes the workflow."
    Parameters: ClassVar[type] = ApprovalParameters

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def faults(self, parameters: ApprovalParameters, *, undoable: bool) -> Iterable[str]:  # noqa: ARG002
        """A deadline that is no time, names that are empty."""
        return faults(parameters)

    def run(self, call: StepCall) -> Answered:
        """Open the gate, or go on with the one that an interrupted attempt opened."""
        if call.previous.outcome is not Ended.FAILED:
            _end_again(call.previous.resource)
        return self._look(call)

    def sync(self, call: StepCall) -> Answered:
        """Whether it was answered, or its time is over."""
        if call.purpose is Purpose.WATCH:
            return None
        _end_again(call.previous.resource)
        return self._look(call)

    def rollback(self, call: StepCall) -> Success:
        """Nothing to undo; what waits does so no longer."""
        left = call.previous.resource
        return Success(Resource(status=CLOSED, attributes={} if left is None else left.attributes))

    def _gate(self, call: StepCall) -> Gate:
        """What it is by the document; of what was saved, only what the document does not say."""
        parameters: ApprovalParameters = call.parameters
        left = call.previous.resource
        kept = Gate("") if left is None else gate_of(left)
        due_at = None
        if parameters.deadline_seconds is not None:
            goes_on = left is not None and left.status in OPEN and kept.due_at is not None
            due_at = kept.due_at if goes_on else self._now() + parameters.deadline_seconds
        return Gate(parameters.signal or call.step, parameters.approvers, due_at, kept.used)

    def _look(self, call: StepCall) -> Answered:
        gate = self._gate(call)
        now = self._now()
        said = call.signals.get(gate.signal)
        complaint = ""
        if said is not None and fingerprint(said) != gate.used:
            try:
                answer = answer_of(said)
            except ValueError as error:
                complaint = f"the signal '{gate.signal}' is no answer: {error}"
            else:
                if not gate.approvers or answer.by in gate.approvers:
                    return _end(call, gate, answer, now)
                complaint = f"{answer.by} is not one of its approvers"
        if gate.due_at is not None and now >= gate.due_at:
            why = f"nobody approved it within {call.parameters.deadline_seconds:g} s"
            call.checkpoint(gate.resource(EXPIRED, why))
            raise Fatal(why)
        left = SELDOM if gate.due_at is None else min(gate.due_at - now, SELDOM)
        resource = gate.resource(WAITING, _asking(call, gate, complaint))
        return InProgress(left, resource, waits_for_person=True)


def _end(call: StepCall, gate: Gate, answer: Answer, now: float) -> Success:
    call.log(answer.sentence)
    if answer.approved:
        return Success(
            gate.resource(APPROVED, answer.sentence),
            {"approvedBy": answer.by, "approvedAt": rfc3339(now), "reason": answer.reason},
        )
    used = attrs.evolve(gate, used=fingerprint(call.signals[gate.signal]))
    call.checkpoint(used.resource(REJECTED, answer.sentence))
    raise Fatal(answer.sentence)


def _end_again(left: Resource | None) -> None:
    """Raise Fatal where a crash kept the engine from saving how the attempt ended, and only that:
    the answer may have been overwritten since."""
    if left is not None and left.status in (REJECTED, EXPIRED):
        raise Fatal(str(left.attributes.get(MESSAGE, left.status)))


def _asking(call: StepCall, gate: Gate, complaint: str) -> str:
    """What the step waits for, in a sentence."""
    who = f" ({' or '.join(gate.approvers)})" if gate.approvers else ""
    key = Key(call.namespace, call.workflow)
    parts = (call.parameters.message, f"`wf approve {key} {call.step}`{who}", complaint)
    return "; ".join(part for part in parts if part)
