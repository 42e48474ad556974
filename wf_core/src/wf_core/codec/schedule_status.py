"""What is saved of a schedule, as people see it and as a cluster keeps it: times are RFC 3339."""

import datetime
from typing import Any

import msgspec

from wf_core.codec.writing import plain_struct, rfc3339, to_document
from wf_core.model.schedule import CronStatus, StoredSchedule

_TIME = "Time"


def stored_schedule_document(stored: StoredSchedule) -> dict[str, Any]:
    """The document with its status; `read_document` accepts it."""
    document = to_document(stored.schedule)
    document["metadata"]["creationTimestamp"] = rfc3339(stored.created_at)
    return {**document, "status": schedule_status(stored.status)}


def schedule_status(status: CronStatus) -> dict[str, Any]:
    """The status under its wire names; what is the default is left out, but for the revision."""
    shown: dict[str, Any] = _shown(plain_struct(status))
    return {"revision": status.revision, **shown}


def read_schedule_status(document: dict[str, Any]) -> CronStatus:
    """What `schedule_status` wrote. Raises msgspec.ValidationError or ValueError."""
    return msgspec.convert(_read(document), CronStatus)


def _shown(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shown(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return rfc3339(value) if name.endswith(_TIME) and value is not None else value


def _read(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _read(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_read(each) for each in value]
    if name.endswith(_TIME) and isinstance(value, str):
        return datetime.datetime.fromisoformat(value).timestamp()
    return value
