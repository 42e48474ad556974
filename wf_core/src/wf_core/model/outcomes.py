"""How a call ended: an outcome is data, whatever the hook raised."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from wf_core.model.spec import Json
from wf_core.model.state import Resource


class Severity(StrEnum):
    """How a failure is answered (semantics B6)."""

    RETRYABLE = "Retryable"
    THROTTLED = "Throttled"
    FATAL = "Fatal"
    CANNOT_LOOK = "CannotLook"


@attrs.frozen
class Succeeded:
    """The hook is done. What is None stays as it was known."""

    resource: Resource | None = None
    attributes: Mapping[str, Json] | None = None


@attrs.frozen
class Progressing:
    """The hook left something going; look again after `poll_after` seconds. `waits_for_person`: it
    ends by nothing but a person's answer."""

    poll_after: float | None = None
    resource: Resource | None = None
    attributes: Mapping[str, Json] | None = None
    waits_for_person: bool = False


@attrs.frozen
class Failure:
    """The hook failed. `after` is the least wait (seconds) if throttled; `trace` is for the log."""

    severity: Severity
    message: str
    after: float = 0.0
    trace: str | None = None


Outcome = Succeeded | Progressing | Failure
