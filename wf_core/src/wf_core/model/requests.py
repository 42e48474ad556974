"""What a person asks of a running workflow, and the answer it gets (semantics D)."""

from wf_core.model.phases import RequestType, Verdict
from wf_core.model.spec import Json, Wire

MAX_REQUESTS = 64


class Request(Wire, frozen=True):
    """A request: `step` where it concerns one, `name` and `value` for a Signal.

    `by` is who asks, `reason` why. `verified`: the store vouches for `by`.
    """

    type: RequestType
    step: str | None = None
    reason: str = ""
    name: str | None = None
    value: Json = None
    by: str = ""
    verified: bool = False


class Asked(Wire, frozen=True):
    """A request as the store holds it: `seq` orders it, `at` (epoch seconds) is when it came."""

    seq: int
    request: Request
    at: float = 0.0


class Answer(Wire, frozen=True):
    """What became of a request.

    `reason` says why it was refused or had no effect; `by`, `verified` and `request_reason` are the
    request's own.
    """

    seq: int
    type: RequestType
    verdict: Verdict
    at: float
    step: str | None = None
    reason: str = ""
    by: str = ""
    verified: bool = False
    request_reason: str = ""
