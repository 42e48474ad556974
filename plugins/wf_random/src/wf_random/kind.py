"""The kind `random`: nothing happens outside, so every hook may be called again at any time."""

import hashlib
import time
from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

from wf_core.kinds import Answer, InProgress, Retryable, StepCall, StepKind, Success
from wf_core.model.phases import Ended, Purpose
from wf_core.model.state import Resource
from wf_random.chance import raise_if_unlucky
from wf_random.parameters import RandomParameters, faults

WORKING = "working"
READY = "ready"
UNDOING = "undoing"
GONE = "gone"
DUE = "dueAt"
"""Attribute of the resource while in progress: when it will be done, in epoch seconds."""


@attrs.frozen
class Work:
    """A run or an undo of one resource: what its status is meanwhile, and after."""

    resource_id: str
    meanwhile: str
    after: str

    def done(self) -> Resource:
        """The resource when all is done."""
        return Resource(status=self.after, id=self.resource_id)

    def going(self, due_at: float) -> Resource:
        """The resource until `due_at` (epoch seconds)."""
        return Resource(status=self.meanwhile, id=self.resource_id, attributes={DUE: due_at})


class Random(StepKind):
    """Sleeps, then succeeds or fails by chance."""

    name: ClassVar[str] = "random"
    description: ClassVar[str] = "Sleeps, and fails as often as told: for demos and tests."
    Parameters: ClassVar[type] = RandomParameters

    def faults(self, parameters: RandomParameters, *, undoable: bool) -> Iterable[str]:  # noqa: ARG002
        """Times that are negative, rates that are no shares."""
        return faults(parameters)

    def run(self, call: StepCall) -> Answer:
        """Sleep and, where lucky, make a resource whose id follows from the key."""
        work = Work(_resource_id(call.key), WORKING, READY)
        return self._begin(call, work, call.parameters.attributes)

    def rollback(self, call: StepCall) -> Answer:
        """Sleep and, where lucky, say that the resource is gone (also where it never was)."""
        return self._begin(call, Work(_resource_id(call.run_key), UNDOING, GONE), None)

    def sync(self, call: StepCall) -> Answer:
        """What is in progress is done once its time has come; what is ready stays so."""
        if call.purpose is Purpose.WATCH:
            return None
        resource = call.previous.resource
        due_at = _due_at(resource)
        if resource is None or due_at is None:
            raise Retryable("nothing is in progress: the attempt left no time at which it is due")
        if (left := due_at - time.time()) > 0:
            return InProgress(poll_after=left)
        raise_if_unlucky(call, call.parameters)
        if call.purpose is Purpose.ROLLBACK:
            return Success(Work(resource.id, UNDOING, GONE).done())
        return Success(Work(resource.id, WORKING, READY).done(), call.parameters.attributes)

    def _begin(self, call: StepCall, work: Work, attributes: dict[str, Any] | None) -> Answer:
        parameters: RandomParameters = call.parameters
        if parameters.async_:
            return self._leave_going(call, work, parameters.sleep_seconds)
        if call.cancelled.wait(parameters.sleep_seconds):
            raise Retryable("stopped")
        raise_if_unlucky(call, parameters)
        return Success(work.done(), attributes)

    def _leave_going(self, call: StepCall, work: Work, seconds: float) -> Answer:
        """Begin, or join what an interrupted attempt left: a crash does not start a new clock."""
        left = call.previous.resource
        due_at = _due_at(left)
        joins = (
            call.previous.outcome in (Ended.UNKNOWN, Ended.IN_PROGRESS)
            and left is not None
            and left.status == work.meanwhile
        )
        if not joins or due_at is None:
            due_at = time.time() + seconds
            call.checkpoint(work.going(due_at))
        return InProgress(max(due_at - time.time(), 0.0), work.going(due_at))


def _resource_id(run_key: str) -> str:
    """The resource's id: the same for a run and its undo, whatever crashes."""
    return f"random-{hashlib.sha256(run_key.encode()).hexdigest()[:16]}"


def _due_at(resource: Resource | None) -> float | None:
    """When what `resource` stands for is done, in epoch seconds, where it says so."""
    value = resource.attributes.get(DUE) if resource is not None else None
    return float(value) if isinstance(value, int | float) else None
