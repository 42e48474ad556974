"""Calls of the kind `http` for the tests of this folder."""

from typing import Any

from wf_core.kinds import Previous
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_core.testing.calls import RecordedCall, call_for
from wf_http.kind import Http

KIND = Http()


def running(
    url: str, *, attempt: int = 1, interruptions: int = 0, **parameters: Any
) -> RecordedCall:
    """A call of `run` with a POST to `url`; `run` among the parameters adds to the request."""
    document = {"run": {"url": url, **parameters.pop("run", {})}}
    previous = parameters.pop("previous", None)
    cancelled = parameters.pop("cancelled", None)
    return call_for(
        KIND,
        {**document, **parameters},
        attempt=attempt,
        interruptions=interruptions,
        previous=previous,
        cancelled=cancelled,
    )


def undoing(
    url: str, rollback: dict[str, Any] | None, *, run_attempt: int = 1, **parameters: Any
) -> RecordedCall:
    """A call of `rollback`; `url` is that of the run."""
    previous = parameters.pop("previous", Previous(Ended.SUCCEEDED))
    return call_for(
        KIND,
        {"run": {"url": url, **parameters.pop("run", {})}, "rollback": rollback, **parameters},
        hook=Hook.ROLLBACK,
        previous=previous,
        run_attempt=run_attempt,
    )


def looking(
    parameters: dict[str, Any], purpose: Purpose = Purpose.RUN, **more: Any
) -> RecordedCall:
    """A call of `sync`."""
    return call_for(KIND, parameters, hook=Hook.SYNC, purpose=purpose, **more)


def left(outcome: Ended = Ended.IN_PROGRESS, /, **resource: Any) -> Previous:
    """What an earlier attempt left."""
    attributes = resource.pop("known", {})
    return Previous(outcome, Resource(**resource), attributes)


def logged(call: RecordedCall) -> str:
    """All that was logged."""
    return "\n".join(line.text for line in call.logs)
