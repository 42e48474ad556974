"""What a callback says: the workflow as it is stored, and which transition is reported."""

from datetime import UTC, datetime

from wf_core.model.spec import Callback, Parameters
from wf_core.model.state import OutboxEntry, Stored
from wf_core.saga.reports import event_type, reported

_ERRORS = ("runError", "rollbackError", "syncError")


def event_id(uid: str, entry: OutboxEntry) -> str:
    """The id of an event, the same on every repeat."""
    return f"{uid}/{entry.seq}"


def wanted(callback: Callback | None, entry: OutboxEntry) -> bool:
    """Whether the callback asks for this event: none does without a url."""
    return reported(callback, entry.phase, entry.step)


def body(stored: Stored, entry: OutboxEntry) -> Parameters:
    """The JSON object to post: the workflow as it stands in `stored`, and the event.

    `phase`, `attributes` and the errors (by step name) are the workflow's at the time of delivery;
    `type`, `time` and `step` tell the transition, so a late event shows both. `step` is null where
    the workflow itself moved. `by` and `reason` are of the person whose request made the move, and
    empty where none did.
    """
    from wf_core.codec import to_status  # the codec brings YAML along: not for every `wf` command

    metadata = stored.workflow.metadata
    status = to_status(stored)
    return {
        "eventId": event_id(stored.key_uid, entry),
        "type": event_type(entry.phase, entry.step),
        "time": _rfc3339(entry.at),
        "namespace": metadata.namespace,
        "uid": stored.key_uid,
        "name": metadata.name,
        "step": entry.step,
        "by": entry.by,
        "reason": entry.reason,
        "phase": status["phase"],
        "attributes": status.get("attributes") or {},
        **{name: status.get(name) or {} for name in _ERRORS},
    }


def _rfc3339(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
