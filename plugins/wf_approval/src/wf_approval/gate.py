"""What is kept of a gate, in its step's resource, and its sentences. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from wf_core.model.spec import Json
from wf_core.model.state import MESSAGE, Resource

WAITING = "waiting for approval"
OPEN = (WAITING, "waits for approval")
"""What a gate that waits has as its status; the second was saved by older versions."""
APPROVED = "approved"
REJECTED = "rejected"
EXPIRED = "expired"
CLOSED = "closed"
ENDED = (APPROVED, REJECTED, EXPIRED)

DUE = "dueAt"
SIGNAL = "signal"
APPROVERS = "approvers"
USED = "usedAnswer"

LONGEST = 256
"""Characters that are kept of a name, and of a reason."""


@attrs.frozen
class Answer:
    """What a person said."""

    approved: bool
    by: str
    reason: str = ""

    @property
    def sentence(self) -> str:
        """`rejected by ann: too dear`."""
        verb = APPROVED if self.approved else REJECTED
        return f"{verb} by {self.by}" + (f": {self.reason}" if self.reason else "")


@attrs.frozen
class Gate:
    """A gate: the signal that answers it, whose answers count, until when it waits (epoch seconds),
    and the fingerprint of the answer that ended an earlier attempt, which does not count again."""

    signal: str
    approvers: Sequence[str] = ()
    due_at: float | None = None
    used: str = ""

    def resource(self, status: str, message: str) -> Resource:
        """What is saved. `message` is for people."""
        kept: dict[str, Json] = {
            MESSAGE: message,
            SIGNAL: self.signal,
            APPROVERS: list(self.approvers),
        }
        if self.due_at is not None:
            kept[DUE] = self.due_at
        if self.used:
            kept[USED] = self.used
        return Resource(status=status, attributes=kept)


def gate_of(resource: Resource) -> Gate:
    """The gate that was saved."""
    kept = resource.attributes
    due_at, approvers = kept.get(DUE), kept.get(APPROVERS)
    return Gate(
        str(kept.get(SIGNAL, "")),
        tuple(map(str, approvers)) if isinstance(approvers, list) else (),
        float(due_at) if isinstance(due_at, int | float) else None,
        str(kept.get(USED, "")),
    )


def fingerprint(value: Json) -> str:
    """What tells a signal's value from others, however large it is."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def signalled(answer: Answer, at: float) -> dict[str, Json]:
    """The value of the signal that carries an answer. `at` (epoch seconds) is when it was given: it
    tells an answer from an equal one that was given before."""
    return {
        "approved": answer.approved,
        "by": answer.by,
        "reason": answer.reason,
        "at": rfc3339(at),
    }


def answer_of(value: Json) -> Answer:
    """The answer that a signal's value is. Raises ValueError with what it lacks."""
    if not isinstance(value, Mapping):
        raise ValueError(_FORM)
    given: Mapping[str, Any] = value
    approved, by, reason = given.get("approved"), given.get("by"), given.get("reason")
    if not isinstance(approved, bool) or not isinstance(by, str) or not by.strip():
        raise ValueError(_FORM)
    reason = reason if isinstance(reason, str) else ""
    # Cut, so that no answer is too large to be kept.
    return Answer(approved, by.strip()[:LONGEST], reason[:LONGEST])


def rfc3339(at: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, in whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


_FORM = "an answer has `approved` (true or false) and `by` (a name)"
